"""What processes write, line by line, each with the name of the one that wrote it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
LONGEST_LINE = 65536  #: bytes, after which a line is shown though it has not ended
SELF = "launch"  #: the name in front of the launcher's own lines


class Output:
    """Shows lines on `console`; names take one column."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self._console = console
        self._width = max(map(len, (SELF, *names)))
        self._colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(names)}

    def line(self, name: str, text: str) -> None:
        """Show one line of the process `name`."""
        self._console.print(
            Text(f"{name:>{self._width}} | ", style=self._colours.get(name, "bold")) + Text.from_ansi(text),
            soft_wrap=True,
        )

    def say(self, text: str) -> None:
        """Show a line of the launcher itself."""
        self.line(SELF, text)

    async def follow(self, name: str, stream: asyncio.StreamReader) -> None:
        """Show what `name` writes until its end."""
        kept = b""
        while data := await stream.read(LONGEST_LINE):
            *lines, kept = (kept + data).split(b"\n")
            for line in lines:
                self._show(name, line)
            if len(kept) > LONGEST_LINE:
                self._show(name, kept)
                kept = b""
        if kept:
            self._show(name, kept)

    def _show(self, name: str, line: bytes) -> None:
        """Show a line; of one that overwrote itself, as progress does, what was there at last."""
        self.line(name, line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace"))
