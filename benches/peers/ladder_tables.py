"""Recorded ladders: the same grid of hyperparameters at three sizes of a model, trained whole, several seeds each.

    python benches/peers/ladder_tables.py OUTPUT_FOLDER PROGRAM [NAME...]

PROGRAM is the built `allometry`. `series-levels` and `series-products` are its own transformer on series that this script draws;
`plain-digits` and `plain-friedman` are the perceptrons of tables.py. A ladder is a JSON document: `budgets`, the smaller first, each with its `weights`
(those of its middle architecture), and `params` and `values` as in tables.py. Losses are minimised: 1 less the AUC for the series.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import tables

SEEDS = 3
ROWS = 2_200
RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
DROPOUTS = [0.0, 0.2, 0.4]
DECAYS = [0.0, 1e-2, 1e-1]
# weights, d_model, n_layers
SERIES_BUDGETS = [(4_000, [8, 12, 16], [1, 2]), (16_000, [16, 24, 32], [1, 2]), (64_000, [32, 48, 64], [1, 2])]
# width, depth
PLAIN_BUDGETS = [([6, 9, 13], [1, 2]), ([16, 24, 36], [1, 2]), ([44, 64, 96], [1, 2])]

LADDER = """
name = "recorded"
metric = "auc"
trials = {trials}
seed = {seed}
[data]
path = "data.csv"
time = "t"
label = "label"
split = {{ train = 0.65, validation = 0.25 }}
[model]
kind = "patchtst"
context = 32
patch = 8
stride = 8
normalize = "standard"
epochs = 10
patience = 10
[space]
n_heads = [2]
d_ff_ratio = [2]
learning_rate = {rates}
dropout = {dropouts}
weight_decay = {decays}
[[budget]]
label = "b"
weights = "any"
[budget.space]
d_model = {widths}
n_layers = {depths}
[sampler]
kind = "grid"
probes = false
[storage]
url = "sqlite:///trials.db"
"""


def autoregression(rng, rows, persistence):
    values = np.zeros(rows + 200)
    for t, e in enumerate(rng.normal(size=rows + 200)[1:], 1):
        values[t] = persistence * values[t - 1] + np.sqrt(1 - persistence**2) * e
    return values[200:]


def series(name, path):
    """A table of noisy indicators of two hidden series; the event depends on a sum of lags, or on a product."""
    rng = np.random.default_rng({"series-levels": 11, "series-products": 12}[name])
    a, b = autoregression(rng, ROWS, 0.95), autoregression(rng, ROWS, 0.9)
    back = np.concatenate([np.zeros(10), a[:-10]])
    score = a - 0.5 * back + 0.5 * b if name == "series-levels" else 1.2 * a * b + 0.3 * a
    event = score + 0.5 * rng.normal(size=ROWS) > np.quantile(score, 0.65)
    columns = [h + 0.8 * rng.normal(size=ROWS) for h in (a, a, b, b)] + [autoregression(rng, ROWS, 0.9) for _ in range(2)]
    with open(path, "w") as file:
        file.write("t,f0,f1,f2,f3,f4,f5,label\n")
        for t in range(ROWS):
            file.write(",".join([str(t), *(f"{c[t]:.5f}" for c in columns), str(int(event[t]))]) + "\n")


def params(first, second):
    return [
        first,
        second,
        tables.ordinal("learning_rate", RATES, True),
        tables.ordinal("dropout", DROPOUTS),
        tables.ordinal("weight_decay", DECAYS),
    ]


def transformer(name, program):
    budgets = []
    for weights, widths, depths in SERIES_BUDGETS:
        axes = params(tables.ordinal("d_model", widths, True), tables.ordinal("n_layers", depths))
        points = tables.grid(axes)
        places = {tuple(point.values()): i for i, point in enumerate(points)}
        values = np.full((len(points), SEEDS), np.nan)
        for seed in range(SEEDS):
            with tempfile.TemporaryDirectory() as folder:
                series(name, os.path.join(folder, "data.csv"))
                text = LADDER.format(
                    trials=len(points), seed=seed, rates=RATES, dropouts=DROPOUTS, decays=DECAYS, widths=widths, depths=depths
                )
                with open(os.path.join(folder, "ladder.toml"), "w") as file:
                    file.write(text)
                subprocess.run([program, "run", "--quiet", folder], check=True)
                with sqlite3.connect(os.path.join(folder, "trials.db")) as store:
                    found = store.execute(
                        "select t.trial_id, value from trials t join trial_values using (trial_id) where state = 'COMPLETE'"
                    )
                    for trial, auc in found.fetchall():
                        row = store.execute(
                            "select param_name, param_value, distribution_json from trial_params where trial_id = ?", (trial,)
                        )
                        point = {n: json.loads(d)["attributes"]["choices"][int(v)] for n, v, d in row.fetchall()}
                        values[places[tuple(point[p["name"]] for p in axes)], seed] = 1 - auc
        budgets.append((weights, axes, values))
    return "1 - auc", budgets


def perceptron(data, loss, epochs):
    x = data[0]
    outputs = 1 if loss == "mse" else int(data[1].max()) + 1
    budgets = []
    for widths, depths in PLAIN_BUDGETS:
        axes = params(tables.ordinal("width", widths, True), tables.ordinal("depth", depths))
        values = tables.train_grid(data, loss, axes, epochs, "adamw")
        middle = widths[1]
        weights = (x.shape[1] + 1) * middle + (middle + 1) * outputs + (middle + 1) * middle // 2
        budgets.append((weights, axes, values))
    return loss, budgets


def main():
    folder, program, names = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3:]
    os.makedirs(folder, exist_ok=True)
    np.seterr(all="ignore")
    ladders = {
        "series-levels": lambda: transformer("series-levels", program),
        "series-products": lambda: transformer("series-products", program),
        "plain-digits": lambda: perceptron(tables.digits(), "log_loss", 8),
        "plain-friedman": lambda: perceptron(tables.friedman(), "mse", 20),
    }
    for name in names or ladders:
        start = time.monotonic()
        metric, budgets = ladders[name]()
        document = {
            "name": name,
            "metric": metric,
            "budgets": [{"weights": w, "params": p, "values": tables.rounded(v)} for w, p, v in budgets],
        }
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            json.dump(document, file, separators=(",", ":"))
            file.write("\n")
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr)


main()
