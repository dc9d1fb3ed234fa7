"""What reaches the terminal: a console that leaves long lines whole, and no banners of libraries."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys

from rich.console import Console


class _Console(Console):
    """A console that leaves it to the command line what to do when its reader goes away."""

    def on_broken_pipe(self) -> None:
        raise  # rich calls this where the BrokenPipeError is being handled


def make_console() -> Console:
    """Return the console of a verb: plain text, lines not wrapped where the output is not a terminal."""
    console = _Console(highlight=False, markup=False)
    return console if console.is_terminal else _Console(highlight=False, markup=False, width=200)


def import_quietly(module: str) -> None:
    """Import `module` without what it writes while it is loaded (PyBullet: its build time).

    The text comes from C, past `sys.stdout` and `sys.stderr`, and partly sits in C's own buffer: it has to be
    flushed before the descriptors are given back.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    try:
        for descriptor in kept:
            os.dup2(nowhere, descriptor)
        importlib.import_module(module)
        if os.name == "posix":
            ctypes.CDLL(None).fflush(None)
    finally:
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)
