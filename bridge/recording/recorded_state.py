"""An agent's state in a recording: its messages, by time, as somebody who was there would have had them."""

from collections.abc import Iterator

from ..exceptions import MessageError, RecordingError
from ..messages import Message, deserialize, message_class
from ..topics import TOPICS
from .reader import RecordedMessage, Recording


class RecordedState:
    """The topics of an agent's state in a recording.

    Parameters
    ----------
    recording : Recording
        Open for as long as it is read.
    seconds : float, optional
        No more than the first seconds, s as recorded.

    Attributes
    ----------
    end : int
        ns, the log time behind which nothing is read.
    shown : int
        Messages that were read.
    unreadable : int
        Messages that are not what their type says.

    Raises
    ------
    RecordingError
        If the recording holds no state of an agent.
    """

    def __init__(self, recording: Recording, seconds: float | None = None) -> None:
        self.shown = self.unreadable = 0
        self.end = recording.end if seconds is None else recording.start + round(seconds * 1e9)
        self._recording = recording
        self._topics = {
            topic.name
            for topic in recording.topics
            if topic.messages and not topic.obstacle and _is_state(topic.name, topic.type_name)
        }
        if not self._topics:
            there = ", ".join(topic.name for topic in recording.topics) or "none"
            raise RecordingError(f"{recording.path} holds no state of an agent to show; its topics: {there}")

    def messages(self) -> Iterator[RecordedMessage]:
        """All messages of the state, by log time."""
        for message in self._recording.messages(self._topics):
            if message.log_time > self.end:
                return
            if _is_state(message.topic, message.type_name):
                yield message

    def read(self, message: RecordedMessage) -> tuple[Message, float] | None:
        """What a message says, and the agent's time, s; None if it cannot be read."""
        try:
            content = deserialize(message.payload, message_class(message.type_name))
        except MessageError:
            self.unreadable += 1
            return None
        self.shown += 1
        stamp = message.simulation_time if message.simulation_time >= 0 else message.publish_time
        return content, stamp * 1e-9


def _is_state(topic: str, type_name: str) -> bool:
    known = TOPICS.get(topic)
    return known is not None and known.type_name == type_name
