"""The dashboard in a headless browser: is anything drawn in each of its six panes?

    python benchmarks/dashboard_panes.py CHROMIUM FILE.mcap --png dashboard.png --json dashboard.json
    python benchmarks/dashboard_panes.py CHROMIUM tcp://127.0.0.1:11948     # of a running agent

Starts `tolman dashboard`, opens its page in Chromium with software rendering (driven over its debugging
protocol), takes a picture every few seconds and divides it into two rows of three. A pane is drawn when
enough of its pixels, its title and frame left out, differ from the commonest colour in it.
Needs tolman[rerun] and `websockets`.
"""

import argparse
import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from websockets.sync.client import connect

SIZE = (1500, 900)  #: pixels
TOP = 34  #: pixels above the panes
BOTTOM = 40  #: below them, the collapsed time panel
TITLE, FRAME = 50, 8  #: pixels of a pane that are not its content
PANES = ("arena", "robot", "events", "rate maps", "spikes", "dopamine and value")
DRAWN = 0.002  #: of a pane's pixels
CONTRAST = 90  #: over three channels; 'No data available' is fainter
EVERY, WITHIN = 5.0, 180.0  #: s between pictures; until all panes are drawn


def free_port() -> int:
    """A port of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Page:
    """A page of a browser that was started with a debugging port."""

    def __init__(self, port: int, address: str) -> None:
        self._number = 0
        self._address = self._found(port)
        self.ask("Page.enable")
        self.ask("Page.navigate", url=address)

    def _found(self, port: int) -> str:
        end = time.monotonic() + 60.0
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                    pages = [page for page in json.load(answer) if page["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"])
            except (OSError, IndexError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.3)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its result."""
        self._number += 1
        with connect(self._address, max_size=None) as channel:
            channel.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
            while True:
                answer = json.loads(channel.recv(timeout=120))
                if answer.get("id") == self._number:
                    result: dict[str, Any] = answer.get("result", {})
                    return result

    def picture(self) -> Image.Image:
        """What the page shows now."""
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def drawn(picture: Image.Image) -> dict[str, float]:
    """The share of pixels of each pane that differ from the commonest colour in it."""
    pixels = np.asarray(picture, np.int32)
    inside = pixels[TOP : pixels.shape[0] - BOTTOM]
    found = {}
    for number, name in enumerate(PANES):
        row, column = divmod(number, 3)
        height, width = inside.shape[0] // 2, inside.shape[1] // 3
        pane = inside[row * height : (row + 1) * height, column * width : (column + 1) * width]
        found[name] = share(pane[TITLE:-FRAME, FRAME:-FRAME])
    return found


def share(pane: NDArray[np.int32]) -> float:
    """The share of pixels that are not of about the commonest colour."""
    colours, counts = np.unique(pane.reshape(-1, 3), axis=0, return_counts=True)
    common = colours[np.argmax(counts)]
    return float(np.mean(np.abs(pane - common).sum(axis=2) > CONTRAST))


def main() -> int:
    """Run and print; 1 if a pane stays blank."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chromium", help="program")
    parser.add_argument("source", help="recording in MCAP, or the endpoint of an agent")
    parser.add_argument("--png", type=Path, help="the last picture")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    recording = arguments.source.endswith(".mcap")
    code = "from tolman.launch.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, "dashboard", arguments.source, "--port", str(free_port())]
    command += ["--data-port", str(free_port()), *(["--speed", "0"] if recording else ["--rate", "2"])]
    debugging = free_port()
    with (
        tempfile.TemporaryDirectory() as profile,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dashboard,
    ):
        assert dashboard.stdout is not None
        address = re.sub(r"^open ", "", dashboard.stdout.readline()).strip()
        browser = subprocess.Popen(
            [
                arguments.chromium,
                *("--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu-sandbox"),
                *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
                f"--remote-debugging-port={debugging}",
                f"--user-data-dir={profile}",
                f"--window-size={SIZE[0]},{SIZE[1]}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        try:
            page, begin = Page(debugging, address), time.monotonic()
            while True:
                time.sleep(EVERY)
                picture = page.picture()
                found, spent = drawn(picture), time.monotonic() - begin
                if all(part >= DRAWN for part in found.values()) or spent > WITHIN:
                    break
        finally:
            browser.terminate()
            browser.wait()
            dashboard.terminate()
    blank = [name for name, part in found.items() if part < DRAWN]
    print(f"{len(PANES) - len(blank)} of {len(PANES)} panes drawn after {spent:.0f} s", *blank, sep="\n")
    if arguments.png:
        picture.save(arguments.png)
    if arguments.json:
        source = "recording" if recording else "agent"
        result = {"source": source, "seconds": spent, "drawn": found, "blank": blank}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if blank else 0


if __name__ == "__main__":
    sys.exit(main())
