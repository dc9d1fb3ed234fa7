"""Who is there: processes find each other at one endpoint, the hub.

Each process announces itself (its data endpoint, its nodes and topics) to the endpoint twice a second. The
first process to bind the endpoint is the hub: it answers every announcement with the table of all. When it
goes, the others notice the silence, and whoever binds first, after a random pause, is the next one; the
announcements refill its table. The hub carries no data, so topics between processes that know each other flow
on meanwhile.

Everything received is decoded against a strict schema; what does not fit is counted and dropped.
"""

import logging
import random
import secrets
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec
import zmq

from ..exceptions import BusyPortError, EndpointError, KeysError
from ..network import endpoint as endpoints
from .announcements import (
    MAX_ANNOUNCEMENT,
    MAX_PARTICIPANTS,
    PROTOCOL,
    EndKind,
    Participant,
    TopicEnd,
    listens_to,
    read_table,
)
from .gate import HANDSHAKE_MS, Gate, Verdict
from .hub import Hub
from .keys import Keys
from .origins import Peer
from .permissions import DEED_OF
from .sockets import Sockets
from .wire import Refusal, Refusals

__all__ = ["PROTOCOL", "EndKind", "Graph", "Participant", "TopicEnd"]


LOST_AFTER = 1.0  #: s of silence after which the hub is taken for dead
ANNOUNCE_EVERY = 0.5  #: s
WELCOME_WITHIN = 2.0  #: s within which a hub must have answered a newcomer
KNOCK_EVERY = 0.3  #: s between two tries to connect where the hub refused us
PERIOD_MS = 50
QUEUED = 16  #: announcements of one process that wait, at most: each may have a megabyte

_EVENT = struct.Struct("=hi")
_FAILED = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
_WATCHED = _FAILED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED

_log = logging.getLogger(__name__)


class Graph:
    """This process's view of all processes, kept by a thread of its own.

    Parameters
    ----------
    endpoint : Endpoint
        Where to meet.
    data_endpoint : str
        Where our own data can be had.
    on_peers : callable
        Called with what is to be known of all participants, ourselves included, whenever it changes.
    tick : callable
        Called about every 50 ms.
    keys : Keys, optional
        With them the hub must have the right key, and knows us by ours.
    anywhere : bool
        Whether data endpoints may lie beyond the loopback interface.
    """

    def __init__(
        self,
        endpoint: endpoints.Endpoint,
        data_endpoint: str,
        on_peers: Callable[[frozenset[Peer]], None],
        tick: Callable[[], None],
        keys: Keys | None = None,
        anywhere: bool = False,
    ) -> None:
        self.refusals = Refusals()
        #: called, in any thread, when anything that is announced has changed
        self.on_change: Callable[[], None] = lambda: None
        self._endpoint, self._keys, self._anywhere = endpoint, keys, anywhere
        own_key = "" if keys is None else keys.public.decode("ascii")
        self._own = Participant(id=secrets.token_hex(8), data=data_endpoint, key=own_key)
        self._peers: frozenset[Peer] = frozenset()
        self._trouble: BusyPortError | KeysError | None = None
        self._denied: set[str] = set()
        self._gate: Gate | None = None
        self._table: dict[str, Participant] = {}
        self._on_peers, self._tick = on_peers, tick
        self._dirty = True
        self._subscribers: Counter[bytes] = Counter()
        self._welcome, self._stop = threading.Event(), threading.Event()
        self._zmq = Sockets()
        self._hub: Hub | None = None
        self._router: zmq.Socket[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="tolman-graph", daemon=True)

    def start(self) -> None:
        """Join; return once a hub has answered.

        Raises
        ------
        BusyPortError
            If the port can neither be bound nor answers as a hub.
        KeysError
            If the hub does not take our key, or has not the right one.
        """
        self._thread.start()
        if not self._welcome.wait(WELCOME_WITHIN):
            self.close()
            raise self._trouble or BusyPortError(
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
        own = self._own
        self._own = msgspec.structs.replace(
            own, nodes=tuple(nodes), ends=tuple(ends), revision=own.revision + 1
        )
        self._dirty = True
        self._count_subscribers()
        self.on_change()

    @property
    def told(self) -> bool:
        """Whether the hub has told all what was announced last."""
        shown = self._table.get(self._own.id)
        return shown is not None and shown.revision == self._own.revision

    def subscribers(self, topic: bytes) -> int:
        """How many processes announced that they subscribe to `topic` (its wire form), ourselves included."""
        return self._subscribers.get(topic, 0)

    def _count_subscribers(self) -> None:
        found: Counter[bytes] = Counter()
        for participant in self.participants:
            topics = {wire for end in participant.ends if (wire := listens_to(end)) is not None}
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
        if self._keys is not None:
            self._keys.as_client(dealer)
            dealer.setsockopt(zmq.CURVE_SERVERKEY, self._keys.hub_public)
        monitor = dealer.get_monitor_socket(_WATCHED)
        poller = zmq.Poller()
        poller.register(dealer, zmq.POLLIN)
        poller.register(monitor, zmq.POLLIN)
        self._try_to_bind(poller)
        dealer.connect(self._endpoint.url)
        heard = sent = bound = time.monotonic()
        pause, knock = 0.0, float("inf")
        while not self._stop.is_set():
            events = dict(poller.poll(PERIOD_MS))
            now = time.monotonic()
            if dealer in events and self._take_table(dealer):
                heard = now
            if monitor in events:
                happened = self._happened(monitor)
                if happened & zmq.EVENT_HANDSHAKE_SUCCEEDED:  # a new hub knows nobody yet
                    self._dirty = True
                if happened & zmq.EVENT_DISCONNECTED and heard > now - LOST_AFTER:
                    heard = now - LOST_AFTER - 1.0
                    bound, pause = now, random.uniform(0.0, 0.15)
                if happened & (_FAILED | zmq.EVENT_HANDSHAKE_FAILED_AUTH):
                    knock = now + KNOCK_EVERY
            if knock <= now:
                knock = float("inf")
                self._connect_again(dealer)
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
        dealer.disable_monitor()
        monitor.close(0)
        dealer.close()
        if self._gate is not None:
            self._gate.close()
        if self._router is not None:
            self._router.close(0)

    def _happened(self, monitor: "zmq.Socket[bytes]") -> int:
        """What became of connections to the hub, and what to say if it does not answer."""
        happened = 0
        while True:
            try:
                event, _ = _EVENT.unpack_from(monitor.recv_multipart(zmq.NOBLOCK)[0])
            except zmq.Again:
                break
            happened |= event
        where = self._endpoint.url
        if happened & zmq.EVENT_HANDSHAKE_FAILED_AUTH and self._keys is not None:
            self._trouble = KeysError(f"the hub at {where} does not authorise the key in {self._keys.folder}")
        elif happened & _FAILED and self._keys is not None:
            self._trouble = KeysError(
                f"what listens at {where} has not the hub's key in {self._keys.folder / 'hub.pub'}: another "
                "program, a hub with other keys, or one without any"
            )
        elif happened & _FAILED:
            self._trouble = BusyPortError(
                f"port {self._endpoint.port} on {self._endpoint.host} belongs to another program, or to a "
                "hub that demands keys (--keys DIR, TOLMAN_KEYS)"
            )
        return happened

    def _connect_again(self, dealer: "zmq.Socket[bytes]") -> None:
        """ZeroMQ tries no more where it was refused; a hub with the right key may be there by now."""
        try:
            dealer.disconnect(self._endpoint.url)
        except zmq.ZMQError as error:
            _log.debug("disconnecting %s: %s", self._endpoint.url, error)
        dealer.connect(self._endpoint.url)

    def _try_to_bind(self, poller: zmq.Poller) -> None:
        if self._keys is not None and self._keys.hub_secret is None:
            self._trouble = self._trouble or KeysError(
                f"no hub answers at {self._endpoint.url}, and {self._keys.folder} holds no hub.key to be it"
            )
            return
        if self._gate is None:  # kept where binding fails: its addresses are not free at once
            self._gate = Gate(self._zmq, self.refusals, None if self._keys is None else self._judge)
        router = self._zmq.socket(zmq.ROUTER)
        router.setsockopt(zmq.IPV6, ":" in self._endpoint.host)
        router.setsockopt(zmq.MAXMSGSIZE, MAX_ANNOUNCEMENT)
        router.setsockopt(zmq.RCVHWM, QUEUED)
        router.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        router.setsockopt(zmq.LINGER, 0)
        if self._keys is not None:
            self._keys.as_server(router, hub=True)
        try:
            router.bind(self._endpoint.url)
        except zmq.ZMQError:
            router.close(0)
            return
        self._gate.watch(router, self._endpoint.url)
        self._router = router
        self._hub = Hub(self.refusals, self._keys, self._anywhere)
        poller.register(router, zmq.POLLIN)

    def _judge(self, key: bytes) -> Verdict:
        assert self._keys is not None
        return Verdict.ADMIT if key in self._keys.authorised() else Verdict.REFUSE

    def _serve(self, router: "zmq.Socket[bytes]", now: float) -> None:
        assert self._hub is not None
        changed = self._hub.expire(now)
        answer: list[bytes] = []
        for _ in range(100):
            try:
                frame = router.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            parts, last = [frame.bytes], frame
            while last.more:
                last = router.recv(copy=False)
                if len(parts) < 4:
                    parts.append(last.bytes)
            changed |= self._hub.announce(parts, now, *_sender(last))
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
            table = read_table.decode(body)
            for participant in table.participants:
                endpoints.parse(participant.data, anywhere=self._anywhere)
                if (len(participant.key) == 0) != (self._keys is None):
                    raise ValueError
        except (ValueError, EndpointError):  # msgspec.DecodeError is a ValueError
            self.refusals.add(Refusal.GRAPH)
            return False
        if table.participants != tuple(self._table.values()):
            self._table = {p.id: p for p in table.participants}
            self._count_subscribers()
            self.on_change()
            own = self._table.get(self._own.id)
            if own is not None:
                self._tell_what_is_denied(own)
            others = (p.peer() for p in self._table.values() if p.id != self._own.id)
            peers = frozenset(others) | {(own or self._own).peer()}
            if peers != self._peers:
                self._peers = peers
                self._on_peers(peers)
        self._welcome.set()
        return True

    def _tell_what_is_denied(self, shown: Participant) -> None:
        """Say, once for each, which of our ends the hub does not allow."""
        may = shown.may
        if may is None:
            return
        for end in self._own.ends:
            line = f"{end.node} may not {DEED_OF[end.kind]} {end.topic}"
            if line not in self._denied and not may.allow(DEED_OF[end.kind], end.topic):
                self._denied.add(line)
                _log.warning("the hub at %s: %s", self._endpoint.url, line)

    def _say(self, dealer: "zmq.Socket[bytes]", participant: Participant) -> bool:
        try:
            dealer.send_multipart([PROTOCOL, msgspec.json.encode(participant)], zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True


def _sender(frame: zmq.Frame) -> tuple[str, str]:
    """Key and IP address of who sent a frame, as ZeroMQ knows them; empty where it does not."""
    found = []
    for name in ("User-Id", "Peer-Address"):
        try:
            found.append(str(frame.get(name)))
        except zmq.ZMQError:
            found.append("")
    return found[0], found[1]
