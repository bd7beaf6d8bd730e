"""Compares validation AUCs of trials that are trained in f32 and in bf16, paired by seed and settings.

Usage: python3 benches/precision_auc.py LADDER.toml [--budget S] [--seeds 12] [--binary target/release/allometry]

The ladder's sampler must not learn from results ("grid", "random" or "qmc"), so that both precisions train the same
configurations. Its `seed` is replaced by 1, 2, ... . A line per seed; then the mean difference, bf16 less f32, with its
90% interval over the seeds (Student's t), and the mean learning curves of both.
"""

import argparse
import sqlite3
import statistics
import subprocess
import tempfile
from pathlib import Path

# 95% quantiles of Student's t, by degrees of freedom.
QUANTILES = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 7: 1.895, 8: 1.860, 9: 1.833, 10: 1.812, 11: 1.796,
             12: 1.782, 13: 1.771, 14: 1.761, 15: 1.753, 16: 1.746, 17: 1.740, 18: 1.734, 19: 1.729, 23: 1.714}  # fmt: skip


def trained(options, precision, seed):
    """Best value and values by epoch of every trial, in the order of the trials."""
    with tempfile.TemporaryDirectory() as folder:
        storage = Path(folder) / "trials.db"
        command = [options.binary, "run", options.ladder, "--storage", f"sqlite:///{storage}", "--precision", precision,
                   "-S", f"seed={seed}", "--workers", str(options.workers)]  # fmt: skip
        if options.budget:
            command += ["--budget", options.budget]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        database = sqlite3.connect(storage)
        values = dict(database.execute("select trial_id, value from trial_values"))
        numbers = dict(database.execute("select trial_id, study_id * 1000000 + number from trials"))
        curves = {}
        steps = "select trial_id, step, intermediate_value from trial_intermediate_values"
        for trial, step, value in database.execute(steps):
            curves.setdefault(trial, {})[step] = value
        order = sorted(values, key=numbers.get)
        return [(values[trial], curves.get(trial, {})) for trial in order]


def mean_curve(trials):
    """Mean by epoch, over the trials that reached it."""
    steps = sorted({step for _, curve in trials for step in curve})
    return {step: statistics.mean(curve[step] for _, curve in trials if step in curve) for step in steps}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ladder")
    parser.add_argument("--budget")
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--binary", default="target/release/allometry")
    options = parser.parse_args()
    differences, everything = [], {"f32": [], "bf16": []}
    for seed in range(1, options.seeds + 1):
        runs = {precision: trained(options, precision, seed) for precision in everything}
        for precision, trials in runs.items():
            everything[precision] += trials
        means = {precision: statistics.mean(value for value, _ in trials) for precision, trials in runs.items()}
        differences.append(means["bf16"] - means["f32"])
        print(f"seed {seed:2}  f32 {means['f32']:.5f}  bf16 {means['bf16']:.5f}  {differences[-1]:+.5f}", flush=True)
    mean, count = statistics.mean(differences), len(differences)
    half = QUANTILES[count - 1] * statistics.stdev(differences) / count**0.5
    print(f"mean difference {mean:+.5f}, 90% interval {mean - half:+.5f} to {mean + half:+.5f} ({count} seeds)")
    curves = {precision: mean_curve(trials) for precision, trials in everything.items()}
    print("epoch  f32      bf16")
    for step in curves["f32"]:
        print(f"{step:5}  {curves['f32'][step]:.5f}  {curves['bf16'].get(step, float('nan')):.5f}")


if __name__ == "__main__":
    main()
