"""How near things are all around, and so how soon the robot would touch them, from the flow of events.

A thing at horizontal distance d, azimuth phi and elevation eps moves in the view of a robot that drives at v
and turns at w by

    d(phi)/dt = (v / d) sin(phi) - w          d(eps)/dt = (v / d) cos(phi) sin(eps) cos(eps)

(Koenderink & van Doorn 1987, Biol. Cybern. 56:247, for motion in the plane of the floor). The turn is known
from the gyro, so the flow of each direction has one unknown left, the nearness 1 / d; the time to contact of
Lee (1976, Perception 5:437), theta over theta-dot, is 1 / (v nearness). It is read from the change of light
that the events of a period add up to, which is minus gradient times flow (Lucas & Kanade 1981), by least
squares over a sector of the view. Sectors keep their compass direction, so that what was seen ahead is
remembered aside once the robot has turned away.

Where the view turns fast, the light changes by more than a gradient can tell; such changes count the less the
larger they are, as vision is suppressed in a saccade. Evidence fades with the way driven, not with time: to
stand or to turn makes nothing nearer. While it lasts it is carried along: what is ahead comes nearer, what is
aside moves back.

Pixels differ in their thresholds, and what is held of the light drifts by the difference of ON and OFF. As
light that varies cannot rise for ever, a pixel that sends fewer ON than OFF events must have the higher ON
threshold: each pixel learns its ratio of thresholds from its counts (homeostasis).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...memory.config import PERIOD
from ..perception import CameraGeometry

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

PSEUDO = 30.0  #: events of either polarity that a pixel is taken to have sent before its first
NEAREST = 8.0  #: 1/m, nearness above which things are not carried any nearer
STEEPEST = 1.6  #: largest ratio of a pixel's threshold to the nominal one that it learns


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """How nearness is estimated. Values were chosen on drives in cluttered arenas 0 and 1."""

    sectors: int = 72  #: around the full circle
    lowest: float = -0.05  #: rad; lower rows see the floor, which is near and no obstacle
    reach: float = 0.2  #: m of driving over which evidence fades
    memory: float = 2.0  #: s over which it fades at rest
    forgetting: float = 0.02  #: share of the held light that one event erases
    smoothing: int = 2  #: times that light and change are averaged over neighbours (1 2 1) before gradients
    noise: float = 0.1  #: log units, error of a pixel's change: half a threshold
    rotation_error: float = 0.5  #: share of a change predicted from turning that may be wrong
    prior: float = 5e-3  #: (log units m)², evidence for "infinitely far" that a sector has to outweigh
    attenuation: float = 0.9  #: of the nearness by errors of the gradients; divided out

    def __post_init__(self) -> None:
        if self.sectors < 8:
            raise ValueError(f"looming sectors must be >= 8, got {self.sectors}")
        if self.smoothing < 0:
            raise ValueError(f"looming smoothing must be >= 0, got {self.smoothing}")
        if not 0.0 <= self.forgetting < 1.0:
            raise ValueError(f"looming forgetting must be in [0, 1), got {self.forgetting}")
        if self.rotation_error < 0.0:
            raise ValueError(f"looming rotation_error must be >= 0, got {self.rotation_error}")
        for name in ("reach", "memory", "noise", "prior", "attenuation"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"looming {name} must be > 0, got {getattr(self, name)}")


class LoomingFlow:
    """Nearness of what surrounds the robot, from events, speed and turn rate.

    Attributes
    ----------
    directions : float64 (sectors,)
        rad, azimuths of the middles of the sectors, robot frame, ascending from -pi.
    nearness : float64 (sectors,)
        1/m, one over the horizontal distance in each direction; 0 where nothing is known.
    """

    def __init__(self, config: FlowConfig, camera: CameraGeometry) -> None:
        rows = np.flatnonzero(np.asarray(camera.elevations) >= config.lowest)
        if min(camera.width, camera.height) < 3 or rows.size == 0:
            raise ValueError(
                f"looming needs a camera of at least 3 x 3 pixels that sees above {config.lowest:g} rad"
            )
        self.config = config
        self.directions = (
            np.arange(0.5, config.sectors, dtype=np.float64) * (2.0 * np.pi / config.sectors) - np.pi
        )
        self.nearness = np.zeros(config.sectors)
        shape = (camera.height, camera.width)
        self.thresholds = np.full((2, *shape), camera.threshold, np.float32)  # OFF, ON
        self._nominal = np.float32(camera.threshold)
        self._counts = np.zeros((2, *shape), np.float32)
        self._held, self._change, self._mean, self._scratch = (np.zeros(shape, np.float32) for _ in range(4))
        self._tally = np.zeros((2, *shape), np.int32)
        self._azimuths = np.asarray(camera.azimuths, np.float64)
        self._view = View.of(camera)
        self._rows = (max(1, int(rows.min())), min(camera.height - 1, int(rows.max()) + 1))
        self._evidence = np.zeros((2, config.sectors))
        self._heading, self._period = 0.0, 0

    def reset(self) -> None:
        """Begin an episode: nothing seen, nothing near; what is known of the pixels stays."""
        for array in (self._held, self._change, self._evidence, self.nearness):
            array[:] = 0.0
        self._heading, self._period = 0.0, 0

    def advance(self, events: Mapping[str, NDArray[Any]], speed: float, turn_rate: float) -> Doubles:
        """Take the events of a control period and its mean twist (m/s, rad/s); return `nearness`."""
        config, turn = self.config, turn_rate * PERIOD
        _tally(self._tally, events["x"], events["y"], events["p"])
        _integrate(
            self._held,
            self._change,
            self._counts,
            self.thresholds,
            np.float32(config.forgetting),
            self._tally,
        )
        # A row a period: ratios change slowly.
        _learn_thresholds(self._counts, self.thresholds, self._period % self._held.shape[0], self._nominal)
        columns = _columns(
            self._held, self._change, self._mean, self._scratch, *self._view, *self._rows, config.smoothing,
            np.float32(turn), np.float32(speed * PERIOD), np.float32(config.rotation_error / config.noise),
        )  # fmt: skip
        self._heading += turn
        _pool(
            columns, self._azimuths + (self._heading - 0.5 * turn), self._evidence,
            float(np.exp(-PERIOD * (1.0 / config.memory + abs(speed) / config.reach))),
            speed * PERIOD, self._heading, config.prior, config.attenuation, self.nearness,
        )  # fmt: skip
        self._period += 1
        return self.nearness

    def time_to_contact(self, speed: float) -> Doubles:
        """Return the distance in each direction over `speed` m/s, s (sectors,); inf where nothing is near."""
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(1.0 / (max(speed, 0.0) * self.nearness), np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last: what is known of the pixels."""
        return {"thresholds": self.thresholds, "counts": self._counts}


class View(NamedTuple):
    """What the geometry of a camera means for flow, float32; `width` or `height` values each."""

    per_azimuth: Floats  #: (width,) 1/rad, one over the azimuth between a pixel's two neighbours, signed
    per_elevation: Floats  #: (height,) 1/rad, likewise
    sine: Floats  #: (width,) of the azimuth: its flow per nearness and per metre driven
    cosine: Floats  #: (width,) of the azimuth
    rise: Floats  #: (height,) sin(eps) cos(eps): the flow of the elevation, times `cosine`

    @classmethod
    def of(cls, camera: CameraGeometry) -> View:
        azimuth, elevation = np.asarray(camera.azimuths), np.asarray(camera.elevations)
        parts = (
            0.5 / np.gradient(azimuth),
            0.5 / np.gradient(elevation),
            np.sin(azimuth),
            np.cos(azimuth),
            np.sin(elevation) * np.cos(elevation),
        )
        return cls(*(np.asarray(part, np.float32) for part in parts))


def reference_columns(
    held: Doubles, change: Doubles, view: View, rows: tuple[int, int], smoothing: int, turn: float,
    step: float, distrust: float,
) -> Doubles:  # fmt: skip
    """Return what `_columns` returns, (2, width), in NumPy."""
    mean = held - 0.5 * change
    for _ in range(smoothing):
        for image in (mean, change := change.copy()):
            image[1:-1] = 0.25 * image[:-2] + 0.5 * image[1:-1] + 0.25 * image[2:]
            image[:, 1:-1] = 0.25 * image[:, :-2] + 0.5 * image[:, 1:-1] + 0.25 * image[:, 2:]
    inner, columns = slice(*rows), slice(1, -1)
    along = (mean[inner, 2:] - mean[inner, :-2]) * view.per_azimuth[columns]
    up = (mean[rows[0] + 1 : rows[1] + 1] - mean[rows[0] - 1 : rows[1] - 1])[:, columns]
    up = up * view.per_elevation[inner, None]
    turned = along * turn
    moved = -step * (along * view.sine[columns] + up * view.rise[inner, None] * view.cosine[columns])
    trust = 1.0 / (1.0 + (distrust * turned) ** 2)
    out = np.zeros((2, held.shape[1]))
    out[0, columns] = (trust * (change[inner, columns] - turned) * moved).sum(axis=0)
    out[1, columns] = (trust * moved**2).sum(axis=0)
    return out


@njit(cache=True)
def _tally(tally: NDArray[np.int32], x: NDArray[Any], y: NDArray[Any], p: NDArray[Any]) -> None:
    """Count the events of a period: `tally` is (2, height, width), OFF and ON, and is cleared first."""
    tally[:] = 0
    flat, plane, width = tally.reshape(tally.size), tally[0].size, tally.shape[2]
    for k in range(x.size):
        # An unsigned index needs no test for being negative.
        flat[np.uint64(p[k] * plane + y[k] * width + x[k])] += 1


@njit(cache=True)
def _integrate(
    held: Floats,
    change: Floats,
    counts: Floats,  # (2, height, width), OFF and ON
    thresholds: Floats,  # (2, height, width), OFF and ON
    forgetting: np.float32,
    tally: NDArray[np.int32],  # (2, height, width), OFF and ON
) -> None:
    one = np.float32(1.0)
    for i in range(held.shape[0]):
        for j in range(held.shape[1]):
            off, on = np.float32(tally[0, i, j]), np.float32(tally[1, i, j])
            change[i, j] = on * thresholds[1, i, j] - off * thresholds[0, i, j]
            held[i, j] = held[i, j] / (one + forgetting * (on + off)) + change[i, j]
            counts[0, i, j] += off
            counts[1, i, j] += on


@njit(cache=True)
def _learn_thresholds(counts: Floats, thresholds: Floats, row: int, nominal: np.float32) -> None:
    """Set the thresholds of one `row` of pixels to the ratio that makes their events add up to nothing."""
    for j in range(counts.shape[2]):
        ratio = np.sqrt((counts[0, row, j] + np.float32(PSEUDO)) / (counts[1, row, j] + np.float32(PSEUDO)))
        ratio = min(max(ratio, np.float32(1.0 / STEEPEST)), np.float32(STEEPEST))
        thresholds[0, row, j], thresholds[1, row, j] = nominal / ratio, nominal * ratio


@njit(cache=True)
def _smooth(image: Floats, scratch: Floats) -> None:
    """Average over neighbours in columns, then in rows, with weights 1 2 1; borders stay."""
    quarter, half = np.float32(0.25), np.float32(0.5)
    height, width = image.shape
    scratch[0], scratch[height - 1] = image[0], image[height - 1]
    for i in range(1, height - 1):
        above, middle, below, out = image[i - 1], image[i], image[i + 1], scratch[i]
        for j in range(width):
            out[j] = quarter * (above[j] + below[j]) + half * middle[j]
    for i in range(height):
        row, out = scratch[i], image[i]
        out[0], out[width - 1] = row[0], row[width - 1]
        for j in range(1, width - 1):
            out[j] = quarter * (row[j - 1] + row[j + 1]) + half * row[j]


@njit(cache=True, error_model="numpy")
def _columns(
    held: Floats,
    change: Floats,  # is smoothed in place
    mean: Floats,  # scratch
    scratch: Floats,
    per_azimuth: Floats,
    per_elevation: Floats,
    sine: Floats,
    cosine: Floats,
    rise: Floats,
    first: int,
    last: int,
    smoothing: int,
    turn: np.float32,  # rad, in the period
    step: np.float32,  # m driven in the period
    distrust: np.float32,  # of a change by turning, 1 / log unit
) -> Floats:
    """Return the evidence of each column (2, width): sums of change times prediction, prediction squared.

    The prediction is the change that driving `step` would make at nearness 1 / m.
    """
    height, width = held.shape
    one, half = np.float32(1.0), np.float32(0.5)
    for i in range(height):
        for j in range(width):
            mean[i, j] = held[i, j] - half * change[i, j]
    for _ in range(smoothing):
        _smooth(mean, scratch)
        _smooth(change, scratch)
    out = np.zeros((2, width), np.float32)
    product, square = out[0], out[1]
    for i in range(first, last):
        for j in range(1, width - 1):
            along = (mean[i, j + 1] - mean[i, j - 1]) * per_azimuth[j]
            up = (mean[i + 1, j] - mean[i - 1, j]) * per_elevation[i]
            turned = along * turn
            moved = -step * (along * sine[j] + up * rise[i] * cosine[j])
            unsure = distrust * turned
            trust = one / (one + unsure * unsure)
            product[j] += trust * (change[i, j] - turned) * moved
            square[j] += trust * moved * moved
    return out


@njit(cache=True)
def _estimate(evidence: Doubles, sector: int, prior: float, attenuation: float) -> float:
    """Return the nearness (1/m) of a sector from its evidence and its neighbours'."""
    sectors = evidence.shape[1]
    left, right = (sector - 1) % sectors, (sector + 1) % sectors
    product = 0.25 * (evidence[0, left] + evidence[0, right]) + 0.5 * evidence[0, sector]
    square = 0.25 * (evidence[1, left] + evidence[1, right]) + 0.5 * evidence[1, sector]
    return float(max(0.0, product / (square + prior)) / attenuation)


@njit(cache=True)
def _pool(
    columns: Floats,
    bearing: Doubles,  # (width,) rad, of the columns, compass
    evidence: Doubles,  # (2, sectors), compass
    keep: float,
    step: float,  # m driven
    heading: float,  # rad, of the robot, compass
    prior: float,
    attenuation: float,
    nearness: Doubles,  # out: (sectors,) 1/m, in the robot's frame
) -> None:
    """Carry the old evidence along, add that of the period, and read out the nearness."""
    sectors = nearness.size
    per_sector = sectors / (2.0 * np.pi)
    old = evidence * keep
    evidence[:] = 0.0
    for k in range(sectors):
        moved = step * min(_estimate(old, k, prior, attenuation), NEAREST)
        ahead = (k + 0.5) / per_sector - heading
        nearer = 1.0 / (1.0 - moved * np.cos(ahead))
        shift = moved * np.sin(ahead) * per_sector
        share = min(abs(shift), 1.0)
        neighbour = (k + 1) % sectors if shift > 0.0 else (k - 1) % sectors
        for target, part in ((k, 1.0 - share), (neighbour, share)):
            evidence[0, target] += part * old[0, k] * nearer
            evidence[1, target] += part * old[1, k]
    for j in range(bearing.size):
        sector = int(np.floor(bearing[j] * per_sector)) % sectors
        evidence[0, sector] += columns[0, j]
        evidence[1, sector] += columns[1, j]
    # Sector 0 begins at -pi in the robot's frame.
    turned = int(np.round((heading - np.pi) * per_sector))
    for k in range(sectors):
        nearness[k] = _estimate(evidence, (k + turned) % sectors, prior, attenuation)
