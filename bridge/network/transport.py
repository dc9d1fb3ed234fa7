"""Data sockets of one process: an XPUB that everyone may subscribe to, and a SUB connected to every peer.

Data goes from peer to peer; the hub (`graph`) only tells peers about each other, so losing it stops nothing.

- Sending never waits: at the high-water mark of one subscriber ZeroMQ drops what that subscriber would have
  got, and the subscriber counts the gap in the sequence numbers. A stalled one therefore costs the others
  nothing.
- Nothing is serialised or sent for a topic without subscribers.
- Subscriptions are accepted one by one (XPUB_MANUAL): malformed, excessive or forbidden ones are refused and
  counted; who goes on is cut off (`subscribers`).
- What waits for one stalled subscriber has at most `MAX_QUEUED` bytes.
- What is published between the announcement of a subscription and its arrival at the XPUB is kept for
  `EARLY_SECONDS` and sent when it arrives: the first message is not lost.
- Transient-local publishers send their history again, with the same sequence numbers and the flag LATCHED,
  whenever somebody subscribes: who has seen it already ignores it.
"""

import atexit
import logging
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

import zmq
import zmq.backend

from .gate import HANDSHAKE_MS, Gate, Verdict
from .keys import Keys
from .origins import Peer
from .permissions import Rules
from .receiver import HIGH_WATER_MARK, Deliver, Receiver
from .sockets import Sockets
from .subscribers import Subscribers
from .wire import (
    ID_BYTES,
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

MAX_INCOMING = 4096  #: bytes of a subscription or a step of a handshake with keys
MAX_QUEUED = 256 * 2**20  #: bytes that wait for one subscriber, at most
DRAIN_BATCH = 128  #: subscriptions looked at while publishing, at most; four times as many otherwise
CUT_OFF_AFTER = 5.0  #: s that a key may be missing from the graph, as when the hub is replaced
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

    def __init__(self, host: str = "127.0.0.1", keys: Keys | None = None) -> None:
        self.refusals = Refusals()
        self._keys = keys
        self.simulation_time = NO_SIMULATION_TIME
        #: how many processes announced that they subscribe to a topic (its wire form)
        self.expected: Callable[[bytes], int] = lambda topic: 0
        self._zmq = Sockets()
        self._lock = threading.Lock()
        self._outlets: dict[bytes, list[Outlet]] = {}
        self._leaving: deque[tuple[float, Outlet]] = deque()  # destroyed, with messages on their way
        self._next_drain = 0
        self._closed = False
        self.receiver: Receiver | None = None
        self._peers: frozenset[Peer] = frozenset()
        self._rules: dict[bytes, Rules | None] = {}  # by key, of those who are there
        self._missing: dict[bytes, float] = {}  # keys of those who are not, and since when
        self._largest = MAX_QUEUED // HIGH_WATER_MARK
        self._out = self._zmq.socket(zmq.XPUB)
        self._out.setsockopt(zmq.XPUB_MANUAL, 1)
        self._out.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self._out.setsockopt(zmq.MAXMSGSIZE, MAX_INCOMING)
        self._out.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        self._out.setsockopt(zmq.LINGER, LINGER_MS)
        self._out.setsockopt(zmq.IPV6, ":" in host)
        address = f"[{host}]" if ":" in host else host
        self._gate = Gate(self._zmq, self.refusals, None if keys is None else self._judge)
        try:
            if keys is not None:
                keys.as_server(self._out)
            port = self._out.bind_to_random_port(f"tcp://{address}")
            self.data_endpoint = f"tcp://{address}:{port}"
            self._gate.watch(self._out, self.data_endpoint)
            self._subscribers = Subscribers(port, socket.AF_INET6 if ":" in host else socket.AF_INET)
            self._subscriptions = self._subscribers.counts
        except BaseException:
            self.close()
            raise
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
                self.receiver = Receiver(self._zmq, self.refusals, self._keys)
                self.receiver.set_peers(self._peers)
            self.receiver.add(topic_prefix(topic), deliver)

    def unsubscribe(self, topic: str, deliver: Deliver) -> None:
        """Undo `subscribe`."""
        if self.receiver is not None:
            self.receiver.remove(topic_prefix(topic), deliver)

    def set_peers(self, peers: frozenset[Peer]) -> None:
        """Connect to these (ourselves among them) and, after a while, to no others."""
        rules = {peer.key.encode("ascii"): peer.may for peer in peers}
        with self._lock:
            before, now = self._rules, time.monotonic()
            self._missing = {
                k: self._missing.get(k, now) for k in {*before, *self._missing} if k not in rules
            }
            self._peers, self._rules = peers, rules
            if self._keys is not None:  # with other rules they are to subscribe anew
                self._subscribers.cut_off(lambda k: k in before and k in rules and before[k] != rules[k])
            if self.receiver is not None:
                self.receiver.set_peers(peers)

    def _judge(self, key: bytes) -> Verdict:
        """What becomes of a key that wants to subscribe: the hub tells who takes part."""
        assert self._keys is not None
        if key in self._rules:
            return Verdict.ADMIT
        strange = self._keys.hub_secret is not None and key not in self._keys.authorised()
        return Verdict.REFUSE if strange else Verdict.LATER

    def subscribers(self, topic: bytes) -> int:
        """How many sockets subscribe to `topic` (its wire form)."""
        with self._lock:
            self._drain()
            return self._subscriptions.get(topic, 0)

    def tick(self) -> None:
        """Accept waiting subscriptions; called now and then so that a silent publisher accepts them too."""
        with self._lock:
            self._drain()
            if not self._closed:
                self._subscribers.settle()
            now = time.monotonic()
            gone = {key for key, since in self._missing.items() if now - since > CUT_OFF_AFTER}
            if gone:
                self._missing = {key: since for key, since in self._missing.items() if key not in gone}
                if self._keys is not None:
                    self._subscribers.cut_off(gone.__contains__)
            while self._leaving and self._leaving[0][0] <= now:
                self._remove(self._leaving.popleft()[1])

    def close(self) -> None:
        """Close the sockets; what is queued has `LINGER_MS` to leave."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._gate.close()
            self._out.close()
        if self.receiver is not None:
            self.receiver.close()
        self._zmq.term()
        atexit.unregister(self.close)

    def _wanted(self, outlet: "Outlet") -> bool:
        now = time.monotonic_ns()
        if now >= self._next_drain:
            with self._lock:
                self._drain(DRAIN_BATCH)
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
        if len(frame) > self._largest:  # fewer of them may wait
            self._largest = len(frame) * 5 // 4
            self._out.setsockopt(zmq.SNDHWM, max(MAX_QUEUED // self._largest, 1))
        try:
            _send(self._out, frame, _NOBLOCK)
        except zmq.Again:  # an XPUB drops instead, so this is not expected; losing is right all the same
            _log.debug("dropped a frame")

    def _drain(self, batch: int = 4 * DRAIN_BATCH) -> None:
        if self._closed:
            return
        for _ in range(batch):
            if not int(self._out.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                return
            frame = last = self._out.recv(zmq.NOBLOCK, copy=False)
            while last.more:
                last = self._out.recv(zmq.NOBLOCK, copy=False)
            self._subscription(b"" if last is not frame else frame.bytes, frame)

    def _subscription(self, data: bytes, frame: zmq.Frame) -> None:
        topic = data[1:]
        descriptor = _known(frame, zmq.SRCFD)
        if data[:1] == b"\x00":  # the end of a refused subscription is nothing new
            if self._subscribers.remove(None if descriptor is None else int(descriptor), topic):
                self._out.setsockopt(zmq.UNSUBSCRIBE, topic)
            self._subscribers.settle()
            return
        key = b"" if self._keys is None else str(_known(frame, "User-Id") or "").encode("ascii")
        refusal: Refusal | None = Refusal.SUBSCRIPTION
        if descriptor is not None and data[:1] == b"\x01" and is_topic_prefix(topic):
            refusal = None if self._may_receive(key, topic) else Refusal.PERMISSION
            if refusal is None and not self._subscribers.add(int(descriptor), topic, key):
                refusal = Refusal.SUBSCRIPTION
        if refusal is None:
            self._out.setsockopt(zmq.SUBSCRIBE, topic)
            for outlet in self._outlets.get(topic, ()):
                for header, payload in outlet.history or ():
                    if outlet.alive(header):
                        self._put(encode(topic, header, payload))
                self._put_early(outlet)
        else:
            self.refusals.add(refusal)
            self._subscribers.refuse(None if descriptor is None else int(descriptor))

    def _may_receive(self, key: bytes, topic: bytes) -> bool:
        rules = self._rules.get(key)
        return rules is None or rules.may_receive(topic[:-1].decode("ascii", "replace"))

    def _put_early(self, outlet: "Outlet") -> None:
        since = time.monotonic() - EARLY_SECONDS
        for kept, header, payload in outlet.early or ():
            if kept >= since and outlet.alive(header):
                self._put(encode(outlet.topic, header, payload))
        if outlet.early and not self._awaited(outlet):
            outlet.early.clear()


def _known(frame: zmq.Frame, what: int | str) -> int | str | None:
    """What ZeroMQ knows of where a message came from; None of what it made up itself."""
    try:
        found: int | str = frame.get(what)
    except zmq.ZMQError:
        return None
    return None if found == -1 else found


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
