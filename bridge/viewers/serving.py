"""Doing something again and again as long as a context lives: what servers of viewers have in common."""

import time
from collections.abc import Callable

from ..context import Context

POLL = 0.003  #: s of rest when there was nothing to do


def serve(context: Context, step: Callable[[], int], seconds: float | None = None) -> None:
    """Call `step`, which returns how much it did, for `seconds` s or until `context` is shut down."""
    end = None if seconds is None else time.monotonic() + seconds
    while context.ok() and (end is None or time.monotonic() < end):
        if not step():
            context.wait_for_shutdown(POLL)
