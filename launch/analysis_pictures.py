"""Which figures `tolman analyze` draws, by population."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure

from .population import Examined
from .sessions import Session


def draw(session: Session, examined: Mapping[str, Examined]) -> Iterator[tuple[str, Figure]]:
    """Yield file name and figure of all there is to see."""
    yield from ()
