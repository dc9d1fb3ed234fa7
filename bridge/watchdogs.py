"""Timers that call out when something that should happen again and again does not: deadlines and leases."""

import threading
import time
from collections.abc import Callable

_LONGEST = 1.0  #: s between looks


class Watchdog:
    """Calls `missed` for each period, ns, in which it was not fed; begins with the first feeding."""

    def __init__(self, period: int, missed: Callable[[], None], watch: "Watchdogs") -> None:
        self.period, self.missed = period, missed
        self._watch = watch
        self._since: int | None = None

    def feed(self) -> None:
        """What was to happen has happened."""
        first, self._since = self._since is None, time.monotonic_ns()
        if first:
            self._watch.wake()

    def rest(self) -> None:
        """Call no more until it is fed again."""
        self._since = None

    def look(self, now: int) -> int | None:
        """Call if it is time to; return when to look again, None if it rests."""
        since = self._since
        if since is not None and now - since >= self.period:
            # Unless it was fed meanwhile: the next period begins where this one ends.
            if self._since == since:
                self._since = since + self.period
            self.missed()
        return None if self._since is None else self._since + self.period

    def close(self) -> None:
        """Call no more."""
        self.rest()
        self._watch.remove(self)


class Watchdogs:
    """The thread that looks after them; there is none without any."""

    def __init__(self) -> None:
        self._dogs: list[Watchdog] = []
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(self, period: int, missed: Callable[[], None]) -> Watchdog:
        """Make one; `missed` is called in the thread of all."""
        dog = Watchdog(period, missed, self)
        with self._lock:
            self._dogs.append(dog)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="tolman-watchdogs", daemon=True)
                self._thread.start()
        return dog

    def remove(self, dog: Watchdog) -> None:
        """Look after it no more."""
        with self._lock:
            if dog in self._dogs:
                self._dogs.remove(dog)

    def wake(self) -> None:
        """Look now: the next call may be due earlier than thought."""
        self._woken.set()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._woken.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._closed:
            self._woken.clear()
            with self._lock:
                dogs = list(self._dogs)
            now = time.monotonic_ns()
            due = [when for dog in dogs if (when := dog.look(now)) is not None]
            left = min(due, default=now + int(_LONGEST * 1e9)) - time.monotonic_ns()
            if left > 0:
                self._woken.wait(min(left * 1e-9, _LONGEST))
