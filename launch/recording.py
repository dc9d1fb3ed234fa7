"""`tolman record`: write what is published at an endpoint to a file."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..bridge.exceptions import BridgeError
from ..bridge.recording.recorder import Recorder
from .errors import UserError, asked
from .signals import Stop
from .terminal import make_console


def command(arguments: Namespace) -> None:
    """Run `tolman record`."""
    topics = topics_of(arguments.topics)
    console = make_console()
    # From here on a signal ends the recording and not the program: the file is completed.
    with Stop() as stop, asked("", BridgeError):
        recorder = Recorder(arguments.file, arguments.endpoint, topics=topics, overwrite=arguments.overwrite)
        with recorder:
            console.print(f"recording {recorder.context.endpoint} to {arguments.file}; Ctrl-C ends it")
            recorder.record(arguments.seconds, stop=stop)
    for topic, reason in sorted(recorder.refused.items()):
        console.print(f"warning: {topic}: {reason}")
    count = recorder.counts.total()
    if not count:
        wanted = "nothing" if topics is None else f"nothing on {', '.join(topics)}"
        raise UserError(f"{wanted} was published at {recorder.context.endpoint}; no file was written")
    for topic in sorted(set(topics or ()) - set(recorder.counts)):
        console.print(f"warning: nothing came on {topic}")
    lost = sum(recorder.losses.values())
    console.print(f"{count} messages of {len(recorder.counts)} topics, {lost} lost on the way")
    console.print(str(Path(arguments.file)))


def topics_of(text: str | None) -> tuple[str, ...] | None:
    """Topics as typed, `/odom,/spikes`; None for all.

    Raises
    ------
    UserError
        If there is none, or one does not begin with a slash.
    """
    if text is None:
        return None
    topics = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not topics:
        raise UserError("--topics needs at least one topic, such as /odom,/spikes")
    for topic in topics:
        if not topic.startswith("/"):
            raise UserError(f"--topics {text}: a topic begins with a slash, got {topic!r}")
    return topics
