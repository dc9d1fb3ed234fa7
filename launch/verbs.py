"""The verbs of the command line: what each may be given, and which function does its work."""

from __future__ import annotations

import argparse

from .options import Parser, add_experiment, add_json, add_keys, add_live, add_task, length, natural, seconds


def run(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".running:command")
    add_task(parser)
    parser.add_argument("--episodes", type=natural("--episodes", 1), default=1, metavar="N")
    parser.add_argument(
        "--checkpoint", metavar="F", help="agent to run: a file, or the folder of a training run"
    )
    parser.add_argument(
        "--trained", action="store_true", help="an agent trained for the task: kept, or trained now"
    )
    parser.add_argument(
        "--kidnap",
        type=seconds("--kidnap", above=False),
        metavar="T",
        help="at T s put the robot at a random place",
    )
    parser.add_argument(
        "--lights-off",
        type=seconds("--lights-off", above=False),
        metavar="T",
        help="switch the light off at T s",
    )
    parser.add_argument("--move-goal", metavar="X,Y@T", help="at T s move the goal to (X, Y) m")
    parser.add_argument(
        "--lesion",
        action="append",
        default=[],
        metavar="REGION[:FRACTION][@TRIAL]",
        help="silence a region of the agent, or a fraction of its neurons, at once or before a trial: vision,"
        " heading, grid, ca3, place; may be repeated",
    )
    parser.add_argument(
        "--publish",
        nargs="?",
        const="",
        metavar="ENDPOINT",
        help="publish the state as ROS 2 messages over ZeroMQ (default endpoint: the bridge's own)",
    )
    parser.add_argument(
        "--view", action="store_true", help="publish, and open the live view in another process"
    )
    parser.add_argument("--record", metavar="FILE", help="write what would be published to an MCAP file")
    parser.add_argument("--real-time", action="store_true", help="run no faster than real time")
    add_keys(parser)
    add_experiment(parser)
    add_json(parser)


def train(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".training:command")
    add_task(parser)
    parser.add_argument("--trials", type=natural("--trials", 1), metavar="N")
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="folder for checkpoint, records and figures"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR")
    how.add_argument("--overwrite", action="store_true", help="replace the run in DIR")
    parser.add_argument("--no-figures", action="store_true", help="leave the figures to `tolman plot`")
    add_experiment(parser)
    add_json(parser)


def agents(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".trained:command")
    parser.add_argument(
        "tasks", nargs="*", metavar="TASK", help="such as WaterMaze (default: all with a goal)"
    )
    add_experiment(parser)


def evaluate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".evaluation:command")
    add_task(parser)
    parser.add_argument(
        "--seeds", default="0..9", metavar="SEEDS", help="7, or 0,3,9, or 100..104 (inclusive)"
    )
    parser.add_argument("--trials", type=natural("--trials", 1), metavar="N", help="trials of each seed")
    parser.add_argument("--checkpoint", metavar="F", help="start every seed from this agent")
    _add_sweep(parser)


def compare(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".comparison:command")
    add_task(parser)
    parser.add_argument(
        "--arms",
        default="td-ltp",
        metavar="A,B",
        help="arms, such as td-ltp,no-learning,random; or your own, as NAME:KEY=VALUE;KEY=VALUE",
    )
    parser.add_argument(
        "--windows",
        metavar="1-5,16-20",
        help="trials over which scores are taken (default: the first and the last five)",
    )
    parser.add_argument(
        "--nearest",
        type=length("--nearest"),
        default=0.5,
        metavar="M",
        help="leave starts nearer to the goal out of ratios (default 0.5 m)",
    )
    parser.add_argument(
        "--seeds", default="0..9", metavar="SEEDS", help="7, or 0,3,9, or 100..104 (inclusive)"
    )
    parser.add_argument("--trials", type=natural("--trials", 1), metavar="N", help="trials of each seed")
    _add_sweep(parser)


def _add_sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=natural("--jobs", 1), metavar="N", help="processes (default: one a core)"
    )
    parser.add_argument(
        "--backend",
        metavar="NAME",
        help="where they run: a backend of joblib, such as loky (processes here) or ray (many machines)",
    )
    parser.add_argument("--output", metavar="DIR", help="keep finished seeds here; they are not run again")
    add_experiment(parser, seed=False)
    add_json(parser)


def view(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".viewing:command")
    parser.add_argument(
        "endpoint",
        nargs="?",
        metavar="ENDPOINT|FILE",
        help="where `tolman run --publish` publishes, or a recording: MCAP, or of events",
    )
    parser.add_argument("--seconds", type=seconds("--seconds"), metavar="S", help="close after S seconds")
    parser.add_argument("--output", metavar="FILE", help="write pictures to FILE instead of opening a window")
    parser.add_argument(
        "--encoding",
        action="store_true",
        help="of a recording: denoised, time surface, orientations, reconstructed log intensity",
    )
    add_keys(parser)


def record(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".recording:command")
    parser.add_argument("file", metavar="FILE", help="recording to make; its name ends in .mcap")
    parser.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help="where to listen")
    parser.add_argument("--topics", metavar="A,B", help="only these, such as /odom,/spikes (default: all)")
    parser.add_argument(
        "--seconds", type=seconds("--seconds"), metavar="S", help="end after S seconds (default: Ctrl-C)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")
    add_keys(parser)


def replay(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".replaying:command")
    parser.add_argument("file", metavar="FILE", help="recording in MCAP")
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="times as fast as recorded; 0: as fast as possible",
    )
    parser.add_argument("--loop", action="store_true", help="again and again, until Ctrl-C")
    parser.add_argument("--topics", metavar="A,B", help="only these, such as /odom,/spikes (default: all)")
    parser.add_argument("--wait", action="store_true", help="begin when somebody subscribes")
    parser.add_argument("--endpoint", metavar="ENDPOINT", help="where to publish")
    add_keys(parser)


def inspect(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".inspecting:command")
    parser.add_argument("file", metavar="FILE", help="recording in MCAP")
    add_json(parser)


def launch(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".launching:command")
    parser.add_argument(
        "file", metavar="FILE", help="description, .toml or .py, or the name of one that ships (water_maze)"
    )
    parser.add_argument("--endpoint", metavar="ENDPOINT", help="where the processes meet")
    parser.add_argument("--check", action="store_true", help="say what would be started, and start nothing")
    add_keys(parser)


def node(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="nodes", metavar="NODE", required=True, parser_class=Parser)
    agent = kinds.add_parser("agent", help="drives whatever publishes /odom and takes /cmd_vel")
    agent.set_defaults(handler=".nodes.running:agent")
    agent.add_argument(
        "--checkpoint", metavar="F", help="agent to run: a file, or the folder of a training run"
    )
    world = kinds.add_parser("environment", help="a task: publishes what the robot perceives")
    world.set_defaults(handler=".nodes.running:environment")
    world.add_argument("--episodes", type=natural("--episodes", 1), default=1, metavar="N")
    world.add_argument(
        "--mode",
        choices=("lockstep", "real-time"),
        default="lockstep",
        help="wait for the command of each control period (default), or go on at the speed of the wall clock",
    )
    world.add_argument(
        "--command-timeout",
        type=seconds("--command-timeout"),
        default=0.5,
        metavar="S",
        help="in real time: without a command for S s the robot stops (default 0.5)",
    )
    for kind in (agent, world):
        add_task(kind)
        kind.add_argument(
            "--endpoint", metavar="ENDPOINT", help="where nodes meet (default: the bridge's own)"
        )
        add_keys(kind)
        add_experiment(kind)


def keys(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".keys:command")
    parser.add_argument("folder", metavar="DIR", help="key folder to make, or one that is there")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--client", metavar="NAME", help="make DIR/clients/NAME, a key folder for one more user"
    )
    what.add_argument("--revoke", metavar="NAME", help="authorise NAME no more")


def dashboard(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".live_viewers:dashboard")
    add_live(parser, recording=True)
    parser.add_argument(
        "--speed", type=float, metavar="X", help="of a recording: times as fast (default 1; 0: at once)"
    )
    parser.add_argument("--port", type=natural("--port"), metavar="N", help="of the page (default 9090)")
    parser.add_argument("--data-port", type=natural("--data-port"), metavar="N", help="default 9876")
    parser.add_argument("--rate", type=float, metavar="HZ", help="updates a second, at most (default 5)")
    parser.add_argument(
        "--save",
        metavar="FILE",
        help="write to FILE.rrd, to be opened with `rerun FILE.rrd`, and serve nothing",
    )


def foxglove(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".live_viewers:foxglove")
    add_live(parser, insecure=False)
    parser.add_argument("--host", default="127.0.0.1", help="address to serve at (default 127.0.0.1)")
    parser.add_argument("--port", type=natural("--port"), default=8765, metavar="N", help="default 8765")
    parser.add_argument(
        "--insecure", action="store_true", help="serve other machines too: not encrypted, no passwords"
    )


def plotjuggler(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".live_viewers:plotjuggler")
    add_live(parser)
    parser.add_argument("--bind", metavar="URL", help="where to publish (default tcp://127.0.0.1:9872)")
    parser.add_argument(
        "--limit",
        type=natural("--limit"),
        metavar="N",
        help="of arrays with more elements send only the size (default 64)",
    )


def localize(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".localizing:command")
    parser.add_argument(
        "file",
        metavar="FILE",
        help="recorded events, or an npz file: event counts (reference, query), odometry with or without"
        " sightings of landmarks (odometry_t, ...), or a trajectory (t, pos)",
    )
    parser.add_argument("--reference", metavar="FILE", help="recorded events of the places to look for")
    parser.add_argument(
        "--window",
        type=seconds("--window"),
        default=0.1,
        metavar="S",
        help="length of a view (default 0.1 s)",
    )
    parser.add_argument(
        "--lag",
        type=float,
        metavar="S",
        help="of a drive: by how much the robot trails its odometry (default: measured from the sightings)",
    )
    parser.add_argument("--seed", type=natural("--seed", 0), default=0, metavar="N")
    parser.add_argument(
        "--output", metavar="FILE", help="draw to FILE: the evidence for each place, or the drive"
    )
    add_json(parser)


def analyze(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".analyzing:command")
    parser.add_argument(
        "path",
        metavar="DIR|FILE",
        help="folder of a training run, or an npz file of units: spike_times, unit_index, position_t, _x, _y",
    )
    parser.add_argument("--against", metavar="DIR|FILE", help="the same cells in another session: remapping")
    parser.add_argument("--population", metavar="NAME", help="of a run, such as place (default: all)")
    parser.add_argument(
        "--probe",
        type=natural("--probe"),
        metavar="N",
        help="of a run: search the pose that drives cell N most (of place, or of --population), and stop",
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--scale", type=float, metavar="M", help="m a pixel of the positions in FILE")
    scale.add_argument("--track-length", type=float, metavar="M", help="length of a linear track in m")
    parser.add_argument("--bin", type=float, metavar="M", help="side of a bin (default: 5 cm, or by extent)")
    parser.add_argument(
        "--speed",
        type=float,
        metavar="M",
        help="speed that counts as running (default: 5 cm/s, or by extent)",
    )
    parser.add_argument(
        "--theta",
        metavar="HZ|FILE",
        help="of a FILE: steady rate, or an npz of theta_t and theta_phase (rad)",
    )
    parser.add_argument(
        "--window",
        type=seconds("--window"),
        default=0.25,
        metavar="S",
        help="of decoding and information (default 0.25 s)",
    )
    parser.add_argument(
        "--max-rate", type=float, default=50.0, metavar="HZ", help="above it a unit is no cell (default 50)"
    )
    parser.add_argument(
        "--cells",
        type=natural("--cells", 1),
        default=100,
        metavar="N",
        help="scored a population (default 100)",
    )
    parser.add_argument(
        "--shuffles", type=natural("--shuffles"), default=50, metavar="N", help="rounds (default 50; 0: none)"
    )
    parser.add_argument("--seed", type=natural("--seed"), default=0, metavar="N", help="of the shuffles")
    parser.add_argument("--output", metavar="DIR", help="write sheets of figures to DIR")
    add_json(parser)


def plot(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".figures:command")
    parser.add_argument("run", metavar="DIR", help="folder of a training run or of a comparison")


def bench(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".bench:command")
    parser.add_argument("task", nargs="?", default="WaterMaze", help="task to run the loop on")
    parser.add_argument(
        "--seconds",
        type=seconds("--seconds", 1.0, above=False),
        default=20.0,
        metavar="S",
        help="simulated time of a run",
    )
    parser.add_argument("--runs", type=natural("--runs", 1), default=3, metavar="N")
    add_experiment(parser)
    add_json(parser)


def doctor(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(handler=".doctor:command")
    add_json(parser)
