"""Rerun's own server in a process of its own: the viewer for the browser, and what it shows; loopback only.

The functions of the SDK that serve listen on all interfaces, the program `rerun` takes an address. It also
sends usage data unless its settings say no: it is given settings of its own here that do, and the user's own
are not touched. Its page has no such settings: browsers get it by way of `rerun_page`.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..binding import checked_port
from ..closing import Closing
from ..exceptions import BridgeError, MissingExtraError
from .rerun_page import HOST, PageServer

DATA_PORT = 9876
WEB_PORT = 9090
MEMORY = "512MB"  #: kept for browsers that connect late; the oldest is dropped
START_WITHIN = 20.0  #: s
STOP_WITHIN = 3.0  #: s


class RerunServer(Closing):
    """A running server; ends with `close`.

    Parameters
    ----------
    web_port : int
        Of the page, 0 for any that is free.
    data_port : int
        Of the data, to which the program logs and the page connects; 0 for any that is free.

    Raises
    ------
    MissingExtraError
        If rerun-sdk is not installed.
    BridgeError
        If a port is not free or the server does not start.
    """

    def __init__(self, web_port: int = WEB_PORT, data_port: int = DATA_PORT) -> None:
        program = _program()
        self._data_port, self._origin_port = _free(data_port), _free(0)
        self._page = PageServer(checked_port(web_port), self._origin_port, self._data_port)
        self._home = Path(tempfile.mkdtemp(prefix="tolman-rerun-"))
        try:
            with (self._home / "output").open("wb") as output:
                self._process = subprocess.Popen(
                    [
                        program,
                        "--serve-web",
                        *("--bind", HOST),
                        *("--port", str(self._data_port)),
                        *("--web-viewer-port", str(self._origin_port)),
                        *("--server-memory-limit", MEMORY),
                        "--hide-welcome-screen",
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **_without_telemetry(self._home)},
                )
        except OSError as error:
            self._page.close()
            shutil.rmtree(self._home, ignore_errors=True)
            raise BridgeError(f"cannot start {program}: {error.strerror or error}") from error
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    @property
    def process(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def data_url(self) -> str:
        """What a recording connects to."""
        return f"rerun+http://{HOST}:{self._data_port}/proxy"

    @property
    def page(self) -> str:
        """What to open in a browser."""
        data = f"rerun%2Bhttp%3A%2F%2F{HOST}%3A{self._data_port}%2Fproxy"
        return f"http://{HOST}:{self._page.port}/?url={data}"

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process and the page."""
        self._page.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _wait(self) -> None:
        """Wait until both ports answer."""
        end = time.monotonic() + START_WITHIN
        left = [self._data_port, self._origin_port]
        while left:
            if not self.running or time.monotonic() > end:
                said = (self._home / "output").read_text(errors="replace").strip().splitlines()
                reason = said[-1] if said else "no reason given"
                raise BridgeError(f"rerun's server does not start: {reason}")
            with contextlib.suppress(OSError), socket.create_connection((HOST, left[0]), timeout=0.5):
                left.pop(0)
                continue
            time.sleep(0.05)


def _program() -> str:
    """The program that rerun-sdk ships, else one on the path.

    Not the script of the same name, which starts it and leaves it behind when it is ended itself.
    """
    package = importlib.util.find_spec("rerun_cli")
    if package is not None and package.origin is not None:
        program = Path(package.origin).with_name("rerun.exe" if os.name == "nt" else "rerun")
        if program.is_file():
            return str(program)
    found = shutil.which("rerun")
    if found is None:
        raise MissingExtraError(
            "the dashboard in the browser needs rerun-sdk, which is not installed "
            "(pip install 'tolman[rerun]')"
        )
    return found


def _free(port: int) -> int:
    """The port, or one that is free; rerun would take a server that is there already for its own."""
    checked_port(port)
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise BridgeError(
                f"cannot serve the dashboard at {HOST}:{port}: {error.strerror}; choose another port"
            ) from error
        return int(probe.getsockname()[1])


def _without_telemetry(home: Path) -> dict[str, str]:
    """Write settings without telemetry below `home`; return the environment that makes rerun read them.

    On Windows their place cannot be changed: there `rerun analytics disable` has to be run once.
    """
    settings = home / "config" / "rerun" / "analytics.json"
    data = home / "data" / "rerun" / "analytics"
    text = json.dumps(
        {
            "analytics_enabled": False,
            "analytics_id": "0" * 32,
            "metadata": {},
            "config_file_path": str(settings),
            "data_dir_path": str(data),
        }
    )
    apple = home / "Library" / "Application Support" / "rerun" / "analytics.json"
    for path in (settings, apple):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
