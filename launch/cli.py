"""The command line: `tolman VERB`. User errors are one line on standard error and exit code 2."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
from collections.abc import Sequence

from .. import __version__
from . import verbs
from .errors import UserError
from .executor import ONE_THREAD
from .options import Parser, check_files, protected

#: Verbs that need no world: they work where PyBullet is missing, and `doctor` says so.
_WITHOUT_PHYSICS = (
    ".doctor",
    ".inspecting",
    ".keys",
    ".live_viewers",
    ".recording",
    ".replaying",
    ".viewing",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 2 for a user's mistake, 130 when interrupted.

    `launch` has codes of its own.
    """
    advice = ""
    try:
        arguments = build_parser().parse_args(argv)
        arguments.command_line = shlex.join(["tolman", *(sys.argv[1:] if argv is None else argv)])
        check_files(arguments)
        module, function = arguments.handler.split(":")
        if module == ".training":
            advice = "; `tolman train --resume` goes on from the last checkpoint"
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # before any library that reads them
        # Imported late: `tolman --help` must not wait for the compiler.
        if module not in _WITHOUT_PHYSICS:
            from .terminal import import_quietly

            import_quietly("pybullet")
        with protected(arguments):
            code = getattr(importlib.import_module(module, __package__), function)(arguments)
    except UserError as error:
        print(f"tolman: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"tolman: interrupted{advice}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except MemoryError as error:
        print(f"tolman: error: not enough memory for what was asked: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"tolman: error: {place}{error.strerror or error}", file=sys.stderr)
        return 2
    return int(code or 0)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = Parser(prog="tolman", description="A spiking, hippocampus-inspired navigation agent.")
    parser.add_argument("--version", action="version", version=f"tolman {__version__}")
    parsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True, parser_class=Parser)
    verbs.run(parsers.add_parser("run", help="run episodes with a checkpoint or a fresh agent"))
    verbs.train(parsers.add_parser("train", help="trials with learning; checkpoint, figures, resume"))
    verbs.agents(parsers.add_parser("agents", help="train an agent for each task, for run --trained"))
    verbs.evaluate(parsers.add_parser("evaluate", help="scores over seeds, with confidence intervals"))
    verbs.compare(parsers.add_parser("compare", help="ablations and baselines side by side over seeds"))
    verbs.view(parsers.add_parser("view", help="watch a running agent from another process"))
    verbs.record(parsers.add_parser("record", help="write what is published to an MCAP file"))
    verbs.replay(parsers.add_parser("replay", help="publish what an MCAP file holds"))
    verbs.inspect(parsers.add_parser("inspect", help="what an MCAP file holds, and whether it is whole"))
    verbs.launch(parsers.add_parser("launch", help="run and watch over the processes that a file describes"))
    verbs.node(
        parsers.add_parser("node", help="one of those processes: the agent, or a task, as a ROS-like node")
    )
    verbs.keys(parsers.add_parser("keys", help="make the keys with which processes know each other"))
    verbs.dashboard(
        parsers.add_parser("dashboard", help="watch a running agent, or a recording, in the browser")
    )
    verbs.foxglove(parsers.add_parser("foxglove", help="serve a running agent to Foxglove or Lichtblick"))
    verbs.plotjuggler(parsers.add_parser("plotjuggler", help="send a running agent's numbers to PlotJuggler"))
    verbs.localize(
        parsers.add_parser("localize", help="find out where a recording was made: events, or odometry")
    )
    verbs.analyze(
        parsers.add_parser("analyze", help="what cells code: of a training run, or of recorded units")
    )
    verbs.plot(parsers.add_parser("plot", help="make the figures of a training run again"))
    verbs.bench(parsers.add_parser("bench", help="speed of the whole loop and of its parts"))
    verbs.doctor(parsers.add_parser("doctor", help="what is installed, what is missing, what that costs"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
