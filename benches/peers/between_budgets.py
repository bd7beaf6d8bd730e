"""What `gp` gains by learning from a ladder's smaller budgets: compares two lists of runs of crates/search/examples/play_ladders.rs.

    cargo run --release -p allometry-search --example play_ladders -- shared 10 50 benches/ladders/*.json > shared.json
    cargo run --release -p allometry-search --example play_ladders -- alone 10 50 benches/ladders/*.json > alone.json
    python benches/peers/between_budgets.py shared.json alone.json
"""

import sys

import numpy as np

import paired

CHECKPOINTS = (10, 15, 25, 50)


def summary(name, runs):
    keys = [str(key) for key in CHECKPOINTS if str(key) in runs[0]["told"]]
    for kind in ("recommended", "told", "visited"):
        print(f"{name} {kind}: " + " / ".join(f"{np.mean([r[kind][key] for r in runs]):.4f}" for key in keys))
    dropped = np.mean([r["dropped"] for r in runs])
    seconds = np.mean([r["seconds"] for r in runs])
    print(f"{name}: {len(runs)} runs, dropped in {dropped:.0%}, {seconds:.2f} s a run")


for figure in ("recommended", "visited"):
    print(f"== {figure}")
    paired.compare(sys.argv[1], sys.argv[2], CHECKPOINTS, figure, summary)
