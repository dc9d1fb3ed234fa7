"""ESIM on the video of `benchmarks/events.py`; prints one line of JSON.

    PEER/bin/python benchmarks/peers/esim_events.py FOLDER VIDEO.npz plain

FOLDER holds the module that `esim_memory.cpp` becomes. Times are of its `imageCallback` alone.
"""

import importlib
import json
import sys

import numpy as np


def main() -> None:
    """Time the frames and print the mean."""
    folder, path, case = sys.argv[1:]
    if case != "plain":
        print("ESIM knows no noise", file=sys.stderr)
        sys.exit(2)
    sys.path.insert(0, folder)
    esim = importlib.import_module("esim_memory")
    stored = np.load(path)
    # From 1 s on: it takes a pixel that fired at 0 s for one that never did.
    frames, times = stored["log"], (1.0 + stored["times"]).tolist()
    esim.run(frames[:4], times[:4], 0.2, 0.2, 0.0)
    events, seconds = esim.run(frames, times, 0.2, 0.2, 0.0)
    print(json.dumps({"peer": "ESIM", "frame_s": float(np.mean(seconds)), "events": len(events)}))


if __name__ == "__main__":
    main()
