"""Show a recording of an agent's state as the viewer shows an agent: in a window, or its end in a picture."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .dashboard import Dashboard
from .exceptions import MessageError, NoDisplayError, RecordingError
from .history import StateHistory
from .messages import deserialize, message_class
from .recording_reader import RecordedMessage, Recording
from .topics import TOPICS
from .viewers import DPI, FRAME_SECONDS, checked_picture, has_display, save_picture


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
        states = {
            t.name
            for t in recording.topics
            if t.messages and not t.obstacle and _is_state(t.name, t.type_name)
        }
        if not states:
            there = ", ".join(t.name for t in recording.topics) or "none"
            raise RecordingError(f"{path} holds no state of an agent to show; its topics: {there}")
        showing = _Showing(recording, states, seconds, speed)
        if picture is None:
            showing.in_window()
        else:
            showing.as_picture(picture)
        return RecordingReport(
            showing.shown, showing.unreadable, showing.history.time, recording.trouble, picture
        )


class _Showing:
    """One showing of a recording."""

    def __init__(self, recording: Recording, topics: set[str], seconds: float | None, speed: float) -> None:
        self.history = StateHistory()
        self.shown = self.unreadable = 0
        self._recording, self._topics, self._speed = recording, topics, speed
        self._end = recording.end if seconds is None else recording.start + round(seconds * 1e9)

    def as_picture(self, path: Path) -> None:
        """Draw the state at the end."""
        for message in self._messages():
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
        messages = self._messages()
        waiting: RecordedMessage | None = next(messages, None)
        while pyplot.fignum_exists(number):
            now = self._recording.start + round((time.monotonic() - began) * self._speed * 1e9)
            while waiting is not None and waiting.log_time <= now:
                self._add(waiting)
                waiting = next(messages, None)
            self._draw(dashboard)
            figure.canvas.draw_idle()
            figure.canvas.flush_events()
            if now > self._end != self._recording.end:
                break
            time.sleep(FRAME_SECONDS)
        pyplot.close(figure)

    def _messages(self) -> Iterator[RecordedMessage]:
        for message in self._recording.messages(self._topics):
            if message.log_time > self._end:
                return
            if _is_state(message.topic, message.type_name):
                yield message

    def _add(self, message: RecordedMessage) -> None:
        stamp = message.simulation_time if message.simulation_time >= 0 else message.publish_time
        try:
            content = deserialize(message.payload, message_class(message.type_name))
        except MessageError:
            self.unreadable += 1
            return
        self.history.add(message.topic, content, stamp * 1e-9)
        self.shown += 1

    def _draw(self, dashboard: Dashboard) -> None:
        history, recording = self.history, self._recording
        trouble = "incomplete" if recording.trouble else ""
        facts = [recording.path.name, f"{recording.seconds:,.1f} s", f"{self.shown:,} messages", trouble]
        headline = f"tolman   t = {history.time:,.1f} s   reward {history.reward_total:g}"
        dashboard.draw(history, headline, "   ·   ".join(fact for fact in facts if fact))


def _is_state(topic: str, type_name: str) -> bool:
    known = TOPICS.get(topic)
    return known is not None and known.type_name == type_name
