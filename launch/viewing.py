"""`tolman view`: the live state of an agent that runs in another process, or a recording."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from .errors import UserError, asked
from .terminal import import_quietly, make_console


def command(arguments: Namespace) -> None:
    """Run `tolman view`."""
    if arguments.endpoint is not None and arguments.endpoint.lower().endswith(".mcap"):
        _view_recording(arguments)
        return
    if arguments.endpoint is not None and "://" not in arguments.endpoint:
        import_quietly("pybullet")
        from .recorded import view_file

        if arguments.seconds is not None:
            raise UserError("--seconds is for a live agent, a recording is shown as a whole")
        view_file(Path(arguments.endpoint), arguments.output, arguments.encoding)
        return
    if arguments.encoding:
        raise UserError("--encoding is for a recording of events: tolman view FILE --encoding")
    from ..bridge.exceptions import BridgeError
    from ..bridge.viewers.window import view

    with asked("", BridgeError):
        report = view(arguments.endpoint, arguments.output, arguments.seconds)
    console = make_console()
    messages = sum(report.messages.values())
    console.print(
        f"saw {report.agent_seconds:.1f} s of the agent's time in {messages} messages, {report.lost} lost"
    )
    if report.output is not None:
        console.print(str(report.output))


def _view_recording(arguments: Namespace) -> None:
    if arguments.encoding:
        raise UserError("--encoding is for a recording of events, not of topics")
    from ..bridge.exceptions import BridgeError
    from ..bridge.recording.view import view_recording

    with asked("", BridgeError):
        report = view_recording(arguments.endpoint, arguments.output, arguments.seconds)
    if report.trouble:
        print(f"warning: {arguments.endpoint}: {report.trouble}", file=sys.stderr)
    console = make_console()
    console.print(f"showed {report.agent_seconds:.1f} s of the agent's time in {report.messages} messages")
    if report.output is not None:
        console.print(str(report.output))
