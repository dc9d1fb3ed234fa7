"""Files that are either whole or not there: temporary file beside the target, fsync, rename."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from .errors import UserError

RESULTS_FILE = "results.json"  #: in the folder of a training run
COMPARISON_FILE = "comparison.json"  #: in the folder of a comparison


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; when the block succeeds, rename it to `path`.

    The temporary name keeps the suffix, because image writers choose their format by it. Whatever stood at
    `path` before stays until the new file is complete and on the disk. A link stays a link; a device or a
    pipe, such as /dev/stdout, is written to as it is.
    """
    if _is_stream(path):
        yield path
        return
    path = path.resolve()
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
    if _is_stream(path):
        if not os.access(path, os.W_OK):
            raise UserError(f"{what} {path}: no permission to write to it")
        return path
    _check_ancestor(path.parent, what, path)
    return path


def check_result(given: str | None, command: str) -> Path | None:
    """Return where `--json` has the result of `command` written; nothing but an earlier result is replaced.

    Raises
    ------
    UserError
        If no file can be made there, or one is there that is no result of tolman, or another verb's result
        that a folder needs.
    """
    if given is None:
        return None
    path = check_writable(Path(given), "--json")
    if not path.is_file() or path.stat().st_size == 0:
        return path
    try:
        earlier = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        earlier = None
    if not isinstance(earlier, dict) or not {"version", "command"} <= earlier.keys():
        raise UserError(f"--json {path}: the file that is there is no result of tolman, and is not replaced")
    if path.name in (RESULTS_FILE, COMPARISON_FILE) and earlier["command"] != command:
        raise UserError(
            f"--json {path} is the result of `tolman {earlier['command']}` that its folder needs, and is not"
            " replaced"
        )
    return path


def check_folder(path: Path, what: str) -> Path:
    """Return `path` if it is, or can become, a folder to write in; raise `UserError` if it cannot."""
    if path.exists() and not path.is_dir():
        raise UserError(f"{what} {path} is a file, a folder is needed")
    _check_ancestor(path, what, path)
    return path


def check_apart(given: Mapping[str, str | None], written: Collection[str]) -> None:
    """Refuse names of files, by argument, of which one is empty, or one that is `written` is given twice.

    Raises
    ------
    UserError
        It names both arguments.
    """
    named = {what: Path(text) for what, text in given.items() if text is not None}
    for what, text in given.items():
        if text == "":
            raise UserError(f"{what} needs a name, got an empty one")
    for what in written:
        for other, path in named.items():
            if what not in named or other == what:
                continue
            # What is only read and is not there is no file: the name of a shipped experiment, say.
            if _is_same_file(named[what], path, there=other not in written):
                raise UserError(f"{what} {named[what]} is what {other} names, too; they must be two files")


def _is_same_file(a: Path, b: Path, there: bool) -> bool:
    """Whether two names mean one file, which with `there` must exist; a folder may be named twice."""
    if a.is_dir() or b.is_dir() or _is_stream(a):
        return False
    if a.exists() and b.exists():
        return a.samefile(b)
    return not there and a.resolve() == b.resolve()


def _is_stream(path: Path) -> bool:
    """Whether there is something at `path` that is neither file nor folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


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
