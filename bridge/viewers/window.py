"""Watch an agent from another process: a live window, or pictures in a file where there is no display."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..exceptions import BridgeError, NoDisplayError
from .dashboard import Dashboard
from .history import StateHistory
from .observer import StateObserver

FRAME_SECONDS = 0.12  #: between two pictures in a window
SNAPSHOT_SECONDS = 2.0  #: between two pictures in a file
DPI = 110


@dataclass(frozen=True)
class ViewReport:
    """What a viewer saw."""

    frames: int  #: pictures drawn
    messages: dict[str, int]  #: by topic
    lost: int  #: dropped on the way, or overwritten before they were taken
    refused: int  #: frames that were malformed or of the wrong type
    agent_seconds: float  #: agent time at the end
    output: Path | None


def view(
    endpoint: str | None = None,
    output: str | os.PathLike[str] | None = None,
    seconds: float | None = None,
    *,
    timeout: float = 10.0,
) -> ViewReport:
    """Show an agent's state until the agent falls silent, the window is closed, or `seconds` have passed.

    Parameters
    ----------
    endpoint : str, optional
        Where the agent publishes; by default `$TOLMAN_ENDPOINT` or `tcp://127.0.0.1:11948`.
    output : path, optional
        A picture (.png, .jpg, .pdf, .svg), written every two seconds and at the end; no window is opened.
    seconds : float, optional
        How long to watch, s of wall time.
    timeout : float
        s to wait for the first message, and of silence after which the agent is taken to have ended.

    Raises
    ------
    NothingPublishing
        If no message came in time.
    NoDisplayError
        If a window is wanted and there is no display.
    BusyPortError, EndpointError
        If the endpoint cannot be used.
    BridgeError
        If the picture cannot be written.
    """
    path = None if output is None else checked_picture(Path(output))
    if path is None and not has_display():
        raise NoDisplayError("there is no display for a window; give an output file, such as view.png")
    history = StateHistory()
    with StateObserver(endpoint, on_message=history.add) as observer:
        observer.wait_for_publisher(timeout)
        run = _Run(observer, history, seconds, timeout)
        frames = run.into_window() if path is None else run.into_file(path)
        statistics = observer.statistics.values()
        return ViewReport(
            frames,
            dict(observer.counts),
            sum(s.missed for s in statistics),
            observer.context.transport.refusals.total,
            history.time,
            path,
        )


class _Run:
    """One watching: receive, draw, and know when to end."""

    def __init__(
        self, observer: StateObserver, history: StateHistory, seconds: float | None, timeout: float
    ) -> None:
        self._observer, self._history, self._timeout = observer, history, timeout
        self._end = None if seconds is None else time.monotonic() + seconds
        self._speed: list[tuple[float, float]] = []

    def into_file(self, path: Path) -> int:
        """Write pictures; return how many."""
        figure = Figure(dpi=DPI)
        FigureCanvasAgg(figure)
        dashboard, frames, next_picture = Dashboard(figure), 0, time.monotonic() + SNAPSHOT_SECONDS
        while self._going():
            self._observer.gather_for(0.1)
            if time.monotonic() >= next_picture:
                self._draw(dashboard)
                save_picture(figure, path)
                frames, next_picture = frames + 1, time.monotonic() + SNAPSHOT_SECONDS
        self._draw(dashboard)
        save_picture(figure, path)
        return frames + 1

    def into_window(self) -> int:
        """Show a window; return how many pictures it showed."""
        from matplotlib import pyplot  # pyplot picks a window system when imported: only when one is wanted

        figure = pyplot.figure("tolman", dpi=96)
        dashboard, frames, number = Dashboard(figure), 0, figure.number
        pyplot.show(block=False)
        while self._going(forever=self._end is None) and pyplot.fignum_exists(number):
            self._observer.gather_for(FRAME_SECONDS)
            self._draw(dashboard)
            figure.canvas.draw_idle()
            figure.canvas.flush_events()
            frames += 1
        pyplot.close(figure)
        return frames

    def _going(self, forever: bool = False) -> bool:
        """A window stays open after the agent has ended; a file is finished then."""
        if self._end is not None:
            return time.monotonic() < self._end
        return forever or self._observer.silence < min(self._timeout, 3.0)

    def _draw(self, dashboard: Dashboard) -> None:
        history, observer = self._history, self._observer
        self._speed = [*self._speed[-20:], (time.monotonic(), history.time)]
        (t0, a0), (t1, a1) = self._speed[0], self._speed[-1]
        speed = f"{(a1 - a0) / (t1 - t0):.1f}× real time" if t1 - t0 > 0.5 and a1 > a0 else ""
        lost = sum(s.missed for s in observer.statistics.values())
        ended = "ended" if observer.silence > 2.0 else ""
        facts = [
            observer.context.endpoint,
            f"{sum(observer.counts.values()):,} messages",
            f"{lost} lost",
            speed,
            ended,
        ]
        headline = f"tolman   t = {history.time:,.1f} s   reward {history.reward_total:g}"
        dashboard.draw(history, headline, "   ·   ".join(fact for fact in facts if fact))


def checked_picture(path: Path) -> Path:
    """`path`, if a picture can be written there; a BridgeError says why not."""
    kinds = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
    if path.suffix.lower() not in kinds:
        raise BridgeError(
            f"cannot tell the kind of picture from {path.name!r}; it must end in one of {', '.join(kinds)}"
        )
    if not path.absolute().parent.is_dir():
        raise BridgeError(f"the folder {path.absolute().parent} for {path.name!r} does not exist")
    return path


def save_picture(figure: Figure, path: Path) -> None:
    """Replace the picture in one step, so that whoever looks never sees half of one."""
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        figure.savefig(partial, facecolor=figure.get_facecolor())
        os.replace(partial, path)
    except OSError as error:
        raise BridgeError(f"cannot write {path}: {error.strerror or error}") from error


def has_display() -> bool:
    """Whether a window could be opened."""
    if sys.platform in ("win32", "darwin"):
        return True
    probe: Callable[[str], str | None] = os.environ.get
    return bool(probe("DISPLAY") or probe("WAYLAND_DISPLAY"))
