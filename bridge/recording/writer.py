"""Write messages to a file that ROS 2 tools open: MCAP, profile `ros2`, types in `ros2msg`, data in CDR.

The file is a row of compressed chunks. A chunk is handed to the system as soon as it is complete, so that a
recording that is killed, or cut off at any byte, still gives all chunks before that byte. Until `close` the
file has another name (`drive.partial.mcap` for `drive.mcap`): what bears the final name is whole.

The simulation clock of the sender travels in the header of every frame and has no place in MCAP. It is kept
on a topic of the file's own, `SIMULATION_TOPIC`, with a message in front of those that have another one than
those before.
"""

import contextlib
import os
import struct
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ..closing import Closing
from ..constants import S_TO_NS
from ..duration import Duration
from ..exceptions import RecordingError
from ..messages import definition, type_hash
from ..network.wire import NO_SIMULATION_TIME
from ..qos import LivelinessPolicy, QoSProfile

SUFFIX = ".mcap"
PROFILE, SCHEMA_ENCODING, MESSAGE_ENCODING = "ros2", "ros2msg", "cdr"
#: rosgraph_msgs/msg/Clock: the simulation clock of what follows in the file; -1 s where there is none
SIMULATION_TOPIC = "/tolman/simulation_time"
SIMULATION_TYPE = "rosgraph_msgs/msg/Clock"
LOSSES = "tolman_losses"  #: name of the metadata record: topic to how many messages the recorder missed
CHUNK_BYTES = 2**20  #: of messages in one chunk, about; a bag of ROS 2 has chunks of this size too
CHUNK_SPAN = 1_000_000_000  #: ns of log time after which a chunk is closed however small it is

_OVERHEAD = 31  #: bytes of a message in a chunk besides its data
_NEVER = 2**62  #: bytes; chunks are closed here and not by the library, so that each begins with its clock
_CLOCK = struct.Struct("<4siI")
_CDR = b"\x00\x01\x00\x00"
_LAST_SECOND = 2**31 - 1
_SEQUENCES = 2**32
_DEFAULT_QOS = QoSProfile(depth=10)
#: a rosbag2 file states durations that were not specified as the largest there are
_FOREVER = "{sec: 9223372036, nsec: 854775807}"


class RecordingWriter(Closing):
    """A recording being made.

    Parameters
    ----------
    path : path
        Of the recording; it must end in .mcap.
    overwrite : bool
        Replace what stands at `path`, when the recording is complete.

    Attributes
    ----------
    path, partial : Path
        The final and the present name.
    counts : Counter of str
        Messages written, by topic.

    Raises
    ------
    RecordingError
        If the package mcap is missing, or the file cannot be made, with the reason in one line.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        try:
            from mcap.writer import CompressionType, Writer
        except ImportError:
            raise missing_package() from None
        self.path = checked_name(Path(path), overwrite)
        self.partial = self.path.with_name(f"{self.path.stem}.partial{SUFFIX}")
        self.counts: Counter[str] = Counter()
        self._overwrite = overwrite
        try:
            self._file = self.partial.open("xb")
        except FileExistsError:
            raise RecordingError(
                f"{self.partial} is there: a recording that is being made, or was cut off; "
                "look at it with `tolman inspect`, then rename or delete it"
            ) from None
        except OSError as error:
            raise RecordingError(f"cannot write {self.partial}: {error.strerror or error}") from error
        compression = CompressionType.ZSTD if _has_zstandard() else CompressionType.NONE
        self._writer = Writer(self._file, chunk_size=_NEVER, compression=compression)
        self._writer.start(PROFILE, library="tolman")
        self._schemas: dict[str, int] = {}
        self._channels: dict[tuple[str, str], int] = {}
        self._topics: dict[int, str] = {}
        self._simulation_time = NO_SIMULATION_TIME
        self._pending = 0
        self._chunk_began: int | None = None
        self._closed = False

    def channel(self, topic: str, type_name: str, profile: QoSProfile = _DEFAULT_QOS) -> int:
        """The number under which `write` takes messages of a topic; the profile is what its publisher offers.

        Raises
        ------
        ValueError
            If the type is unknown.
        """
        key = topic, type_name
        if key not in self._channels:
            if type_name not in self._schemas:
                text = definition(type_name).encode()
                self._schemas[type_name] = self._writer.register_schema(type_name, SCHEMA_ENCODING, text)
            described = {"offered_qos_profiles": qos_text(profile), "topic_type_hash": type_hash(type_name)}
            made = self._writer.register_channel(topic, MESSAGE_ENCODING, self._schemas[type_name], described)
            self._channels[key] = made
            self._topics[made] = topic
        return self._channels[key]

    def write(
        self,
        channel: int,
        payload: bytes | memoryview,
        *,
        log_time: int,
        publish_time: int,
        simulation_time: int = NO_SIMULATION_TIME,
        sequence: int = 0,
    ) -> None:
        """Append a message.

        Parameters
        ----------
        channel : int
            From `channel`.
        payload : bytes
            CDR with its encapsulation header.
        log_time, publish_time : int
            When it was received and sent, ns; readers sort by the first.
        simulation_time : int
            Simulation clock of the sender, ns, or `NO_SIMULATION_TIME`.
        sequence : int
            Number of the message at its publisher.

        Raises
        ------
        RecordingError
            If the file cannot be written; what is complete stays under the partial name.
        """
        if self._chunk_began is not None and not 0 <= log_time - self._chunk_began < CHUNK_SPAN:
            self.flush()
        if self._chunk_began is None:
            self._chunk_began = log_time
        if simulation_time != self._simulation_time:
            self._mark(simulation_time, log_time)
        self._put(channel, log_time, bytes(payload), publish_time, sequence % _SEQUENCES)
        self.counts[self._topics[channel]] += 1
        if self._pending >= CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Complete the chunk; a reader of the file finds all messages so far.

        Raises
        ------
        RecordingError
            As `write`.
        """
        try:
            self._writer.flush()
        except OSError as error:
            raise self._failed(error) from error
        self._pending, self._chunk_began = 0, None
        self._simulation_time = NO_SIMULATION_TIME  # every chunk says it again: any of them may be lost

    def close(self, losses: Mapping[str, int] | None = None) -> None:
        """Complete the file and give it its name; a recording without messages leaves no file.

        Parameters
        ----------
        losses : mapping, optional
            How many messages of which topic did not reach the recorder.

        Raises
        ------
        RecordingError
            If the file cannot be written or renamed.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self.counts.total():
                if losses is not None:
                    self._writer.add_metadata(LOSSES, {t: str(n) for t, n in losses.items()})
                self._writer.finish()
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()
            if not self.counts.total():
                self.partial.unlink()
            elif self.path.exists() and not self._overwrite:
                raise RecordingError(
                    f"{self.path} has appeared meanwhile; the recording is in {self.partial}"
                )
            else:
                self.partial.replace(self.path)
        except OSError as error:
            raise self._failed(error) from error

    def _put(self, channel: int, log_time: int, payload: bytes, publish_time: int, sequence: int) -> None:
        try:
            self._writer.add_message(channel, log_time, payload, publish_time, sequence)
        except OSError as error:
            raise self._failed(error) from error
        self._pending += len(payload) + _OVERHEAD

    def _mark(self, simulation_time: int, log_time: int) -> None:
        seconds, nanoseconds = divmod(simulation_time, S_TO_NS)
        if simulation_time == NO_SIMULATION_TIME or seconds > _LAST_SECOND:
            seconds, nanoseconds = -1, 0
        payload = _CLOCK.pack(_CDR, seconds, nanoseconds)
        self._put(self.channel(SIMULATION_TOPIC, SIMULATION_TYPE), log_time, payload, log_time, 0)
        self._simulation_time = simulation_time

    def _failed(self, error: OSError) -> RecordingError:
        """Give up the file: what the buffer still holds can only fail again."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._file.close()
        reason = error.strerror or str(error)
        return RecordingError(f"cannot write {self.partial}: {reason}; it holds what was complete before")


def simulation_time_of(payload: bytes | memoryview) -> int:
    """Simulation clock, ns, in a message of `SIMULATION_TOPIC` or /clock; `NO_SIMULATION_TIME` for none."""
    if len(payload) < _CLOCK.size:
        return NO_SIMULATION_TIME
    start, seconds, nanoseconds = _CLOCK.unpack_from(payload)
    if start[:2] != _CDR[:2]:
        return NO_SIMULATION_TIME
    return seconds * S_TO_NS + nanoseconds if seconds >= 0 else NO_SIMULATION_TIME


def checked_name(path: Path, overwrite: bool = False) -> Path:
    """`path`, if it can be the name of a new recording.

    Raises
    ------
    RecordingError
        If it does not end in .mcap, its folder does not exist, or there is such a file already that must not
        be overwritten.
    """
    if path.suffix != SUFFIX:
        raise RecordingError(f"the name of a recording ends in {SUFFIX}, got {path.name!r}")
    if not path.absolute().parent.is_dir():
        raise RecordingError(f"the folder {path.absolute().parent} for {path.name!r} does not exist")
    if path.is_dir() or (path.exists() and not overwrite):
        raise RecordingError(f"{path} exists already; choose another name, or delete it")
    return path


def qos_text(profile: QoSProfile) -> str:
    """A profile in the YAML that rosbag2 keeps beside a topic."""
    manual = profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
    return (
        f"- history: {profile.history.short_key}\n"
        f"  depth: {profile.depth}\n"
        f"  reliability: {profile.reliability.short_key}\n"
        f"  durability: {profile.durability.short_key}\n"
        f"  deadline: {_span(profile.deadline)}\n"
        f"  lifespan: {_span(profile.lifespan)}\n"
        f"  liveliness: {'manual_by_topic' if manual else 'automatic'}\n"
        f"  liveliness_lease_duration: {_span(profile.liveliness_lease_duration)}\n"
        "  avoid_ros_namespace_conventions: false\n"
    )


def _span(duration: Duration) -> str:
    if not duration.nanoseconds:
        return _FOREVER
    seconds, rest = divmod(duration.nanoseconds, S_TO_NS)
    return f"{{sec: {seconds}, nsec: {rest}}}"


def missing_package() -> RecordingError:
    """What to say where the package mcap is not installed."""
    return RecordingError("recordings need the package mcap: pip install 'tolman[record]'")


def _has_zstandard() -> bool:
    try:
        import zstandard  # noqa: F401
    except ImportError:
        return False
    return True
