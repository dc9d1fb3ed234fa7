"""Replay: does the place that a burst decodes to move along, more than in bursts that are mixed up?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from .decoding import log_posterior

Floats = NDArray[np.float64]
WINDOW = 0.02  #: s (Davidson et al. 2009)
LEAST_WINDOWS = 4  #: of a burst, with spikes in them
_LINES = 24  #: beginnings and ends of lines that are tried


@dataclass(frozen=True)
class ReplayEvent:
    """One burst. A p-value is the share of shuffles that score as high."""

    begin: float  #: s
    end: float  #: s
    cells: int  #: that fired
    correlation: float  #: weighted, of decoded place and time; signed on a linear track
    line: float  #: mean posterior along the best line; NaN off a linear track
    speed: float  #: of the best line, units of position a second; NaN off a linear track
    p_cycle: float  #: of the correlation, columns cycled
    p_identity: float  #: of the correlation, cells exchanged
    p_line_cycle: float  #: of the line
    p_line_identity: float  #: of the line

    @property
    def replays(self) -> bool:
        """Whether the correlation beats both shuffles at 5 %."""
        return max(self.p_cycle, self.p_identity) < 0.05


def weighted_correlation(posterior: Floats, places: Floats) -> Floats:
    """Return the correlation of place and time weighted by `posterior` (..., windows, places), (...).

    `places` (places, d) are positions. For d = 1 the result has a sign; for more it is the length of the
    vector of covariances over the whole spread, which is the size of r for d = 1.
    Source: Wu & Foster 2014, J. Neurosci. 34:6459, methods.
    """
    time = np.arange(posterior.shape[-2], dtype=np.float64)
    by_time, by_place = posterior.sum(axis=-1), posterior.sum(axis=-2)
    total = by_time.sum(axis=-1)
    t_mean = (by_time @ time) / total
    mean = (by_place @ places) / total[..., None]
    variance_t = (by_time @ time**2) / total - t_mean**2
    variance = (by_place @ (places**2).sum(axis=1)) / total - (mean**2).sum(axis=-1)
    moment = np.einsum("...wp,pd,w->...d", posterior, places, time, optimize=True) / total[..., None]
    covariance = moment - t_mean[..., None] * mean
    size = covariance[..., 0] if places.shape[1] == 1 else np.sqrt((covariance**2).sum(axis=-1))
    scale = np.sqrt(np.maximum(variance_t * variance, 0.0))
    return np.asarray(np.divide(size, scale, out=np.zeros_like(size), where=scale > 1e-12))


def line_fit(posterior: Floats, band: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the best line's mean posterior (...) and its first and last place (..., 2).

    `posterior` is (..., windows, places) along a track; mass within `band` places of the line counts.
    Source: Davidson et al. 2009.
    """
    windows, places = posterior.shape[-2:]
    near = ndimage.uniform_filter1d(posterior, 2 * band + 1, axis=-1, mode="constant") * (2 * band + 1)
    ends = np.unique(np.round(np.linspace(0, places - 1, min(_LINES, places))).astype(np.int64))
    first, last = (grid.ravel() for grid in np.meshgrid(ends, ends, indexing="ij"))
    share = np.linspace(0.0, 1.0, windows)
    at = np.round(first[:, None] + (last - first)[:, None] * share).astype(np.int64)
    along = np.zeros((*near.shape[:-2], len(at)))
    for w in range(windows):
        along += near[..., w, at[:, w]]
    best = along.argmax(axis=-1)
    return along.max(axis=-1) / windows, np.stack((first[best], last[best]), axis=-1)


def score_bursts(
    spike_t: Floats,
    spike_unit: NDArray[np.int64],
    events: Floats,
    rate: Floats,
    places: Floats,
    *,
    shuffles: int = 200,
    seed: int = 0,
    reach: float = 0.15,
) -> list[ReplayEvent]:
    """Score bursts `events` (events, 2) of s against `shuffles` of two kinds.

    In one, the posterior of each window is cycled round the places by its own random amount; in the other,
    the fields are dealt out anew to the cells (Davidson et al. 2009; Silva, Feng & Foster 2015). `rate`
    (units, n) in Hz has no NaN; `places` (n, d) ascend along the track where d = 1. `reach` is the half
    width of a line's band there, in units of position.
    """
    rng = np.random.default_rng(seed)
    linear = places.shape[1] == 1
    step = float(np.median(np.diff(places[:, 0]))) if linear and len(places) > 1 else 1.0
    band = max(1, round(reach / step))
    units, scored = len(rate), []
    for begin, end in events:
        inside = (spike_t >= begin) & (spike_t < end)
        n = max(1, round((end - begin) / WINDOW))
        window = np.minimum(((spike_t[inside] - begin) / (end - begin) * n).astype(np.int64), n - 1)
        flat = window * units + spike_unit[inside]
        counts = np.bincount(flat, minlength=n * units).reshape(n, units)
        counts = counts[np.flatnonzero(counts.any(axis=1))[0] :]
        if np.count_nonzero(counts.any(axis=1)) < LEAST_WINDOWS:
            continue
        length = float(end - begin) / n
        active = np.flatnonzero(counts.any(axis=0))
        # To deal out fields to cells is to deal out spikes to fields; the sum of all rates stays.
        dealt = np.stack([counts, *(_dealt(counts, active, rng) for _ in range(shuffles))])
        posterior = np.exp(log_posterior(dealt.reshape(-1, units), rate, length))
        posterior[dealt.reshape(-1, units).sum(axis=1) == 0] = 0.0  # a window without spikes says nothing
        posterior = posterior.reshape(len(dealt), len(counts), -1)
        true, exchanged = posterior[0], posterior[1:]
        cycled = _cycled(true, shuffles, rng)
        r = float(weighted_correlation(true, places))
        rows = [np.abs(weighted_correlation(mixed, places)) for mixed in (cycled, exchanged)]
        p_cycle, p_identity = (_p_value(abs(r), row) for row in rows)
        line = speed = p_line = q_line = float("nan")
        if linear:
            best, ends = line_fit(true, band)
            line = float(best)
            speed = float(places[ends[1], 0] - places[ends[0], 0]) / max((len(counts) - 1) * length, 1e-9)
            p_line, q_line = (_p_value(line, line_fit(mixed, band)[0]) for mixed in (cycled, exchanged))
        scored.append(
            ReplayEvent(
                float(begin),
                float(end),
                int(active.size),
                r,
                line,
                speed,
                p_cycle,
                p_identity,
                p_line,
                q_line,
            )
        )
    return scored


def summary(events: list[ReplayEvent]) -> dict[str, float | int | None]:
    """Return how many bursts replay, and the p-value of so many if each had a chance of 5 %."""
    n, found = len(events), [event for event in events if event.replays]
    lines = [max(e.p_line_cycle, e.p_line_identity) < 0.05 for e in events if np.isfinite(e.line)]
    speeds = [abs(event.speed) for event in found if np.isfinite(event.speed)]
    return {
        "bursts": n,
        "replays": len(found),
        "share": len(found) / n if n else None,
        "p_of_share": float(stats.binomtest(len(found), n, 0.05, "greater").pvalue) if n else None,
        "line_share": float(np.mean(lines)) if lines else None,
        "median_correlation": float(np.median([abs(event.correlation) for event in events])) if n else None,
        "speed": float(np.median(speeds)) if speeds else None,
    }


def _cycled(posterior: Floats, shuffles: int, rng: np.random.Generator) -> Floats:
    windows, places = posterior.shape
    by = rng.integers(0, places, (shuffles, windows, 1))
    at = (np.arange(places) + by) % places
    return np.asarray(posterior[np.arange(windows)[None, :, None], at], np.float64)


def _dealt(
    counts: NDArray[np.int64], active: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return `counts` (windows, units) with the trains of active cells exchanged."""
    mixed = counts.copy()
    mixed[:, active] = counts[:, active[rng.permutation(active.size)]]
    return mixed


def _p_value(score: float, shuffled: Floats) -> float:
    return float((1 + np.count_nonzero(shuffled >= score - 1e-12)) / (1 + shuffled.size))
