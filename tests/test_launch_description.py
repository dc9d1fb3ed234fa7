"""Descriptions of processes: what is wrong is named, with what is allowed, before anything starts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tolman.launch.config import load
from tolman.launch.description import (
    AgentProcess,
    CommandProcess,
    Description,
    EnvironmentProcess,
    started_in_order,
)
from tolman.launch.description_file import read, settings_of, shipped_names
from tolman.launch.errors import UserError
from tolman.launch.launching import jobs_of

Tolman = Callable[..., tuple[int, str, str]]

FINE = """
endpoint = "tcp://127.0.0.1:21949"
stop_timeout = 2

[experiment]
task = "WaterMaze"
habituation = 0
environment.camera.width = 64
environment.options = {}

[processes.agent]
run = "agent"
after = ["world"]
restart = "on-failure"
environment = { COLOUR = "none" }

[processes.world]
run = "environment"
episodes = 3
mode = "real-time"
required = true

[processes.mine]
command = ["python", "-c", "pass"]
stop_timeout = 0.5
"""


def test_a_description_is_read_with_its_types(tmp_path: Path) -> None:
    file = tmp_path / "fine.toml"
    file.write_text(FINE)
    description = read(str(file))
    world, agent, mine = (description.processes[name] for name in ("world", "agent", "mine"))
    assert isinstance(world, EnvironmentProcess)
    assert isinstance(agent, AgentProcess)
    assert isinstance(mine, CommandProcess)
    assert (world.episodes, world.mode, world.required) == (3, "real-time", True)
    assert (agent.after, agent.restart, agent.environment) == (("world",), "on-failure", {"COLOUR": "none"})
    assert started_in_order(description) == ["world", "agent", "mine"]
    jobs = {job.name: job for job in jobs_of(description)}
    assert jobs["mine"].command == (sys.executable, "-c", "pass")
    assert (jobs["mine"].stop_timeout, jobs["world"].stop_timeout) == (0.5, 2.0)
    assert jobs["agent"].variables["COLOUR"] == "none"
    assert "COLOUR" not in jobs["world"].variables
    assert jobs["world"].variables["TOLMAN_ENDPOINT"] == "tcp://127.0.0.1:21949"


def test_the_nodes_are_told_the_experiment(tmp_path: Path) -> None:
    file = tmp_path / "fine.toml"
    file.write_text(FINE)
    command = next(job.command for job in jobs_of(read(str(file))) if job.name == "agent")
    settings = [command[k + 1] for k, part in enumerate(command) if part == "--set"]
    config = load(settings=settings)
    assert (config.task, config.habituation) == ("WaterMaze", 0.0)
    assert config.environment.camera is not None
    assert config.environment.camera.width == 64


def test_values_survive_the_way_over_the_command_line() -> None:
    experiment = {
        "task": 'a "quoted" name', "agent": {"learning": False}, "seed": 7,
        "environment": {"goal": [0.25, -1e-07], "time_limit": float("inf"), "options": {"delay": "x=y"}},
    }  # fmt: skip
    from tolman.launch.config import parse_setting

    read_back = {setting.partition("=")[0]: parse_setting(setting) for setting in settings_of(experiment)}
    assert read_back["task"] == {"task": 'a "quoted" name'}
    assert read_back["agent.learning"] == {"agent": {"learning": False}}
    assert read_back["environment.goal"] == {"environment": {"goal": [0.25, -1e-07]}}
    assert read_back["environment.time_limit"] == {"environment": {"time_limit": float("inf")}}
    assert read_back["environment.options.delay"] == {"environment": {"options": {"delay": "x=y"}}}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["no processes"]),
        ("processes = 3", ["no processes"]),
        ("[processes.a]", ["processes.a needs either run or command"]),
        ('[processes.a]\nrun = "agent"\ncommand = ["x"]', ["either run or command"]),
        ('[processes.a]\nrun = "dance"', ["processes.a.run is 'dance'", "environment, agent, view, record"]),
        (
            '[processes.a]\nrun = "agent"\nspeed = 3',
            ["unknown key processes.a.speed", "checkpoint", "restart"],
        ),
        ('[processes.a]\nrun = "agent"\nrequired = "yes"', ["processes.a", "required", "bool"]),
        ('[processes.a]\nrun = "agent"\nrestart = "maybe"', ["restart", "'never', 'on-failure', 'always'"]),
        ('[processes.a]\nrun = "agent"\nafter = ["b"]', ["processes.a.after names 'b'", "there are a"]),
        ('[processes.a]\nrun = "agent"\nback_off = -1', ["back_off must be > 0 s", "-1"]),
        ('[processes.a]\nrun = "agent"\nback_off = nan', ["back_off must be > 0 s", "nan"]),
        ('[processes.a]\nrun = "agent"\nmax_restarts = -1', ["max_restarts must be >= 0"]),
        ('[processes.a]\nrun = "environment"\nepisodes = 0', ["episodes must be >= 1"]),
        ('[processes.a]\nrun = "environment"\nmode = "fast"', ["mode", "'lockstep', 'real-time'"]),
        ('[processes.a]\nrun = "view"\nseconds = 0', ["seconds must be > 0"]),
        ('[processes.a]\nrun = "record"', ["processes.a", "output"]),
        ('[processes."a b"]\nrun = "agent"', ["letters, digits"]),
        ("[processes.a]\ncommand = []", ["command must name a program"]),
        ('[processes.a]\ncommand = ["no-such-program-1948"]', ["there is no program no-such-program-1948"]),
        ('[processes.a]\ncommand = ["python"]\ndirectory = "gone"', ["directory gone does not exist"]),
        ('[processes.a]\nrun = "agent"\ncheckpoint = "gone"', ["processes.a: no checkpoint at gone"]),
        ('[processes.a]\nrun = "agent"\nenvironment = { "A=B" = "1" }', ["'A=B' cannot be the name"]),
        ('speed = 1\n[processes.a]\nrun = "agent"', ["unknown key speed", "top level", "endpoint"]),
        ('stop_timeout = 0\n[processes.a]\nrun = "agent"', ["stop_timeout must be > 0 s"]),
        ('endpoint = "tcp://10.0.0.1:4"\n[processes.a]\nrun = "agent"', ["endpoint", "loopback"]),
        ('config = "gone"\n[processes.a]\nrun = "agent"', ["no configuration file gone", "demo"]),
        ('experiment.sed = 1\n[processes.a]\nrun = "agent"', ["unknown key sed", "seed"]),
        ('experiment.task = "Nowhere"\n[processes.a]\nrun = "agent"', ["unknown task 'Nowhere'"]),
        ('experiment.algorithm = "oracle"\n[processes.a]\nrun = "agent"', ["oracle", "true pose"]),
        (
            '[processes.a]\nrun = "agent"\nafter = ["b"]\n[processes.b]\nrun = "view"\nafter = ["a"]',
            ["circle: a after b after a"],
        ),
        ("[processes.a", ["not valid TOML"]),
    ],
)
def test_mistakes_are_one_line(
    text: str, parts: list[str], tolman: Tolman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text(text)
    code, out, err = tolman("launch", "bad.toml")
    assert code == 2
    assert out == ""
    assert err.startswith("tolman: error: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err


def test_files_that_are_no_descriptions(tolman: Tolman, tmp_path: Path) -> None:
    assert "descriptions that ship: water_maze" in tolman("launch", "gone")[2]
    other = tmp_path / "x.yaml"
    other.write_text("")
    assert "must end in .toml or .py" in tolman("launch", other)[2]


def test_those_that_ship_are_fine(tolman: Tolman) -> None:
    assert shipped_names() == ["water_maze"]
    for name in shipped_names():
        code, out, _ = tolman("launch", name, "--check")
        assert code == 0
        assert "node environment" in out
        assert "node agent" in out


def test_a_description_in_python(tmp_path: Path) -> None:
    file = tmp_path / "many.py"
    file.write_text(
        "from tolman.launch.description import AgentProcess, CommandProcess, Description\n"
        "def description():\n"
        "    echoes = {f'echo_{k}': CommandProcess(command=('echo', str(k))) for k in range(3)}\n"
        "    return Description(processes={'agent': AgentProcess(required=True), **echoes},\n"
        "                       experiment={'seed': 4})\n"
    )
    description = read(str(file))
    assert isinstance(description, Description)
    assert list(description.processes) == ["agent", "echo_0", "echo_1", "echo_2"]
    assert description.processes["echo_2"] == CommandProcess(command=("echo", "2"))
    assert description.experiment == {"seed": 4}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x = 1\n", ["defines no function description()"]),
        ("def description():\n    return 3\n", ["must return a Description, got int"]),
        ("def description():\n    return 1 / 0\n", [".py:2: ZeroDivisionError"]),
        ("def description(:\n", [".py:1: SyntaxError"]),
        (
            "from tolman.launch.description import *\n"
            "def description():\n"
            "    return Description(processes={'a': AgentProcess(required='yes')})\n",
            ["processes.a", "required", "bool"],
        ),
        (
            "from tolman.launch.description import *\n"
            "def description():\n    return Description(processes={'a': 3})\n",
            ["processes.a must be one of"],
        ),
    ],
)
def test_mistakes_in_python_are_one_line(text: str, parts: list[str], tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(text)
    with pytest.raises(UserError) as refusal:
        read(str(file))
    assert "\n" not in str(refusal.value)
    for part in parts:
        assert part in str(refusal.value)
