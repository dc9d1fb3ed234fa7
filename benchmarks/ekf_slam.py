"""EKF-SLAM on a recorded drive: the textbook estimator, as the standard that the spiking memory has to meet.

State: pose and every landmark met so far; odometry as exact arcs; range and bearing of landmarks of known
identity, whose places nobody knows beforehand (Smith, Self & Cheeseman 1990; Thrun, Burgard & Fox 2005,
chapter 10). Each sighting is taken at its own time, the covariance is updated in Joseph's form, and
sightings are gated.

The noise was chosen in its favour: the best of a random search (`--tune 60`) over both MRCLAM 6 drives with
their ground truth, by the geometric mean of the errors up to 300 s and over the whole run. It is given the
lag between commands and motion, measured from the sightings, as the memory is.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tolman.envs.drives import Drive, Trajectory, open_drive
from tolman.launch.localizing_drives import lag_of, score

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EKFNoise:
    """Spread of odometry and sightings."""

    along: float = 0.022  #: m² for each m driven
    turn: float = 0.0068  #: rad² for each rad turned
    moving: float = 7.6e-5  #: rad²/s while moving
    range_floor: float = 0.061  #: m
    range_share: float = 0.08  #: of the range
    bearing: float = 0.010  #: rad
    gate: float = 13.8  #: squared Mahalanobis distance


class EKFSlam:
    """Extended Kalman filter over pose and landmarks."""

    def __init__(self, start: Floats, noise: EKFNoise) -> None:
        self.noise = noise
        self.mean = np.array(start, np.float64)
        self.covariance = np.zeros((3, 3))
        self.known: dict[int, int] = {}
        self.rejected = 0

    def predict(self, speed: float, turn_rate: float, seconds: float) -> None:
        """Drive an arc."""
        noise, p = self.noise, self.covariance
        turn = turn_rate * seconds
        chord = speed * seconds * np.sinc(0.5 * turn / np.pi)
        middle = self.mean[2] + 0.5 * turn
        along = np.array([np.cos(middle), np.sin(middle)])
        self.mean[:2] += chord * along
        self.mean[2] += turn
        sideways = chord * np.array([-along[1], along[0]])
        p[:2] += np.outer(sideways, p[2])
        p[:, :2] += np.outer(p[:, 2], sideways)
        p[:2, :2] += noise.along * abs(speed) * seconds * np.outer(along, along)
        p[2, 2] += noise.turn * abs(turn) + (noise.moving * seconds if speed or turn_rate else 0.0)

    def see(self, landmark: int, distance: float, bearing: float) -> None:
        """Take a sighting: a new landmark is added, a known one corrects everything."""
        spread = np.diag(
            [(self.noise.range_floor + self.noise.range_share * distance) ** 2, self.noise.bearing**2]
        )
        if landmark not in self.known:
            self._add(landmark, distance, bearing, spread)
            return
        at = self.known[landmark]
        x, y = self.mean[at : at + 2] - self.mean[:2]
        square = x * x + y * y
        expected = np.sqrt(square)
        h = np.zeros((2, self.mean.size))
        h[0, :2] = -x / expected, -y / expected
        h[1, :3] = y / square, -x / square, -1.0
        h[:, at : at + 2] = -h[:, :2]
        wrong = bearing - np.arctan2(y, x) + self.mean[2]
        innovation = np.array([distance - expected, (wrong + np.pi) % (2.0 * np.pi) - np.pi])
        carried = self.covariance @ h.T
        inverse = np.linalg.inv(h @ carried + spread)
        if innovation @ inverse @ innovation > self.noise.gate:
            self.rejected += 1
            return
        gain = carried @ inverse
        self.mean += gain @ innovation
        keep = np.eye(self.mean.size) - gain @ h
        self.covariance = keep @ self.covariance @ keep.T + gain @ spread @ gain.T

    def _add(self, landmark: int, distance: float, bearing: float, spread: Floats) -> None:
        at = self.mean.size
        angle = self.mean[2] + bearing
        ray = np.array([np.cos(angle), np.sin(angle)])
        across = distance * np.array([-ray[1], ray[0]])
        carry = np.column_stack([np.eye(2), across])
        seen = np.column_stack([ray, across])
        p = np.zeros((at + 2, at + 2))
        p[:at, :at] = self.covariance
        p[at:, :at] = carry @ self.covariance[:3]
        p[:at, at:] = p[at:, :at].T
        p[at:, at:] = carry @ self.covariance[:3, :3] @ carry.T + seen @ spread @ seen.T
        self.mean = np.concatenate([self.mean, self.mean[:2] + distance * ray])
        self.covariance = p
        self.known[landmark] = at


def ekf_slam(drive: Drive, lag: float, noise: EKFNoise | None = None, period: float = 0.04) -> Trajectory:
    """Return the filter's pose every `period` s of a drive; of what it sees only the start is the truth."""
    if drive.odometry is None:
        raise ValueError("EKF-SLAM needs odometry")
    odometry, sightings = drive.odometry, drive.sightings
    marks = np.arange(drive.start_time, drive.end_time + period, period)
    # At one time the new command counts first, then what is seen, then the pose is read.
    times = np.concatenate([odometry.t + lag, sightings.t, marks])
    kinds = np.repeat([0, 1, 2], [odometry.t.size, sightings.t.size, marks.size])
    index = np.concatenate([np.arange(odometry.t.size), np.arange(sightings.t.size), np.arange(marks.size)])
    slam = EKFSlam(drive.start, noise or EKFNoise())
    now, speed, turn_rate = drive.start_time, 0.0, 0.0
    poses = np.zeros((marks.size, 3))
    for k in np.lexsort((kinds, times)):
        if times[k] > now:
            slam.predict(speed, turn_rate, times[k] - now)
            now = float(times[k])
        i = index[k]
        if kinds[k] == 0:
            speed, turn_rate = float(odometry.speed[i]), float(odometry.turn_rate[i])
        elif kinds[k] == 1:
            slam.see(int(sightings.landmark[i]), float(sightings.range[i]), float(sightings.bearing[i]))
        else:
            poses[i] = slam.mean[:3]
    return Trajectory(marks, poses)


def tune(drives: Sequence[Drive], tries: int, seed: int) -> EKFNoise:
    """Return the setting of a random search with the best geometric mean of errors, by the ground truth."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    best, least = EKFNoise(), np.inf
    for k in range(tries):
        noise = EKFNoise() if k == 0 else EKFNoise(
            between(5e-3, 0.3), between(1e-3, 0.1), between(1e-6, 3e-3), between(0.05, 0.3),
            float(rng.choice([0.02, 0.05, 0.08])), between(0.01, 0.06), float(rng.choice([13.8, 25.0])),
        )  # fmt: skip
        errors = []
        for drive in drives:
            scores = score(drive, ekf_slam(drive, lag_of(drive), noise))
            errors += [scores[part]["rms_m"] for part in ("300_s", "whole") if part in scores]
        mean = float(np.exp(np.mean(np.log(errors))))
        if mean < least:
            best, least = noise, mean
            print(f"{mean:.4f} m: {noise}", flush=True)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--tune", type=int, default=0, metavar="N", help="try N settings of the noise")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    drives = [drive for drive in map(open_drive, arguments.files) if drive is not None]
    noise = tune(drives, arguments.tune, arguments.seed) if arguments.tune else EKFNoise()
    for file, drive in zip(arguments.files, drives, strict=True):
        scores = score(drive, ekf_slam(drive, lag_of(drive), noise))
        parts = {name: round(part["rms_m"], 3) for name, part in scores.items() if isinstance(part, dict)}
        print(file.name, parts)


if __name__ == "__main__":
    main()
