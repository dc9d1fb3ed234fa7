"""The Rerun dashboard: every pane has data, its server listens on the loopback interface alone."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from live_agent import WALLS, driving, free_port, listening, period
from tolman.bridge.exceptions import BridgeError, NothingPublishing
from tolman.bridge.state_recording import StateRecorder
from tolman.bridge.viewers.history import PATH_LENGTH
from tolman.bridge.viewers.history import Path as DrivenPath
from tolman.bridge.viewers.raster import MAX_ROWS, population_rows
from tolman.bridge.viewers.rate_maps import BINS, RateMaps
from tolman.launch.cli import main

pytest.importorskip("rerun")
reader = pytest.importorskip("rerun.chunk")  # newer versions of rerun-sdk

from tolman.bridge import rerun_view  # noqa: E402  # after the skip
from tolman.bridge.viewers.rerun_live import save, serve  # noqa: E402
from tolman.bridge.viewers.rerun_recording import save_recording, serve_recording  # noqa: E402
from tolman.bridge.viewers.rerun_server import RerunServer  # noqa: E402

PANES = {
    "arena": {
        "arena/walls",
        "arena/goal",
        "arena/places",
        "arena/true/path",
        "arena/true/robot",
        "arena/estimate/path",
        "arena/estimate/robot",
    },
    "rate maps": {"rate_maps/image", "rate_maps/labels"},
    "spikes": {"spikes/place", "spikes/ca3", "spikes/labels"},
    "events": {"events/image"},
    "signals": {"signals/dopamine", "signals/value", "signals/reward"},
    "robot": {
        "world/floor",
        "world/walls",
        "world/goal",
        "world/path",
        "world/robot",
        "world/robot/body",
        "world/estimate",
        "world/estimate/body",
    },
}


def rows_by_entity(file: Path) -> dict[str, int]:
    """Rows logged to each entity of the recording (not of the blueprint) in a file."""
    found: dict[str, int] = {}
    for chunk in reader.RrdReader(str(file)).stream():
        name = str(chunk.entity_path).strip("/")
        found[name] = found.get(name, 0) + chunk.num_rows
    return found


def test_every_entity_of_every_pane_has_data(endpoint: str, tmp_path: Path) -> None:
    file = tmp_path / "run.rrd"
    with driving(endpoint):
        report = save(endpoint, file, seconds=2.0)
    assert report.lost == 0
    assert report.messages > 1000
    assert report.updates <= 2.0 * 5.0 + 2
    assert [path.name for path in tmp_path.iterdir()] == ["run.rrd"]
    rows = rows_by_entity(file)
    for pane, entities in PANES.items():
        assert {e for e in entities if not rows.get(e)} == set(), pane
    assert rows["signals/dopamine"] > 100  # every period, though drawn at a lower rate
    assert rows["events/image"] <= report.updates
    assert rows["rate_maps/image"] <= report.updates / 4 + 2


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of an agent in a recording."""
    file = tmp_path_factory.mktemp("recorded") / "run.mcap"
    with StateRecorder(file, width=128, height=32) as agent:
        agent.set_populations({"place": slice(0, 100), "ca3": slice(100, 1000)})
        agent.set_arena(WALLS, goal=(0.3, 0.2), goal_radius=0.1, map_origin=(0.0, 0.0, 0.0))
        for number in range(1, 251):
            snapshot, seen = period(number)
            agent.publish(snapshot, seen, reward=float(number % 50 == 0), true_pose=snapshot.pose_estimate)
    return file


def test_a_recording_fills_every_pane_too(recorded: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.rrd"
    assert main(["dashboard", str(recorded), "--save", str(file)]) == 0
    rows = rows_by_entity(file)
    for pane, entities in PANES.items():
        assert {e for e in entities if not rows.get(e)} == set(), pane
    assert rows["signals/dopamine"] == 250 + 1  # and how the line looks
    assert 45 <= rows["events/image"] <= 55  # five a second of recorded time
    report = save_recording(recorded, file, seconds=2.0)
    assert report.agent_seconds == pytest.approx(2.04)
    assert report.messages == 51 * 11 + 2


def test_a_recording_is_served_at_its_own_pace_or_faster(recorded: Path) -> None:
    with RerunServer(0, 0) as server:
        began = time.monotonic()
        report = serve_recording(recorded, server, seconds=2.0, speed=4.0)
        assert time.monotonic() - began > 0.4
        assert report.updates <= 5
        assert serve_recording(recorded, server, seconds=5.0, speed=0.0).messages == 126 * 11 + 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
def test_the_server_listens_on_the_loopback_interface_and_sends_no_telemetry(endpoint: str) -> None:
    with RerunServer(0, 0) as server:
        bound = listening(server.process)
        assert len(bound) == 2
        assert set(bound.values()) == {"0100007F"}
        assert int(server.data_url.rsplit(":", 1)[1].split("/")[0]) in bound
        with driving(endpoint):
            assert serve(endpoint, server, seconds=0.6).messages > 100
        assert set(listening(os.getpid()).values()) <= {"0100007F"}
        data = server._home / "data"
        assert not [path for path in data.rglob("*") if path.is_file()]
    assert not server.running
    assert not server._home.exists()


def test_the_page_may_talk_to_this_machine_only() -> None:
    with RerunServer(0, 0) as server:
        root, data = (
            server.page.split("?", 1)[0],
            server.data_url.removeprefix("rerun+").removesuffix("/proxy"),
        )
        with urllib.request.urlopen(server.page, timeout=5) as page:
            allowed = dict(rule.split(" ", 1) for rule in page.headers["Content-Security-Policy"].split("; "))
            html = page.read().decode()
        assert allowed["default-src"] == "'none'"
        assert allowed["connect-src"] == f"'self' {data}"
        assert all("http" not in sources for kind, sources in allowed.items() if kind != "connect-src")
        assert "re_viewer.js" in html
        assert "<link" in html
        assert not re.search(r"<link[^>]*https?:", html)
        with urllib.request.urlopen(f"{root}re_viewer.js", timeout=5) as script:
            assert script.headers["Content-Security-Policy"]
            assert len(script.read()) > 10_000
        for other in ("sw.js", "../etc/passwd", "proxy"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{root}{other}", timeout=5)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_a_terminated_dashboard_leaves_no_server_behind(endpoint: str) -> None:
    ports = ["--port", str(free_port()), "--data-port", str(free_port())]
    command = [sys.executable, "-m", "tolman.launch.cli", "dashboard", endpoint, *ports]
    with driving(endpoint), subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{ports[1]}/?url=" in process.stdout.readline()
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "of the agent's time" in rest
    for port in ports[1::2]:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(port))) != 0


def test_a_server_whose_port_is_taken_is_refused() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(BridgeError, match=f"cannot serve the dashboard at 127.0.0.1:{port}"):
            RerunServer(port, 0)


def test_a_file_is_whole_or_not_there(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(NothingPublishing):
        save(endpoint, tmp_path / "run.rrd", timeout=0.2)
    with pytest.raises(BridgeError, match=r"ends in \.rrd"):
        save(endpoint, tmp_path / "run.mp4")
    with pytest.raises(BridgeError, match="does not exist"):
        save(endpoint, tmp_path / "nowhere" / "run.rrd")
    assert not list(tmp_path.iterdir())


def test_the_verb_refuses_in_one_line(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (
        ["--save", "run.mp4"],
        ["--save", "run.rrd", "--port", "9"],
        ["--seconds", "0"],
        ["--port", "70000"],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--speed", "2"],
    ):
        assert main(["dashboard", endpoint, *arguments]) == 2
        error = capsys.readouterr().err
        assert error.startswith("tolman: error: ")
        assert error.count("\n") == 1
    (tmp_path / "empty.mcap").write_bytes(b"")
    for arguments in ([str(tmp_path / "no.mcap")], [str(tmp_path / "empty.mcap")]):
        assert main(["dashboard", *arguments]) == 2
        assert capsys.readouterr().err.startswith("tolman: error: ")
    monkeypatch.setitem(sys.modules, "rerun", None)
    for module in ("rerun_live", "rerun_view"):
        monkeypatch.delitem(sys.modules, f"tolman.bridge.{module}")
    assert main(["dashboard", endpoint]) == 2
    assert "pip install 'tolman[rerun]'" in capsys.readouterr().err


def test_paths_are_bounded_and_cut_at_gaps() -> None:
    path = DrivenPath()
    for number in range(2 * PATH_LENGTH):
        path.add(number * 1e-3 + (5.0 if number > 2 * PATH_LENGTH - 500 else 0.0), 0.0, 0.0)
    strips = rerun_view._strips(path.points[-rerun_view.PATH_POSES :])
    assert len(strips) == 2
    assert sum(map(len, strips)) <= rerun_view.PATH_POINTS + 2
    assert strips[1][-1, 0] == pytest.approx(2 * PATH_LENGTH * 1e-3 + 5.0, abs=2e-3)
    assert all(np.isfinite(strip).all() for strip in strips)


def test_rate_maps_find_the_fields_and_divide_by_the_time_spent() -> None:
    generator = np.random.default_rng(3)
    centres = np.array([[-0.5, -0.5], [0.5, 0.5], [0.5, -0.5]])
    maps = RateMaps(np.array([-1.0, -1.0]), np.array([1.0, 1.0]))
    for _ in range(20_000):
        position = generator.beta([1.0, 1.0], [2.0, 1.0]) * 2.0 - 1.0  # more often on the left
        rates = 20.0 * np.exp(-((position - centres) ** 2).sum(axis=1) / (2 * 0.15**2))
        maps.add(np.append(rates, [0.0, np.nan]), position)
    cells, found = maps.best(9)
    assert cells.tolist() == [0, 1, 2]  # silent cells are not shown
    for centre, rate in zip(centres, found, strict=True):
        row, column = np.unravel_index(np.nanargmax(rate), rate.shape)
        at = (np.array([column, row]) + 0.5) / BINS * 2.0 - 1.0
        assert np.hypot(*(at - centre)) < 0.12
        assert np.nanmax(rate) == pytest.approx(16.0, abs=1.5)  # 20 Hz, smoothed
    maps.add(np.ones(5), np.array([np.nan, 0.0]))
    maps.add(np.ones(5), np.array([7.0, 0.0]))
    assert np.isfinite(maps.best(1)[1]).any()


def test_a_bin_never_visited_has_no_rate() -> None:
    maps = RateMaps(np.zeros(2), np.ones(2))
    maps.add(np.array([5.0]), np.array([0.01, 0.01]))
    _, (rate,) = maps.best(4)
    assert np.isfinite(rate).sum() == 1
    assert rate[0, 0] > 0.0


def test_populations_that_differ_in_a_number_share_a_band() -> None:
    many = {f"grid_{k}": (10 * k, 10 * k + 10) for k in range(20)} | {"place": (200, 300)}
    rows = population_rows(many, 300)
    assert [row.name for row in rows] == ["grid", "place"]
    assert (rows[0].first, rows[0].stop) == (0, 200)
    assert rows[0].top < rows[1].bottom
    assert len(population_rows({str(k): (k, k + 1) for k in range(50)}, 50)) <= MAX_ROWS
