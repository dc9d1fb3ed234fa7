"""`tolman foxglove`, `tolman plotjuggler`: the state of a running agent, in viewers that others made."""

from __future__ import annotations

import contextlib
import logging
from argparse import Namespace
from collections.abc import Callable

from .errors import UserError, asked
from .terminal import make_console


def foxglove(arguments: Namespace) -> None:
    """Run `tolman foxglove`."""
    seconds = _seconds(arguments)
    from ..bridge.exceptions import BridgeError

    console = make_console()
    logging.getLogger("foxglove").setLevel(logging.CRITICAL)  # viewers come and go: nothing to report
    with asked("", BridgeError):
        from ..bridge.foxglove import FoxgloveServer

        with FoxgloveServer(
            arguments.endpoint, host=arguments.host, port=arguments.port, insecure=arguments.insecure
        ) as server:
            console.print(f"topics of {server.context.endpoint} at {server.url}", soft_wrap=True)
            console.print("in Foxglove or Lichtblick: open a connection, Foxglove WebSocket, to this address")
            _until_interrupted(lambda: server.serve(seconds))
            total, topics = sum(server.forwarded.values()), sum(n > 0 for n in server.forwarded.values())
            console.print(f"forwarded {total} messages of {topics} topics, {server.lost} lost")


def plotjuggler(arguments: Namespace) -> None:
    """Run `tolman plotjuggler`."""
    seconds = _seconds(arguments)
    from ..bridge.exceptions import BridgeError
    from ..bridge.plotjuggler import DEFAULT_BIND, LIMIT, PlotJugglerServer

    console = make_console()
    limit = LIMIT if arguments.limit is None else arguments.limit
    with (
        asked("", BridgeError),
        PlotJugglerServer(arguments.endpoint, bind=arguments.bind or DEFAULT_BIND, limit=limit) as server,
    ):
        console.print(f"numbers of {server.context.endpoint} at {server.url}")
        console.print("in PlotJuggler: Streaming, ZMQ Subscriber, this address, JSON, use field 'timestamp'")
        _until_interrupted(lambda: server.serve(seconds))
        total, topics = sum(server.sent.values()), len(server.sent)
        console.print(f"sent {total} messages of {topics} topics, {server.lost} lost")


def _seconds(arguments: Namespace) -> float | None:
    seconds: float | None = arguments.seconds
    if seconds is not None and not seconds > 0.0:
        raise UserError(f"--seconds must be > 0 s, got {seconds}")
    return seconds


def _until_interrupted(serve: Callable[[], None]) -> None:
    """Ctrl-C is how a server is ended: no error."""
    with contextlib.suppress(KeyboardInterrupt):
        serve()
