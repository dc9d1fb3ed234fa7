"""Open a file of recorded events by what is in it, and read it in packets."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..events import EventPacket
from . import evt

#: Events of a packet, about.
PACKET = 65_536
#: Largest sensor that a file without a size may come from: what 11 bits of a coordinate can say.
LARGEST = 2048


class RecordingError(ValueError):
    """A file that is not a recording of events, or needs a package that is not installed; one line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


class Recording:
    """Packets of recorded events in ascending time, read anew each time they are iterated over.

    Attributes
    ----------
    path : Path
    kind : str, the format, for example "EVT 3"
    size : (width, height) of the sensor, None where the file does not say
    trouble : what of the file could not be read, in one line; None while nothing is wrong. It is known after
        the packets have been read.
    """

    def __init__(
        self, path: Path, kind: str, size: tuple[int, int] | None, read: Callable[[Recording], Any]
    ) -> None:
        self.path, self.kind, self.size, self._read = path, kind, size, read
        self.trouble: str | None = None

    def __iter__(self) -> Iterator[EventPacket]:
        self.trouble, latest, back = None, np.iinfo(np.int64).min, 0
        for packet in self._read(self):
            if not packet.size:
                continue
            t = np.maximum(np.maximum.accumulate(packet.t), latest)
            back += int(np.count_nonzero(t != packet.t))
            latest = t[-1]
            yield EventPacket(t, packet.x, packet.y, packet.p)
        if back:
            self.note(f"{back} events with times before those of earlier ones were given the earlier time")

    def read(self) -> EventPacket:
        """Return all events in one packet."""
        return EventPacket.concatenate(list(self))

    def note(self, trouble: str) -> None:
        """Remember the first thing that is wrong with the file."""
        self.trouble = self.trouble or " ".join(f"{self.path.name}: {trouble}".split())


def open_recording(path: str | Path, as_stored: bool = False) -> Recording:
    """Open a recording: EVT 2 and 3, AEDAT 4, Event Stream, NPZ or HDF5, told by what is in the file.

    Rows count from the top of the image. Event Stream counts them from the bottom; `as_stored` leaves its
    rows as they are. NPZ and HDF5 hold arrays t (µs), x, y and p of one length, HDF5 also in a group
    `events`, and may hold `width` and `height`.

    Raises
    ------
    RecordingError
        If the file does not exist, is empty, is of no kind that is known, or needs an extra.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error
    if not start:
        raise RecordingError(f"{path} is empty")
    if start.startswith(b"%"):
        return _open_evt(path, start)
    if start.startswith(b"#!AER-DAT4"):
        return _open_with_faery(path, "AEDAT 4", False)
    if start.startswith(b"Event Stream"):
        return _open_with_faery(path, "Event Stream", as_stored)
    if start.startswith(b"PK"):
        return _open_arrays(path, "NPZ", _npz)
    if start.startswith(b"\x89HDF"):
        return _open_arrays(path, "HDF5", _hdf5)
    raise RecordingError(
        f"{path} is no recording of events that is known: EVT 2 or 3, AEDAT 4, Event Stream, NPZ or HDF5"
    )


def save_npz(path: str | Path, events: EventPacket, width: int, height: int) -> None:
    """Write `events` of a `width` by `height` camera to an .npz file, all of it or nothing."""
    path = Path(path)
    events.validate(width, height)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **events._asdict(), width=np.int64(width), height=np.int64(height))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _open_evt(path: Path, start: bytes) -> Recording:
    length, header = evt.read_header(start)
    version, size = evt.version_of(header), evt.size_of(header)
    decoders: dict[str, tuple[Any, np.dtype[Any], int]] = {
        "2": (evt.decode_evt2, np.dtype("<u4"), 1),
        "3": (evt.decode_evt3, np.dtype("<u2"), 12),
    }
    if version not in decoders:
        named = f"EVT {version}" if version else "no version of EVT"
        raise RecordingError(f"{path} names {named}; EVT 2 and EVT 3 can be read")
    decode, word, most = decoders[version]

    def read(recording: Recording) -> Iterator[EventPacket]:
        state, count = np.zeros(evt.STATE, np.int64), PACKET // most
        width, height = size or (LARGEST, LARGEST)
        with path.open("rb") as file:
            file.seek(length)
            while piece := file.read(count * word.itemsize):
                words = np.frombuffer(piece[: len(piece) // word.itemsize * word.itemsize], word)
                room = EventPacket.room(most * words.size)
                found = decode(words, state, width, height, *room)
                yield room.take(slice(0, found))
                if len(piece) % word.itemsize:
                    recording.note("the last word is cut off")
        if not state[evt.TIMED]:
            recording.note("holds no times, so no events")
        for number, what in (
            (state[evt.OUTSIDE], "events lie outside of the sensor"),
            (state[evt.UNKNOWN], "words have no meaning"),
        ):
            if number:
                recording.note(f"{number} {what} and were left out")

    return Recording(path, f"EVT {version}", size, read)


@contextmanager
def _contained() -> Iterator[None]:
    """Run a compiled reader on a file that may be damaged.

    It may panic, which Python sees as a `BaseException` of its own, and reports that to standard error by
    itself. It becomes a `RecordingError` like any other damage, and the report goes nowhere.
    """
    nowhere, stderr = os.open(os.devnull, os.O_WRONLY), os.dup(2)
    os.dup2(nowhere, 2)
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise RecordingError(str(error)) from None
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def _open_with_faery(path: Path, kind: str, as_stored: bool) -> Recording:
    try:
        import faery
    except ImportError as error:
        raise RecordingError(
            f"{kind} needs the package faery: pip install 'tolman[events]' ({path})"
        ) from error

    def opened() -> Any:
        return faery.events_stream_from_file(path)

    try:
        with _contained():
            width, height = opened().dimensions()
    except Exception as error:
        raise RecordingError(f"{path} is no readable {kind} file: {error}") from error

    def read(recording: Recording) -> Iterator[EventPacket]:
        try:
            with _contained():
                pieces = iter(opened())
            while True:
                with _contained():
                    piece = next(pieces, None)
                if piece is None:
                    return
                y = piece["y"].astype(np.int16)
                yield EventPacket(
                    piece["t"].astype(np.int64),
                    piece["x"].astype(np.int16),
                    np.int16(height - 1) - y if as_stored else y,
                    piece["on"].astype(np.uint8),
                )
        except Exception as error:  # whatever the reader makes of a damaged file
            recording.note(f"damaged, what follows is lost ({error})")

    return Recording(path, kind, (width, height), read)


Arrays = dict[str, Any]


def _open_arrays(path: Path, kind: str, load: Callable[[Path], Any]) -> Recording:
    try:
        with load(path) as arrays:
            missing = [name for name in ("t", "x", "y", "p") if name not in arrays]
            if missing:
                raise RecordingError(f"{path} has no array {missing[0]!r}; t, x, y and p are needed")
            lengths = {name: arrays[name].shape for name in ("t", "x", "y", "p")}
            if len(set(lengths.values())) > 1 or len(lengths["t"]) != 1:
                raise RecordingError(f"{path}: t, x, y and p must share one length, got {lengths}")
            size = None
            if "width" in arrays and "height" in arrays:
                size = int(arrays["width"][()]), int(arrays["height"][()])
    except RecordingError:
        raise
    except Exception as error:
        raise RecordingError(f"{path} is no readable {kind} file: {error}") from error

    def read(recording: Recording) -> Iterator[EventPacket]:
        outside = 0
        try:
            with load(path) as arrays:
                for first in range(0, len(arrays["t"]), PACKET):
                    part = slice(first, first + PACKET)
                    t, x, y, p = (np.asarray(arrays[name][part], np.int64) for name in ("t", "x", "y", "p"))
                    width, height = size or (LARGEST, LARGEST)
                    good = (x >= 0) & (x < width) & (y >= 0) & (y < height)
                    outside += int(np.count_nonzero(~good))
                    yield EventPacket(
                        t[good],
                        x[good].astype(np.int16),
                        y[good].astype(np.int16),
                        (p[good] > 0).astype(np.uint8),
                    )
        except Exception as error:
            recording.note(f"damaged, what follows is lost ({error})")
        if outside:
            recording.note(f"{outside} events lie outside of the sensor and were left out")

    return Recording(path, kind, size, read)


class _npz:
    """Arrays of an .npz file, each decompressed once."""

    def __init__(self, path: Path) -> None:
        self._file = np.load(path, allow_pickle=False)
        self._arrays: dict[str, NDArray[Any]] = {}

    def __enter__(self) -> _npz:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __contains__(self, name: str) -> bool:
        return name in self._file.files

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._arrays:
            self._arrays[name] = self._file[name]
        return self._arrays[name]


class _hdf5:
    """Data sets of an HDF5 file, read piece by piece."""

    def __init__(self, path: Path) -> None:
        try:
            import h5py
        except ImportError as error:
            needed = "HDF5 needs the package h5py: pip install 'tolman[events]'"
            raise RecordingError(f"{needed} ({path})") from error
        self._file = h5py.File(path, "r")
        self._group = self._file["events"] if "events" in self._file and "t" not in self._file else self._file

    def __enter__(self) -> _hdf5:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __contains__(self, name: str) -> bool:
        return name in self._group or name in self._file

    def __getitem__(self, name: str) -> Any:
        return self._group[name] if name in self._group else self._file[name]
