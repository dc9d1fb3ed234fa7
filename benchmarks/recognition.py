"""Place recognition by view alone, in the simulated arena: how often the place recalled is the right one.

An agent explores the default arena for five minutes and stores what it sees, once each. Then it is carried,
drives under other light, at twice the speed or with a noisy sensor, and stores nothing more; twice a second
its view alone, at an unknown heading, is compared with all memories. Right is a memory made within 0.2 m
whose heading, turned as the recall says, is right within 20 degrees. Compared on the same images:

- `memory`: the navigator's own CA3, spiking view cells, 1,152 inputs a memory;
- `sparse`: sparse views and `memory.recognition`, its strongest features alone, 3 bytes each;
- `difference`: sum of absolute differences of the contrast image at the best heading, a byte a pixel;
- `raw difference`: the same without comparing at other headings.

    python benchmarks/recognition.py --seeds 5 --json benchmarks/results/recognition.json

`--recorded FILE` adds a file of two recorded traverses (`tolman localize`), with the same methods at equal
bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import tolman.envs
from numba import njit
from numpy.typing import NDArray
from tolman.agent import Navigator, NavigatorConfig
from tolman.agent.motor import MotorConfig
from tolman.agent.vision.recognizer import Recognizer, RecognizerConfig
from tolman.agent.vision.sparse_views import SparseViewConfig, SparseViews
from tolman.analysis.recognition import area_under_curve, recall_at
from tolman.analysis.statistics import bootstrap_interval
from tolman.envs.lighting import Lamp
from tolman.envs.robot import RobotSpec
from tolman.launch.localizing_views import load_traverses
from tolman.memory.recognition import PlaceRecognition, RecognitionConfig

Floats = NDArray[np.float64]
Images = NDArray[np.float32]

EXPLORE, QUERY = 300.0, 60.0  #: s
PERIOD = 0.040
EVERY = 12  #: control periods between two queries
STEPS_AROUND, SEEN = 72, 64  #: columns of 5 degrees of a circle, and those in view
ARENA = tolman.envs.circular_arena()
CONDITIONS: dict[str, dict[str, Any]] = {
    "the same light": {},
    "half the light": {"arena": replace(ARENA, light=0.5)},
    "twice the light": {"arena": replace(ARENA, light=2.0)},
    "twice the speed": {"robot": RobotSpec(max_speed=0.6)},
    "a lamp to the side": {"arena": replace(ARENA, lamp=Lamp(x=0.8, y=0.3, height=1.2, ambient=0.3))},
    "DAVIS346 pixels, half the light": {
        "camera": tolman.envs.with_sensor(tolman.envs.CameraSpec(), "DAVIS346"),
        "arena": replace(ARENA, light=0.5),
    },
}


class Drive:
    """A navigator in an open field that notes where it truly was, for scores alone."""

    def __init__(self, agent: Navigator, seed: int, **options: Any) -> None:
        self.agent = agent
        self._env = gymnasium.make("tolman/OpenField-v0", disable_env_checker=True, **options)
        self.observation, info = self._env.reset(seed=seed)
        self.pose = info["pose"]
        self.start = float(self.pose[2])  #: world heading that is zero in the frame of the first drive
        agent.reset()

    def step(self) -> None:
        self.observation, _, _, _, info = self._env.step(self.agent.act(self.observation))
        self.pose = info["pose"]

    def image(self) -> Images:
        """The contrast that the retina holds, binned to 5 degrees and 16 rows."""
        held = self.agent.perception.held
        return held.reshape(16, 2, SEEN, 2).mean(axis=(1, 3))

    def close(self) -> None:
        self._env.close()


def explore(
    seed: int,
) -> tuple[Navigator, dict[int, Floats], list[tuple[Floats, Images]], Images, float]:
    """Let an agent learn the arena.

    Returns the agent, the true pose of the memory of each neuron, poses and images at which memories were
    made, images to study, and the world heading of the start.
    """
    agent = Navigator(NavigatorConfig(), tolman.envs.CameraSpec(), seed)
    drive = Drive(agent, seed)
    owner: dict[int, Floats] = {}
    places: list[tuple[Floats, Images]] = []
    studied: list[Images] = []
    store = agent.memory.ca3.store

    def noted(*arguments: Any) -> Any:
        chosen = store(*arguments)
        owner.update(dict.fromkeys(map(int, chosen), drive.pose.copy()))
        places.append((drive.pose.copy(), drive.image()))
        return chosen

    agent.memory.ca3.store = noted  # type: ignore[method-assign]
    for k in range(round(EXPLORE / PERIOD)):
        drive.step()
        if k % 25 == 24:
            studied.append(drive.image())
    drive.close()
    return agent, owner, places, np.stack(studied), drive.start


def query(agent: Navigator, seed: int, options: dict[str, Any]) -> list[tuple[Floats, Images, int, float]]:
    """Drive under other conditions; return pose, image, the neuron CA3 recalls and the heading it says."""
    fast = "robot" in options
    config = replace(agent.config, same_camera=False)
    if fast:
        config = replace(config, motor=replace(MotorConfig(), speed=2.0 * MotorConfig().speed))
    camera = options.get("camera", tolman.envs.CameraSpec())
    other = Navigator(config, camera, seed)
    other.load_state_dict(agent.state_dict())
    memory = other.memory
    memory.ca3.store = lambda *_: np.zeros(0, np.int64)  # type: ignore[method-assign,misc]
    drive = Drive(other, 1000 + seed, **options)
    out = []
    for k in range(round(QUERY / PERIOD)):
        drive.step()
        if k < 75 or k % EVERY or not memory.localised:
            continue
        bins = memory.frame.bins
        match = memory.ca3.search(memory.frame.shifted(memory.anchor.view_trace, np.arange(bins)))
        at = int(np.argmax(match.max(axis=1)))
        recalled = memory.ca3.recall(match[at])
        turn = memory.heading.heading + at * memory.frame.width
        out.append((drive.pose.copy(), drive.image(), int(np.argmax(recalled.counts)), float(turn)))
    drive.close()
    return out


def right(pose: Floats, place: Floats, heading: float) -> bool:
    """Whether a recalled place is within 0.2 m and the recalled world heading within 20 degrees."""
    apart = np.angle(np.exp(1j * (heading - pose[2])))
    return bool(np.hypot(*(place[:2] - pose[:2])) <= 0.2 and abs(apart) <= np.radians(20.0))


@njit(cache=True, fastmath=True)
def differences(cue: Images, views: Images, reach: int, around: int) -> tuple[Floats, NDArray[np.int64]]:
    """Mean absolute difference of what both see at the best displacement, (n,), and that displacement."""
    n, rows, columns = views.shape
    best, shift = np.full(n, np.inf), np.zeros(n, np.int64)
    for k in range(n):
        for s in range(-reach, reach + 1):
            total, count = 0.0, 0
            for c in range(columns):
                d = (c - s) % around if around > 0 else c - s
                if 0 <= d < columns:
                    count += 1
                    for r in range(rows):
                        total += abs(cue[r, c] - views[k, r, d])
            if count > 0 and total / (count * rows) < best[k]:
                best[k], shift[k] = total / (count * rows), s
    return best, shift


def standard(images: Images) -> Images:
    """Take off each row's mean and divide by the spread, as the view cells do."""
    centred = images - images.mean(axis=2, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), 0.1), np.float32)


def binned(images: Images, by: int) -> Images:
    n, rows, columns = images.shape
    return images.reshape(n, rows // by, by, columns // by, by).mean(axis=(2, 4))


def methods(
    places: list[tuple[Floats, Images]], studied: Images, seed: int
) -> dict[str, Callable[[Images], tuple[int, float, float]]]:
    """Return, by name, functions from an image to place, columns turned (5 degrees each) and confidence."""
    views = np.stack([image for _, image in places])
    out: dict[str, Callable[[Images], tuple[int, float, float]]] = {}
    for size, features in ((4500, 1500), (1020, 340), (255, 85)):
        front = SparseViews(SparseViewConfig(), (16, SEEN), seed)
        front.learn(studied)
        stride = front.config.stride
        memory = PlaceRecognition(
            RecognitionConfig(nod=0, features=features), front.shape, STEPS_AROUND // stride
        )
        for view in views:
            memory.enrol(front.encode(view))

        def sparse(
            image: Images, front: SparseViews = front, memory: PlaceRecognition = memory
        ) -> tuple[int, float, float]:
            found = memory.recall(front.encode(image))
            return found.place, float(found.turned[found.place] * front.config.stride), found.confidence

        out[f"sparse, {size} bytes"] = sparse
    for size, by in ((1024, 1), (256, 2)):
        kept = standard(binned(views, by))
        for name, reach in (("difference", STEPS_AROUND // 2 // by), ("raw difference", 0)):

            def difference(
                image: Images, kept: Images = kept, by: int = by, reach: int = reach
            ) -> tuple[int, float, float]:
                best, shift = differences(
                    standard(binned(image[None], by))[0], kept, reach, STEPS_AROUND // by
                )
                first, second = np.partition(best, 1)[:2]
                return int(np.argmin(best)), float(by * shift[np.argmin(best)]), float(1.0 - first / second)

            out[f"{name}, {size} bytes"] = difference
    return out


def simulate(seeds: int) -> dict[str, Any]:
    """Return recall@1 by condition and method over seeds, with bootstrap intervals."""
    table: dict[str, dict[str, list[float]]] = {name: {} for name in CONDITIONS}
    trust: list[float] = []
    places_made = []
    for seed in range(seeds):
        agent, owner, places, studied, start = explore(seed)
        places_made.append(len(places))
        compare = methods(places, studied, seed)
        for name, options in CONDITIONS.items():
            queries = query(agent, seed, options)
            row = table[name]
            row.setdefault("memory", []).append(
                float(
                    np.mean(
                        [
                            right(p, owner.get(neuron, np.full(3, 9.0)), turn + start)
                            for p, _, neuron, turn in queries
                        ]
                    )
                )
            )
            for method, recall in compare.items():
                hits, scores = [], []
                for pose, image, _, _ in queries:
                    place, turned, confidence = recall(image)
                    there = places[place][0]
                    hits.append(right(pose, there, there[2] + np.radians(5.0) * turned))
                    scores.append(confidence)
                row.setdefault(method, []).append(float(np.mean(hits)))
                if method == "sparse, 4500 bytes":
                    trust.append(area_under_curve(np.array(scores), np.array(hits)))
            print(seed, name, {k: round(v[-1], 3) for k, v in row.items()}, len(queries), flush=True)
    return {
        "places": places_made,
        "confidence_auc": float(np.nanmean(trust)),
        "recall_at_1": {
            name: {
                method: {
                    "value": float(np.mean(shares)),
                    "ci95": bootstrap_interval(np.array(shares)),
                    "seeds": shares,
                }
                for method, shares in row.items()
            }
            for name, row in table.items()
        },
    }


def recorded(file: Path, seeds: int) -> dict[str, Any]:
    """Score two recorded traverses: sparse views and differences at equal bytes, recall@1 by tolerance."""
    traverses = load_traverses(file)
    if traverses is None or traverses[2] is None:
        raise SystemExit(f"{file} does not hold reference, query and ground_truth")
    reference, queries, truth = traverses
    out: dict[str, Any] = {}
    for size, features in ((4500, 1500), (1599, 533), (399, 133)):
        shares = []
        for seed in range(seeds):
            config = replace(RecognizerConfig(), memory=RecognitionConfig(features=features))
            recognizer = Recognizer(config, reference.shape[1:], seed)
            images = np.stack([recognizer.image(frame) for frame in reference])
            recognizer.study(images)
            for image in images:
                recognizer.enrol(image)
            places = [recognizer.recall(recognizer.image(frame)).single.place for frame in queries]
            shares.append(recall_at(np.array(places), truth, (0, 1, 2, 3, 5))[0].tolist())
        out[f"sparse, {size} bytes"] = np.mean(shares, axis=0).tolist()
    for size, by in ((6400, 1), (1600, 2), (400, 4), (100, 8)):
        height, width = reference.shape[1:]
        small = [
            np.log1p(x.astype(np.float32).reshape(len(x), height // by, by, width // by, by).sum(axis=(2, 4)))
            for x in (reference, queries)
        ]
        for name, reach in (("difference", width // by // 2), ("raw difference", 0)):
            places = [int(np.argmin(differences(cue, small[0], reach, 0)[0])) for cue in small[1]]
            out[f"{name}, {size} bytes"] = recall_at(np.array(places), truth, (0, 1, 2, 3, 5))[0].tolist()
    for method, row in out.items():
        print(
            f"{method:26} "
            + "  ".join(f"±{k} {share:.2f}" for k, share in zip((0, 1, 2, 3, 5), row, strict=True))
        )
    return out


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--recorded", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {"seeds": options.seeds}
    if options.recorded is not None:
        results["recorded"] = recorded(options.recorded, min(3, options.seeds))
    results |= simulate(options.seeds)
    for name, row in results["recall_at_1"].items():
        print(name)
        for method, score in row.items():
            print(f"    {method:26} {score['value']:.3f} ({score['ci95'][0]:.3f}-{score['ci95'][1]:.3f})")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
