"""The receiving half of a process: one thread, one SUB socket connected to every peer.

A peer that sends a message above ZeroMQ's size limit is disconnected by ZeroMQ and would stay silent for
ever; the thread watches for disconnections and connects again.
"""

import logging
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import zmq

from .keys import Keys
from .origins import Origins, Peer
from .wire import MAX_FRAME, FrameError, Header, Refusal, Refusals, decode

HIGH_WATER_MARK = 1000  #: messages queued for one peer before the next are dropped
RETIRE_AFTER = 1.0  #: s a vanished peer stays connected, so that its last messages arrive
RECONNECT_AFTER = 0.2  #: s; a peer that sent an oversize message is silent until connected again

_EVENT = struct.Struct("=hi")
Deliver = Callable[[Header, memoryview], None]
_log = logging.getLogger(__name__)


class Receiver:
    """The thread that owns the SUB socket: validates frames and hands them to their subscriptions."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", refusals: Refusals, keys: Keys | None = None
    ) -> None:
        self._refusals, self._keys = refusals, keys
        self._origins = Origins()
        self._keys_of: dict[str, str] = {}
        self._table: dict[bytes, tuple[Deliver, ...]] = {}
        self._commands: deque[Callable[[], None] | None] = deque()
        self._command_lock = threading.Lock()
        self._table_lock = threading.Lock()
        self._ending = False
        self._connected: set[str] = set()
        self._retiring: dict[str, float] = {}
        self._reconnecting: dict[str, float] = {}
        self._in = context.socket(zmq.SUB)
        self._in.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self._in.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
        self._in.setsockopt(zmq.LINGER, 0)
        self._in.setsockopt(zmq.IPV6, 1)
        self._in.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        if keys is not None:
            keys.as_client(self._in)
        self._monitor = self._in.get_monitor_socket(zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED)
        self._wake_in, self._wake_out = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        name = f"inproc://wake-{id(self)}"
        self._wake_in.bind(name)
        self._wake_out.connect(name)
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
        self._command(None)
        self._thread.join()
        self._wake_out.close(0)

    def _command(self, command: Callable[[], None] | None) -> None:
        """Have the thread run `command`; None ends it. After that nothing is sent: nobody would take it."""
        with self._command_lock:
            if self._ending:
                return
            self._ending = command is None
            self._commands.append(command)
            self._wake_out.send(b"")

    def _run(self) -> None:
        poller = zmq.Poller()
        for socket in (self._in, self._monitor, self._wake_in):
            poller.register(socket, zmq.POLLIN)
        running = True
        while running:
            events = dict(poller.poll(100))
            if self._wake_in in events:
                self._wake_in.recv()
                command = self._commands.popleft()
                if command is None:
                    running = False
                else:
                    command()
            if self._monitor in events:
                self._look_at_connections()
            if self._in in events:
                self._receive()
            if self._retiring or self._reconnecting:
                self._maintain()
        self._in.disable_monitor()
        self._monitor.close(0)
        self._in.close(0)
        self._wake_in.close(0)

    def _receive(self) -> None:
        for _ in range(HIGH_WATER_MARK):  # then look at the commands again
            try:
                frame = self._in.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            try:
                if frame.more:
                    while self._in.getsockopt(zmq.RCVMORE):
                        self._in.recv()
                    raise FrameError(Refusal.PARTS)
                topic, header, payload = decode(frame.bytes)
                subscriptions = self._table.get(topic)
                if subscriptions is None:
                    raise FrameError(Refusal.UNEXPECTED)
                descriptor = int(frame.get(zmq.SRCFD))
                if not self._origins.knows(descriptor):
                    self._look_at_connections()
                refusal = self._origins.judge(descriptor, topic, header.publisher)
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

    def _look_at_connections(self) -> None:
        while True:
            try:
                parts = self._monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
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
