"""Show a recording of an agent's state as the viewer shows an agent: in a window, or its end in a picture."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..exceptions import NoDisplayError
from ..viewers.dashboard import Dashboard
from ..viewers.history import StateHistory
from ..viewers.window import DPI, FRAME_SECONDS, checked_picture, has_display, save_picture
from .reader import RecordedMessage, Recording
from .recorded_state import RecordedState


@dataclass(frozen=True)
class RecordingReport:
    """What was shown of a recording."""

    messages: int  #: shown
    unreadable: int  #: that are not what their type says
    agent_seconds: float  #: the agent's time at the end
    trouble: str  #: what is wrong with the file; empty if nothing is
    output: Path | None


def view_recording(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    seconds: float | None = None,
    *,
    speed: float = 1.0,
) -> RecordingReport:
    """Show a recording.

    Parameters
    ----------
    path : path
        Of the recording.
    output : path, optional
        A picture (.png, .jpg, .pdf, .svg) of the state at the end; no window is opened.
    seconds : float, optional
        Show no more than the first seconds, s as recorded.
    speed : float
        Of the window: times as fast as recorded.

    Raises
    ------
    NoDisplayError
        If a window is wanted and there is no display.
    RecordingError
        If the recording cannot be read, holds no state of an agent, or the picture cannot be written.
    """
    picture = None if output is None else checked_picture(Path(output))
    if picture is None and not has_display():
        raise NoDisplayError("there is no display for a window; give an output file, such as view.png")
    with Recording(path) as recording:
        showing = _Showing(recording, seconds, speed)
        if picture is None:
            showing.in_window()
        else:
            showing.as_picture(picture)
        return RecordingReport(
            showing.state.shown, showing.state.unreadable, showing.history.time, recording.trouble, picture
        )


class _Showing:
    """One showing of a recording."""

    def __init__(self, recording: Recording, seconds: float | None, speed: float) -> None:
        self.history = StateHistory()
        self.state = RecordedState(recording, seconds)
        self._recording, self._speed = recording, speed

    def as_picture(self, path: Path) -> None:
        """Draw the state at the end."""
        for message in self.state.messages():
            self._add(message)
        figure = Figure(dpi=DPI)
        FigureCanvasAgg(figure)
        self._draw(Dashboard(figure))
        save_picture(figure, path)

    def in_window(self) -> None:
        """Show it as it was recorded; the window stays until somebody closes it, or for the seconds given."""
        from matplotlib import pyplot  # pyplot picks a window system when imported: only when one is wanted

        figure = pyplot.figure("tolman", dpi=96)
        dashboard, number, began = Dashboard(figure), figure.number, time.monotonic()
        pyplot.show(block=False)
        messages = self.state.messages()
        waiting: RecordedMessage | None = next(messages, None)
        while pyplot.fignum_exists(number):
            now = self._recording.start + round((time.monotonic() - began) * self._speed * 1e9)
            while waiting is not None and waiting.log_time <= now:
                self._add(waiting)
                waiting = next(messages, None)
            self._draw(dashboard)
            figure.canvas.draw_idle()
            figure.canvas.flush_events()
            if now > self.state.end != self._recording.end:
                break
            time.sleep(FRAME_SECONDS)
        pyplot.close(figure)

    def _add(self, message: RecordedMessage) -> None:
        if (read := self.state.read(message)) is not None:
            self.history.add(message.topic, *read)

    def _draw(self, dashboard: Dashboard) -> None:
        history, recording = self.history, self._recording
        trouble = "incomplete" if recording.trouble else ""
        facts = [
            recording.path.name,
            f"{recording.seconds:,.1f} s",
            f"{self.state.shown:,} messages",
            trouble,
        ]
        headline = f"tolman   t = {history.time:,.1f} s   reward {history.reward_total:g}"
        dashboard.draw(history, headline, "   ·   ".join(fact for fact in facts if fact))
