"""Interfaces that users bring: folders of .msg, .srv and .action files, as ROS packages have them."""

import os
import re
from pathlib import Path

from . import typestore

#: environment variable with folders of packages, separated as those of $PATH
ENVIRONMENT = "TOLMAN_INTERFACES"

_KINDS = ("msg", "srv", "action")
_PACKAGE_NAME = re.compile(r"<name>\s*([A-Za-z0-9_]+)\s*</name>")


def add_interfaces(path: str | os.PathLike[str], package: str | None = None) -> list[str]:
    """Add all interfaces below a folder: `PACKAGE/msg/Name.msg`, and the same with `srv` and `action`.

    Parameters
    ----------
    path : path
        A package, or a folder that holds packages at any depth.
    package : str, optional
        Name of the package of all files found; by default what `package.xml` says, else the folder's name.

    Returns
    -------
    list of str
        Names of the interfaces found, sorted.

    Raises
    ------
    ValueError
        If there is no such folder or nothing in it, if a file cannot be read, or if it contradicts what is
        known. The text names the file.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(f"no folder {folder} to take interfaces from")
    found = []
    for file in sorted(folder.resolve().rglob("*/*.*")):
        kind = file.suffix[1:]
        if kind not in _KINDS or file.parent.name != kind:
            continue
        name = f"{package or _package_of(file.parent.parent)}/{kind}/{file.stem}"
        try:
            typestore.add_text(name, file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{file}: {error}") from error
        found.append(name)
    if not found:
        raise ValueError(f"no interfaces in {folder}: they are looked for as PACKAGE/msg/Name.msg")
    return sorted(found)


def add_from_environment() -> list[str]:
    """Add the interfaces of the folders in $TOLMAN_INTERFACES; errors as those of `add_interfaces`."""
    folders = filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep))
    return [name for folder in folders for name in add_interfaces(folder)]


def _package_of(folder: Path) -> str:
    manifest = folder / "package.xml"
    match = _PACKAGE_NAME.search(manifest.read_text(encoding="utf-8")) if manifest.is_file() else None
    return match[1] if match else folder.name
