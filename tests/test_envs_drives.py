"""Recorded drives: what the reader takes, what it refuses in one line, and exact arcs in whole periods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scripts import load
from tolman.envs.drive_motion import DeadReckoning, carried, command_lag, motion, path_of, relative
from tolman.envs.drives import (
    Drive,
    DriveError,
    Odometry,
    Sightings,
    open_drive,
    read_odometry,
    read_trajectory,
)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Arrays = dict[str, NDArray[Any]]


def arrays(n: int = 200, seed: int = 0) -> Arrays:
    """A small drive in the odometry form, whole."""
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.uniform(0.005, 0.05, n))
    return {
        "odometry_t": t,
        "odometry_v": rng.uniform(0.0, 0.2, n),
        "odometry_w": rng.uniform(-0.5, 0.5, n),
        "ground_truth_t": t[5::4],
        "ground_truth_x": rng.normal(size=t[5::4].size),
        "ground_truth_y": rng.normal(size=t[5::4].size),
        "ground_truth_theta": rng.uniform(-3.0, 3.0, t[5::4].size),
        "measurement_t": np.linspace(t[10], t[-10], 12),
        "measurement_subject": np.array([6, 7, 8, 1, 5, -1, 6, 7, 8, 20, 6, 7], np.float64),
        "measurement_range": rng.uniform(1.0, 5.0, 12),
        "measurement_bearing": rng.uniform(-0.5, 0.5, 12),
    }


def test_robots_and_unknown_codes_are_no_landmarks() -> None:
    drive = read_odometry(arrays())
    assert drive.sightings.landmark.tolist() == [6, 7, 8, 6, 7, 8, 20, 6, 7]
    assert [note.split(" left")[0] for note in drive.notes] == [
        "2 sightings of other robots",
        "1 sightings of unknown codes",
    ]
    assert drive.start_time == arrays()["ground_truth_t"][0]


def test_barcodes_are_looked_up_where_subjects_are_missing() -> None:
    whole = arrays()
    subjects = whole.pop("measurement_subject")
    whole["measurement_barcode"] = subjects * 10.0
    whole["barcodes"] = np.column_stack([np.arange(1, 21), np.arange(1, 21) * 10.0])
    assert read_odometry(whole).sightings.landmark.tolist() == [6, 7, 8, 6, 7, 8, 20, 6, 7]


def test_without_truth_the_drive_begins_at_the_origin() -> None:
    bare = {name: array for name, array in arrays().items() if name.startswith("odometry")}
    drive = read_odometry(bare)
    assert drive.truth is None
    np.testing.assert_array_equal(drive.start, 0.0)
    assert drive.start_time == bare["odometry_t"][0]


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(arrays())),
    damage=st.sampled_from(["nan", "inf", "short", "flat", "text", "huge", "backwards", "gone", "empty"]),
    at=st.integers(0, 10),
)
def test_damaged_arrays_are_one_line_or_a_sound_drive(name: str, damage: str, at: int) -> None:
    whole = arrays()
    array = whole[name].copy()
    if damage in ("nan", "inf", "huge"):
        array[at] = {"nan": np.nan, "inf": np.inf, "huge": 1e300}[damage]
    elif damage == "short":
        array = array[: -1 - at]
    elif damage == "flat":
        array = array[None]
    elif damage == "text":
        array = array.astype("U8")
    elif damage == "backwards":
        array = array[::-1]
    elif damage == "empty":
        array = array[:0]
    whole[name] = array
    if damage == "gone":
        del whole[name]
    numbers = {key: value for key, value in whole.items() if value.dtype.kind in "uifb"}
    if "odometry_t" not in numbers:
        return
    said = ""
    try:
        sound(read_odometry(numbers))
    except DriveError as error:
        said = str(error)
    assert "\n" not in said


def sound(drive: Drive) -> None:
    assert drive.odometry is not None
    for column in (drive.odometry.t, drive.odometry.speed, drive.odometry.turn_rate, drive.start):
        assert np.all(np.isfinite(column))
    assert np.all(np.diff(drive.odometry.t) >= 0.0)
    assert np.all(np.diff(drive.sightings.t) >= 0.0)
    assert np.all(drive.sightings.range > 0.0)
    moves = motion(drive, path_of(drive), 0.04)
    assert np.all(np.isfinite(moves.displacement))
    assert moves.t[-1] >= drive.end_time - 1e-6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"odometry_v": np.full(200, np.nan)}, "odometry_v is nan at sample 0"),
        ({"odometry_t": np.linspace(10.0, 0.0, 200)}, "odometry_t goes back at sample 1"),
        ({"odometry_t": np.full(200, 3.0)}, "never moves on"),
        ({"odometry_t": np.linspace(0.0, 1e9, 200)}, "a drive may last"),
        ({"odometry_w": np.full(200, 99.0)}, "odometry_w must lie within"),
        ({"measurement_range": np.full(12, -1.0)}, "measurement_range must be > 0 m"),
        ({"measurement_subject": np.full(12, 6.5)}, "whole numbers"),
        ({"ground_truth_t": np.linspace(1e4, 2e4, 49)}, "no time in common"),
    ],
)
def test_what_is_wrong_is_named(change: Arrays, said: str) -> None:
    with pytest.raises(DriveError, match=said):
        read_odometry(arrays() | change)


def test_a_trajectory_leaves_out_where_the_animal_was_lost() -> None:
    t = np.array([0.0, 0.1, 0.2, 0.2, 0.3, 0.4])
    pos = np.column_stack([np.arange(6.0) * 0.01, np.zeros(6)])
    pos[1] = np.nan
    drive = read_trajectory({"t": t, "pos": pos})
    assert drive.truth is not None
    assert drive.truth.t.tolist() == [0.0, 0.2, 0.3, 0.4]  # of two samples at 0.2 s the last
    assert drive.truth.pose[1, 0] == 0.03
    assert drive.notes == ("1 samples without a position left out",)
    with pytest.raises(DriveError, match="jumps"):
        read_trajectory({"t": t, "pos": pos * 1e6})
    with pytest.raises(DriveError, match=r"pos \(n, 2\)"):
        read_trajectory({"t": t, "pos": pos[:, :1]})


def test_other_files_are_left_to_others(tmp_path: Path) -> None:
    np.savez(tmp_path / "views.npz", reference=np.zeros(3), query=np.zeros(3))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 no")
    assert open_drive(tmp_path / "views.npz") is None
    assert open_drive(tmp_path / "nowhere.npz") is None
    assert open_drive(tmp_path / "events.raw") is None
    with pytest.raises(DriveError, match="damaged"):
        open_drive(tmp_path / "broken.npz")


def test_a_circle_is_closed_and_repeated_stamps_count_last() -> None:
    w = 0.5
    t = np.array([0.0, 0.0, 1.0, 1.0])
    odometry = Odometry(t, np.array([9.0, 0.3, 0.3, 0.3]), np.array([9.0, w, 9.0, w]))
    around = DeadReckoning(odometry, 0.0, np.array([1.0, 2.0, 0.7])).at(np.array([2.0 * np.pi / w]))
    np.testing.assert_allclose(around[0, :2], (1.0, 2.0), atol=1e-12)
    np.testing.assert_allclose(around[0, 2], 0.7 + 2.0 * np.pi)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), period=st.sampled_from([0.04, 0.1]))
def test_periods_add_up_to_the_whole_path(seed: int, period: float) -> None:
    drive = read_odometry(arrays(seed=seed))
    path = path_of(drive)
    moves = motion(drive, path, period)
    pose = drive.start.copy()
    for step, turn in zip(moves.displacement, moves.turn, strict=True):
        middle = pose[2] + 0.5 * turn
        c, s = np.cos(middle), np.sin(middle)
        pose += (c * step[0] - s * step[1], s * step[0] + c * step[1], turn)
    np.testing.assert_allclose(pose, path.at(moves.t[-1:])[0], atol=1e-9)


def test_a_sighting_is_carried_along_with_the_robot() -> None:
    odometry = Odometry(np.array([0.0, 5.0]), np.array([0.2, 0.2]), np.array([0.3, 0.3]))
    path = DeadReckoning(odometry, 0.0, np.zeros(3))
    seen = Sightings(np.array([1.0]), np.array([6]), np.array([3.0]), np.array([0.4]))
    before, after = path.at(np.array([1.0]))[0], path.at(np.array([1.5]))[0]
    angle = before[2] + 0.4
    place = before[:2] + 3.0 * np.array([np.cos(angle), np.sin(angle)])
    ahead, left = carried(seen, path, np.array([1.5]))[0]
    c, s = np.cos(after[2]), np.sin(after[2])
    found = after[:2] + np.array([c * ahead - s * left, s * ahead + c * left])
    np.testing.assert_allclose(found, place, atol=1e-12)
    step, turn = relative(before[None], after[None])
    assert step[0, 0] > 0.09
    np.testing.assert_allclose(turn, 0.15)


def test_the_lag_of_commands_is_read_from_bearings() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(0.0, 120.0, 0.02)
    w = np.repeat(rng.uniform(-0.5, 0.5, t.size // 50), 50)
    odometry = Odometry(t, np.zeros(t.size), w)
    done = DeadReckoning(odometry, 0.0, np.zeros(3), lag=0.18)
    look = np.arange(1.0, 119.0, 0.25)
    bearing = (1.0 - done.at(look)[:, 2] + rng.normal(0.0, 0.01, look.size) + np.pi) % (2.0 * np.pi) - np.pi
    seen = Sightings(look, np.full(look.size, 6), np.full(look.size, 5.0), bearing)
    assert abs(command_lag(odometry, seen) - 0.18) <= 0.021
    assert command_lag(odometry, Sightings.none()) == 0.0
    simulated = load("simulated_drive").simulated_drive(0, 60.0)  # does what it is told at once, but noisily
    assert command_lag(simulated.odometry, simulated.sightings) == 0.0


@pytest.mark.skipif(not (SHARED / "mrclam6_robot1.npz").is_file(), reason="needs the public recordings")
@pytest.mark.parametrize(("robot", "table"), [(1, (0.126, 0.846, 2.639)), (2, (0.535, 0.805, 3.003))])
def test_dead_reckoning_has_the_published_error(robot: int, table: tuple[float, float, float]) -> None:
    drive = open_drive(SHARED / f"mrclam6_robot{robot}.npz")
    assert drive is not None
    assert drive.truth is not None
    apart = np.hypot(*(path_of(drive).at(drive.truth.t) - drive.truth.pose)[:, :2].T)
    for horizon, error in zip((60.0, 300.0, np.inf), table, strict=True):
        upto = drive.truth.t - drive.start_time <= horizon
        assert abs(np.sqrt(np.mean(apart[upto] ** 2)) - error) < 0.001
