"""`tolman dashboard`, `foxglove` and `plotjuggler`: an agent, or a recording, in viewers that others made."""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from .errors import UserError, asked
from .terminal import make_console


def dashboard(arguments: Namespace) -> None:
    """Run `tolman dashboard`."""
    seconds = arguments.seconds
    from ..bridge.exceptions import BridgeError

    console = make_console()
    with asked("", BridgeError), _ended_by_signals():
        from ..bridge.viewers.rerun_live import RATE, save, serve
        from ..bridge.viewers.rerun_recording import save_recording, serve_recording
        from ..bridge.viewers.rerun_server import DATA_PORT, WEB_PORT, RerunServer

        rate = RATE if arguments.rate is None else arguments.rate
        if not 0.1 <= rate <= 50.0:
            raise UserError(f"--rate must be in 0.1..50 updates a second, got {rate:g}")
        file = _recording_of(arguments)
        if arguments.save is not None:
            if arguments.port is not None or arguments.data_port is not None:
                raise UserError("--save writes a file and serves nothing: leave --port and --data-port out")
            output = Path(arguments.save)
            if file is not None:
                report = save_recording(file, output, seconds, rate=rate)
            else:
                report = save(arguments.endpoint, output, seconds, rate=rate)
        else:
            web = WEB_PORT if arguments.port is None else arguments.port
            data = DATA_PORT if arguments.data_port is None else arguments.data_port
            with RerunServer(web, data) as server:
                console.print(f"open {server.page}", soft_wrap=True)
                if file is not None:
                    speed = 1.0 if arguments.speed is None else arguments.speed
                    report = serve_recording(file, server, seconds, rate=rate, speed=speed)
                else:
                    report = serve(arguments.endpoint, server, seconds, rate=rate)
    missing = "unreadable" if file is not None else "lost"
    console.print(
        f"showed {report.agent_seconds:.1f} s of the agent's time in {report.updates} updates from "
        f"{report.messages} messages, {report.lost} {missing}"
    )
    if arguments.save is not None:
        console.print(arguments.save, soft_wrap=True)


def _recording_of(arguments: Namespace) -> Path | None:
    """The recording to show, if it is one: it is opened, and its damage told, before anything is served."""
    if arguments.endpoint is None or not arguments.endpoint.lower().endswith(".mcap"):
        if arguments.speed is not None:
            raise UserError("--speed is for a recording; an agent is shown as it acts")
        return None
    if arguments.speed is not None:
        if not 0.0 <= arguments.speed < math.inf:
            raise UserError(f"--speed must be >= 0 (0: as fast as possible), got {arguments.speed:g}")
        if arguments.save is not None:
            raise UserError("--save writes a recording at once: leave --speed out")
    from ..bridge.recording.reader import Recording
    from ..bridge.recording.recorded_state import RecordedState

    with Recording(arguments.endpoint) as recording:
        RecordedState(recording)
        if recording.trouble:
            print(f"warning: {arguments.endpoint}: {recording.trouble}", file=sys.stderr)
    return Path(arguments.endpoint)


def foxglove(arguments: Namespace) -> None:
    """Run `tolman foxglove`."""
    seconds = arguments.seconds
    from ..bridge.exceptions import BridgeError

    console = make_console()
    logging.getLogger("foxglove").setLevel(logging.CRITICAL)  # viewers come and go: nothing to report
    with asked("", BridgeError):
        from ..bridge.viewers.foxglove import FoxgloveServer

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
    seconds = arguments.seconds
    from ..bridge.exceptions import BridgeError
    from ..bridge.viewers.plotjuggler import DEFAULT_BIND, LIMIT, PlotJugglerServer

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


def _until_interrupted(serve: Callable[[], None]) -> None:
    """Ctrl-C is how a server is ended: no error."""
    with contextlib.suppress(KeyboardInterrupt), _ended_by_signals():
        serve()


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that what it has started is ended too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
