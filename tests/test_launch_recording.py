"""The verbs that make and read recordings, and their complaints."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tolman.bridge.messages import message_class, serialize
from tolman.bridge.recording.reader import Recording
from tolman.bridge.recording.writer import RecordingWriter
from tolman.bridge.topics import TOPICS

pytest.importorskip("mcap")
Tolman = Callable[..., tuple[int, str, str]]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "drive.mcap"
    payload = bytes(serialize(message_class("std_msgs/msg/String")(data="hello")))
    with RecordingWriter(path) as writer:
        for k in range(100):
            channel = writer.channel(f"/topic_{k % 2}", "std_msgs/msg/String")
            time = 10**18 + k * 50_000_000
            writer.write(channel, payload, log_time=time, publish_time=time)
    return path


def test_inspect_says_what_there_is(tolman: Tolman, recording: Path, tmp_path: Path) -> None:
    code, out, _ = tolman("inspect", recording, "--json", tmp_path / "said.json")
    assert code == 0
    assert "100 messages in 4.950 s" in out
    assert "complete" in out
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["complete"] is True
    assert (said["messages"], said["lost_messages"]) == (100, 0)
    assert said["duration_s"] == pytest.approx(4.95)
    assert [(t["name"], t["type"], t["messages"]) for t in said["topics"]] == [
        ("/topic_0", "std_msgs/msg/String", 50),
        ("/topic_1", "std_msgs/msg/String", 50),
    ]


def test_inspect_says_what_is_missing(tolman: Tolman, recording: Path, tmp_path: Path) -> None:
    data = recording.read_bytes()
    recording.write_bytes(data[: len(data) * 3 // 10])
    code, out, _ = tolman("inspect", recording, "--json", tmp_path / "said.json")
    assert code == 0
    assert "incomplete: it was cut off or is still being written" in out
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["complete"] is False
    assert said["lost_messages"] is None  # nobody knows how many there were
    assert 0 < said["messages"] < 100


def test_replay_publishes_all(tolman: Tolman, recording: Path, endpoint: str) -> None:
    code, out, err = tolman(
        "replay", recording, "--endpoint", endpoint, "--speed", "0", "--topics", "/topic_1"
    )
    assert (code, err) == (0, "")
    assert "published 50 messages of 1 topics" in out


def test_mistakes_are_one_line(tolman: Tolman, recording: Path, endpoint: str, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.mcap"
    garbage.write_bytes(bytes(range(256)) * 40)
    before = sorted(p.name for p in tmp_path.iterdir())
    for arguments, said in [
        (("inspect", garbage), "is not an MCAP file"),
        (("replay", garbage), "is not an MCAP file"),
        (("view", garbage, "--output", tmp_path / "x.png"), "is not an MCAP file"),
        (("view", recording, "--output", tmp_path / "x.png"), "no state of an agent"),
        (("view", recording, "--output", tmp_path / "x.txt"), "kind of picture"),
        (("view", recording, "--encoding"), "recording of events"),
        (("inspect", tmp_path / "absent.mcap"), "No such file"),
        (("inspect", tmp_path), "Is a directory"),
        (("replay", recording, "--speed", "-1"), "--speed must be >= 0"),
        (("replay", recording, "--speed", "nan"), "--speed must be >= 0"),
        (("replay", recording, "--topics", "/nope"), "has no /nope"),
        (("replay", recording, "--endpoint", "tcp://8.8.8.8:80"), "loopback"),
        (("record", tmp_path / "x.bag"), "ends in .mcap"),
        (("record", recording), "exists already"),
        (("record", tmp_path / "x.mcap", endpoint, "--topics", "odom"), "begins with a slash"),
        (("record", tmp_path / "x.mcap", endpoint, "--seconds", "0"), "--seconds must be > 0"),
        (("record", tmp_path / "x.mcap", endpoint, "--seconds", "0.1"), "nothing was published"),
        (("run", "WaterMaze", "--record", recording), "exists already"),
    ]:
        code, _, err = tolman(*arguments)
        assert code == 2, arguments
        assert err.count("\n") == 1, err
        assert said in err
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_without_the_package_the_extra_is_named(
    tolman: Tolman, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "mcap"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "mcap", None)
    for arguments in (("inspect", recording), ("record", tmp_path / "new.mcap", "--seconds", "0.1")):
        code, _, err = tolman(*arguments)
        assert code == 2
        assert "pip install 'tolman[record]'" in err
    assert not (tmp_path / "new.mcap").exists()


@pytest.mark.usefixtures("spiking_double")
def test_run_records_every_period_and_view_draws_it(tolman: Tolman, tmp_path: Path) -> None:
    path, picture = tmp_path / "run.mcap", tmp_path / "run.png"
    settings = ("--set", "environment.time_limit=2", "--set", "habituation=0", "--seed", "3")
    code, _, err = tolman("run", "WaterMaze", *settings, "--record", path)
    assert code == 0, err
    with Recording(path) as made:
        counts = {t.name: t.messages for t in made.topics}
        assert made.complete
    assert {counts[t.name] for t in TOPICS.values() if t.each_period} == {50}
    assert counts["/arena"] >= 1
    code, out, err = tolman("view", path, "--output", picture)
    assert code == 0, err
    assert "2.0 s of the agent's time" in out
    assert picture.exists()
