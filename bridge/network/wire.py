"""The frame: one ZeroMQ message, `[topic + NUL] [header] [CDR payload]`, checked byte by byte on arrival.

The topic comes first and ends in NUL because ZeroMQ matches subscriptions by prefix: without the NUL `/odom`
would receive `/odometry`. The header has a fixed size and layout; a frame that deviates in anything is
refused with a reason, never guessed at. Type names do not travel with every message (they are in the graph
announcements), only a prefix of the type's hash. One part instead of three makes sending a small message five
times cheaper.
"""

import re
import struct
from collections import Counter
from collections.abc import Container
from enum import IntFlag, StrEnum
from typing import NamedTuple

MAGIC = b"TLMN"
VERSION = 1
MAX_TOPIC = 255  #: bytes, without the NUL
MAX_FRAME = 16 * 2**20  #: bytes; also ZeroMQ's MAXMSGSIZE on every data socket
ID_BYTES = 8  #: of a publisher id and of a type hash prefix
NO_SIMULATION_TIME = -1

_HEADER = struct.Struct("<4sBBHQqq8s8s")
HEADER_BYTES = _HEADER.size
MAX_PAYLOAD = MAX_FRAME - MAX_TOPIC - 1 - HEADER_BYTES  #: bytes

#: a fully qualified ROS 2 topic: no empty segment, no leading digit, ASCII only
_TOPIC = re.compile(rb"(?:/[A-Za-z_][A-Za-z0-9_]*)+")
#: CDR encapsulation identifiers we read: plain CDR, big and little endian
_ENCAPSULATIONS = (b"\x00\x01", b"\x00\x00")


class Flags(IntFlag):
    """Properties of one frame."""

    NONE = 0
    LATCHED = 1  #: sent again for a late joiner: old data, of interest to transient-local subscriptions only
    EARLY = (
        2  #: sent again to a subscription that was announced, but not connected yet, when it was published
    )


_new = tuple.__new__  # a named tuple without the detour through its own, which is Python
_UNKNOWN_FLAGS = ~int(Flags.LATCHED | Flags.EARLY)


class Refusal(StrEnum):
    """Why something was refused."""

    PARTS = "more than one part"
    TOPIC = "malformed topic"
    UNEXPECTED = "topic without a subscription"
    HEADER = "header cut short"
    MAGIC = "wrong magic"
    VERSION = "unknown version"
    FLAGS = "unknown flags"
    STAMP = "impossible stamp"
    PAYLOAD = "payload too short or too long"
    ENCAPSULATION = "payload is not CDR"
    TYPE = "wrong message type"
    SEQUENCE = "sequence number not above the last one"
    MESSAGE = "payload is not the message it claims to be"
    SUBSCRIPTION = "malformed or excessive subscription"
    GRAPH = "malformed graph announcement"
    HANDSHAKE = "connection that spoke no ZeroMQ or had no right key"
    KEY = "key that is not authorised"
    SPOOFED = "publisher of another process"
    PERMISSION = "not permitted"


class FrameError(ValueError):
    """A frame was refused; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Refusals:
    """Counts of what was refused, by reason. Any thread may add and read."""

    def __init__(self) -> None:
        self._counts: Counter[Refusal] = Counter()

    def add(self, reason: Refusal) -> None:
        """Count one refusal."""
        self._counts[reason] += 1

    @property
    def total(self) -> int:
        """All refusals so far."""
        return sum(self.as_dict().values())

    def as_dict(self) -> dict[Refusal, int]:
        """A copy of the counts."""
        return dict(self._counts)


class Header(NamedTuple):
    """What travels with every message.

    Attributes
    ----------
    sequence : int
        Counts the messages of one publisher from 1; a gap at the receiver is that many lost messages.
    source_stamp : int
        Wall clock of the sender, ns since the epoch.
    simulation_time : int
        Simulation clock of the sender, ns, or `NO_SIMULATION_TIME`.
    type_hash : bytes
        First 8 bytes of the RIHS01 hash of the message type.
    publisher : bytes
        8 random bytes that name the publisher.
    flags : int
        See `Flags`.
    """

    sequence: int
    source_stamp: int
    simulation_time: int
    type_hash: bytes
    publisher: bytes
    flags: int = 0


class Frame(NamedTuple):
    """A validated frame; `topic` still ends in NUL, the form in which receivers look it up."""

    topic: bytes
    header: Header
    payload: memoryview


def topic_prefix(topic: str) -> bytes:
    """How a frame on `topic` begins, which is also the exact subscription for it.

    Raises
    ------
    ValueError
        If `topic` is not a fully qualified ROS topic name of at most 255 characters.
    """
    prefix = topic.encode("utf-8", "replace")
    if len(prefix) > MAX_TOPIC or not _TOPIC.fullmatch(prefix):
        raise ValueError(f"topic must look like /name/of_topic (letters, digits, _), got {topic[:80]!r}")
    return prefix + b"\0"


def is_topic_prefix(prefix: bytes) -> bool:
    """Whether `prefix` is what `topic_prefix` makes."""
    last = len(prefix) - 1
    return 1 < last <= MAX_TOPIC and prefix[last] == 0 and _TOPIC.fullmatch(prefix, 0, last) is not None


def pack_header(
    sequence: int,
    source_stamp: int,
    simulation_time: int,
    type_hash: bytes,
    publisher: bytes,
    flags: int = 0,
) -> bytes:
    """The 48 bytes of a header: `pack_header(*header)`."""
    return _HEADER.pack(
        MAGIC, VERSION, flags, 0, sequence, source_stamp, simulation_time, type_hash, publisher
    )


def encode(prefix: bytes, header: Header, payload: bytes | memoryview) -> bytes:
    """The frame of a payload; `prefix` is from `topic_prefix`."""
    return b"".join((prefix, pack_header(*header), payload))


def decode(data: bytes, known: Container[bytes] = ()) -> Frame:
    """Validate a frame; topics in `known` need no look at their characters.

    Raises
    ------
    FrameError
        With the first reason found; the caller counts it and drops the frame.
    """
    end = data.find(b"\0", 0, MAX_TOPIC + 1) + 1
    topic = data[:end]
    if topic not in known and not is_topic_prefix(topic):
        raise FrameError(Refusal.TOPIC)
    start = end + HEADER_BYTES
    if len(data) < start:
        raise FrameError(Refusal.HEADER)
    magic, version, flags, reserved, sequence, source, simulation, kind, sender = _HEADER.unpack_from(
        data, end
    )
    if magic != MAGIC:
        raise FrameError(Refusal.MAGIC)
    if version != VERSION:
        raise FrameError(Refusal.VERSION)
    if flags & _UNKNOWN_FLAGS or reserved:
        raise FrameError(Refusal.FLAGS)
    if sequence == 0:
        raise FrameError(Refusal.SEQUENCE)
    if source < 0 or simulation < NO_SIMULATION_TIME:
        raise FrameError(Refusal.STAMP)
    if not 4 <= len(data) - start <= MAX_PAYLOAD:
        raise FrameError(Refusal.PAYLOAD)
    if data[start : start + 2] not in _ENCAPSULATIONS:
        raise FrameError(Refusal.ENCAPSULATION)
    header = _new(Header, (sequence, source, simulation, kind, sender, flags))
    return _new(Frame, (topic, header, memoryview(data)[start:]))
