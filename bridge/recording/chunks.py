"""The records of an MCAP file, whole, cut off or damaged: where they lie, and the messages in them.

A file is walked record by record from its start and never from the index at its end, because a file that was
cut off has none. Nothing is believed before it is checked: lengths against the file, sizes against a limit,
checksums where there are any.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from .writer import missing_package

MAGIC = b"\x89MCAP0\r\n"
MAX_CHUNK = 2**30  #: bytes of a chunk, unpacked
MAX_LOOSE = 2**20  #: bytes of messages outside chunks that are treated as one chunk
MAX_RECORD = 2**26  #: bytes of a record that is neither message nor chunk

HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK = 1, 2, 3, 4, 5, 6
STATISTICS, METADATA = 0x0B, 0x0C
_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK = struct.Struct("<QQQI")


class Damaged(Exception):
    """A chunk or record that does not hold what it should."""


class Stored(NamedTuple):
    """A message as it lies in a chunk."""

    channel: int
    sequence: int
    log_time: int  #: ns
    publish_time: int  #: ns
    payload: bytes


class Schema(NamedTuple):
    """A type, as the file describes it."""

    name: str
    encoding: str
    text: str


class Channel(NamedTuple):
    """A topic, as the file describes it."""

    topic: str
    encoding: str
    schema: int
    metadata: dict[str, str]


@dataclass(frozen=True)
class Segment:
    """A chunk, or a run of messages outside chunks: the unit that is read at once."""

    offset: int  #: of its first record
    length: int  #: bytes
    packed: bool  #: whether it is one chunk


@dataclass
class Layout:
    """What a walk through a file found."""

    segments: list[Segment] = field(default_factory=list)
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    profile: str = ""
    promised: int | None = None  #: messages, by the statistics at the end of the file
    complete: bool = False  #: whether the file has its end
    unread: int = 0  #: bytes behind the last whole record


def walk(file: BinaryIO) -> Layout:
    """Find the segments of a file and what it says outside them, up to where it is cut off or garbage."""
    layout = Layout()
    size = file.seek(0, io.SEEK_END)
    at = len(MAGIC)
    loose: Segment | None = None
    while True:
        file.seek(at)
        head = file.read(_RECORD.size)
        if len(head) < _RECORD.size:
            break
        kind, length = _RECORD.unpack(head)
        end = at + _RECORD.size + length
        if kind == 0 or end > size:
            break
        if kind == MESSAGE:
            if loose is None or loose.length >= MAX_LOOSE:
                loose = Segment(at, 0, False)
                layout.segments.append(loose)
            loose = layout.segments[-1] = Segment(loose.offset, end - loose.offset, False)
        else:
            loose = None
            if kind == CHUNK:
                layout.segments.append(Segment(at, end - at, True))
            elif length <= MAX_RECORD:
                try:
                    _note(layout, kind, file.read(length))
                except Damaged:
                    break
        at = end
        if kind == FOOTER:
            layout.complete = file.read(len(MAGIC)) == MAGIC
            at += len(MAGIC) if layout.complete else 0
            break
    layout.unread = size - at
    return layout


def messages(file: BinaryIO, segment: Segment, layout: Layout) -> Iterator[Stored]:
    """The messages of a segment in the order of the file; its schemas and channels are noted in `layout`.

    Raises
    ------
    Damaged
        If the segment does not hold what it should; before the first message where it is a chunk with a
        checksum.
    """
    file.seek(segment.offset)
    data = file.read(segment.length)
    if segment.packed:
        data = _unpacked(memoryview(data)[_RECORD.size :])
    view, at = memoryview(data), 0
    while at < len(view):
        if at + _RECORD.size > len(view):
            raise Damaged("a record is cut short")
        kind, length = _RECORD.unpack_from(view, at)
        start, at = at + _RECORD.size, at + _RECORD.size + length
        if at > len(view):
            raise Damaged("a record is longer than its chunk")
        if kind == MESSAGE:
            if length < _MESSAGE.size:
                raise Damaged("a message is cut short")
            channel, sequence, log_time, publish_time = _MESSAGE.unpack_from(view, start)
            yield Stored(channel, sequence, log_time, publish_time, bytes(view[start + _MESSAGE.size : at]))
        elif kind in (SCHEMA, CHANNEL):
            _note(layout, kind, bytes(view[start:at]))


def _unpacked(record: memoryview) -> bytes:
    """The records in a chunk record, checked."""
    try:
        _, _, size, checksum = _CHUNK.unpack_from(record)
        (name,) = struct.unpack_from("<I", record, _CHUNK.size)
        at = _CHUNK.size + 4 + name
        compression = bytes(record[at - name : at]).decode("ascii", "replace")
        (length,) = struct.unpack_from("<Q", record, at)
    except struct.error as error:
        raise Damaged(f"a chunk cannot be read: {error}") from error
    packed = record[at + 8 : at + 8 + length]
    if len(packed) != length or size > MAX_CHUNK:
        raise Damaged(f"a chunk of {size} bytes in {length} is cut short or above the limit")
    data = _decompressed(bytes(packed), compression, size)
    if len(data) != size:
        raise Damaged(f"a chunk has {len(data)} bytes instead of {size}")
    if checksum and zlib.crc32(data) != checksum:
        raise Damaged("the checksum of a chunk is wrong")
    return data


def _decompressed(packed: bytes, compression: str, size: int) -> bytes:
    """`size` bytes and no more, whatever the compressed data claim."""
    if not compression:
        return packed
    if not packed:
        raise Damaged("a chunk is empty")
    try:
        if compression == "zstd":
            import zstandard

            stream = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(packed)
            return bytes(stream.read(size + 1))
        if compression == "lz4":
            import lz4.frame

            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=size + 1))
    except ImportError:
        raise missing_package() from None
    except Exception as error:  # each library has errors of its own, and lz4 raises RuntimeError
        raise Damaged(f"a chunk cannot be decompressed: {error}") from error
    raise Damaged(f"a chunk is compressed with {compression[:20]!r}, which is unknown here")


def _note(layout: Layout, kind: int, data: bytes) -> None:
    """Keep what a record outside the messages says.

    Raises
    ------
    Damaged
        If it cannot be read.
    """
    try:
        from mcap import records
        from mcap.data_stream import ReadDataStream
        from mcap.exceptions import McapError
    except ImportError:
        raise missing_package() from None
    stream = ReadDataStream(io.BytesIO(data))
    try:
        if kind == HEADER:
            layout.profile = str(records.Header.read(stream).profile)
        elif kind == SCHEMA:
            schema = records.Schema.read(stream)
            layout.schemas[schema.id] = Schema(schema.name, schema.encoding, schema.data.decode())
        elif kind == CHANNEL:
            channel = records.Channel.read(stream)
            layout.channels[channel.id] = Channel(
                channel.topic, channel.message_encoding, channel.schema_id, channel.metadata
            )
        elif kind == METADATA:
            metadata = records.Metadata.read(stream)
            layout.metadata[metadata.name] = metadata.metadata
        elif kind == STATISTICS:
            layout.promised = int(records.Statistics.read(stream).message_count)
    except (McapError, struct.error, ValueError, MemoryError) as error:
        raise Damaged(f"a description cannot be read: {error}") from error
