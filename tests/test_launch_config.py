"""Configuration: strict keys, types and values; file, settings and arguments in that order."""

from __future__ import annotations

from pathlib import Path

import pytest
from tolman.launch.config import (
    config_hash,
    differences,
    from_builtins,
    load,
    parse_setting,
    shipped_names,
    to_builtins,
)
from tolman.launch.environments import make_environment
from tolman.launch.errors import UserError
from tolman.launch.seeds import environment_seed, parse_seeds


def test_defaults_survive_a_round_trip_through_plain_values() -> None:
    config = load(settings=["environment.camera.width=64", "environment.noise.gyro_bias=0.1"])
    assert config.environment.camera is not None
    assert config.environment.camera.azimuths.shape == (
        64,
    )  # cached on the record, must not leak into its values
    assert from_builtins(to_builtins(config), "here") == config
    assert config_hash(from_builtins(to_builtins(config), "here")) == config_hash(config)


def test_only_the_water_maze_is_explored_first_unless_asked() -> None:
    assert load().exploration == 300.0
    assert load(settings=["task=OpenField"]).exploration == 0.0
    assert load(settings=["task=tolman/WaterMaze-v0", "habituation=5"]).exploration == 5.0
    assert load(settings=["task=tolman/OpenField-v0", "habituation=5"]).exploration == 5.0
    assert load(Path("demo")).exploration == 300.0


def test_settings_override_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text("trials = 7\n[environment]\ntime_limit = 20\n[agent]\nlearning = false\n")
    config = load(file, ["trials=9", "environment.renderer=pybullet"])
    assert (config.trials, config.environment.time_limit, config.agent.learning) == (9, 20.0, False)
    assert config.environment.renderer == "pybullet"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("trails = 7", ["unknown key trails", "trials"]),
        ("[environment]\nrender = 'raycast'", ["unknown key environment.render", "renderer"]),
        ("[environment.noise]\ngyro = 1.0", ["unknown key environment.noise.gyro", "gyro_bias"]),
        ("[agent]\nlerning = true", ["unknown key agent.lerning", "learning"]),
        ("trials = 'many'", ["trials", "int", "str"]),
        ("trials = 0", ["trials must be >= 1, got 0"]),
        ("habituation = -1.0", ["habituation must be >= 0"]),
        ("habituation = nan", ["habituation", "not a number"]),
        ("seed = -4", ["seed must be >= 0, got -4"]),
        ("[environment]\ntime_limit = -1", ["time_limit must be > 0 s"]),
        ("[environment]\nrenderer = 'crayons'", ["environment.renderer", "crayons"]),
        ("[environment.camera]\nwidth = -3", ["camera width"]),
        ("environment = 3", ["environment", "int"]),
        ("algorithm = 'magic'", ["algorithm", "magic"]),
        ("trials = ", ["not valid TOML"]),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, parts: list[str]) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(UserError) as refused:
        load(file)
    for part in [str(file), *parts]:
        assert part in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused_and_the_shipped_ones_are_named() -> None:
    assert "demo" in shipped_names()
    with pytest.raises(UserError, match=r"no configuration file nowhere.toml .*demo"):
        load(Path("nowhere.toml"))


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_experiments_load(name: str) -> None:
    assert load(Path(name)).trials >= 1


def test_a_task_is_built_with_its_options() -> None:
    config = load(settings=["task=TMaze", "environment.options.delay=2.5"])
    environment = make_environment(config.task, config.environment)
    assert environment.unwrapped.task.delay == 2.5  # type: ignore[attr-defined]
    environment.close()
    assert from_builtins(to_builtins(config), "here") == config
    for option, message in (("dela", "environment.options.dela is not an option"), ("time_limit", "set env")):
        with pytest.raises(UserError, match=message):
            make_environment("TMaze", load(settings=[f"environment.options.{option}=2"]).environment)


def test_settings_are_toml_or_bare_words() -> None:
    assert parse_setting("a.b=[1, 2]") == {"a": {"b": [1, 2]}}
    assert parse_setting("a=raycast") == {"a": "raycast"}
    assert parse_setting("a='x=y'") == {"a": "x=y"}
    for bad in ("trials", "=3", "a..b=3"):
        with pytest.raises(UserError, match="key=value"):
            parse_setting(bad)


def test_the_hash_ignores_the_seed_and_nothing_else() -> None:
    reference = load()
    assert config_hash(load(settings=["seed=5"])) == config_hash(reference)
    changed = load(settings=["environment.time_limit=30"])
    assert config_hash(changed) != config_hash(reference)
    assert differences(reference, changed) == ["environment.time_limit"]


def test_seeds() -> None:
    assert parse_seeds("7") == [7]
    assert parse_seeds("0,3,9") == [0, 3, 9]
    assert parse_seeds("100..104") == [100, 101, 102, 103, 104]
    assert parse_seeds("1..3,2,8") == [1, 2, 3, 8]
    for bad in ("", "a", "1...3", "-1", "5..1", "1,,2", "0..999999999"):
        with pytest.raises(UserError, match="seeds"):
            parse_seeds(bad)
    assert environment_seed(3) == environment_seed(3) != environment_seed(4)
