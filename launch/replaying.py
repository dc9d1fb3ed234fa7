"""`tolman replay`: publish a recording again."""

from __future__ import annotations

import math
import sys
from argparse import Namespace

from ..bridge.exceptions import BridgeError
from ..bridge.recording.player import Player
from ..bridge.recording.reader import Recording
from .errors import UserError, asked
from .recording import topics_of
from .signals import Stop
from .terminal import make_console


def command(arguments: Namespace) -> None:
    """Run `tolman replay`."""
    if not 0.0 <= arguments.speed < math.inf:
        raise UserError(f"--speed must be >= 0 (0: as fast as possible), got {arguments.speed}")
    console = make_console()
    with Stop() as stop, asked("", BridgeError), Recording(arguments.file) as recording:
        if recording.trouble:
            print(f"warning: {arguments.file}: {recording.trouble}", file=sys.stderr)
        with Player(recording, arguments.endpoint, topics=topics_of(arguments.topics)) as player:
            for topic, reason in sorted(player.skipped.items()):
                print(f"warning: {topic} is left out: it is {reason}", file=sys.stderr)
            endpoint = player.context.endpoint
            if player.others:
                print(
                    f"warning: {', '.join(player.others)} are published at {endpoint} already; whoever"
                    " listens gets both",
                    file=sys.stderr,
                )
            console.print(
                f"replaying {recording.count} messages, {recording.seconds:.1f} s, at {endpoint};"
                " Ctrl-C ends it"
            )
            if not arguments.wait or player.wait_for_subscriber(stop=stop):
                player.play(arguments.speed, loop=arguments.loop, stop=stop)
    console.print(f"published {player.counts.total()} messages of {len(player.counts)} topics")
    if player.unsendable:
        print(f"warning: {player.unsendable} messages were left out: too large, or not CDR", file=sys.stderr)
