"""How an executor waits: for news of any kind, receiving messages meanwhile; and why it may stop."""

import threading
import time

from .context import Context
from .network.receiver import Receiver

RECEIVE_EVERY = 1e-3  #: s between looks for new messages while there are others to call back with
CALLBACK_SHARE = 4.0  #: times as long for callbacks as for receiving, when more arrives than they can take
LONGEST_SHARE = 0.02  #: s after which messages are looked for at last


class TimeoutException(Exception):
    """Nothing became ready in time."""


class ShutdownException(Exception):
    """The executor was shut down while it waited."""


class ExternalShutdownException(Exception):
    """The context was shut down while the executor waited."""

    def __init__(self, message: str = "context is not valid") -> None:
        super().__init__(message)


class ConditionReachedException(Exception):
    """What was waited for came true."""


class TimeoutObject:
    """A time-out, s, that may change while it is waited for."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    @property
    def timeout(self) -> float:
        """s."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: float) -> None:
        self._timeout = timeout


class Waiting:
    """Where one executor waits, and is woken by whatever has something to do.

    While it waits, its thread receives the messages of the process if it can: see `receiver`.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._event = threading.Event()
        self._news = False
        self._waits = False
        self._claimed: Receiver | None = None  #: where it waits, unless for the event
        self._due = 0.0  #: when to look for messages even though others wait, s

    def wake(self) -> None:
        """There is something to do; from any thread."""
        self._news = True
        if self._waits:
            self._event.set()
            if (receiver := self._claimed) is not None:
                receiver.interrupt()

    def expect(self) -> None:
        """Forget the news so far: what they are about is looked for now."""
        self._news = False

    def brief(self) -> bool:
        """Whether so little time has passed since messages were looked for that others need no turn yet."""
        return time.monotonic() < self._due

    def receive(self) -> None:
        """Look for messages."""
        now = time.monotonic()
        receiver = self._context.receiver
        if receiver is not None and receiver.claim(self):
            try:
                receiver.receive()
            finally:
                receiver.release()
        self._look_again(now)

    def wait(self, seconds: float) -> None:
        """Wait for news since `expect`, at most so long."""
        receiver = self._context.receiver
        if receiver is None or not receiver.claim(self):
            self._wait_for_event(seconds)
            return
        self._claimed = receiver
        try:
            now = time.monotonic()
            if not receiver.receive():
                self._waits = True
                if not self._news:
                    receiver.wait(seconds)
                self._waits = False
                receiver.receive(1)  # to be called back at once; the next look takes the others
                self._due = time.monotonic() + RECEIVE_EVERY
            else:
                self._look_again(now)
        finally:
            self._waits, self._claimed = False, None
            receiver.release()

    def close(self) -> None:
        """It waits no more."""
        if (receiver := self._context.receiver) is not None:
            receiver.disclaim(self)

    def _look_again(self, began: float) -> None:
        now = time.monotonic()
        self._due = now + min(max(RECEIVE_EVERY, CALLBACK_SHARE * (now - began)), LONGEST_SHARE)

    def _wait_for_event(self, seconds: float) -> None:
        self._event.clear()
        self._waits = True
        if not self._news:
            self._event.wait(seconds)
        self._waits = False
