"""`tolman run`: episodes with a trained or a fresh agent, perturbed and watched if asked."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ..agent.lesions import PlannedLesion
from ..bridge.exceptions import BridgeError, RecordingError
from ..bridge.recording.writer import checked_name
from ..bridge.state import LiveSink
from ..bridge.state_process import open_publisher
from ..bridge.state_recording import StateRecorder
from . import checkpoint as checkpoints
from .environments import camera_of, scene_of
from .episode import CONTROL_PERIOD, Observer
from .errors import UserError, asked
from .evaluation import with_checkpoint
from .files import check_result, write_json
from .lesioning import lesioned
from .options import experiment_of, refuse_setting
from .perturbations import Perturbed, perturbations_of
from .progress import TrialProgress
from .publishing import Publisher, RealTime
from .results import summarise
from .session import Session
from .terminal import make_console
from .trained import trained


def command(arguments: Namespace) -> None:
    """Run `tolman run`."""
    console = make_console()
    checkpoint = None if arguments.checkpoint is None else Path(arguments.checkpoint)
    refuse_setting(arguments, "trials", "--episodes N says how many")
    at_once, later = _lesions(arguments.lesion)
    for text, trial in later.items():
        if trial > arguments.episodes:
            console.print(f"warning: --lesion {text} has no effect: the run ends before (--episodes)")
    json_file = check_result(arguments.json, "run")
    if arguments.record is not None:
        with asked("--record", RecordingError):
            checked_name(Path(arguments.record))
    if arguments.trained:
        if checkpoint is not None:
            raise UserError("--trained and --checkpoint name two agents; give one of them")
        # Training takes minutes: last, when nothing else that was asked for can be refused.
        checkpoint = trained(experiment_of(arguments), console)
    config = experiment_of(arguments) if checkpoint is None else with_checkpoint(arguments, checkpoint)
    config = replace(config, trials=arguments.episodes, lesions=(*config.lesions, *later))
    perturbations = perturbations_of(arguments, config.seed)
    with ExitStack() as stack:
        session = stack.enter_context(Session(config))
        if checkpoint is not None:
            session.adopt(checkpoints.load(checkpoint))
        for wanted in at_once:
            count = lesioned(session.agent, wanted, config.seed)
            console.print(f"lesion {wanted}: {count} neurons will not fire again")
        bridge = None
        if arguments.publish is not None or arguments.view:
            bridge = stack.enter_context(_open_bridge(arguments.publish or None, session))
        observers: list[Observer] = []
        if bridge is not None:
            observers.append(Publisher(bridge, session, scene_of(session.environment)))
            console.print(f"publishing at {bridge.endpoint}; watch with: tolman view {bridge.endpoint}")
            if bridge.others > 0:
                console.print(
                    f"warning: {bridge.others} other agent(s) publish at {bridge.endpoint}; a viewer would"
                    " mix them with this one"
                )
            if arguments.view:
                _open_viewer(bridge, stack)
        if arguments.record is not None:
            recorder = stack.enter_context(_open_recorder(arguments.record, session))
            observers.append(Publisher(recorder, session, scene_of(session.environment)))
        if perturbations:
            session.environment = Perturbed(session.environment, perturbations)
        if arguments.view or arguments.real_time:
            observers.append(RealTime())
        progress = stack.enter_context(TrialProgress(config, console))
        with asked("", RecordingError):
            while session.trials_done < config.trials:
                session.next_trial([*observers, progress])
        result = session.result()
    if json_file is not None:
        write_json(json_file, summarise("run", config, [result]))


def _lesions(wanted: list[str]) -> tuple[list[str], dict[str, int]]:
    """Those to be done at once, and those planned for an episode of this run, with its number."""
    with asked("--lesion"):
        trials = {text: PlannedLesion.parse(text).trial for text in wanted}
    at_once = [text for text, trial in trials.items() if trial == 0]
    return at_once, {text: trial for text, trial in trials.items() if trial > 0}


def _open_bridge(endpoint: str | None, session: Session) -> LiveSink:
    camera = camera_of(session.environment)
    with asked("", BridgeError):
        return open_publisher(
            endpoint, width=camera.width, height=camera.height, control_period=CONTROL_PERIOD
        )


def _open_recorder(path: str, session: Session) -> StateRecorder:
    camera = camera_of(session.environment)
    with asked("", BridgeError):
        return StateRecorder(path, width=camera.width, height=camera.height, control_period=CONTROL_PERIOD)


def _open_viewer(bridge: LiveSink, stack: ExitStack) -> None:
    """Start `tolman view` in another process and wait until it listens; it is ended with the run.

    Raises
    ------
    UserError
        If the viewer ends before it listens (it says why itself), as where there is no display.
    """
    viewer = subprocess.Popen([sys.executable, "-m", "tolman.launch.cli", "view", bridge.endpoint])
    stack.callback(viewer.wait)
    stack.callback(viewer.terminate)
    while not bridge.wait_for_viewer(timeout=0.5):
        if viewer.poll() is not None:
            raise UserError("the viewer could not start; run without --view, or with --publish")
