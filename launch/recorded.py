"""`tolman view FILE`: what an event camera recorded, as a sheet of pictures or a film."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..analysis.figure_animation import save_gif
from ..analysis.figure_events import draw_sheet, film
from ..envs.recordings import Recording, RecordingError, open_recording
from .encoded import draw_recording
from .errors import UserError, asked
from .files import atomic, check_writable
from .terminal import make_console

PANELS = 8
ROWS = 3  #: moments whose encoding is drawn
BINS = 200  #: of the rate over time
WIDEST = 320  #: pixels of a picture; larger sensors are binned
FRAME = 0.040  #: s of a film's frame at most, which is shown as long or longer
FRAMES = 150  #: of a film at most


@dataclass(frozen=True)
class Survey:
    """What a first pass over a recording tells."""

    count: int
    on: int
    first: int  #: µs
    last: int  #: µs
    size: tuple[int, int]  #: of the sensor, or of the part of it that had events

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return (self.last - self.first + 1) * 1e-6


def view_file(path: Path, output: str | None, encoding: bool = False) -> None:
    """Say what is in a recording and write pictures of it to `output`, by default to a .png file here.

    With `encoding` the pictures are those of its way to spikes.
    """
    target = check_writable(Path(f"{path.stem}.png" if output is None else output), "--output")
    if output is None and target.exists():
        raise UserError(f"{target} is there already; --output {target} replaces it, or give another name")
    if target.suffix.lower() not in (".png", ".gif", ".pdf", ".svg"):
        raise UserError(f"--output {target} must end in .png, .pdf or .svg for a sheet, or .gif for a film")
    if encoding and target.suffix.lower() == ".gif":
        raise UserError(f"--output {target} must end in .png, .pdf or .svg with --encoding")
    recording, survey = surveyed(path)
    console = make_console()
    said = (
        f"{path.name}: {recording.kind}, {survey.size[0]} x {survey.size[1]} pixels, {survey.count} events"
        f" ({100 * survey.on / survey.count:.0f} % ON) in {survey.seconds:.3f} s"
    )
    console.print(said, highlight=False)
    if encoding:
        ends, short = moments(survey)
        step = -(-survey.size[0] // WIDEST)
        figure = draw_recording(recording, survey.size, survey.first, ends, short, step, said)
        with atomic(target) as temporary:
            figure.savefig(temporary)
    elif target.suffix.lower() == ".gif":
        frames = max(1, min(FRAMES, round(survey.seconds / FRAME), survey.count))
        span = survey.seconds / frames
        images, _ = collect(recording, survey, np.arange(frames, dtype=np.float64) * span, span)
        with atomic(target) as temporary:
            save_gif(temporary, film(images), max(span, FRAME))
    else:
        span = min(FRAME, survey.seconds / PANELS)
        starts = np.asarray((np.arange(PANELS) + 0.5) * survey.seconds / PANELS - 0.5 * span, np.float64)
        images, counts = collect(recording, survey, starts, span)
        every = survey.seconds / BINS
        figure = draw_sheet(images, starts, span, counts / every, every, said)
        with atomic(target) as temporary:
            figure.savefig(temporary)
    console.print(str(target))


def surveyed(path: Path) -> tuple[Recording, Survey]:
    """Open a recording and read it once; warn of what is wrong with it.

    Raises
    ------
    UserError
        If it is no recording, or holds no events.
    """
    with asked("", RecordingError):
        recording = open_recording(path)
    survey = look_through(recording)
    if recording.trouble is not None:
        print(f"warning: {recording.trouble}", file=sys.stderr)
    if survey is None:
        raise UserError(f"{path} holds no events that can be read")
    return recording, survey


def look_through(recording: Recording) -> Survey | None:
    """Return what a recording holds, read once; None for no events."""
    count, on, first, last, width, height = 0, 0, 0, 0, 0, 0
    for packet in recording:
        first, last = (first if count else int(packet.t[0])), int(packet.t[-1])
        count, on = count + packet.size, on + int(np.count_nonzero(packet.p))
        width, height = max(width, int(packet.x.max()) + 1), max(height, int(packet.y.max()) + 1)
    return Survey(count, on, first, last, recording.size or (width, height)) if count else None


def moments(survey: Survey) -> tuple[NDArray[np.int64], int]:
    """Return when the stages of the encoding are drawn (n,), µs from the start, and of how many µs before."""
    span = min(FRAME, survey.seconds / (2 * ROWS))
    ends = (np.arange(ROWS) + 0.75) * survey.seconds / ROWS
    return np.round(1e6 * ends).astype(np.int64), max(1, round(1e6 * span))


def collect(
    recording: Recording, survey: Survey, starts: NDArray[np.float64], span: float
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return ON minus OFF events in `span` s from each of `starts` (n,), ascending and apart, as images.

    Images are (n, height, width), binned to `WIDEST`; with them the counts (2, BINS) of ON and OFF events.
    """
    width, height = survey.size
    step = -(-width // WIDEST)
    images = np.zeros((len(starts), -(-height // step), -(-width // step)), np.int32)
    counts = np.zeros((2, BINS))
    for packet in recording:
        time = (packet.t - survey.first) * 1e-6
        slot = np.searchsorted(starts, time, side="right") - 1
        inside = (slot >= 0) & (time < starts[slot] + span)
        sign = np.where(packet.p[inside] > 0, 1, -1)
        np.add.at(images, (slot[inside], packet.y[inside] // step, packet.x[inside] // step), sign)
        bins = np.minimum((time * (BINS / survey.seconds)).astype(np.int64), BINS - 1)
        for row, mine in enumerate((packet.p > 0, packet.p == 0)):
            counts[row] += np.bincount(bins[mine], minlength=BINS)
    return images, counts
