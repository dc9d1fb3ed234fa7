"""`rclpy` and the message packages as other names of the bridge: on request, where none is real."""

import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tolman.bridge
import tolman.bridge.node
from tolman.bridge import alias, typestore
from tolman.bridge.interfaces import action_class, service_class
from tolman.bridge.messages import message_class

PACKAGE_PARENT = str(Path(tolman.bridge.__file__).parents[2])


@pytest.fixture(autouse=True)
def _undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(typestore, "_texts", dict(typestore._texts))
    monkeypatch.delenv("TOLMAN_INTERFACES", raising=False)
    yield
    alias.remove()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m tolman.bridge ARGUMENTS`, at an endpoint of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return subprocess.run(
        [sys.executable, "-m", "tolman.bridge", *arguments],
        cwd=cwd,
        env=os.environ
        | {"PYTHONPATH": PACKAGE_PARENT, "TOLMAN_ENDPOINT": f"tcp://127.0.0.1:{port}"}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nothing_is_aliased_unless_asked_for() -> None:
    if importlib.util.find_spec("rclpy") is not None:
        pytest.skip("a real rclpy is installed")
    alias.install()
    assert importlib.import_module("rclpy") is tolman.bridge
    alias.remove()
    for name in ("rclpy", "rclpy.node", "tint_msgs"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)


def test_modules_of_rclpy_are_those_of_the_bridge() -> None:
    alias.install(force=True)
    spec = tolman.bridge.node.__spec__
    assert importlib.import_module("rclpy.node") is tolman.bridge.node
    assert importlib.import_module("rclpy").node is tolman.bridge.node
    assert tolman.bridge.node.__spec__ is spec
    assert tolman.bridge.node.__name__ == "tolman.bridge.node"
    signals = importlib.import_module("rclpy.signals")
    assert signals.SignalHandlerOptions is tolman.bridge.SignalHandlerOptions
    for missing in ("rclpy.nothing", "rclpy.nothing.at_all"):
        with pytest.raises(ModuleNotFoundError, match=r"the bridge has no module rclpy\.nothing"):
            importlib.import_module(missing)


def test_packages_give_the_classes() -> None:
    alias.install(force=True)
    std_msgs = importlib.import_module("std_msgs.msg")
    assert std_msgs.String is message_class("std_msgs/msg/String")
    assert "Float32MultiArray" in std_msgs.__all__
    assert importlib.import_module("std_msgs.msg._string").String is std_msgs.String
    assert importlib.import_module("std_srvs.srv").SetBool is service_class("std_srvs/srv/SetBool")
    actions = importlib.import_module("example_interfaces.action")
    assert actions.Fibonacci is action_class("example_interfaces/action/Fibonacci")
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = std_msgs.Nothing
    for missing in ("std_msgs.srv", "std_msgs.nothing", "std_msgs.msg._nothing"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(missing)


def test_what_is_real_goes_first_unless_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "std_msgs" / "__init__.py", "")
    write(tmp_path / "std_msgs" / "msg.py", "String = 'real'")
    write(tmp_path / "std_srvs" / "readme.txt", "a folder of that name is no package")
    monkeypatch.syspath_prepend(str(tmp_path))
    alias.install()
    assert importlib.import_module("std_msgs.msg").String == "real"
    assert importlib.import_module("std_srvs.srv").SetBool is service_class("std_srvs/srv/SetBool")
    for name in [name for name in sys.modules if name.startswith("std_msgs")]:
        del sys.modules[name]
    alias.install(force=True)
    assert importlib.import_module("std_msgs.msg").String is message_class("std_msgs/msg/String")


def test_a_real_package_may_have_interfaces_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "tint_robot" / "__init__.py", "SPEED = 3")
    write(tmp_path / "tint_robot" / "msg" / "Tint.msg", "float32 hue\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("TOLMAN_INTERFACES", str(tmp_path))
    alias.install()
    assert importlib.import_module("tint_robot").SPEED == 3
    assert importlib.import_module("tint_robot.msg").Tint(hue=0.5).hue == 0.5
    for name in [name for name in sys.modules if name.startswith("tint_robot")]:
        del sys.modules[name]


NODE = """
import sys
import helper
import rclpy
from rclpy.node import Node
from std_msgs.msg import String
from tint_msgs.msg import Tint

class Talker(Node):
    def __init__(self):
        super().__init__("talker")
        self.publisher = self.create_publisher(String, "chatter", 10)

if __name__ == "__main__":
    with rclpy.init(args=sys.argv):
        node = Talker()
        node.publisher.publish(String(data="x"))
        print(sys.argv, node.get_name(), Tint(hue=1.5), helper.HELP, __file__)
        node.destroy_node()
    sys.exit(3)
"""


def test_an_unmodified_node_runs_as_a_file_and_as_a_module(tmp_path: Path) -> None:
    file = write(tmp_path / "nodes" / "talker.py", NODE)
    write(tmp_path / "nodes" / "helper.py", "HELP = 'beside it'")
    write(tmp_path / "share" / "tint_msgs" / "msg" / "Tint.msg", "float32 hue\n")
    share = str(tmp_path / "share")
    ran = run("nodes/talker.py", "-m", "--force", cwd=tmp_path, TOLMAN_INTERFACES=share)
    assert ran.returncode == 3, ran.stderr
    assert ran.stdout == (
        "['nodes/talker.py', '-m', '--force'] talker tint_msgs.msg.Tint(hue=1.5) beside it nodes/talker.py\n"
    )
    ran = run("-m", "talker", "x", cwd=tmp_path / "nodes", TOLMAN_INTERFACES=share)
    assert ran.returncode == 3, ran.stderr
    assert ran.stdout.startswith(f"['{file}', 'x'] talker")


USAGE = (
    "usage: python -m tolman.bridge [--force] [--keys DIR] [--insecure] (NODE.py | -m MODULE) [ARGUMENT ...]"
)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            [],
            USAGE,
        ),
        (
            ["-x", "node.py"],
            USAGE,
        ),
        (["nothing.py"], "no file nothing.py to run"),
        (["-m", "nothing.at_all"], "no module nothing.at_all to run"),
    ],
)
def test_what_cannot_be_run_gets_one_line(tmp_path: Path, arguments: list[str], line: str) -> None:
    ran = run(*arguments, cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"{line}\n")


def test_a_wrong_folder_of_interfaces_gets_one_line(tmp_path: Path) -> None:
    write(tmp_path / "node.py", "import rclpy")
    ran = run("node.py", cwd=tmp_path, TOLMAN_INTERFACES="nowhere")
    assert (ran.returncode, ran.stderr) == (2, "no folder nowhere to take interfaces from\n")


def test_other_packages_that_nodes_import_are_there_where_no_real_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias.install(force=True)
    clouds = importlib.import_module("sensor_msgs_py.point_cloud2")
    assert clouds is importlib.import_module("tolman.bridge.point_cloud2")
    packages = importlib.import_module("ament_index_python.packages")
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    write(index / "tint_nodes", "")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'none'}{os.pathsep}{tmp_path}")
    assert packages.get_package_share_directory("tint_nodes", False) == str(tmp_path / "share" / "tint_nodes")
    assert packages.get_packages_with_prefixes() == {"tint_nodes": str(tmp_path)}
    with pytest.raises(packages.PackageNotFoundError, match="shade_nodes"):
        packages.get_package_prefix("shade_nodes")
    with pytest.raises(ValueError, match="name"):
        packages.get_package_prefix("../packages/tint_nodes")
    alias.remove()
    assert "sensor_msgs_py" not in sys.modules
    assert "ament_index_python.packages" not in sys.modules
