"""Feed the Rerun dashboard from a recording: into a browser as it was recorded, or into a file at once."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..recording.reader import Recording
from ..recording.recorded_state import RecordedState
from .rerun_live import RATE, SLOWER, DashboardReport, written
from .rerun_server import RerunServer
from .rerun_view import RerunDashboard, new_recording

if TYPE_CHECKING:
    import rerun as rr

POLL = 0.1  #: s between looks at whether the server still runs


def serve_recording(
    path: Path,
    server: RerunServer,
    seconds: float | None = None,
    *,
    rate: float = RATE,
    speed: float = 1.0,
) -> DashboardReport:
    """Show a recording in the browser, and keep it there until interrupted, or for the first `seconds` only.

    Parameters
    ----------
    path : path
        Of an MCAP file.
    server : RerunServer
        That shows it.
    seconds : float, optional
        s as recorded.
    rate : float
        Updates a second, of recorded time or of wall time, whichever are fewer.
    speed : float
        Times as fast as recorded; 0 for as fast as possible.

    Raises
    ------
    RecordingError
        If the recording cannot be read or holds no state of an agent.
    """
    stream = new_recording()
    stream.connect_grpc(server.data_url)
    began = time.monotonic()

    def wait_until(recorded: float) -> bool:
        due = began + recorded / speed if speed else began
        while server.running and (left := due - time.monotonic()) > 0:
            time.sleep(min(left, POLL))
        return server.running

    try:
        report = _feed(path, stream, seconds, rate / speed if speed > 1.0 else rate, wait_until)
        while seconds is None and server.running:  # it can be gone through in the page as long as one likes
            time.sleep(POLL)
    except KeyboardInterrupt:
        pass
    finally:
        stream.disconnect()
    return report


def save_recording(
    path: Path, output: Path, seconds: float | None = None, *, rate: float = RATE
) -> DashboardReport:
    """Write the dashboard of a recording to a file that `rerun FILE` opens.

    Raises
    ------
    RecordingError
        If the recording cannot be read or holds no state of an agent.
    BridgeError
        If the file cannot be written.
    """
    with written(output) as stream:
        return _feed(path, stream, seconds, rate, lambda _: True)


def _feed(
    path: Path,
    stream: "rr.RecordingStream",
    seconds: float | None,
    rate: float,
    wait_until: Callable[[float], bool],
) -> DashboardReport:
    """Draw `rate` times a second of recorded time, each when `wait_until` says that the time has come."""
    updates, due = 0, 1.0 / rate
    with Recording(path) as recording:
        state = RecordedState(recording, seconds)
        dashboard = RerunDashboard(stream)
        try:
            for message in state.messages():
                recorded = (message.log_time - recording.start) * 1e-9
                if recorded >= due:
                    if not wait_until(recorded):
                        break
                    dashboard.draw(slow=updates % SLOWER == 0)
                    updates, due = updates + 1, max(due + 1.0 / rate, recorded)
                if (read := state.read(message)) is not None:
                    dashboard.add(message.topic, *read)
        except KeyboardInterrupt:  # how a view is ended
            pass
        dashboard.draw()
        stream.flush()
        return DashboardReport(updates + 1, state.shown, state.unreadable, dashboard.history.time)
