"""The door of the sockets that a process binds: asks peers for their keys, and counts who fails to come in.

ZeroMQ asks `inproc://zeromq.zap.01` about every peer that presents a key (ZAP, its RFC 27), and reports
connections and handshakes. Who leaves before a handshake came to its end has failed: raw TCP, no keys where
keys are demanded, keys where none are, a wrong key.
"""

import enum
import logging
import struct
import threading
import time
from collections.abc import Callable

import zmq
from zmq.utils import z85

from .wire import Refusal, Refusals

#: handshakes that take longer are broken off, ms; a busy machine needs some time for CURVE
HANDSHAKE_MS = 5000
SAY_EVERY = 5.0  #: s between two lines about refused peers
PATIENCE = 1.0  #: s within which the graph must tell of a key that knocks
MAX_KNOCKING = 256  #: unknown keys that are remembered

_WATCHED = zmq.EVENT_ACCEPTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
_EVENT = struct.Struct("=hi")
_ZAP = "inproc://zeromq.zap.01"
_log = logging.getLogger(__name__)


class Verdict(enum.Enum):
    """What becomes of a key: ZAP's status codes."""

    ADMIT = b"200"
    LATER = b"300"  #: not known yet: the peer is cut off and tries again
    REFUSE = b"400"


class Gate:
    """Watches over bound sockets of one ZeroMQ context, in a thread of its own.

    Parameters
    ----------
    judge : callable, optional
        Says what becomes of a public key (Z85); None: sockets that demand no keys.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        refusals: Refusals,
        judge: Callable[[bytes], Verdict] | None,
    ) -> None:
        self._context, self._refusals, self._judge = context, refusals, judge
        self._knocking: dict[bytes, float] = {}
        self._answered = 0  # peers that will leave because of their keys: of these `_answer` has taken note
        self._shaking: dict[str, dict[int, None]] = {}  # descriptors, oldest first, by socket
        self._said = -SAY_EVERY
        self._unsaid = 0
        self._poller = zmq.Poller()
        self._watched: list[tuple[zmq.Socket[bytes], zmq.Socket[bytes], str]] = []
        self._zap: zmq.Socket[bytes] | None = None
        if judge is not None:  # must be bound before the first socket that asks
            self._zap = context.socket(zmq.REP)
            self._zap.setsockopt(zmq.LINGER, 0)
            self._zap.bind(_ZAP)
            self._poller.register(self._zap, zmq.POLLIN)
        self._end_out, self._end_in = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        name = f"inproc://gate-{id(self)}"
        self._end_in.bind(name)
        self._end_out.connect(name)
        self._poller.register(self._end_in, zmq.POLLIN)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="tolman-gate", daemon=True)
        self._thread.start()

    def watch(self, socket: "zmq.Socket[bytes]", where: str) -> None:
        """Count handshakes that fail at `socket`; call it before the socket is bound."""
        monitor = socket.get_monitor_socket(_WATCHED)
        with self._lock:
            self._watched.append((socket, monitor, where))
        self._end_out.send(b"+")

    def close(self) -> None:
        """Stop watching; call it before the sockets are closed."""
        self._end_out.send(b"")
        self._thread.join()
        self._end_out.close(0)

    def _run(self) -> None:
        places: dict[zmq.Socket[bytes], str] = {}
        while True:
            events = dict(self._poller.poll())
            if self._zap is not None and self._zap in events:
                self._answer(self._zap)
            for monitor, where in places.items():
                if monitor in events:
                    self._follow(monitor, where)
            if self._end_in in events:
                if not self._end_in.recv():
                    break
                with self._lock:
                    for _, monitor, where in self._watched:
                        if monitor not in places:
                            places[monitor] = where
                            self._poller.register(monitor, zmq.POLLIN)
        for socket, monitor, _ in self._watched:
            socket.disable_monitor()
            monitor.close(0)
        if self._zap is not None:
            self._zap.close(0)
        self._end_in.close(0)

    def _answer(self, zap: "zmq.Socket[bytes]") -> None:
        parts = zap.recv_multipart()
        request = parts[1] if len(parts) > 1 else b""
        verdict, key = Verdict.REFUSE, b""
        if len(parts) == 7 and parts[0] == b"1.0" and parts[5] == b"CURVE" and len(parts[6]) == 32:
            assert self._judge is not None
            key = z85.encode(parts[6])
            verdict = self._judge(key)
        zap.send_multipart(
            [b"1.0", request, verdict.value, b"", key if verdict is Verdict.ADMIT else b"", b""]
        )
        self._answered += verdict is not Verdict.ADMIT
        if verdict is Verdict.REFUSE or (verdict is Verdict.LATER and self._waits_long(key)):
            address = parts[3].decode("ascii", "replace") if len(parts) > 3 else "?"
            self._refuse(Refusal.KEY, f"key {key.decode()} of a peer at {address} is not authorised")
        elif verdict is Verdict.ADMIT:
            self._knocking.pop(key, None)

    def _waits_long(self, key: bytes) -> bool:
        """Whether a key that nobody told of has knocked for a while; the first times it may just be new."""
        now = time.monotonic()
        if key not in self._knocking and len(self._knocking) >= MAX_KNOCKING:
            self._knocking.pop(next(iter(self._knocking)))
        return now - self._knocking.setdefault(key, now) > PATIENCE

    def _follow(self, monitor: "zmq.Socket[bytes]", where: str) -> None:
        """Count who leaves without a handshake; ZeroMQ does not say whose succeeded: the oldest, mostly."""
        event, value = _EVENT.unpack_from(monitor.recv_multipart()[0])
        shaking = self._shaking.setdefault(where, {})
        if event == zmq.EVENT_ACCEPTED:
            shaking[value] = None
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            if shaking:
                del shaking[next(iter(shaking))]
        elif value in shaking:
            del shaking[value]
            if self._answered:
                self._answered -= 1
                return
            what = "spoke no ZeroMQ, or has no key or a wrong one" if self._judge else "spoke no ZeroMQ"
            self._refuse(Refusal.HANDSHAKE, f"a peer at {where} {what}")

    def _refuse(self, reason: Refusal, line: str) -> None:
        self._refusals.add(reason)
        now = time.monotonic()
        if now - self._said < SAY_EVERY:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more before)" if self._unsaid else ""
        self._said, self._unsaid = now, 0
        _log.warning("refused: %s%s", line, more)
