"""Compiled code that is out of date is compiled again, whichever file has changed.

Numba keeps the machine code of a function with a stamp of the file in which it stands. A loop that calls what
stands in other files holds their code too, and would go on with the old one after they have changed. So all
compiled functions of the package get one stamp, of all files together.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

#: Folders whose functions call each other.
FOLDERS = ("spiking", "memory", "agent")


@cache
def _sources() -> str:
    digest = hashlib.blake2b(digest_size=16)
    for folder in FOLDERS:
        for path in sorted((Path(__file__).parent.parent / folder).rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def share_stamp() -> None:
    """Give the compiled functions of all modules that are loaded the stamp of all sources.

    It has an effect on what has not been called yet. Where Numba keeps its caches differently, nothing
    happens, and a change of one file alone may go unnoticed.
    """
    package = __name__.rsplit(".", 2)[0]
    for name, module in list(sys.modules.items()):
        if name.startswith(package + ".") and name[len(package) + 1 :].split(".")[0] in FOLDERS:
            for function in vars(module).values():
                file = getattr(getattr(function, "_cache", None), "_cache_file", None)
                if file is not None and hasattr(file, "_source_stamp"):
                    file._source_stamp = _sources()
