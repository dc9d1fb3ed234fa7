"""The one place that knows whether nodes run on our bridge or, with `TOLMAN_RCLPY=1`, on a real rclpy.

Everything else in this folder uses what both have: `Node` and its `create_publisher`, `create_subscription`,
`create_timer`, `get_logger`, `count_publishers`; contexts; executors; messages with the fields of ROS 2.
Under a real rclpy `tolman_msgs` has to be built in the workspace, as any package of messages.
"""

from __future__ import annotations

import array
import importlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...bridge.constants import S_TO_NS
from ...bridge.exceptions import BridgeError

REAL = os.environ.get("TOLMAN_RCLPY") == "1"

if TYPE_CHECKING or not REAL:
    from ...bridge import Context, Node, SingleThreadedExecutor, message_class, open_context
    from ...bridge.messages import Message, deserialize, serialize
    from ...bridge.qos import DurabilityPolicy, QoSProfile
else:  # pragma: no cover - needs ROS 2
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node
    from rclpy.qos import DurabilityPolicy, QoSProfile

__all__ = [
    "LATCHED",
    "PERIODIC",
    "S_TO_NS",
    "BridgeError",
    "Context",
    "Node",
    "message",
    "opened",
    "sequence",
    "set_time",
    "spin",
]

#: Deep enough for what arrives while an agent replays or compiles: 10 s at the control rate.
PERIODIC = QoSProfile(depth=256)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)

_TYPECODES = {"int16": "h", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I", "float32": "f"}


def message(name: str) -> type[Message]:
    """Return the class of a message type such as `geometry_msgs/msg/Twist`, ready for use."""
    if REAL:  # pragma: no cover
        package, _, short = name.split("/")
        made: type[Message] = getattr(importlib.import_module(f"{package}.msg"), short)
        return made
    kind = message_class(name)
    deserialize(serialize(kind()), kind)  # compiles reader and writer now, not in the first period
    return kind


def sequence(values: NDArray[Any], dtype: str) -> Any:
    """Return numbers (n,) as what a message takes for a sequence of `dtype`: rclpy refuses NumPy arrays."""
    numbers = np.ascontiguousarray(values, dtype)
    return array.array(_TYPECODES[dtype], numbers.tobytes()) if REAL else numbers


def opened(endpoint: str | None = None) -> Context:
    """Return a context of its own; `endpoint` is where nodes of the bridge meet, ROS 2 has its domain.

    Raises
    ------
    EndpointError
        If the endpoint cannot be used.
    """
    if not REAL:
        return open_context(endpoint)
    context = Context()  # pragma: no cover
    context.init()  # pragma: no cover
    return context  # pragma: no cover


def set_time(node: Node, nanoseconds: int) -> None:
    """Note the time of the robot's clock in the frames that follow: viewers draw traces over it."""
    if not REAL:
        node.context.transport.simulation_time = nanoseconds


def spin(node: Node, done: Callable[[], bool], timeout: float | None = None) -> None:
    """Run the callbacks of `node` until `done()`, its context is shut down, or `timeout` s have passed."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    clock = node.get_clock()
    end = None if timeout is None else clock.now().nanoseconds + round(timeout * S_TO_NS)
    try:
        while node.context.ok() and not done() and (end is None or clock.now().nanoseconds < end):
            executor.spin_once(timeout_sec=0.1)
    finally:
        executor.remove_node(node)
        executor.shutdown()
