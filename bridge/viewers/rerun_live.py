"""Feed the Rerun dashboard from a running agent: into a browser, or into a file for later."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import BridgeError
from .observer import StateObserver
from .rerun_server import RerunServer
from .rerun_view import RerunDashboard, new_recording

if TYPE_CHECKING:
    import rerun as rr

RATE = 5.0  #: updates of robot, events and signals a second of wall time, at most
SLOWER = 4  #: as many times less often: paths, raster and rate maps
ENDED_AFTER = 3.0  #: s of silence after which a file is finished


@dataclass(frozen=True)
class DashboardReport:
    """What was shown."""

    updates: int
    messages: int
    lost: int  #: dropped on the way, or overwritten before they were taken
    agent_seconds: float  #: agent time at the end


def serve(
    endpoint: str | None,
    server: RerunServer,
    seconds: float | None = None,
    *,
    rate: float = RATE,
    timeout: float = 10.0,
) -> DashboardReport:
    """Show an agent in the browser for `seconds` s of wall time, or until interrupted.

    Raises
    ------
    NothingPublishing
        If no message came within `timeout` s.
    BridgeError
        If the endpoint cannot be used or the server ends.
    """
    recording = new_recording()
    recording.connect_grpc(server.data_url)
    end = None if seconds is None else time.monotonic() + seconds

    def going(observer: StateObserver) -> bool:
        if not server.running:
            raise BridgeError("rerun's server has ended")
        return end is None or time.monotonic() < end

    try:
        return _feed(endpoint, recording, going, rate, timeout)
    finally:
        recording.disconnect()


def save(
    endpoint: str | None,
    path: Path,
    seconds: float | None = None,
    *,
    rate: float = RATE,
    timeout: float = 10.0,
) -> DashboardReport:
    """Write the dashboard of an agent to a file until the agent falls silent or `seconds` s have passed.

    The file is there once it is whole; `rerun FILE` opens it.

    Raises
    ------
    NothingPublishing
        If no message came within `timeout` s.
    BridgeError
        If the endpoint cannot be used or the file not be written.
    """
    end = None if seconds is None else time.monotonic() + seconds

    def going(observer: StateObserver) -> bool:
        return observer.silence < ENDED_AFTER and (end is None or time.monotonic() < end)

    with written(path) as recording:
        return _feed(endpoint, recording, going, rate, timeout)


@contextmanager
def written(path: Path) -> Iterator["rr.RecordingStream"]:
    """A recording of Rerun that becomes a file once it is whole.

    Raises
    ------
    BridgeError
        If the file cannot be written.
    """
    if path.suffix != ".rrd":
        raise BridgeError(f"a file for rerun ends in .rrd, got {path.name!r}")
    if not path.absolute().parent.is_dir():
        raise BridgeError(f"the folder {path.absolute().parent} for {path.name!r} does not exist")
    if path.is_dir():
        raise BridgeError(f"{path} is a folder")
    partial = path.with_name(f".{path.stem}.partial.rrd")
    recording = new_recording()
    try:
        recording.save(partial)
    except RuntimeError as error:
        raise BridgeError(f"cannot write {path}: {error}") from error
    try:
        yield recording
        recording.disconnect()
        os.replace(partial, path)
    except OSError as error:
        raise BridgeError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        recording.disconnect()
        partial.unlink(missing_ok=True)


def _feed(
    endpoint: str | None,
    recording: "rr.RecordingStream",
    going: Callable[[StateObserver], bool],
    rate: float,
    timeout: float,
) -> DashboardReport:
    """Gather and draw, `rate` times a second at most, until `going` says no or the user interrupts."""
    dashboard = RerunDashboard(recording)
    updates, drawn = 0, -1
    with StateObserver(endpoint, on_message=dashboard.add) as observer:
        observer.wait_for_publisher(timeout)
        try:
            while going(observer):
                observer.gather_for(1.0 / rate)
                messages = sum(observer.counts.values())
                if messages == drawn:
                    continue
                dashboard.draw(slow=updates % SLOWER == 0)
                updates, drawn = updates + 1, messages
        except KeyboardInterrupt:  # how a live view is ended
            pass
        dashboard.draw()
        recording.flush()
        lost = sum(s.missed for s in observer.statistics.values())
        return DashboardReport(updates + 1, sum(observer.counts.values()), lost, dashboard.history.time)
