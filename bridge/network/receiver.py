"""The receiving half of a process: one SUB socket connected to every peer.

A thread of its own receives, unless somebody else does: a thread that has nothing to do but to wait for
messages, as that of an executor, claims the sockets and receives by itself. That saves handing each message
from one thread to another, which in Python costs more than all the rest. When it has not come back for a
while, because a callback takes long or nobody spins any more, the receiver's thread goes on, so that queues
keep the last messages, not the first. Two that claim in turn get nothing for a second: that thread serves
both.

A peer that sends a message above ZeroMQ's size limit is disconnected by ZeroMQ and would stay silent for
ever; whoever receives watches for disconnections and connects again.
"""

import logging
import select
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import zmq

from .interrupt import Interrupt
from .keys import Keys
from .origins import Origins, Peer
from .wire import MAX_FRAME, FrameError, Header, Refusal, Refusals, decode

HIGH_WATER_MARK = 1000  #: messages queued for one peer before the next are dropped
RETIRE_AFTER = 1.0  #: s a vanished peer stays connected, so that its last messages arrive
RECONNECT_AFTER = 0.2  #: s; a peer that sent an oversize message is silent until connected again
STANDBY = 0.02  #: s without a claim after which the thread receives
SHARED = 1.0  #: s for which nobody can claim after two have
_TURN = 0.1  #: s that the thread waits for sockets at most

_NOBLOCK = int(zmq.NOBLOCK)  # a plain number: enumerations among the flags cost a microsecond
_SOURCE = int(zmq.SRCFD)
_EVENT = struct.Struct("=hi")
_SELECT_MAX = 1024  #: file descriptors from here on are too large for `select`

Deliver = Callable[[Header, memoryview], None]
_log = logging.getLogger(__name__)


class Receiver:
    """Owns the SUB socket: validates frames and hands them to their subscriptions."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", refusals: Refusals, keys: Keys | None = None
    ) -> None:
        self._refusals, self._keys = refusals, keys
        self._origins = Origins()
        self._keys_of: dict[str, str] = {}
        self._table: dict[bytes, tuple[Deliver, ...]] = {}
        self._commands: deque[Callable[[], None]] = deque()
        self._command_lock = threading.Lock()
        self._table_lock = threading.Lock()
        self._ending = False
        self._connected: set[str] = set()
        self._retiring: dict[str, float] = {}
        self._reconnecting: dict[str, float] = {}
        self._sockets = threading.Lock()  #: held by whoever uses the sockets
        self._claimed = False  #: somebody waits for the thread to let go of them
        self._claims = 0
        self._last: int | None = None  #: who claimed last
        self._shared_until = 0.0  #: until then nobody can claim
        self._resume = threading.Event()
        self._resuming = False
        self._in = context.socket(zmq.SUB)
        self._in.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self._in.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
        self._in.setsockopt(zmq.LINGER, 0)
        self._in.setsockopt(zmq.IPV6, 1)
        self._in.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        if keys is not None:
            keys.as_client(self._in)
        self._monitor = self._in.get_monitor_socket(zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED)
        self._interrupt = Interrupt()
        self._waited = [int(self._in.getsockopt(zmq.FD)), int(self._monitor.getsockopt(zmq.FD))]
        self._waited.append(self._interrupt.fileno())
        self._thread = threading.Thread(target=self._run, name="tolman-receiver", daemon=True)
        self._thread.start()

    def add(self, topic: bytes, deliver: Deliver) -> None:
        """Subscribe; what arrives for an earlier subscription to `topic` is delivered from now on."""
        with self._table_lock:
            first = topic not in self._table
            self._table[topic] = (*self._table.get(topic, ()), deliver)

        def apply() -> None:
            # Subscribing again, for a second subscription here, makes transient-local publishers repeat.
            if not first:
                self._in.setsockopt(zmq.UNSUBSCRIBE, topic)
            self._in.setsockopt(zmq.SUBSCRIBE, topic)

        self._command(apply)

    def remove(self, topic: bytes, deliver: Deliver) -> None:
        """Unsubscribe."""
        with self._table_lock:
            before = self._table.get(topic)
            left = tuple(d for d in before or () if d != deliver)
            if left:
                self._table[topic] = left
            else:
                self._table.pop(topic, None)
        if before is not None and not left:
            self._command(lambda: self._in.setsockopt(zmq.UNSUBSCRIBE, topic))

    def set_peers(self, peers: Iterable[Peer]) -> None:
        """Connect to exactly these, once those that vanished have had their time."""
        told = tuple(peers)

        def apply() -> None:
            self._origins.set_peers(told)
            endpoints = {peer.data for peer in told}
            changed = {p.data for p in told if self._keys_of.get(p.data, p.key) != p.key}
            self._keys_of.update((peer.data, peer.key) for peer in told)
            for endpoint in changed & self._connected:  # another process took over the port
                self._disconnect(endpoint)
                self._connect(endpoint)
            for endpoint in endpoints - self._connected:
                self._connect(endpoint)
                self._connected.add(endpoint)
            for endpoint in endpoints:
                self._retiring.pop(endpoint, None)
            for endpoint in self._connected - endpoints:
                self._retiring.setdefault(endpoint, time.monotonic() + RETIRE_AFTER)

        self._command(apply)

    def close(self) -> None:
        """Stop the thread and close its sockets."""
        with self._command_lock:
            self._ending = True
        self._resume.set()
        self._interrupt.set()
        self._thread.join()

    def claim(self, who: object) -> bool:
        """Have the calling thread use the sockets, until `release`; False if it cannot now.

        `who` claims for: always the same for one thread.
        """
        if self._last != id(who):
            if self._last is not None:
                self._shared_until = time.monotonic() + SHARED
                self.resume()
            self._last = id(who)
        if self._ending or (self._shared_until and time.monotonic() < self._shared_until):
            return False
        if not self._sockets.acquire(blocking=False):
            self._claimed = True
            self._interrupt.set()
            got = self._sockets.acquire(timeout=_TURN)
            self._claimed = False
            if not got:
                return False
        self._claims += 1
        if self._ending:
            self._sockets.release()
            return False
        return True

    def release(self) -> None:
        """Undo `claim`."""
        self._sockets.release()
        if self._commands:  # given while the sockets were in use
            self._obey()

    def disclaim(self, who: object) -> None:
        """`who` will claim no more."""
        if self._last == id(who):
            self._last = None
            self.resume()

    def resume(self) -> None:
        """Have the thread receive, unless somebody else is just waiting."""
        self._resuming = True
        self._resume.set()
        self._interrupt.set()

    def interrupt(self) -> None:
        """End a `wait` in another thread."""
        self._interrupt.set()

    def wait(self, seconds: float) -> None:
        """Wait until something may have arrived, or for `interrupt`.

        Only between `claim` and `release`, as `receive`, and right after that found nothing.
        """
        # ZeroMQ makes its descriptors readable once for news, not as long as there are messages.
        if self._waited[0] < _SELECT_MAX > self._waited[1] and self._waited[2] < _SELECT_MAX:
            ready = select.select(self._waited, (), (), seconds)[0]
        else:
            poll = select.poll()
            for number in self._waited:
                poll.register(number, select.POLLIN)
            ready = [number for number, _ in poll.poll(seconds * 1e3)]
        if self._waited[2] in ready:
            self._interrupt.clear()
        if self._waited[1] in ready:
            self._look_at_connections()

    def receive(self, limit: int = HIGH_WATER_MARK) -> bool:
        """Deliver what has arrived, at most `limit` messages; whether there was anything."""
        if self._retiring or self._reconnecting:
            self._maintain()
        receive, judge = self._in.recv, self._origins.judge
        for taken in range(limit):
            try:
                frame = receive(_NOBLOCK, copy=False)
            except zmq.Again:
                return taken > 0
            try:
                if frame.more:
                    while frame.more:
                        frame = receive(_NOBLOCK, copy=False)
                    raise FrameError(Refusal.PARTS)
                topic, header, payload = decode(frame.bytes, self._table)
                subscriptions = self._table.get(topic)
                if subscriptions is None:
                    raise FrameError(Refusal.UNEXPECTED)
                source = frame.get(_SOURCE)
                if not self._origins.knows(source):
                    self._look_at_connections()
                refusal = judge(source, topic, header.publisher)
                if refusal is not None:
                    raise FrameError(refusal)
            except FrameError as error:
                self._refusals.add(error.reason)
                continue
            for deliver in subscriptions:
                try:
                    deliver(header, payload)
                except FrameError as error:  # what one refuses, such as another type, the others may take
                    self._refusals.add(error.reason)
        return True

    def _command(self, command: Callable[[], None]) -> None:
        """Have `command`, which uses the sockets, run soon, after those before it."""
        with self._command_lock:
            if self._ending:
                return
            self._commands.append(command)
        self._obey()

    def _obey(self) -> None:
        """Run the commands that wait, or leave them to whoever uses the sockets."""
        while self._commands:
            if not self._sockets.acquire(blocking=False):
                self._interrupt.set()
                return
            try:
                self._run_commands()
            finally:
                self._sockets.release()

    def _run_commands(self) -> None:
        while self._commands and not self._ending:
            self._commands.popleft()()

    def _run(self) -> None:
        self._look_at_connections()  # its descriptor tells of nothing before it was looked at once
        while not self._ending:
            with self._sockets:
                self._resuming = False
                self._resume.clear()
                while not (self._ending or self._claimed):
                    self._run_commands()
                    if not self.receive():
                        self.wait(_TURN)
            self._stand_by()
        with self._sockets:
            self._in.disable_monitor()
            self._monitor.close(0)
            self._in.close(0)
            self._interrupt.close()

    def _stand_by(self) -> None:
        """Leave the sockets to those who claim them, until they do not."""
        while not self._ending:
            claims = self._claims
            self._resume.wait(STANDBY)
            self._resume.clear()
            if self._sockets.locked():
                continue
            if self._resuming or claims == self._claims:
                return

    def _look_at_connections(self) -> None:
        while int(self._monitor.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            parts = self._monitor.recv_multipart(zmq.NOBLOCK)
            event, value = _EVENT.unpack_from(parts[0])
            endpoint = parts[1].decode("ascii", "replace")
            if event == zmq.EVENT_CONNECTED:
                self._origins.connected(value, endpoint)
            elif endpoint in self._connected:
                self._reconnecting.setdefault(endpoint, time.monotonic() + RECONNECT_AFTER)

    def _maintain(self) -> None:
        now = time.monotonic()
        for endpoint in [e for e, due in self._retiring.items() if due <= now]:
            del self._retiring[endpoint]
            self._reconnecting.pop(endpoint, None)
            self._disconnect(endpoint)
            self._connected.discard(endpoint)
            self._keys_of.pop(endpoint, None)
            self._origins.forget(endpoint)
        for endpoint in [e for e, due in self._reconnecting.items() if due <= now]:
            del self._reconnecting[endpoint]
            self._disconnect(endpoint)
            self._connect(endpoint)

    def _connect(self, endpoint: str) -> None:
        """Connect to a peer that must have the key which the hub told of."""
        if self._keys is not None:
            self._in.setsockopt(zmq.CURVE_SERVERKEY, self._keys_of[endpoint].encode("ascii"))
        self._in.connect(endpoint)

    def _disconnect(self, endpoint: str) -> None:
        try:
            self._in.disconnect(endpoint)
        except zmq.ZMQError as error:  # already gone
            _log.debug("disconnecting %s: %s", endpoint, error)
