"""v2e's emulator on the video of `benchmarks/events.py`; prints one line of JSON.

PEER/bin/python benchmarks/peers/v2e_events.py V2E VIDEO.npz plain|noise
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "oracles"))
from v2e_counts import emulator

#: The same as `CASES` of events.py, in v2e's names.
CASES = {
    "plain": {"sigma_thres": 0.0, "leak_rate_hz": 0.0},
    "noise": {
        "sigma_thres": 0.03, "refractory_period_s": 0.5e-3, "cutoff_hz": 300.0, "leak_rate_hz": 0.1,
        "shot_noise_rate_hz": 1.0,
    },
}  # fmt: skip


def main() -> None:
    """Time the frames and print the mean, in processor seconds."""
    checkout, path, case = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    emulator_class = emulator(checkout)
    import torch

    torch.set_num_threads(1)
    stored = np.load(path)
    frames, times = stored["digital"], stored["times"].tolist()
    for count in (4, len(frames)):  # the first time warms up
        pixels = emulator_class(pos_thres=0.2, neg_thres=0.2, device="cpu", seed=1, **CASES[case])
        pixels.generate_events(frames[0], times[0])
        events, began = 0, time.process_time()
        for frame, instant in zip(frames[1:count], times[1:count], strict=True):
            made = pixels.generate_events(frame, instant)
            events += 0 if made is None else len(made)
        seconds = (time.process_time() - began) / (count - 1)
    print(json.dumps({"peer": f"v2e (torch {torch.__version__})", "frame_s": seconds, "events": events}))


if __name__ == "__main__":
    main()
