"""`tolman keys`: make the keys with which the processes of the bridge know each other."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..bridge.exceptions import BridgeError
from ..bridge.network import keys
from .errors import UserError, asked
from .terminal import make_console


def command(arguments: Namespace) -> None:
    """Run `tolman keys`."""
    folder = Path(arguments.folder).absolute()
    console = make_console()

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False, highlight=False)

    with asked("", BridgeError):
        if arguments.client is not None:
            client = keys.add_client(folder, arguments.client)
            say(f"key folder of {arguments.client}: {client}; it holds a secret: carry it with care")
        elif arguments.revoke is not None:
            keys.revoke(folder, arguments.revoke)
            say(f"{arguments.revoke} is authorised no more")
        elif (folder / "own.key").exists():
            held = keys.load(folder)
            if held is None:
                raise UserError(f"{folder} is no key folder")
            names = ", ".join(sorted(held.authorised().values()))
            say(f"{folder} is in order; authorised: {names or 'whom the hub names'}")
        else:
            keys.create(folder)
            say(f"made {folder}; use it with --keys {folder} or TOLMAN_KEYS={folder}")
