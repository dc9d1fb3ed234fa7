"""A program does not wait for ZeroMQ when it collects what was dropped."""

import subprocess
import sys

DROPS = """
import gc, zmq
from tolman.bridge.network.sockets import Sockets
class Owner:
    def __init__(self):
        self.me, self.zmq = self, Sockets()
        self.out = self.zmq.socket(zmq.PUB)
        self.out.bind_to_random_port("tcp://127.0.0.1")
Owner()
gc.collect()
print("collected")
"""


def test_dropped_sockets_hold_nobody_up() -> None:
    ran = subprocess.run([sys.executable, "-c", DROPS], capture_output=True, text=True, timeout=30)
    assert ran.stdout == "collected\n"
