"""Files that are either whole or not there: temporary file beside the target, fsync, rename."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from .errors import UserError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; when the block succeeds, rename it to `path`.

    The temporary name keeps the suffix, because image writers choose their format by it. Whatever stood at
    `path` before stays until the new file is complete and on the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write `value` (mappings, sequences, scalars, dataclasses) as indented JSON; NaN becomes null."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    with atomic(path) as temporary:
        temporary.write_bytes(text + b"\n")


def check_writable(path: Path, what: str) -> Path:
    """Return `path` if a file can be made there; raise `UserError` before any work is done if it cannot."""
    if path.is_dir():
        raise UserError(f"{what} {path} is a folder, a file name is needed")
    _check_ancestor(path.parent, what, path)
    return path


def check_folder(path: Path, what: str) -> Path:
    """Return `path` if it is, or can become, a folder to write in; raise `UserError` if it cannot."""
    if path.exists() and not path.is_dir():
        raise UserError(f"{what} {path} is a file, a folder is needed")
    _check_ancestor(path, what, path)
    return path


def _check_ancestor(folder: Path, what: str, path: Path) -> None:
    ancestor = folder.absolute()
    while not ancestor.exists():
        ancestor = ancestor.parent
    if not ancestor.is_dir():
        raise UserError(f"{what} {path}: {ancestor} is not a folder")
    if not os.access(ancestor, os.W_OK | os.X_OK):
        raise UserError(f"{what} {path}: no permission to write in {ancestor}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be opened (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
