"""Who is there: processes find each other at one endpoint, the hub.

Each process announces itself (its data endpoint, its nodes and topics) to the endpoint twice a second. The
first process to bind the endpoint is the hub: it answers every announcement with the table of all. When it
goes, the others notice the silence, and whoever binds first, after a random pause, is the next one; the
announcements refill its table. The hub carries no data, so topics between processes that know each other flow
on meanwhile.

Everything received is decoded against a strict schema; what does not fit is counted and dropped.
"""

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import msgspec
import zmq

from . import endpoint as endpoints
from .exceptions import BusyPortError, EndpointError
from .wire import Refusal, Refusals

PROTOCOL = b"TLMN-graph-3"
MAX_ANNOUNCEMENT = 2**20  #: bytes
MAX_PARTICIPANTS = 64
ANNOUNCE_EVERY = 0.5  #: s
LOST_AFTER = 1.0  #: s of silence after which the hub is taken for dead
FORGET_AFTER = 4.0  #: s of silence after which the hub forgets a process
WELCOME_WITHIN = 2.0  #: s within which a hub must have answered a newcomer
PERIOD_MS = 50

Text = Annotated[str, msgspec.Meta(max_length=256)]


EndKind = Literal["publisher", "subscription", "service", "client"]


class TopicEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A publisher, a subscription, a service or a client, as announced."""

    node: Text  #: fully qualified
    topic: Text  #: or name of the service
    type_name: Text
    type_hash: Text
    kind: EndKind
    gid: Text = ""  #: hexadecimal
    qos: Annotated[tuple[int, ...], msgspec.Meta(max_length=8)] = ()  #: see `qos.packed`
    alive: bool = True  #: a publisher that has to show that it is alive, and has not: false


class Participant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process, as it announces itself."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    data: Text
    nodes: Annotated[tuple[tuple[Text, Text], ...], msgspec.Meta(max_length=256)] = ()  #: (name, namespace)
    ends: Annotated[tuple[TopicEnd, ...], msgspec.Meta(max_length=4096)] = ()
    leaving: bool = False


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hub's answer: everyone there is."""

    participants: Annotated[tuple[Participant, ...], msgspec.Meta(max_length=MAX_PARTICIPANTS)]


def _listens_to(end: TopicEnd) -> bytes | None:
    """The wire form of the topic that an end receives; None if it receives none."""
    name = {"subscription": end.topic, "service": f"/_request{end.topic}", "client": f"/_answer{end.topic}"}
    topic = name.get(end.kind)
    return None if topic is None else topic.encode("utf-8", "replace") + b"\0"


_read_participant = msgspec.json.Decoder(Participant)
_read_table = msgspec.json.Decoder(Table)


class Hub:
    """The table of participants, filled from announcements; no sockets of its own."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._entries: dict[str, tuple[Participant, bytes, float]] = {}

    def announce(self, parts: list[bytes], now: float) -> bool:
        """Take a message of the ROUTER socket; return whether the table changed."""
        try:
            identity, protocol, body = parts
            if protocol != PROTOCOL:
                raise ValueError
            participant = _read_participant.decode(body)
            endpoints.parse(participant.data)
        except (ValueError, EndpointError):  # msgspec.DecodeError is a ValueError
            self._refusals.add(Refusal.GRAPH)
            return False
        if participant.leaving:
            return self._entries.pop(participant.id, None) is not None
        before = self._entries.get(participant.id)
        if before is None and len(self._entries) >= MAX_PARTICIPANTS:
            self._refusals.add(Refusal.GRAPH)
            return False
        self._entries[participant.id] = (participant, identity, now)
        return before is None or before[0] != participant

    def expire(self, now: float) -> bool:
        """Forget those who fell silent; return whether there were any."""
        silent = [key for key, (_, _, heard) in self._entries.items() if now - heard > FORGET_AFTER]
        for key in silent:
            del self._entries[key]
        return bool(silent)

    @property
    def table(self) -> bytes:
        """The answer to send."""
        return msgspec.json.encode(Table(tuple(participant for participant, _, _ in self._entries.values())))

    @property
    def identities(self) -> list[bytes]:
        """Whom to send it to."""
        return [identity for _, identity, _ in self._entries.values()]


class Graph:
    """This process's view of all processes, kept by a thread of its own.

    Parameters
    ----------
    endpoint : Endpoint
        Where to meet.
    data_endpoint : str
        Where our own data can be had.
    on_peers : callable
        Called with the data endpoints of all participants whenever they change.
    tick : callable
        Called about every 50 ms.
    """

    def __init__(
        self,
        endpoint: endpoints.Endpoint,
        data_endpoint: str,
        on_peers: Callable[[frozenset[str]], None],
        tick: Callable[[], None],
    ) -> None:
        self.refusals = Refusals()
        #: called, in any thread, when anything that is announced has changed
        self.on_change: Callable[[], None] = lambda: None
        self._endpoint = endpoint
        self._own = Participant(id=secrets.token_hex(8), data=data_endpoint)
        self._table: dict[str, Participant] = {}
        self._on_peers, self._tick = on_peers, tick
        self._dirty = True
        self._subscribers: Counter[bytes] = Counter()
        self._welcome, self._stop = threading.Event(), threading.Event()
        self._zmq = zmq.Context()
        self._hub: Hub | None = None
        self._router: zmq.Socket[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="tolman-graph", daemon=True)

    def start(self) -> None:
        """Join; return once a hub has answered.

        Raises
        ------
        BusyPortError
            If the port can neither be bound nor answers as a hub.
        """
        self._thread.start()
        if not self._welcome.wait(WELCOME_WITHIN):
            self.close()
            raise BusyPortError(
                f"port {self._endpoint.port} on {self._endpoint.host} belongs to another program; stop it or "
                "choose another endpoint here and in every process that should meet there"
            )

    @property
    def is_hub(self) -> bool:
        """Whether this process is the hub."""
        return self._hub is not None

    @property
    def participants(self) -> list[Participant]:
        """Everyone known, ourselves included, with our own entry always current."""
        return [*(p for p in list(self._table.values()) if p.id != self._own.id), self._own]

    def announce(self, nodes: Iterable[tuple[str, str]], ends: Iterable[TopicEnd]) -> None:
        """Replace what is announced of this process; it travels within 50 ms."""
        self._own = msgspec.structs.replace(self._own, nodes=tuple(nodes), ends=tuple(ends))
        self._dirty = True
        self._count_subscribers()
        self.on_change()

    def subscribers(self, topic: bytes) -> int:
        """How many processes announced that they subscribe to `topic` (its wire form), ourselves included."""
        return self._subscribers.get(topic, 0)

    def _count_subscribers(self) -> None:
        found: Counter[bytes] = Counter()
        for participant in self.participants:
            topics = {wire for end in participant.ends if (wire := _listens_to(end)) is not None}
            found.update(topics)
        self._subscribers = found

    def count(self, topic: str, kind: EndKind) -> int:
        """Ends of a kind of `topic`, or of a service, over all processes."""
        return sum(e.topic == topic and e.kind == kind for p in self.participants for e in p.ends)

    def close(self) -> None:
        """Say goodbye and stop."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._zmq.term()

    def _run(self) -> None:
        dealer = self._zmq.socket(zmq.DEALER)
        dealer.setsockopt(zmq.IPV6, 1)
        dealer.setsockopt(zmq.IMMEDIATE, 1)  # nothing is queued for a hub that is not there
        dealer.setsockopt(zmq.SNDHWM, 10)
        dealer.setsockopt(zmq.LINGER, 100)
        dealer.setsockopt(zmq.MAXMSGSIZE, MAX_PARTICIPANTS * MAX_ANNOUNCEMENT)
        dealer.setsockopt(zmq.RECONNECT_IVL, 50)
        poller = zmq.Poller()
        poller.register(dealer, zmq.POLLIN)
        self._try_to_bind(poller)
        dealer.connect(self._endpoint.url)
        heard = sent = bound = time.monotonic()
        pause = 0.0
        while not self._stop.is_set():
            events = dict(poller.poll(PERIOD_MS))
            now = time.monotonic()
            if dealer in events and self._take_table(dealer):
                heard = now
            if self._router is not None:
                self._serve(self._router, now)
            elif now - heard > LOST_AFTER and now - bound > pause:
                bound, pause = now, random.uniform(0.05, 0.25)
                self._try_to_bind(poller)
            if self._dirty or now - sent > ANNOUNCE_EVERY:
                self._dirty = not self._say(dealer, self._own)
                sent = now
            self._tick()
        self._say(dealer, msgspec.structs.replace(self._own, leaving=True))
        dealer.close()
        if self._router is not None:
            self._router.close(0)

    def _try_to_bind(self, poller: zmq.Poller) -> None:
        router = self._zmq.socket(zmq.ROUTER)
        router.setsockopt(zmq.IPV6, ":" in self._endpoint.host)
        router.setsockopt(zmq.MAXMSGSIZE, MAX_ANNOUNCEMENT)
        router.setsockopt(zmq.LINGER, 0)
        try:
            router.bind(self._endpoint.url)
        except zmq.ZMQError:
            router.close(0)
            return
        self._router, self._hub = router, Hub(self.refusals)
        poller.register(router, zmq.POLLIN)

    def _serve(self, router: "zmq.Socket[bytes]", now: float) -> None:
        assert self._hub is not None
        changed = self._hub.expire(now)
        answer: list[bytes] = []
        for _ in range(100):
            try:
                parts = [router.recv(zmq.NOBLOCK)]
            except zmq.Again:
                break
            while router.getsockopt(zmq.RCVMORE):
                part = router.recv()
                if len(parts) < 4:
                    parts.append(part)
            changed |= self._hub.announce(parts, now)
            answer.append(parts[0])
        if not changed and not answer:
            return
        table = self._hub.table
        known = self._hub.identities
        for identity in known if changed else [i for i in answer if i in known]:
            try:
                router.send_multipart([identity, PROTOCOL, table], zmq.NOBLOCK)
            except zmq.ZMQError:  # it left, or is not reading: it will ask again
                continue

    def _take_table(self, dealer: "zmq.Socket[bytes]") -> bool:
        parts = dealer.recv_multipart(zmq.NOBLOCK)
        try:
            protocol, body = parts
            if protocol != PROTOCOL:
                raise ValueError
            table = _read_table.decode(body)
            for participant in table.participants:
                endpoints.parse(participant.data)
        except (ValueError, EndpointError):  # msgspec.DecodeError is a ValueError
            self.refusals.add(Refusal.GRAPH)
            return False
        before = frozenset(p.data for p in self._table.values())
        if table.participants != tuple(self._table.values()):
            self._table = {p.id: p for p in table.participants}
            self._count_subscribers()
            self.on_change()
        peers = frozenset(p.data for p in self._table.values()) | {self._own.data}
        if peers != before:
            self._on_peers(peers)
        self._welcome.set()
        return True

    def _say(self, dealer: "zmq.Socket[bytes]", participant: Participant) -> bool:
        try:
            dealer.send_multipart([PROTOCOL, msgspec.json.encode(participant)], zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True
