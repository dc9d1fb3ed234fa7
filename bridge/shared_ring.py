"""Records from one process to another through memory that both have: no system call, and nobody is woken.

One process puts records in, one takes them out. The writer moves `head` after a record is there, the reader
`tail` after it has copied it; each is one aligned store of eight bytes. That is enough where stores become
visible in their order, as on x86-64 (`ORDERED`); elsewhere it is not, and this is not for there.
"""

import mmap
import os
import platform
import struct
import tempfile

import numpy as np

#: whether a ring may be used on this machine
ORDERED = os.name == "posix" and platform.machine().lower() in ("x86_64", "amd64")

_HEADER = 128  #: bytes: head and tail, in cache lines of their own
_LENGTH = struct.Struct("<I")
_WRAP = 2**32 - 1  #: in place of a length: the next record is at the start


class SharedRing:
    """A queue of records, oldest first, in `size` bytes.

    Parameters
    ----------
    descriptor : int, optional
        Of a ring that another process made, `SharedRing.descriptor` there; by default a new one is made.
    size : int
        Bytes; a new ring's.
    """

    def __init__(self, descriptor: int | None = None, *, size: int = 2**24) -> None:
        if descriptor is None:
            with tempfile.TemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as file:
                file.truncate(_HEADER + size)
                descriptor = os.dup(file.fileno())
        self.descriptor = descriptor
        self._map = mmap.mmap(descriptor, 0)
        self._data = memoryview(self._map)[_HEADER:]
        self._size = len(self._data)
        self._head = np.frombuffer(self._map, np.uint64, 1)
        self._tail = np.frombuffer(self._map, np.uint64, 1, offset=_HEADER // 2)

    def put(self, record: bytes | bytearray) -> bool:
        """Append a record; False if there is no room for it now."""
        head, need = int(self._head[0]), _LENGTH.size + len(record)
        at = head % self._size
        skipped = self._size - at if self._size - at < need else 0
        if head + skipped + need - int(self._tail[0]) > self._size:
            return False
        if skipped:
            if skipped >= _LENGTH.size:
                _LENGTH.pack_into(self._data, at, _WRAP)
            head, at = head + skipped, 0
        _LENGTH.pack_into(self._data, at, len(record))
        self._data[at + _LENGTH.size : at + need] = record
        self._head[0] = head + need
        return True

    def get(self) -> bytes | None:
        """Take the oldest record; None if there is none."""
        tail = int(self._tail[0])
        if tail == int(self._head[0]):
            return None
        at = tail % self._size
        left = self._size - at
        if left < _LENGTH.size or _LENGTH.unpack_from(self._data, at)[0] == _WRAP:
            tail, at = tail + left, 0
        (length,) = _LENGTH.unpack_from(self._data, at)
        start = at + _LENGTH.size
        record = bytes(self._data[start : start + length])
        self._tail[0] = tail + _LENGTH.size + length
        return record

    def close(self) -> None:
        """Let go of the memory."""
        del self._head, self._tail
        self._data.release()
        self._map.close()
        os.close(self.descriptor)
