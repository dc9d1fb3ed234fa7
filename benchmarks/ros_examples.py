"""Nodes of ros2/examples and ros2/demos, unmodified: on the bridge and, if there is one, on a real rclpy.

    git clone https://github.com/ros2/examples
    git clone https://github.com/ros2/demos
    python benchmarks/ros_examples.py examples demos --oracle ORACLE/bin/python --json ros_examples.json

A scenario is one node, or several that belong together; each runs in a process of its own, `python -m
tolman.bridge NODE.py`, at an endpoint of the scenario's own, for some seconds, and is then ended with
SIGINT. A node ran if it printed what the scenario expects of it, and no traceback before the signal (some
demos do not catch what it raises, on rclpy as here), and ended soon after it.

With --oracle the same nodes run under the rclpy of that interpreter, and what both print is compared
without times, numbers and addresses: the set of distinct lines, since how often a timer fires is nobody's
fault. Nodes whose imports are missing there (`example_interfaces` and `sensor_msgs_py` are on no index)
are left out of the comparison and named.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = (
    *("topics/minimal_publisher", "topics/minimal_subscriber", "topics/pointcloud_publisher"),
    *("services/minimal_service", "services/minimal_client", "guard_conditions", "executors"),
    *("actions/minimal_action_server", "actions/minimal_action_client"),
)
GRACE = 20.0  #: s from the signal to the end
LIMIT = 60.0  #: s that a scenario may take until all has been said that is expected, on a busy machine
#: in lines that depend on which process is up first, or stand in a traceback
PASSING = ("not available, waiting", "waiting again", "Waiting for", 'File "', "^^^")
START = 1.0  #: s between the first process and those that come after


@dataclass(frozen=True)
class Program:
    """One process of a scenario: a module, its arguments, and a pattern that its output has to match."""

    module: str
    expects: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Programs that run together."""

    name: str
    programs: tuple[Program, ...]
    seconds: float = 4.0
    needs: str = ""  #: what of rclpy it is about, beyond topics, services and parameters


def pair(name: str, one: Program, other: Program, seconds: float = 4.0, needs: str = "") -> Scenario:
    """Two programs, the first of which starts first."""
    return Scenario(name, (one, other), seconds, needs)


def _minimal(folder: str, module: str, expects: str) -> Program:
    return Program(f"examples_rclpy_{folder}.{module}", expects)


def _action_server(module: str) -> Program:
    return _minimal(
        "minimal_action_server", module, r"Goal succeeded|Executing goal|Returning result|canceled"
    )


def _action_client(module: str) -> Program:
    return _minimal("minimal_action_client", module, r"Goal accepted|Received feedback|Final result|Result")


#: programs of ours that demos need to have something to show; not counted as nodes
HELPERS = {
    # stands for `ros2 run demo_nodes_cpp parameter_blackboard`, which is C++
    "parameter_blackboard": """
import rclpy
from rclpy.executors import ExternalShutdownException
try:
    with rclpy.init():
        rclpy.spin(rclpy.create_node(
            "parameter_blackboard",
            allow_undeclared_parameters=True,
            automatically_declare_parameters_from_overrides=True,
        ))
except (KeyboardInterrupt, ExternalShutdownException):
    pass
""",
    # says which node there is, for those that say nothing themselves
    "presence": """
import sys, time
import rclpy
with rclpy.init(args=[]):
    node = rclpy.create_node("presence")
    while sys.argv[1] not in node.get_node_names():
        rclpy.spin_once(node, timeout_sec=0.2)
    print("found", sys.argv[1], flush=True)
""",
    "set_param1": """
import rclpy
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
with rclpy.init():
    node = rclpy.create_node("set_param1")
    client = AsyncParameterClient(node, "set_parameters_callback")
    client.wait_for_services(60.0)
    future = client.set_parameters([Parameter("param1", Parameter.Type.DOUBLE, 1.0)])
    rclpy.spin_until_future_complete(node, future)
    print(future.result().results[0].reason)
    future = client.get_parameters(["param1", "param2"])
    rclpy.spin_until_future_complete(node, future)
    print(*map(parameter_value_to_python, future.result().values), flush=True)
""",
    "first_cloud": """
import rclpy
from rclpy.wait_for_message import wait_for_message
from sensor_msgs.msg import PointCloud2
with rclpy.init():
    node = rclpy.create_node("first_cloud")
    _, cloud = wait_for_message(PointCloud2, node, "test_cloud", time_to_wait=60.0)
    print(cloud.width, cloud.height, [field.name for field in cloud.fields], len(cloud.data), flush=True)
""",
}
HEARD = r'I heard: [\["]Hello World'
PUBLISHED = r'Publishing: "Hello World'
SUM = r"Result of add_two_ints"
REQUEST = r"Incoming request"

SCENARIOS = (
    *(
        pair(
            f"{publisher} and {subscriber}",
            _minimal("minimal_publisher", publisher, PUBLISHED),
            _minimal("minimal_subscriber", subscriber, HEARD),
        )
        for publisher, subscriber in (
            ("publisher_old_school", "subscriber_old_school"),
            ("publisher_local_function", "subscriber_lambda"),
            ("publisher_member_function", "subscriber_member_function"),
        )
    ),
    pair(
        "pointcloud_publisher",
        Program("examples_rclpy_pointcloud_publisher.pointcloud_publisher", ""),
        Program("first_cloud", r"10000 1 \['x', 'y', 'z', 'intensity'\] 160000"),
        needs="sensor_msgs_py",
    ),
    *(
        pair(
            f"{service} and {client}",
            _minimal("minimal_service", service, REQUEST),
            _minimal("minimal_client", client, SUM),
        )
        for service, client in (
            ("service", "client"),
            ("service_member_function", "client_async"),
            ("service", "client_async_member_function"),
            ("service_member_function", "client_async_callback"),
        )
    ),
    Scenario(
        "trigger_guard_condition",
        (_minimal("guard_conditions", "trigger_guard_condition", "guard callback called"),),
    ),
    pair(
        "executors: talker and listener",
        _minimal("executors", "talker", "Publishing"),
        _minimal("executors", "listener", "I heard"),
    ),
    Scenario("executors: composed", (_minimal("executors", "composed", "I heard"),)),
    Scenario("executors: callback_group", (_minimal("executors", "callback_group", "I heard"),), 5.0),
    Scenario("executors: custom_executor", (_minimal("executors", "custom_executor", "I heard"),)),
    Scenario(
        "executors: custom_callback_group", (_minimal("executors", "custom_callback_group", PUBLISHED),), 5.0
    ),
    pair(
        "demo_nodes_py: talker and listener",
        Program("demo_nodes_py.topics.talker", PUBLISHED),
        Program("demo_nodes_py.topics.listener", HEARD),
    ),
    pair(
        "demo_nodes_py: talker and listener_serialized",
        Program("demo_nodes_py.topics.talker", PUBLISHED),
        Program("demo_nodes_py.topics.listener_serialized", "I heard"),
    ),
    pair(
        "demo_nodes_py: talker_qos and listener_qos, reliable",
        Program("demo_nodes_py.topics.talker_qos", PUBLISHED, ("--reliable", "-n", "3")),
        Program("demo_nodes_py.topics.listener_qos", "Reliable listener", ("--reliable", "-n", "2")),
    ),
    pair(
        "demo_nodes_py: talker_qos and listener_qos, best effort",
        Program("demo_nodes_py.topics.talker_qos", PUBLISHED),
        Program("demo_nodes_py.topics.listener_qos", HEARD),
    ),
    pair(
        "demo_nodes_py: add_two_ints_server and _client",
        Program("demo_nodes_py.services.add_two_ints_server", REQUEST),
        Program("demo_nodes_py.services.add_two_ints_client", SUM),
    ),
    pair(
        "demo_nodes_py: add_two_ints_server and _client_async",
        Program("demo_nodes_py.services.add_two_ints_server", REQUEST),
        Program("demo_nodes_py.services.add_two_ints_client_async", SUM),
    ),
    Scenario(
        "demo_nodes_py: introspection",
        (Program("demo_nodes_py.services.introspection", SUM),),
        needs="service introspection",
    ),
    pair(
        "demo_nodes_py: async_param_client",
        Program("parameter_blackboard", ""),
        Program("demo_nodes_py.parameters.async_param_client", r"Deleting parameters(.|\n)*reason"),
    ),
    pair(
        "demo_nodes_py: set_parameters_callback",
        Program("demo_nodes_py.parameters.set_parameters_callback", ""),
        Program("set_param1", r"1\.0 4\.0"),
    ),
    Scenario(
        "demo_nodes_py: use_logger_service",
        (Program("demo_nodes_py.logging.use_logger_service", r"Current logger level: 40"),),
        6.0,
    ),
    Scenario(
        "demo_nodes_py: matched_event_detect",
        (Program("demo_nodes_py.events.matched_event_detect", "connected|matched"),),
        6.0,
        needs="events",
    ),
    pair(
        "topic_monitor: data_publisher and topic_monitor",
        Program("topic_monitor.scripts.data_publisher", "", ("sensor", "--period", "0.2")),
        Program("topic_monitor.scripts.topic_monitor", r"sensor"),
        6.0,
    ),
    Scenario(
        "quality_of_service_demo_py: lifespan",
        (Program("quality_of_service_demo_py.lifespan", r"Listener heard", ("1500", "--history", "10")),),
        7.0,
    ),
    pair(
        "quality_of_service_demo_py: qos_overrides_talker and _listener",
        Program("quality_of_service_demo_py.qos_overrides_talker", "Publishing"),
        Program("quality_of_service_demo_py.qos_overrides_listener", HEARD),
    ),
    pair(
        "quality_of_service_demo_py: message_lost_listener",
        Program("quality_of_service_demo_py.message_lost_listener", ""),
        Program("presence", "found", ("message_lost_listener",)),
        needs="events",
    ),
    Scenario(
        "quality_of_service_demo_py: deadline",
        (
            Program(
                "quality_of_service_demo_py.deadline",
                "Requested deadline missed",
                ("600", "--publish-for", "2000", "--pause-for", "2000"),
            ),
        ),
        7.0,
        needs="events",
    ),
    Scenario(
        "quality_of_service_demo_py: liveliness",
        (Program("quality_of_service_demo_py.liveliness", "not_alive_count", ("1000",)),),
        6.0,
        needs="events",
    ),
    *(
        Scenario(
            f"quality_of_service_demo_py: incompatible_qos {policy}",
            (Program("quality_of_service_demo_py.incompatible_qos", "incompatible qos", (policy,)),),
            6.0,
            needs="events",
        )
        for policy in ("durability", "reliability")
    ),
    *(
        pair(
            f"actions: {server} and {client}",
            _action_server(server),
            _action_client(client),
            seconds,
            needs="actions",
        )
        for server, client, seconds in (
            ("server", "client_asyncio", 15.0),
            ("server_defer", "client", 15.0),
            ("server_not_composable", "client_not_composable", 15.0),
            ("server_queue_goals", "client", 15.0),
            ("server_single_goal", "client", 15.0),
            ("server", "client_cancel", 8.0),
        )
    ),
    pair(
        "action_tutorials_py: fibonacci_action_server and _client",
        Program("action_tutorials_py.fibonacci_action_server", "Executing goal"),
        Program("action_tutorials_py.fibonacci_action_client", "Result"),
        15.0,
        needs="actions",
    ),
    pair(
        "lifecycle_py: talker",
        Program("lifecycle_py.talker", ""),
        Program("presence", "found", ("lc_talker",)),
        needs="lifecycle",
    ),
)


class Sources:
    """Where the modules of the two repositories lie, and a prefix as ROS 2 would have installed it."""

    def __init__(self, examples: Path, demos: Path, prefix: Path) -> None:
        self.roots = [examples / "rclpy" / package for package in PACKAGES]
        self.roots += [demos / "demo_nodes_py", demos / "topic_monitor", demos / "lifecycle_py"]
        self.roots += [
            demos / "quality_of_service_demo" / "rclpy",
            demos / "action_tutorials/action_tutorials_py",
        ]
        self.prefix = prefix
        index = prefix / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True)
        share = prefix / "share" / "demo_nodes_py"
        share.mkdir()
        (index / "demo_nodes_py").touch()
        for name, text in HELPERS.items():
            (prefix / f"{name}.py").write_text(text)
        for file in (demos / "demo_nodes_py").rglob("*.yaml"):
            (share / file.name).write_bytes(file.read_bytes())

    def file(self, module: str) -> Path:
        """The file of a module."""
        if module in HELPERS:
            return self.prefix / f"{module}.py"
        for root in self.roots:
            if (found := root / (module.replace(".", "/") + ".py")).is_file():
                return found
        raise FileNotFoundError(f"none of the source trees has {module}")


def free_port() -> int:
    """A port of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with its output in a file, ended with SIGINT, and killed where that does not help."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(scenario: Scenario, launcher: list[str], sources: Sources, environment: dict[str, str]) -> list[Any]:
    """What became of each program: `module`, `ran`, `why` if not, and `output`."""
    roots = os.pathsep.join(map(str, sources.roots))
    domain = str(free_port() % 100 + 1)
    environment = environment | {
        "PYTHONPATH": os.pathsep.join(filter(None, [roots, environment.get("PYTHONPATH", "")])),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TOLMAN_ENDPOINT": f"tcp://127.0.0.1:{free_port()}",
        "ROS_DOMAIN_ID": domain,
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "AMENT_PREFIX_PATH": os.pathsep.join(
            filter(None, [str(sources.prefix), environment.get("AMENT_PREFIX_PATH", "")])
        ),
        "MPLBACKEND": "Agg",
    }
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        environment["ROS_LOG_DIR"] = folder
        processes = []
        for number, program in enumerate(scenario.programs):
            if number:
                time.sleep(START)
            command = [*launcher, str(sources.file(program.module)), *program.arguments]
            log = Path(folder) / f"{number}.log"
            processes.append((program, log, stack.enter_context(running(command, environment, log))))
        begin = time.monotonic()
        while any(process.poll() is None for *_, process in processes):
            spent = time.monotonic() - begin
            if spent > LIMIT or (spent > scenario.seconds and all(said(p, log) for p, log, _ in processes)):
                break
            time.sleep(0.1)
        outputs = [log.read_text(errors="replace") for _, log, _ in processes]
        statuses = [process.poll() for *_, process in processes]
        for *_, process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        results = []
        for (program, _, process), output, status in zip(processes, outputs, statuses, strict=True):
            try:
                process.wait(GRACE)
                why = verdict(program, status, output)
            except subprocess.TimeoutExpired:
                why = f"did not end within {GRACE:g} s of SIGINT"
            results.append({"module": program.module, "ran": not why, "why": why, "output": output})
    return results


def said(program: Program, log: Path) -> bool:
    """Whether a program has printed what is expected of it."""
    return re.search(program.expects, log.read_text(errors="replace")) is not None


def verdict(program: Program, status: int | None, output: str) -> str:
    """Why a program did not run as it should, up to the signal; empty if it did."""
    last = without_folders((output.strip().splitlines() or [""])[-1])[:200]
    if "Traceback (most recent call last)" in output:
        return last
    if status:
        return f"exit status {status}: {last}"
    if not re.search(program.expects, output):
        return f"did not print what was expected: {program.expects}"
    return ""


def without_folders(text: str) -> str:
    """A text with files as their names alone."""
    return re.sub(r"/(?:[\w.+-]+/)+", "", text)


def normalised(output: str) -> set[str]:
    """Distinct lines without times, numbers and addresses."""
    lines = set()
    for line in output.splitlines():
        line = re.sub(r"0x[0-9a-f]+", "ADDRESS", line)
        line = re.sub(r"b'.*'", "BYTES", line)  # rclpy leaves what was in memory where CDR pads
        line = re.sub(r"\[\d+\.\d+\]", "[TIME]", line)
        line = re.sub(r"\d+(\.\d+)?(e-?\d+)?", "N", line)
        if line.strip() and not any(part in line for part in PASSING):
            lines.add(without_folders(line.strip()))
    return lines


def main() -> int:
    """Run the scenarios and print a table; 1 if a node that should run did not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("examples", type=Path)
    parser.add_argument("demos", type=Path)
    parser.add_argument("--oracle", type=Path, help="interpreter of an environment with rclpy")
    parser.add_argument("--only", help="scenarios whose name contains this")
    parser.add_argument("--verbose", action="store_true", help="print what differs, and outputs of failures")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    # what a shell starts in the background ignores SIGINT, and so would all that is started here
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        sources = Sources(arguments.examples.resolve(), arguments.demos.resolve(), Path(folder) / "prefix")
        ran: dict[str, bool] = {}
        table = []
        for scenario in SCENARIOS:
            if arguments.only and arguments.only not in scenario.name:
                continue
            entry = compared(scenario, sources, arguments.oracle, arguments.verbose)
            table.append(entry)
            for program in entry["programs"]:
                ran[program["module"]] = ran.get(program["module"], True) and program["ran"]
    nodes = {module: good for module, good in sorted(ran.items()) if module not in HELPERS}
    print(f"{sum(nodes.values())} of {len(nodes)} nodes ran")
    if arguments.oracle:
        both = [entry for entry in table if entry.get("same") is not None]
        print(f"output as of rclpy: {sum(entry['same'] for entry in both)} of {len(both)} scenarios")
    if arguments.json:
        result = {"nodes": len(nodes), "ran": sum(nodes.values()), "by_node": nodes, "scenarios": table}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if all(nodes.values()) else 1


def compared(scenario: Scenario, sources: Sources, oracle: Path | None, verbose: bool) -> dict[str, Any]:
    """One scenario on the bridge, and on rclpy if there is one."""
    environment = dict(os.environ)
    ours = run(scenario, [sys.executable, "-m", "tolman.bridge"], sources, environment)
    entry: dict[str, Any] = {"scenario": scenario.name, "needs": scenario.needs}
    entry["programs"] = [{key: program[key] for key in ("module", "ran", "why")} for program in ours]
    print(f"{'ran' if all(p['ran'] for p in ours) else 'FAILED':<7}{scenario.name}", flush=True)
    for program in ours:
        if program["why"]:
            print(f"       {program['module']}: {program['why']}")
            if verbose:
                print(program["output"])
    if oracle is None:
        return entry
    prefix = oracle.absolute().parent.parent
    environment.pop("PYTHONPATH", None)
    theirs = run(scenario, [str(oracle)], sources, environment | {"AMENT_PREFIX_PATH": str(prefix)})
    absent = [p["why"] for p in theirs if p["why"].startswith("ModuleNotFoundError")]
    if absent:
        entry |= {"same": None, "oracle": absent[0]}
        return entry
    differences = {}
    for mine, other in zip(ours, theirs, strict=True):
        one, two = normalised(mine["output"]), normalised(other["output"])
        if one != two:
            differences[mine["module"]] = {"here": sorted(one - two)[:6], "rclpy": sorted(two - one)[:6]}
    entry |= {"same": not differences, "oracle": [p["why"] for p in theirs if p["why"]]}
    if differences:
        entry["differences"] = differences
        if verbose:
            print(json.dumps(differences, indent=1))
    return entry


if __name__ == "__main__":
    sys.exit(main())
