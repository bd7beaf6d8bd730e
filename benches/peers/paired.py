"""The difference between two samplers that played the same problems from the same seeds: the 95% bootstrap interval, runs resampled within each table."""

import json
import os

import numpy as np


def compare(a, b, checkpoints, figure, summary):
    """Prints the summary of both files' shared runs, and the interval of the paired difference of `figure` at each checkpoint."""
    runs = [{(r["table"], r["seed"]): r for r in json.load(open(path))} for path in (a, b)]
    shared = sorted(set(runs[0]) & set(runs[1]))
    tables = sorted({table for table, _ in shared})
    rng = np.random.default_rng(0)
    for path, side in zip((a, b), runs):
        summary(os.path.basename(path), [side[key] for key in shared])
    for key in map(str, checkpoints):
        if any(key not in runs[i][pair][figure] for i in (0, 1) for pair in shared):
            continue
        differences = [
            np.array([runs[0][pair][figure][key] - runs[1][pair][figure][key] for pair in shared if pair[0] == t])
            for t in tables
        ]
        draws = [np.mean([rng.choice(d, len(d)).mean() for d in differences]) for _ in range(4000)]
        low, high = np.quantile(draws, [0.025, 0.975])
        print(f"after {key}: difference {np.mean([d.mean() for d in differences]):+.4f}, 95% {low:+.4f} to {high:+.4f}")
        print("  by table: " + ", ".join(f"{t} {d.mean():+.3f}" for t, d in zip(tables, differences)))
