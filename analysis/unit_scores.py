"""All scores of a population by place and heading, for its true spikes or for shuffled ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .borders import border_score
from .decoding import windows_of
from .grid_scores import autocorrelograms, gridness
from .head_direction import BINS, Tuning, heading_bins, tuning
from .mutual_information import mutual_information
from .place_scores import place_scores
from .rate_maps import Bins, rate_maps
from .recording import Recording, counts_in, seconds_in
from .remapping import correlate_maps
from .shuffles import Shifter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Scores that shuffles are made of, if they are defined for the session.
SHUFFLED = (
    "bits_per_spike",
    "mutual_information",
    "gridness_minmax",
    "gridness_mean",
    "border",
    "vector_length",
)
_PLACES = 20  #: bins of position for mutual information along a track, and squared off a plane


@dataclass(frozen=True)
class Mapping:
    """How maps are made, and which scores the session defines."""

    bins: Bins
    smoothing: float  #: units of position
    least: float  #: s of smoothed stay, below which a bin is left out
    window: float  #: s, for mutual information
    grid: bool  #: an open field
    border: bool  #: a rectangular box


class Measure:
    """Scores the units of one recording."""

    def __init__(self, recording: Recording, mapping: Mapping) -> None:
        self.recording, self.mapping = recording, mapping
        self.seconds = seconds_in(recording, mapping.bins)
        self._windows = windows_of(recording, mapping.window)
        self._coarse = _coarse(recording, mapping.bins, self._windows.position)
        self._heading_bin: Ints | None = None
        self._heading_seconds = np.zeros(BINS)
        if recording.heading is not None:
            run = recording.running
            self._heading_bin = heading_bins(recording.heading)
            self._heading_seconds = np.bincount(
                self._heading_bin[run], weights=recording.stay[run], minlength=BINS
            ).astype(np.float64)

    def maps(self, sample: Ints | None = None) -> Floats:
        """Return rate maps (units, rows, columns) in Hz."""
        mapping = self.mapping
        counts = counts_in(self.recording, mapping.bins, sample)
        return rate_maps(counts, self.seconds, mapping.bins, mapping.smoothing, mapping.least)

    def tuning(self, sample: Ints | None = None) -> Tuning | None:
        """Return tuning to heading, None where it is not known."""
        if self._heading_bin is None:
            return None
        recording = self.recording
        at = recording.spike_sample[recording.counted] if sample is None else sample
        flat = recording.spike_unit[recording.counted] * BINS + self._heading_bin[at]
        counts = np.bincount(flat, minlength=recording.units * BINS).reshape(recording.units, BINS)
        return tuning(counts.astype(np.float64), self._heading_seconds)

    def scores(self, sample: Ints | None = None) -> dict[str, Floats]:
        """Return each score (units,) by name; `sample` puts the spikes that count elsewhere."""
        maps = self.maps(sample)
        place = place_scores(maps, self.seconds)
        plain, corrected = mutual_information(self._counts(sample), self._coarse)
        found = {
            "bits_per_spike": place.bits_per_spike,
            "bits_per_second": place.bits_per_second,
            "sparsity": place.sparsity,
            "field_share": place.field_share,
            "peak": place.peak,
            "mean_rate": place.mean,
            "mutual_information": corrected,
            "mutual_information_plain": plain,
        }
        if self.mapping.grid:
            found["gridness_minmax"], found["gridness_mean"] = gridness(autocorrelograms(maps))
        if self.mapping.border:
            found["border"] = np.array([border_score(one) for one in maps])
        tuned = self.tuning(sample)
        if tuned is not None:
            found |= {"vector_length": tuned.length, "preferred": tuned.preferred, "tuning_peak": tuned.peak}
        return found

    def stability(self) -> Floats:
        """Return the correlation (units,) of each unit's maps in the first and the second half."""
        lived = np.cumsum(np.where(self.recording.running, self.recording.stay, 0.0))
        early = lived <= 0.5 * lived[-1]
        halves = [Measure(self.recording.among(part), self.mapping).maps() for part in (early, ~early)]
        seen = np.isfinite(halves[0]).all(axis=0) & np.isfinite(halves[1]).all(axis=0)
        if np.count_nonzero(seen) < 3:
            return np.full(self.recording.units, np.nan)
        return correlate_maps(halves[0][:, seen], halves[1][:, seen])

    def shuffled(self, shuffles: int, seed: int) -> dict[str, Floats]:
        """Return scores of `shuffles` shifts (shuffles, units) by name."""
        shifter, rng = Shifter(self.recording), np.random.default_rng(seed)
        rounds = [self.scores(shifter.shift(rng)) for _ in range(shuffles)]
        return {name: np.array([one[name] for one in rounds]) for name in SHUFFLED if name in rounds[0]}

    def _counts(self, sample: Ints | None) -> Ints:
        if sample is None:
            return self._windows.counts
        of = self._windows.of_sample[sample]
        kept, units = of >= 0, self.recording.units
        flat = of[kept] * units + self.recording.spike_unit[self.recording.counted][kept]
        n = len(self._windows.t)
        return np.bincount(flat, minlength=n * units).reshape(n, units)


def _coarse(recording: Recording, bins: Bins, position: Floats) -> Ints:
    """Return a coarse bin of each window (n,): `_PLACES` along a track, about as many squared in a plane."""
    left, right, bottom, top = bins.extent
    if recording.linear:
        return Bins(left, -0.5, _PLACES, 1, max((right - left) / _PLACES, 1e-9)).index(position * [1.0, 0.0])
    size = max(right - left, top - bottom) / np.sqrt(2.0 * _PLACES)
    return Bins.over((left, bottom), (right, top), float(size)).index(position)
