"""What a drive's odometry says about movement: exact arcs between any times, and whole control periods."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .drives import Drive, Odometry, Sightings

Floats = NDArray[np.float64]
LAGS = np.arange(0.0, 0.401, 0.02)  #: s tried by `command_lag`
TELLS = 0.1  #: share of the difference without a lag by which the best one must be better
PAIRS = 100  #: pairs of sightings from which on they tell a lag


class Motion(NamedTuple):
    """Movement in control periods; period k ends at `t[k]`."""

    t: Floats  #: (n,) s
    displacement: Floats  #: (n, 2) m, ahead and to the left of the heading in the middle of the period
    turn: Floats  #: (n,) rad


class DeadReckoning:
    """The path that odometry alone gives, from `start` (3,) at `start_time`, as exact circular arcs.

    Each (v, w) holds until the next; `lag` s is how much later the robot does what the odometry says, which
    matters where that is a log of commands. Before the first sample the robot stands.
    """

    def __init__(self, odometry: Odometry, start_time: float, start: Floats, lag: float = 0.0) -> None:
        t = odometry.t + lag
        last = np.append(np.diff(t) > 0.0, True)
        first = min(start_time, t[0]) - 1.0
        self._t = np.concatenate(([first], t[last]))
        self._v = np.concatenate(([0.0], odometry.speed[last]))
        self._w = np.concatenate(([0.0], odometry.turn_rate[last]))
        self._poses = np.zeros((self._t.size, 3))
        turn = self._w[:-1] * np.diff(self._t)
        self._poses[1:, 2] = np.cumsum(turn)
        steps = _arc(self._poses[:-1, 2], self._v[:-1], turn, np.diff(self._t))
        self._poses[1:, :2] = np.cumsum(steps, axis=0)
        self._turn, self._shift = 0.0, np.zeros((2, 2))
        origin = self._raw(np.array([start_time]))[0]
        self._origin, self._start = origin, np.asarray(start, np.float64)
        self._turn = float(self._start[2] - origin[2])

    def at(self, times: Floats) -> Floats:
        """Return the poses (n, 3) at `times` (n,); the heading is not wrapped."""
        raw = self._raw(np.asarray(times, np.float64)) - self._origin
        c, s = np.cos(self._turn), np.sin(self._turn)
        x = self._start[0] + c * raw[:, 0] - s * raw[:, 1]
        y = self._start[1] + s * raw[:, 0] + c * raw[:, 1]
        return np.column_stack([x, y, self._start[2] + raw[:, 2]])

    def _raw(self, times: Floats) -> Floats:
        at = np.clip(np.searchsorted(self._t, times, side="right") - 1, 0, None)
        dt = np.maximum(times - self._t[at], 0.0)
        out = self._poses[at].copy()
        turn = self._w[at] * dt
        out[:, :2] += _arc(out[:, 2], self._v[at], turn, dt)
        out[:, 2] += turn
        return out


class Track:
    """The path of a trajectory: straight lines between samples."""

    def __init__(self, t: Floats, pose: Floats) -> None:
        self._t, self._pose = t, np.column_stack([pose[:, :2], np.unwrap(pose[:, 2])])

    def at(self, times: Floats) -> Floats:
        """Return the poses (n, 3) at `times` (n,); the heading is not wrapped."""
        return np.column_stack([np.interp(times, self._t, column) for column in self._pose.T])


def path_of(drive: Drive, lag: float = 0.0) -> DeadReckoning | Track:
    """Return the movement that the agent's own sense of motion reports."""
    if drive.odometry is not None:
        return DeadReckoning(drive.odometry, drive.start_time, drive.start, lag)
    if drive.truth is None:
        raise ValueError("a drive needs odometry or a trajectory")
    return Track(drive.truth.t, drive.truth.pose)


def motion(drive: Drive, path: DeadReckoning | Track, period: float) -> Motion:
    """Return the movement in whole periods of `period` s from the start until the drive has ended."""
    count = max(1, int(np.ceil((drive.end_time - drive.start_time) / period - 1e-9)))
    times = np.asarray(drive.start_time + period * np.arange(count + 1), np.float64)
    poses = path.at(times)
    return Motion(times[1:], *relative(poses[:-1], poses[1:]))


def relative(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Return displacement (n, 2), m, in the frame of the mean heading, and turn (n,) between poses (n, 3)."""
    turn = after[:, 2] - before[:, 2]
    middle = before[:, 2] + 0.5 * turn
    moved = after[:, :2] - before[:, :2]
    c, s = np.cos(middle), np.sin(middle)
    return np.column_stack([c * moved[:, 0] + s * moved[:, 1], c * moved[:, 1] - s * moved[:, 0]]), turn


def carried(sightings: Sightings, path: DeadReckoning | Track, times: Floats) -> Floats:
    """Return where the sighted landmarks lie from the robot at later `times` (n,), (n, 2): ahead, left, m."""
    before, after = path.at(sightings.t), path.at(times)
    angle = before[:, 2] + sightings.bearing
    x = before[:, 0] + sightings.range * np.cos(angle) - after[:, 0]
    y = before[:, 1] + sightings.range * np.sin(angle) - after[:, 1]
    c, s = np.cos(after[:, 2]), np.sin(after[:, 2])
    return np.column_stack([c * x + s * y, c * y - s * x])


def command_lag(odometry: Odometry, sightings: Sightings) -> float:
    """Return by how many seconds the robot trails its odometry, as seen in the bearings of landmarks.

    Where a landmark was seen says where it should be seen a moment later, if the robot moved as its odometry
    tells. The lag is the one at which this explains a second sighting within a second best (least absolute
    difference of bearing), whatever share of its commanded turns the robot makes. It is 0 where too few pairs
    of sightings tell it, or hardly. No ground truth is read.
    """
    order = np.lexsort((sightings.t, sightings.landmark))
    t, which = sightings.t[order], sightings.landmark[order]
    apart = np.diff(t)
    pairs = np.flatnonzero((which[1:] == which[:-1]) & (apart > 0.1) & (apart < 1.0))
    if pairs.size < PAIRS:
        return 0.0
    first, second = order[pairs], order[pairs + 1]
    earlier = Sightings(
        sightings.t[first], sightings.landmark[first], sightings.range[first], sightings.bearing[first]
    )
    later = sightings.t[second]
    wrong = []
    for lag in LAGS:
        path = DeadReckoning(odometry, float(odometry.t[0]), np.zeros(3), float(lag))
        ahead, left = carried(earlier, path, later).T
        off = (sightings.bearing[second] - np.arctan2(left, ahead) + np.pi) % (2.0 * np.pi) - np.pi
        turned = path.at(later)[:, 2] - path.at(earlier.t)[:, 2]
        wrong.append(_least_absolute(off, turned))
    best = int(np.argmin(wrong))
    return float(LAGS[best]) if wrong[best] < (1.0 - TELLS) * wrong[0] else 0.0


def _least_absolute(y: Floats, x: Floats) -> float:
    """Return the mean absolute difference of `y` (n,) from the multiple of `x` (n,) that is nearest."""
    slope = 0.0
    for _ in range(20):  # reweighted least squares
        weight = 1.0 / np.maximum(np.abs(y - slope * x), 1e-3)
        slope = float((weight * x * y).sum() / max((weight * x * x).sum(), 1e-12))
    return float(np.abs(y - slope * x).mean())


def _arc(heading: Floats, speed: Floats, turn: Floats, seconds: Floats) -> Floats:
    """Return the chord (n, 2) of arcs that begin at `heading` and turn by `turn`."""
    chord = speed * seconds * np.sinc(0.5 * turn / np.pi)
    middle = heading + 0.5 * turn
    return np.column_stack([chord * np.cos(middle), chord * np.sin(middle)])
