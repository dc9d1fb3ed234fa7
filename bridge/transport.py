"""Data sockets of one process: an XPUB that everyone may subscribe to, and a SUB connected to every peer.

Data goes from peer to peer; the hub (`graph`) only tells peers about each other, so losing it stops nothing.

- Sending never waits: at the high-water mark of one subscriber ZeroMQ drops what that subscriber would have
  got, and the subscriber counts the gap in the sequence numbers. A stalled one therefore costs the others
  nothing.
- Nothing is serialised or sent for a topic without subscribers.
- Subscriptions are accepted one by one (XPUB_MANUAL): malformed or excessive ones are refused and counted.
- What is published between the announcement of a subscription and its arrival at the XPUB is kept for
  `EARLY_SECONDS` and sent when it arrives: the first message is not lost.
- Transient-local publishers send their history again, with the same sequence numbers and the flag LATCHED,
  whenever somebody subscribes: who has seen it already ignores it.
"""

import atexit
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

import zmq
import zmq.backend

from .receiver import HIGH_WATER_MARK, Deliver, Receiver
from .wire import (
    ID_BYTES,
    MAX_FRAME,
    MAX_PAYLOAD,
    NO_SIMULATION_TIME,
    Flags,
    Header,
    Refusal,
    Refusals,
    encode,
    is_topic_prefix,
    pack_header,
    topic_prefix,
)

MAX_SUBSCRIPTIONS = 4096  #: distinct topics subscribed to at one XPUB
LINGER_MS = 200  #: how long closing waits for what is still queued
EARLY_SECONDS = 2.0
MAX_EARLY = 100  #: messages kept for subscriptions on their way, at most
DRAIN_PERIOD_NS = 5_000_000  #: subscriptions are looked for at most this often while publishing

_NOBLOCK = int(zmq.NOBLOCK)  # a plain number: enumerations among the flags cost a microsecond
_send = zmq.backend.Socket.send  # without what pyzmq's own class looks for on the way, another microsecond
_log = logging.getLogger(__name__)


class Transport:
    """The data sockets of one process.

    Attributes
    ----------
    data_endpoint : str
        Address of the XPUB socket, for others to connect to.
    refusals : Refusals
        What arrived and was refused: frames at the SUB, subscriptions at the XPUB.
    receiver : Receiver or None
        What receives; made for the first subscription.
    simulation_time : int
        Simulation clock, ns, stamped on everything sent; `NO_SIMULATION_TIME` until somebody sets it.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.refusals = Refusals()
        self.simulation_time = NO_SIMULATION_TIME
        #: how many processes announced that they subscribe to a topic (its wire form)
        self.expected: Callable[[bytes], int] = lambda topic: 0
        self._zmq = zmq.Context()
        self._lock = threading.Lock()
        self._subscriptions: dict[bytes, int] = {}
        self._outlets: dict[bytes, list[Outlet]] = {}
        self._leaving: deque[tuple[float, Outlet]] = deque()  # destroyed, with messages on their way
        self._next_drain = 0
        self._closed = False
        self.receiver: Receiver | None = None
        self._peers: frozenset[str] = frozenset()
        self._out = self._zmq.socket(zmq.XPUB)
        self._out.setsockopt(zmq.XPUB_MANUAL, 1)
        self._out.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self._out.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
        self._out.setsockopt(zmq.LINGER, LINGER_MS)
        self._out.setsockopt(zmq.IPV6, ":" in host)
        address = f"[{host}]" if ":" in host else host
        port = self._out.bind_to_random_port(f"tcp://{address}")
        self.data_endpoint = f"tcp://{address}:{port}"
        atexit.register(self.close)

    def outlet(self, topic: str, type_hash: bytes, history: int = 0, early: int = 0) -> "Outlet":
        """A way out for one publisher.

        `history` > 0 keeps that many messages for late joiners, `early` > 0 for those on their way.
        """
        made = Outlet(self, topic, type_hash, history, min(early, MAX_EARLY))
        with self._lock:
            self._outlets.setdefault(made.topic, []).append(made)
        return made

    def remove_outlet(self, outlet: "Outlet") -> None:
        """Forget an outlet and its history, once subscriptions on their way have had their messages."""
        with self._lock:
            if outlet.early and self._awaited(outlet):
                outlet.history = None
                self._leaving.append((time.monotonic() + EARLY_SECONDS, outlet))
            else:
                self._remove(outlet)

    def _remove(self, outlet: "Outlet") -> None:
        outlets = self._outlets.get(outlet.topic, [])
        if outlet in outlets:
            outlets.remove(outlet)

    def subscribe(self, topic: str, deliver: Deliver) -> None:
        """Have `deliver(header, payload)` called in the receiver thread for each frame on exactly `topic`."""
        with self._lock:
            if self.receiver is None:
                self.receiver = Receiver(self._zmq, self.refusals)
                self.receiver.set_peers(self._peers)
            self.receiver.add(topic_prefix(topic), deliver)

    def unsubscribe(self, topic: str, deliver: Deliver) -> None:
        """Undo `subscribe`."""
        if self.receiver is not None:
            self.receiver.remove(topic_prefix(topic), deliver)

    def set_peers(self, endpoints: frozenset[str]) -> None:
        """Connect to these data endpoints (our own among them) and, after a while, to no others."""
        with self._lock:
            self._peers = endpoints
            if self.receiver is not None:
                self.receiver.set_peers(endpoints)

    def subscribers(self, topic: bytes) -> int:
        """How many sockets subscribe to `topic` (its wire form)."""
        with self._lock:
            self._drain()
            return self._subscriptions.get(topic, 0)

    def tick(self) -> None:
        """Accept waiting subscriptions; called now and then so that a silent publisher accepts them too."""
        with self._lock:
            self._drain()
            now = time.monotonic()
            while self._leaving and self._leaving[0][0] <= now:
                self._remove(self._leaving.popleft()[1])

    def close(self) -> None:
        """Close the sockets; what is queued has `LINGER_MS` to leave."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._out.close()
        if self.receiver is not None:
            self.receiver.close()
        self._zmq.term()
        atexit.unregister(self.close)

    def _wanted(self, outlet: "Outlet") -> bool:
        now = time.monotonic_ns()
        if now >= self._next_drain:
            with self._lock:
                self._drain()
            self._next_drain = now + DRAIN_PERIOD_NS
        return outlet.history is not None or outlet.topic in self._subscriptions or self._awaited(outlet)

    def _awaited(self, outlet: "Outlet") -> bool:
        """Whether subscriptions to it are still on their way."""
        if outlet.early is None:
            return False
        return self.expected(outlet.topic) > self._subscriptions.get(outlet.topic, 0)

    def _send(self, outlet: "Outlet", payload: bytes | memoryview | None) -> None:
        with self._lock:
            outlet.sequence += 1
            if payload is None or self._closed:
                return
            stamp, now = time.time_ns(), self.simulation_time
            if outlet.history is not None or self._awaited(outlet):
                header = Header(outlet.sequence, stamp, now, outlet.type_hash, outlet.publisher)
                self._keep(outlet, header, payload)
            if outlet.topic in self._subscriptions:
                packed = pack_header(outlet.sequence, stamp, now, outlet.type_hash, outlet.publisher)
                self._put(b"".join((outlet.topic, packed, payload)))

    def _keep(self, outlet: "Outlet", header: Header, payload: bytes | memoryview) -> None:
        """Keep what late joiners, and those on their way, are to have."""
        if outlet.history is not None:
            outlet.history.append((header._replace(flags=Flags.LATCHED), payload))
        if outlet.early is not None and self._awaited(outlet):
            outlet.early.append((time.monotonic(), header._replace(flags=Flags.EARLY), payload))

    def _put(self, frame: bytes) -> None:
        try:
            _send(self._out, frame, _NOBLOCK)
        except zmq.Again:  # an XPUB drops instead, so this is not expected; losing is right all the same
            _log.debug("dropped a frame")

    def _drain(self) -> None:
        if self._closed:
            return
        for _ in range(MAX_SUBSCRIPTIONS):
            if not int(self._out.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                return
            frame = self._out.recv(zmq.NOBLOCK)
            extra = False
            while self._out.getsockopt(zmq.RCVMORE):
                self._out.recv(zmq.NOBLOCK)
                extra = True
            self._subscription(b"" if extra else frame)

    def _subscription(self, frame: bytes) -> None:
        topic = frame[1:]
        count = self._subscriptions.get(topic, 0)
        if frame[:1] == b"\x00" and count:
            self._out.setsockopt(zmq.UNSUBSCRIBE, topic)
            if count > 1:
                self._subscriptions[topic] = count - 1
            else:
                del self._subscriptions[topic]
        elif frame[:1] == b"\x01" and is_topic_prefix(topic) and len(self._subscriptions) < MAX_SUBSCRIPTIONS:
            self._out.setsockopt(zmq.SUBSCRIBE, topic)
            self._subscriptions[topic] = count + 1
            for outlet in self._outlets.get(topic, ()):
                for header, payload in outlet.history or ():
                    if outlet.alive(header):
                        self._put(encode(topic, header, payload))
                self._put_early(outlet)
        elif frame[:1] != b"\x00":  # the end of a refused subscription is nothing new
            self.refusals.add(Refusal.SUBSCRIPTION)

    def _put_early(self, outlet: "Outlet") -> None:
        since = time.monotonic() - EARLY_SECONDS
        for kept, header, payload in outlet.early or ():
            if kept >= since and outlet.alive(header):
                self._put(encode(outlet.topic, header, payload))
        if outlet.early and not self._awaited(outlet):
            outlet.early.clear()


class Outlet:
    """One publisher's way out: numbers its messages and hands them to the socket."""

    def __init__(self, transport: Transport, topic: str, type_hash: bytes, history: int, early: int) -> None:
        self.topic = topic_prefix(topic)
        self.type_hash = type_hash
        self.publisher = secrets.token_bytes(ID_BYTES)
        self.sequence = 0
        self.lifespan = 0  #: ns after which what is kept is sent no more; 0 for ever
        self.history: deque[tuple[Header, bytes | memoryview]] | None = (
            deque(maxlen=history) if history else None
        )
        self.early: deque[tuple[float, Header, bytes | memoryview]] | None = (
            deque(maxlen=early) if early else None
        )
        self._transport = transport

    @property
    def wanted(self) -> bool:
        """Whether anybody would receive what is sent now; if not, serialising it is a waste."""
        return self._transport._wanted(self)

    def alive(self, header: Header) -> bool:
        """Whether what was kept is within its lifespan."""
        return not self.lifespan or time.time_ns() - header.source_stamp <= self.lifespan

    @property
    def subscribers(self) -> int:
        """How many sockets subscribe to the topic."""
        return self._transport.subscribers(self.topic)

    def send(self, payload: bytes | memoryview | None) -> None:
        """Send a CDR payload; None counts a message that nobody wanted. Never waits.

        Raises
        ------
        ValueError
            If the payload is above `MAX_PAYLOAD`.
        """
        if payload is not None and len(payload) > MAX_PAYLOAD:
            raise ValueError(f"a message may have at most {MAX_PAYLOAD} bytes, got {len(payload)}")
        self._transport._send(self, payload)

    def close(self) -> None:
        """Forget the outlet."""
        self._transport.remove_outlet(self)
