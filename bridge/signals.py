"""Which signals end a context, as rclpy has it."""

import signal
import threading
from collections.abc import Callable
from enum import IntFlag
from types import FrameType

from .context import Context, get_default_context


class SignalHandlerOptions(IntFlag):
    """Which signals end the default context."""

    NO = 0
    SIGINT = 1
    SIGTERM = 2
    ALL = 3


_SIGNALS = ((SignalHandlerOptions.SIGINT, signal.SIGINT), (SignalHandlerOptions.SIGTERM, signal.SIGTERM))
_undo: list[tuple[SignalHandlerOptions, Callable[[], None]]] = []  #: of the one set of handlers in force


def install_signal_handlers(
    options: SignalHandlerOptions = SignalHandlerOptions.ALL, context: Context | None = None
) -> None:
    """Make signals end `context`, by default the default one, and then do what they did before.

    Nothing in another thread than the main one, where Python lets nobody handle signals.
    """
    uninstall_signal_handlers()
    wanted = [number for option, number in _SIGNALS if option & options]
    if not wanted or threading.current_thread() is not threading.main_thread():
        return
    chosen = get_default_context() if context is None else context
    before = {number: signal.getsignal(number) for number in wanted}

    def handle(number: int, frame: FrameType | None) -> None:
        chosen.request_shutdown()
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    def undo() -> None:
        for number, previous in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, previous)

    for number in wanted:
        signal.signal(number, handle)
    _undo.append((options, undo))


def get_current_signal_handlers_options() -> SignalHandlerOptions:
    """Which signals are handled now."""
    return _undo[-1][0] if _undo else SignalHandlerOptions.NO


def uninstall_signal_handlers() -> None:
    """Handle none any more."""
    while _undo:
        _undo.pop()[1]()
