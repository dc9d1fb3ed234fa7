"""Speed of the compiled ray caster against PyBullet's TinyRenderer, image by image in one process.

    python benchmarks/rendering.py [--runs 5] [--json FILE]

Both draw the same drive through the same arena, 60 poses 3 cm apart with turns, at one size and field of
view. TinyRenderer draws without oversampling, shadows and light, and only its own call is timed: not the
logarithm, nor what makes a panorama of its pinhole views. Ours is timed whole, with anti-aliasing and
logarithm. Times are processor times of an image, which other programs on the machine change little: medians
of `--runs` runs in which the two take turns, one thread each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from math import atan, cos, pi, radians, sin
from pathlib import Path
from typing import Any

import numpy as np
from tolman.envs import Arena, CameraSpec, circular_arena, square_arena
from tolman.envs.arena import Pillar
from tolman.envs.builders import with_inner_walls
from tolman.envs.lighting import Lamp
from tolman.envs.raycast import Raycaster
from tolman.envs.tinyrenderer import TinyRenderer

PEER = "PyBullet TinyRenderer"
POSES, LEAST = 60, 0.2  #: poses of a drive; s of processor time that a measurement takes at least

Pose = tuple[float, float, float]


def pinhole(width: int, height: int) -> CameraSpec:
    """Return a pinhole camera of 90 degrees and square pixels, looking level."""
    half = atan(height / width)
    return CameraSpec(
        width=width,
        height=height,
        projection="pinhole",
        fov_azimuth=radians(90.0),
        elevation_low=-half,
        elevation_high=half,
    )


def maze() -> Arena:
    """Return a square arena with four inner walls, two pillars and a lamp with shadows."""
    segments = ((-0.5, -0.5, -0.5, 0.3), (0.1, 0.3, 0.7, 0.3), (0.2, -0.6, 0.6, -0.6), (0.4, -0.3, 0.4, 0.0))
    arena = with_inner_walls(square_arena(), segments, height=0.35)
    pillars = (Pillar(-0.1, -0.75, 0.06, 0.5, 1), Pillar(-0.8, 0.8, 0.08, 0.4, 1))
    return replace(arena, pillars=pillars, lamp=Lamp(-0.3, 0.4, 1.2, shadows=True))


CASES = {
    "64 x 64 pinhole": (circular_arena(), pinhole(64, 64)),
    "128 x 128 pinhole": (circular_arena(), pinhole(128, 128)),
    "320 x 240 pinhole": (circular_arena(), pinhole(320, 240)),
    "128 x 32 panorama": (circular_arena(), CameraSpec()),
    "64 x 64 pinhole, inner walls, pillars, lamp": (maze(), pinhole(64, 64)),
    "128 x 128 pinhole, inner walls, pillars, lamp": (maze(), pinhole(128, 128)),
}


def drive() -> list[Pose]:
    """Return the poses of a drive around the middle of an arena."""
    angles = np.linspace(0.0, 2.0 * pi, POSES, endpoint=False)
    return [(0.3 * cos(a), 0.3 * sin(a), a + 0.5 * pi + 0.8 * sin(3.0 * a)) for a in angles.tolist()]


def per_image(draw: Callable[[float, float, float], object], poses: list[Pose]) -> float:
    """Return s of processor time an image; the drive is repeated until that is `LEAST` s in all."""
    images, began = 0, time.process_time()
    while (taken := time.process_time() - began) < LEAST or images == 0:
        for pose in poses:
            draw(*pose)
        images += len(poses)
    return taken / images


def measure(runs: int) -> list[dict[str, Any]]:
    """Return a record (name, ours_s, peer, peer_s, ratio, runs) for each case; `runs` are all of ours, s."""
    records, poses = [], drive()
    for name, (arena, camera) in CASES.items():
        caster, tiny = Raycaster(arena, camera), TinyRenderer(arena, camera, oversampling=1)
        image = caster.render(*poses[0])
        tiny.views(*poses[0])
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(per_image(lambda x, y, theta: caster.render(x, y, theta, out=image), poses))  # noqa: B023
            theirs.append(per_image(tiny.views, poses))
        tiny.close()
        mine, peer = statistics.median(ours), statistics.median(theirs)
        records.append(
            {"name": name, "ours_s": mine, "peer": PEER, "peer_s": peer, "ratio": peer / mine, "runs": ours}
        )
    return records


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    records = measure(options.runs)
    for record in records:
        print(
            f"{record['name']:48s} {1e3 * record['ours_s']:7.3f} ms  {record['peer']}"
            f" {1e3 * record['peer_s']:7.2f} ms  {record['ratio']:5.1f} x"
        )
    if options.json is not None:
        options.json.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
