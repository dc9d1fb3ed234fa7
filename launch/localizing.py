"""`tolman localize FILE`: where was this recorded? A drive is lived through, views are looked for."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from .. import __version__
from ..envs.drives import DriveError, open_drive
from . import localizing_drives, localizing_views
from .errors import UserError, asked
from .files import atomic, check_result, check_writable, write_json


def command(arguments: Namespace) -> None:
    """Run `tolman localize`."""
    path = Path(arguments.file)
    json_file = check_result(arguments.json, "localize")
    picture = check_writable(Path(arguments.output), "--output") if arguments.output else None
    if picture is not None and picture.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise UserError(f"--output {picture} must end in .png, .pdf or .svg")
    with asked("", DriveError):
        drive = open_drive(path)
    if drive is None:
        if arguments.lag is not None:
            raise UserError(f"--lag is for drives, and {path} holds none")
        result, draw = localizing_views.localize(path, arguments.reference, arguments.window, arguments.seed)
        localizing_views.say(result)
    else:
        if arguments.reference:
            raise UserError(f"--reference is for recorded events, and {path} holds a drive")
        result, draw = localizing_drives.localize(drive, path.name, arguments.lag, arguments.seed)
        localizing_drives.say(result)
    head = {"version": __version__, "command": "localize", "file": path.name, "seed": arguments.seed}
    if picture is not None:
        figure = draw()
        with atomic(picture) as temporary:
            figure.savefig(temporary)
    if json_file is not None:
        write_json(json_file, head | result)
