"""`tolman localize FILE` on what an event camera saw: places recognised with the agent's perception.

Two forms. An npz file with `reference` and `query`, event counts (n, height, width) of two drives along a
route: places are enrolled on the first and looked for on the second. Or a recording of events, cut into
windows: with `--reference` another recording is enrolled; without, each window that resembles no place is a
new place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..agent.vision.recognizer import Recognizer, RecognizerConfig, Sighting
from ..analysis.figure_recognition import draw_recognition
from ..analysis.recognition import area_under_curve, recall_at
from ..envs.recordings import Recording
from .errors import UserError, asked
from .recorded import Survey, surveyed
from .terminal import make_console

TOLERANCES = (0, 1, 2, 3, 5)  #: places
STUDIED = 400  #: images from which the dictionary is learned, at most
SETTLED = 10  #: views after which a sequence counts as one
NOVEL = 0.4  #: similarity below which a window of a single recording is a new place

Counts = NDArray[np.generic]


def localize(
    path: Path, reference: str | None, window: float, seed: int
) -> tuple[dict[str, Any], Callable[[], Figure]]:
    """Look for the views of a file; return the JSON object, and what draws the evidence for each place."""
    traverses = load_traverses(path)
    if traverses is None:
        result, evidence = match_recordings(path, reference, window, seed)
    elif reference:
        raise UserError(f"{path} holds its own reference; leave --reference out")
    else:
        result, evidence = match_traverses(*traverses, seed)
    return result, lambda: draw_recognition(evidence, np.array(result["places"]), result["title"])


def load_traverses(path: Path) -> tuple[Counts, Counts, NDArray[np.bool_] | None] | None:
    """Return reference and query (n, height, width) and the truth (queries, places); None for another file.

    Raises
    ------
    UserError
        If the arrays do not fit each other.
    """
    if path.suffix.lower() != ".npz" or not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not {"reference", "query"} <= set(archive.files):
                return None
            reference, query = archive["reference"], archive["query"]
            truth = archive["ground_truth"] if "ground_truth" in archive.files else None
    except Exception as error:  # NumPy and zip have many words for damage
        raise UserError(f"{path} is damaged or not an npz file ({type(error).__name__})") from error
    for name, frames in (("reference", reference), ("query", query)):
        if frames.ndim != 3 or 0 in frames.shape or frames.dtype.kind not in "uifb":
            raise UserError(f"{path}: {name} must be numbers (n, height, width), got {frames.shape}")
        if not np.all(np.isfinite(frames)) or frames.min() < 0:
            raise UserError(f"{path}: {name} must hold event counts >= 0")
    if reference.shape[1:] != query.shape[1:]:
        raise UserError(
            f"{path}: frames of reference {reference.shape[1:]} and query {query.shape[1:]} differ"
        )
    return reference, query, None if truth is None else _truth(truth, len(query), len(reference), path)


def _truth(truth: NDArray[Any], queries: int, places: int, path: Path) -> NDArray[np.bool_]:
    if truth.shape == (queries,) and truth.dtype.kind in "ui":
        return np.asarray(np.arange(places) == truth[:, None], np.bool_)
    if truth.shape == (queries, places):
        return np.asarray(truth > 0, np.bool_)
    if truth.shape == (places, queries):
        return np.asarray((truth > 0).T, np.bool_)
    raise UserError(f"{path}: ground_truth must be ({queries}, {places}), got {truth.shape}")


def match_traverses(
    reference: Counts, query: Counts, truth: NDArray[np.bool_] | None, seed: int
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Enrol each reference frame, look for each query frame; return the JSON object and the evidence."""
    with asked("frames"):
        recognizer = Recognizer(RecognizerConfig(), reference.shape[1:], seed)
        images = np.stack([recognizer.image(frame) for frame in reference])
        active = recognizer.study(images)
        for image in images:
            recognizer.enrol(image)
        sightings = [recognizer.recall(recognizer.image(frame)) for frame in query]
    result = _result(recognizer, sightings, active)
    result["title"] = f"{len(query)} views, {len(reference)} places"
    if truth is not None:
        result["scores"] = score(result, truth)
    return result, np.stack([sighting.evidence for sighting in sightings])


def score(result: dict[str, Any], truth: NDArray[np.bool_]) -> dict[str, Any]:
    """Return recall@1 by tolerance, of single views and of sequences, plain and centred one place earlier."""
    single, places = np.array(result["single_places"]), np.array(result["places"])
    settled = np.arange(len(places)) >= SETTLED - 1
    correct = recall_at(single, truth, (2,))[1][0]
    return {
        "single": _table(single, truth),
        "sequence": _table(places[settled], truth[settled]),
        "sequence_all": _table(places, truth),
        "confidence_auc": area_under_curve(np.array(result["confidence"]), correct),
    }


def _table(places: NDArray[np.int64], truth: NDArray[np.bool_]) -> dict[str, float]:
    shares, _ = recall_at(places, truth, TOLERANCES)
    centred, _ = recall_at(places + 1, truth, (1,))
    return {f"within_{k}": float(s) for k, s in zip(TOLERANCES, shares, strict=True)} | {
        "within_1_of_one_earlier": float(centred[0])
    }


def match_recordings(
    path: Path, reference: str | None, window: float, seed: int
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Look for the windows of one recording among those of another, or among its own earlier ones."""
    recording, survey = surveyed(path)
    source, source_survey = (recording, survey) if reference is None else surveyed(Path(reference))
    if source_survey.size != survey.size:
        raise UserError(
            f"sensors differ: {path} has {survey.size[0]} x {survey.size[1]} pixels, "
            f"{reference} {source_survey.size[0]} x {source_survey.size[1]}"
        )
    with asked(str(path)):
        recognizer = Recognizer(RecognizerConfig(), survey.size[::-1], seed)
        active = recognizer.study(_sample(recognizer, windows(source, source_survey, window), seed))
        if reference is not None:
            for _, counts in windows(source, source_survey, window):
                recognizer.enrol(recognizer.image(counts))
        sightings, times = [], []
        for time, counts in windows(recording, survey, window):
            times.append(time)
            image = recognizer.image(counts)
            sighting = recognizer.recall(image)
            if reference is None and (sighting.place < 0 or float(sighting.single.similarity.max()) < NOVEL):
                place = recognizer.enrol(image)
                single = sighting.single._replace(place=place, confidence=0.0)
                sighting = Sighting(single, place, sighting.evidence)
            sightings.append(sighting)
    places = recognizer.memory.places
    evidence = np.full((len(sightings), places), np.nan)
    for row, sighting in zip(evidence, sightings, strict=True):
        row[: sighting.evidence.size] = sighting.evidence
    title = f"{path.name}: {len(sightings)} windows of {1e3 * window:g} ms, {places} places"
    result = _result(recognizer, sightings, active)
    return result | {"title": title, "window_s": window, "times_s": times}, evidence


def windows(recording: Recording, survey: Survey, window: float) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Yield start, s, and events of each pixel (height, width) of the windows of `window` s that hold events.

    Windows without events show nothing, and a damaged time may be years away. The last window, which the end
    of the recording cuts short, is left out unless it is the only one.
    """
    width, height = survey.size
    span = max(1, round(window * 1e6))
    last = (survey.last - survey.first) // span
    counts, current = np.zeros((height, width), np.int64), 0
    for packet in recording:
        slot = (packet.t - survey.first) // span
        for k in np.unique(slot).tolist():
            if k != current:
                yield 1e-6 * current * span, counts
                counts, current = np.zeros_like(counts), k
            part = slot == k
            np.add.at(counts, (packet.y[part], packet.x[part]), 1)
    if last == 0:
        yield 0.0, counts


def _sample(
    recognizer: Recognizer, views: Iterable[tuple[float, NDArray[np.int64]]], seed: int
) -> NDArray[np.float32]:
    """Draw up to `STUDIED` images from a stream of unknown length (Vitter 1985)."""
    rng = np.random.default_rng(seed)
    kept: list[NDArray[np.float32]] = []
    for k, (_, window) in enumerate(views):
        if len(kept) < STUDIED:
            kept.append(recognizer.image(window))
        elif (place := int(rng.integers(k + 1))) < STUDIED:
            kept[place] = recognizer.image(window)
    return np.stack(kept)


def _result(recognizer: Recognizer, sightings: list[Sighting], active: float) -> dict[str, Any]:
    return {
        "places_enrolled": recognizer.memory.places,
        "places": [sighting.place for sighting in sightings],
        "single_places": [sighting.single.place for sighting in sightings],
        "confidence": [float(sighting.single.confidence) for sighting in sightings],
        "similarity": [
            float(sighting.single.similarity.max()) if sighting.single.similarity.size else None
            for sighting in sightings
        ],
        "active_features": active,
        "synapses": recognizer.memory.synapses,
    }


def say(result: dict[str, Any]) -> None:
    console = make_console()
    console.print(result["title"], highlight=False)
    scores = result.get("scores")
    if scores is None:
        return
    for name, title in (("single", "single views"), ("sequence", f"after {SETTLED} views")):
        table = scores[name]
        shares = ", ".join(f"±{k} {table[f'within_{k}']:.2f}" for k in TOLERANCES)
        earlier = table["within_1_of_one_earlier"]
        console.print(f"recall@1, {title}: {shares}; ±1 of one place earlier {earlier:.2f}", highlight=False)
