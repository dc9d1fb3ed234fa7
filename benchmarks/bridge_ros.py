"""The latency part of `bridge.py` with real rclpy; run by it, with a Python that has that.

    PYTHON benchmarks/bridge_ros.py SECONDS

Prints the median time, s, from just before `publish` to the callback, at 500 Hz with 1 kB, from one process
to another, over all messages but the first fifth.
"""

import multiprocessing
import statistics
import struct
import sys
import time
from typing import Any

SIZE = 1000
RATE = 500.0  #: Hz
STAMP = struct.Struct("<q")


def sender(seconds: float, stopped: Any) -> None:
    """Publish for `seconds`."""
    import rclpy
    from std_msgs.msg import UInt8MultiArray

    rclpy.init()
    node = rclpy.create_node("sender")
    publisher = node.create_publisher(UInt8MultiArray, "t", 1000)
    while publisher.get_subscription_count() == 0:
        time.sleep(0.01)
    filling = bytes(SIZE - STAMP.size)
    message = UInt8MultiArray()
    due = time.monotonic()
    end = due + seconds
    while time.monotonic() < end:
        message.data = STAMP.pack(time.time_ns()) + filling
        publisher.publish(message)
        due += 1.0 / RATE
        time.sleep(max(due - time.monotonic(), 0.0))
    time.sleep(0.5)
    stopped.value = 1
    rclpy.shutdown()


def main() -> None:
    """Receive, and print."""
    import rclpy
    from std_msgs.msg import UInt8MultiArray

    spawn = multiprocessing.get_context("spawn")
    stopped = spawn.Value("q", 0, lock=False)
    process = spawn.Process(target=sender, args=(float(sys.argv[1]), stopped))
    process.start()
    rclpy.init()
    node = rclpy.create_node("receiver")
    delays: list[int] = []
    node.create_subscription(
        UInt8MultiArray,
        "t",
        lambda message: delays.append(time.time_ns() - STAMP.unpack_from(message.data)[0]),
        1000,
    )
    node.create_timer(0.2, lambda: rclpy.shutdown() if stopped.value else None)
    try:
        rclpy.spin(node)
    except Exception:  # its executors raise at shutdown
        if not stopped.value:
            raise
    process.join()
    kept = delays[len(delays) // 5 :]
    print(statistics.median(kept) / 1e9)


if __name__ == "__main__":
    main()
