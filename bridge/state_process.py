"""Publish an agent's state from a process of its own, so that the agent's loop spends almost nothing on it.

A loop that runs as fast as it can is slowed by every topic it serialises and hands to ZeroMQ, above all by
waking ZeroMQ's thread, by several hundredths with eleven topics. Here it only copies a period into memory
that it shares with another process, which looks there every other millisecond and does the rest.

Where the other process is behind by `SharedRing`'s size, a period waits for it, at most `PATIENCE`; then
periods are lost until it has caught up, and subscribers count them as they do all losses.
"""

import json
import logging
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from . import exceptions
from .exceptions import BridgeError
from .shared_ring import ORDERED, SharedRing
from .state import LiveSink, Snapshot, StatePublisher

PATIENCE = 1.0  #: s that a period waits for the other process
STARTS_WITHIN = 30.0  #: s
ENDS_WITHIN = 5.0  #: s
_LOOK_EVERY = 0.002  #: s between two looks of the other process
_IDLE = 0.05  #: s without a period after which it looks for viewers

#: dtype and elements of an array
_Packed = tuple[str, memoryview]
_log = logging.getLogger(__name__)


class _Open(msgspec.Struct, tag=True):
    """The first record: what the publisher is made of."""

    endpoint: str | None
    width: int
    height: int
    control_period: float
    node_name: str


class _Camera(msgspec.Struct, tag=True):
    """The camera has this size from now on."""

    width: int
    height: int


class _Text(msgspec.Struct, tag=True):
    """What a latched topic says."""

    topic: str
    content: dict[str, Any]


class _Period(msgspec.Struct, tag=True):
    """A control period."""

    number: int
    time: float
    pose: tuple[float, float, float]
    twist: tuple[float, float]
    dopamine: float
    value: float
    reward: float
    spike_neuron: _Packed
    spike_time: _Packed
    place_activity: _Packed
    true_pose: tuple[float, float, float] | None = None
    odometry: tuple[float, float] | None = None
    events: tuple[_Packed, _Packed, _Packed, _Packed] | None = None


class _Close(msgspec.Struct, tag=True):
    """The last record."""


_Order = _Open | _Camera | _Text | _Period | _Close
_encoder = msgspec.msgpack.Encoder()
_read_order = msgspec.msgpack.Decoder(_Order).decode


class DetachedPublisher(LiveSink):
    """Publishes an agent's state from another process; otherwise as `StatePublisher`.

    Parameters
    ----------
    endpoint, width, height, control_period, node_name
        As of `StatePublisher`.

    Attributes
    ----------
    lost : int
        Periods that the other process did not take in time.

    Raises
    ------
    BusyPortError, EndpointError, KeysError
        As `StatePublisher`.
    BridgeError
        If the other process does not start.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        width: int = 0,
        height: int = 0,
        control_period: float = 0.04,
        node_name: str = "agent",
    ) -> None:
        self.lost = 0
        self._number = 0
        self._watched = self._waited = self._gone = False
        self._buffer = bytearray()  # one for all periods: a fresh one costs as much as the copy
        self._ring = SharedRing()
        number = str(self._ring.descriptor)
        command = [sys.executable, "-c", f"from {__name__} import main; main()", number]
        # Its standard input ends with this process, however that ends.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(self._ring.descriptor,),
        )
        try:
            self._put(_Open(endpoint, width, height, control_period, node_name))
            answer = self._answer(STARTS_WITHIN)
            if "failed" in answer:
                raise getattr(exceptions, answer["failed"], BridgeError)(answer["line"])
            if "endpoint" not in answer:
                raise BridgeError(f"the process that publishes did not start (code {self._process.poll()})")
        except BaseException:
            self.close()
            raise
        self.endpoint = answer["endpoint"]
        self.others = answer["others"]

    def publish(
        self,
        snapshot: Snapshot,
        observation: Mapping[str, Any] | None = None,
        *,
        reward: float = 0.0,
        true_pose: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> None:
        """Publish one control period on all topics; see `StateSink`."""
        self._number += 1
        period = _Period(
            self._number,
            float(snapshot.time),
            _three(snapshot.pose_estimate),
            _two(snapshot.twist),
            float(snapshot.dopamine),
            float(snapshot.value),
            float(reward),
            _packed(snapshot.spike_neuron),
            _packed(snapshot.spike_time),
            _packed(snapshot.place_activity),
        )
        if true_pose is not None:
            period.true_pose = _three(true_pose)
        if observation is not None:
            events = observation["events"]
            period.odometry = _two(observation["odometry"])
            t = _packed(events["t"], "u4")  # as in the message: half of what there is
            period.events = (t, _packed(events["x"]), _packed(events["y"]), _packed(events["p"]))
        self._put(period)

    def wait_for_viewer(self, timeout: float = 10.0) -> bool:
        """Wait until somebody listens to /clock; False after `timeout` seconds."""
        if not self._watched:
            self._watched = "watched" in self._answer(timeout)
        return self._watched

    def close(self) -> None:
        """Stop, once what was published has left."""
        self._put(_Close())
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.close()
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stdout.close()
        self._ring.close()

    def _set_camera(self, width: int, height: int) -> None:
        self._put(_Camera(width, height))

    def _send_text(self, name: str, content: Mapping[str, object]) -> None:
        self._put(_Text(name, dict(content)))

    def _put(self, order: _Order) -> None:
        """Hand it over; where that took too long before, there is no more waiting until it goes at once."""
        _encoder.encode_into(order, self._buffer)
        if self._ring.put(self._buffer):
            self._waited = False
            return
        end = time.monotonic() + (0.0 if self._waited else PATIENCE)
        while self._process.poll() is None and time.monotonic() < end:
            time.sleep(_LOOK_EVERY)
            if self._ring.put(self._buffer):
                return
        self._waited = True
        self.lost += 1
        if not self._gone and self._process.poll() is not None:
            self._gone = True
            _log.warning("the process that publishes has ended; nothing is published any more")

    def _answer(self, timeout: float) -> dict[str, Any]:
        """The next line the other process says; empty if there is none in time."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], (), (), timeout)[0]:
            return {}
        line = self._process.stdout.readline()
        found: dict[str, Any] = json.loads(line) if line else {}
        return found


def open_publisher(
    endpoint: str | None = None, *, width: int = 0, height: int = 0, control_period: float = 0.04
) -> LiveSink:
    """A publisher of an agent's state: detached, on machines where that works."""
    made: type[DetachedPublisher | StatePublisher] = DetachedPublisher if ORDERED else StatePublisher
    return made(endpoint, width=width, height=height, control_period=control_period)


def _two(pair: Any) -> tuple[float, float]:
    first, second = pair
    return float(first), float(second)


def _three(pose: Any) -> tuple[float, float, float]:
    x, y, heading = pose
    return float(x), float(y), float(heading)


def _packed(array: NDArray[Any], dtype: str | None = None) -> _Packed:
    array = np.ascontiguousarray(array, dtype)
    return array.dtype.str, array.data


def _unpacked(packed: _Packed) -> NDArray[Any]:
    return np.frombuffer(packed[1], packed[0])


def main() -> None:
    """Be the other process: `sys.argv[1]` is the descriptor of the ring."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the agent, which then ends us
    ring = SharedRing(int(sys.argv[1]))
    begin = _next(ring)
    if not isinstance(begin, _Open):
        return
    try:
        publisher = StatePublisher(
            begin.endpoint,
            width=begin.width,
            height=begin.height,
            control_period=begin.control_period,
            node_name=begin.node_name,
        )
    except BridgeError as error:
        _say(failed=type(error).__name__, line=str(error))
        return
    with publisher:
        _say(endpoint=publisher.endpoint, others=publisher.others)
        _serve(ring, publisher)


def _serve(ring: SharedRing, publisher: StatePublisher) -> None:
    watched, number = False, 0
    while True:
        if not watched and publisher.wait_for_viewer(0.0):
            watched = True
            _say(watched=True)
        order = _next(ring, _IDLE)
        if isinstance(order, _Text):
            publisher._send_text(order.topic, order.content)
        elif isinstance(order, _Camera):
            publisher.set_camera(order.width, order.height)
        elif isinstance(order, _Period):
            publisher.skip(order.number - number - 1)
            number = order.number
            _publish(publisher, order)
        elif order is not None or _ended(0.0):
            return


def _next(ring: SharedRing, patience: float = STARTS_WITHIN) -> _Order | None:
    """The next order; None after a while, or if there will be none."""
    end = time.monotonic() + patience
    while (record := ring.get()) is None:
        now = time.monotonic()
        if now > end or _ended(_LOOK_EVERY):
            record = ring.get()  # it may have put one and ended
            break
    found: _Order | None = None if record is None else _read_order(record)
    return found


def _ended(seconds: float) -> bool:
    """Wait for so long, or for the end of the process that started us; whether it has ended."""
    return bool(select.select([sys.stdin], (), (), seconds)[0])


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def _publish(publisher: StatePublisher, period: _Period) -> None:
    snapshot = SimpleNamespace(
        time=period.time,
        pose_estimate=period.pose,
        twist=period.twist,
        dopamine=period.dopamine,
        value=period.value,
        spike_neuron=_unpacked(period.spike_neuron),
        spike_time=_unpacked(period.spike_time),
        place_activity=_unpacked(period.place_activity),
    )
    observation = None
    if period.odometry is not None and period.events is not None:
        events = dict(zip("txyp", map(_unpacked, period.events), strict=True))
        observation = {"odometry": period.odometry, "events": events}
    publisher.publish(snapshot, observation, reward=period.reward, true_pose=period.true_pose)
