"""Publish a recording again: the same payloads on the same topics, at any speed."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from ..closing import Closing
from ..context import open_context
from ..exceptions import RecordingError
from ..messages import message_class
from ..network.wire import MAX_PAYLOAD
from ..node import Node
from ..publisher import Publisher
from .reader import RecordedMessage, Recording

POLL = 0.05  #: s, the longest sleep without a look at whether to stop
#: Without pauses the queue of a subscriber, 1000 messages, could overflow before that process is scheduled.
BURST, PAUSE = 50, 0.001  #: messages as fast as possible, and s of rest after them
SETTLE = 0.1  #: s after the first subscription, in which the others of the same process arrive
_CDR = (b"\x00\x01", b"\x00\x00")  #: encapsulations that receivers of the bridge accept


class Player(Closing):
    """Publishes the messages of a recording.

    Parameters
    ----------
    recording : Recording
        What to publish; it stays open as long as the player is used.
    endpoint : str, optional
        Where; by default `$TOLMAN_ENDPOINT` or `tcp://127.0.0.1:11948`.
    topics : collection of str, optional
        Only these; by default all.

    Attributes
    ----------
    counts : Counter of str
        Messages published, by topic.
    skipped : dict of str to str
        Topics of the recording that cannot be published, and why.
    unsendable : int
        Messages that no receiver would accept: too large, or not CDR.
    others : list of str
        Topics that somebody else publishes here already: subscribers get both.

    Raises
    ------
    BusyPortError, EndpointError
        If the endpoint cannot be used.
    RecordingError
        If nothing is left to publish, or a topic is not in the recording.
    """

    def __init__(
        self, recording: Recording, endpoint: str | None = None, *, topics: Collection[str] | None = None
    ) -> None:
        self._recording = recording
        chosen = [t for t in recording.topics if t.messages and (topics is None or t.name in topics)]
        absent = sorted(set(topics or ()) - {t.name for t in chosen})
        if absent:
            there = ", ".join(t.name for t in recording.topics if t.messages) or "none"
            raise RecordingError(f"{recording.path} has no {', '.join(absent)}; its topics: {there}")
        self.skipped = {t.name: t.obstacle for t in chosen if t.obstacle}
        playable = [t for t in chosen if not t.obstacle]
        if not playable:
            reasons = "; ".join(f"{name} is {why}" for name, why in self.skipped.items())
            raise RecordingError(
                f"nothing to publish in {recording.path}: {reasons or 'it holds no messages'}"
            )
        self.counts: Counter[str] = Counter()
        self.unsendable = 0
        self.context = open_context(endpoint)
        try:
            self.node = Node("player", context=self.context)
            self.others = [t.name for t in playable if self.node.count_publishers(t.name)]
            self._publishers: dict[tuple[str, str], Publisher[Any]] = {
                (t.name, t.type_name): self.node.create_publisher(
                    message_class(t.type_name), t.name, t.profile
                )
                for t in playable
            }
        except BaseException:
            self.context.try_shutdown()
            raise

    def wait_for_subscriber(
        self, timeout: float | None = None, *, stop: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait until somebody subscribes to one of the topics; False after `timeout` s or if told to stop."""
        end = None if timeout is None else time.monotonic() + timeout
        while not any(p.get_subscription_count() for p in self._publishers.values()):
            if stop() or (end is not None and time.monotonic() >= end):
                return False
            time.sleep(0.005)
        time.sleep(SETTLE)
        return True

    def play(
        self, speed: float = 1.0, *, loop: bool = False, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Publish all messages in the order of their log times, once or again and again.

        Parameters
        ----------
        speed : float
            Times as fast as recorded; 0 for as fast as possible.
        loop : bool
            Begin again at the end, until told to stop.
        stop : callable
            Asked at least twenty times a second.

        Raises
        ------
        ValueError
            If the speed is negative or not finite.
        """
        if not 0.0 <= speed < float("inf"):
            raise ValueError(f"the speed must be >= 0, got {speed}")
        topics = {name for name, _ in self._publishers}
        while not stop():
            began, burst = time.monotonic(), 0
            for message in self._recording.messages(topics):
                if speed > 0.0:
                    due = began + (message.log_time - self._recording.start) * 1e-9 / speed
                    while (left := due - time.monotonic()) > 0.0 and not stop():
                        time.sleep(min(left, POLL))
                elif (burst := burst + 1) % BURST == 0:
                    time.sleep(PAUSE)
                if stop():
                    return
                self._publish(message)
            if not loop:
                return

    def _publish(self, message: RecordedMessage) -> None:
        publisher = self._publishers.get((message.topic, message.type_name))
        if publisher is None:
            return
        payload = message.payload
        if not 4 <= len(payload) <= MAX_PAYLOAD or payload[:2] not in _CDR:
            self.unsendable += 1
            return
        self.context.transport.simulation_time = message.simulation_time
        publisher.publish(payload)
        self.counts[message.topic] += 1

    def close(self) -> None:
        """Stop; what is queued has a fifth of a second to leave."""
        self.context.try_shutdown()
