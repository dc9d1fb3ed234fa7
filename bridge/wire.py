"""The frame: three ZeroMQ parts, `[topic + NUL] [header] [CDR payload]`, checked byte by byte on arrival.

The topic ends in NUL because ZeroMQ matches subscriptions by prefix: without it `/odom` would receive `/odometry`.
The header has a fixed size and layout; a frame that deviates in anything is refused with a reason, never guessed at.
Type names do not travel with every message (they are in the graph announcements), only a prefix of the type's hash.
"""

import re
import struct
from collections import Counter
from collections.abc import Sequence
from enum import IntFlag, StrEnum
from typing import NamedTuple

MAGIC = b"TLMN"
VERSION = 1
MAX_PAYLOAD = 16 * 2**20  #: bytes; also ZeroMQ's MAXMSGSIZE on every data socket
MAX_TOPIC = 255  #: bytes, without the NUL
ID_BYTES = 8  #: of a publisher id and of a type hash prefix
NO_SIMULATION_TIME = -1

_HEADER = struct.Struct("<4sBBHQqq8s8s")
HEADER_BYTES = _HEADER.size

#: a fully qualified ROS 2 topic: no empty segment, no leading digit, ASCII only
_TOPIC = re.compile(rb"(?:/[A-Za-z_][A-Za-z0-9_]*)+")
#: CDR encapsulation identifiers we read: plain CDR, big and little endian
_ENCAPSULATIONS = (b"\x00\x01", b"\x00\x00")


class Flags(IntFlag):
    """Properties of one frame."""

    NONE = 0
    LATCHED = 1  #: sent again for a late joiner: old data, of interest to transient-local subscriptions only


_KNOWN_FLAGS = int(Flags.LATCHED)


class Refusal(StrEnum):
    """Why a frame was refused."""

    PARTS = "not three parts"
    TOPIC = "malformed topic"
    UNEXPECTED = "topic without a subscription"
    HEADER = "header of the wrong size"
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


class FrameError(ValueError):
    """A frame was refused; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Refusals:
    """Counts of what was refused, by reason. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._counts: Counter[Refusal] = Counter()

    def add(self, reason: Refusal) -> None:
        """Count one refusal."""
        self._counts[reason] += 1

    @property
    def total(self) -> int:
        """All refusals so far."""
        return sum(self._counts.values())

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
    payload: bytes


def topic_part(topic: str) -> bytes:
    """First part of a frame and the exact subscription for `topic`.

    Raises
    ------
    ValueError
        If `topic` is not a fully qualified ROS topic name of at most 255 characters.
    """
    part = topic.encode("utf-8", "replace")
    if len(part) > MAX_TOPIC or not _TOPIC.fullmatch(part):
        raise ValueError(f"topic must look like /name/of_topic (letters, digits, _), got {topic[:80]!r}")
    return part + b"\0"


def is_topic_part(part: bytes) -> bool:
    """Whether `part` is what `topic_part` makes."""
    return (
        2 < len(part) <= MAX_TOPIC + 1
        and part[-1] == 0
        and _TOPIC.fullmatch(part, 0, len(part) - 1) is not None
    )


def pack_header(header: Header) -> bytes:
    """The 48 bytes of `header`."""
    return _HEADER.pack(
        MAGIC,
        VERSION,
        header.flags,
        0,
        header.sequence,
        header.source_stamp,
        header.simulation_time,
        header.type_hash,
        header.publisher,
    )


def unpack_header(part: bytes) -> Header:
    """Inverse of `pack_header`.

    Raises
    ------
    FrameError
        If size, magic, version, flags, reserved bytes or any number is impossible.
    """
    if len(part) != HEADER_BYTES:
        raise FrameError(Refusal.HEADER)
    magic, version, flags, reserved, sequence, source, simulation, type_hash, publisher = _HEADER.unpack(part)
    if magic != MAGIC:
        raise FrameError(Refusal.MAGIC)
    if version != VERSION:
        raise FrameError(Refusal.VERSION)
    if flags & ~_KNOWN_FLAGS or reserved:
        raise FrameError(Refusal.FLAGS)
    if sequence == 0:
        raise FrameError(Refusal.SEQUENCE)
    if source < 0 or simulation < NO_SIMULATION_TIME:
        raise FrameError(Refusal.STAMP)
    return Header(sequence, source, simulation, type_hash, publisher, flags)


def decode(parts: Sequence[bytes]) -> Frame:
    """Validate the parts of a multipart message.

    Raises
    ------
    FrameError
        With the first reason found; the caller counts it and drops the frame.
    """
    if len(parts) != 3:
        raise FrameError(Refusal.PARTS)
    topic, header, payload = parts
    if not is_topic_part(topic):
        raise FrameError(Refusal.TOPIC)
    unpacked = unpack_header(header)
    if not 4 <= len(payload) <= MAX_PAYLOAD:
        raise FrameError(Refusal.PAYLOAD)
    if payload[:2] not in _ENCAPSULATIONS:
        raise FrameError(Refusal.ENCAPSULATION)
    return Frame(topic, unpacked, payload)
