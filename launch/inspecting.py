"""`tolman inspect`: what a recording holds, and whether it is whole."""

from __future__ import annotations

from argparse import Namespace

from rich.table import Table

from .. import __version__
from ..bridge.exceptions import BridgeError
from ..bridge.qos import DurabilityPolicy
from ..bridge.recording.reader import RecordedTopic, Recording
from .errors import asked
from .files import check_result, write_json
from .terminal import make_console


def command(arguments: Namespace) -> None:
    """Run `tolman inspect`."""
    json_file = check_result(arguments.json, "inspect")
    with asked("", BridgeError), Recording(arguments.file) as recording:
        pass
    console = make_console()
    state = "complete" if not recording.trouble else f"incomplete: {recording.trouble}"
    console.print(
        f"{recording.path}: {recording.count} messages in {recording.seconds:.3f} s,"
        f" {recording.chunks} chunks, {state}"
    )
    table = Table()
    for heading in ("topic", "type", "messages", "Hz", "missed", "remarks"):
        table.add_column(heading, justify="right" if heading in ("messages", "Hz", "missed") else "left")
    for topic in recording.topics:
        missed = recording.missed.get(topic.name, 0)
        rate = f"{topic.messages / recording.seconds:.1f}" if recording.seconds else ""
        table.add_row(
            topic.name, topic.type_name, str(topic.messages), rate, str(missed or ""), _remarks(topic)
        )
    console.print(table)
    if json_file is not None:
        write_json(json_file, describe(recording))


def describe(recording: Recording) -> dict[str, object]:
    """The same as one object."""
    return {
        "version": __version__,
        "command": "inspect",
        "file": str(recording.path),
        "complete": recording.complete and not recording.damaged,
        "trouble": recording.trouble,
        "messages": recording.count,
        "lost_messages": recording.lost,
        "unread_bytes": recording.unread,
        "chunks": recording.chunks,
        "damaged_chunks": recording.damaged,
        "duration_s": recording.seconds,
        "start_ns": recording.start,
        "end_ns": recording.end,
        "topics": [
            {
                "name": topic.name,
                "type": topic.type_name,
                "messages": topic.messages,
                "missed": recording.missed.get(topic.name, 0),
                "latched": _is_kept(topic),
                "obstacle": topic.obstacle,
            }
            for topic in recording.topics
        ],
    }


def _remarks(topic: RecordedTopic) -> str:
    return topic.obstacle or ("kept for late joiners" if _is_kept(topic) else "")


def _is_kept(topic: RecordedTopic) -> bool:
    return topic.profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
