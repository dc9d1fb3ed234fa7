"""Write an agent's state to a recording, as `StatePublisher` would send it, without any socket.

All times in the file are the agent's: the same run gives the same file, byte by byte.
"""

import os

from .closing import Closing
from .messages import Message, serialize
from .qos import QoSProfile
from .recording.writer import RecordingWriter
from .state import StateMessages, profile_of
from .topics import TOPICS


class StateRecorder(StateMessages, Closing):
    """Records an agent's state.

    Parameters
    ----------
    path : path
        Of the recording; it must end in .mcap.
    overwrite : bool
        Replace what stands at `path`, when the recording is complete.
    width, height, control_period
        As of `StateMessages`.

    Raises
    ------
    RecordingError
        If the file cannot be made; other methods raise it if the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        width: int = 0,
        height: int = 0,
        control_period: float = 0.04,
    ) -> None:
        self.writer = RecordingWriter(path, overwrite=overwrite)
        self._files = {
            topic.name: _TopicFile(self.writer, topic.name, topic.type_name, profile_of(topic))
            for topic in TOPICS.values()
        }
        super().__init__(self._files, width=width, height=height, control_period=control_period)

    def _set_time(self, now: int) -> None:
        for file in self._files.values():
            file.begin(now)

    def close(self) -> None:
        """Complete the file and give it its name."""
        self.writer.close({})


class _TopicFile:
    """One topic in the file; everything is wanted there."""

    wanted = True

    def __init__(self, writer: RecordingWriter, topic: str, type_name: str, profile: QoSProfile) -> None:
        self._time: int | None = None  #: ns; none before the first period
        self._held: list[bytes] = []  #: what was said before
        self._writer, self._topic, self._type_name, self._profile = writer, topic, type_name, profile
        self._sequence = 0

    def begin(self, time: int) -> None:
        """Messages from now on are of `time`, ns, and so are those before the first period."""
        self._time = time
        held, self._held = self._held, []
        for payload in held:
            self._write(payload, time)

    def publish(self, msg: Message) -> None:
        """Append a message."""
        payload = bytes(serialize(msg))
        if self._time is None:
            self._held.append(payload)
        else:
            self._write(payload, self._time)

    def _write(self, payload: bytes, time: int) -> None:
        self._sequence += 1
        self._writer.write(
            self._writer.channel(self._topic, self._type_name, self._profile),
            payload,
            log_time=time,
            publish_time=time,
            simulation_time=time,
            sequence=self._sequence,
        )

    def skip(self) -> None:
        """Count a message that was not made."""
        self._sequence += 1
