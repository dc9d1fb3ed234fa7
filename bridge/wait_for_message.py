"""Wait for one message, as rclpy has it."""

import threading
import time
from typing import Literal, TypeVar, cast

from .messages import Message
from .node import Node
from .qos import QoSProfile

M = TypeVar("M", bound=Message)
_POLL = 0.05  #: s between looks at the context


def wait_for_message(
    msg_type: type[M],
    node: Node,
    topic: str,
    *,
    qos_profile: QoSProfile | int = 1,
    time_to_wait: float | int = -1,
) -> tuple[Literal[True], M] | tuple[Literal[False], None]:
    """Wait for the next message on a topic; the node need not be spun, and if it is, callbacks go on.

    Returns
    -------
    (True, message), or (False, None) after `time_to_wait` s (for ever if negative) or at shutdown.
    """
    came = threading.Event()
    subscription = node.create_subscription(msg_type, topic, lambda message: None, qos_profile)
    subscription._wake = came.set
    subscription._executor_event = True  # no executor takes from it
    if node.context.receiver is not None:
        node.context.receiver.resume()
    end = None if time_to_wait < 0 else time.monotonic() + time_to_wait
    try:
        while node.context.ok():
            taken = subscription.take()
            if taken is not None:
                return True, cast(M, taken[0])
            left = _POLL if end is None else end - time.monotonic()
            if left <= 0:
                break
            came.wait(min(left, _POLL))
            came.clear()
        return False, None
    finally:
        node.destroy_subscription(subscription)
