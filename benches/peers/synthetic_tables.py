"""Tables drawn at random to resemble tables of multilayer perceptrons and small transformers.

    python3 benches/peers/synthetic_tables.py OUTPUT_FOLDER

A loss is `exp(sharpness g)` of a sum `g` of a bowl in the learning rate whose place shifts with the other parameters, of main effects and of pairwise
interactions. Four seeds a point with noise that grows with the loss; large learning rates diverge with a heavy tail. Same format as tables.py.
"""

import json
import os
import sys

import numpy as np


def ordinal(name, values):
    return {"name": name, "type": "ordinal", "values": values}


def words(name, values):
    return {"name": name, "type": "categorical", "values": values}


FCNET = [
    words("a1", ["tanh", "relu"]),
    words("a2", ["tanh", "relu"]),
    ordinal("batch", [8, 16, 32, 64]),
    ordinal("d1", [0.0, 0.3, 0.6]),
    ordinal("d2", [0.0, 0.3, 0.6]),
    ordinal("lr", [5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1]),
    words("sched", ["cosine", "const"]),
    ordinal("u1", [16, 32, 64, 128, 256, 512]),
    ordinal("u2", [16, 32, 64, 128, 256, 512]),
]
MLP = [
    ordinal("lr", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 0.3]),
    ordinal("width", [16, 32, 64, 128, 256]),
    ordinal("depth", [1, 2, 3]),
    ordinal("batch", [8, 16, 32, 64, 128]),
    ordinal("alpha", [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
]
TRANSFORMER = [
    ordinal("lr", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]),
    ordinal("width", [32, 64, 128]),
    ordinal("depth", [1, 2, 3, 4]),
    ordinal("batch", [16, 32]),
    ordinal("dropout", [0.0, 0.1, 0.3]),
    ordinal("wd", [0.0, 0.01]),
]
# name, parameters, noise, sharpness; the seed is 100 and the place in this list.
TABLES = [
    ("syn-fc1", FCNET, 0.3, 1.0),
    ("syn-fc2", FCNET, 0.15, 1.6),
    ("syn-fc3", FCNET, 0.4, 0.8),
    ("syn-fc4", FCNET, 0.2, 2.0),
    ("syn-mlp1", MLP, 0.3, 1.0),
    ("syn-mlp2", MLP, 0.5, 1.3),
    ("syn-mlp3", MLP, 0.15, 1.0),
    ("syn-tr1", TRANSFORMER, 0.3, 1.0),
    ("syn-tr2", TRANSFORMER, 0.15, 1.4),
]


def values(params, seed, noise, sharpness):
    """Shape (seeds, points), last parameter fastest."""
    rng = np.random.default_rng(seed)
    sizes = [len(p["values"]) for p in params]
    count = len(sizes)
    index = np.indices(sizes).reshape(count, -1)
    u = np.stack([i / (s - 1) for i, s in zip(index, sizes)])
    weight = np.sort(rng.exponential(size=count))[::-1]
    rate = [p["name"] for p in params].index("lr")
    rest = [d for d in range(count) if d != rate]
    weight = dict(zip([rate] + list(rng.permutation(rest)), weight / weight.sum() * 2.5))
    optimum = rng.uniform(0.3, 0.7)
    shift = np.zeros(u.shape[1])
    for d in rest:
        shift += rng.normal() * 0.18 * (u[d] - 0.5)
    g = max(weight[rate], 0.8) * 6 * (u[rate] - optimum - shift) ** 2
    for d in rest:
        if params[d]["type"] == "categorical" or sizes[d] == 2:
            effect = (rng.normal(size=sizes[d]) * 0.4)[index[d]]
        else:
            place = rng.uniform(-0.2, 1.2)
            effect = np.abs(u[d] - place) ** rng.uniform(1, 2) * 1.5
        g += weight[d] * effect
    for _ in range(2 * count):
        i, j = rng.choice(count, 2, replace=False)
        pair = rng.normal(size=(sizes[i], sizes[j]))
        # Running sums make neighbouring levels alike.
        if sizes[i] > 2:
            pair = np.cumsum(pair, 0) / np.sqrt(sizes[i])
        if sizes[j] > 2:
            pair = np.cumsum(pair, 1) / np.sqrt(sizes[j])
        pair -= pair.mean()
        g += 0.35 * np.sqrt(weight[i] * weight[j]) * pair[index[i], index[j]] * 2
    g -= g.min()
    diverges = 1 / (1 + np.exp(-(u[rate] - optimum - shift - 0.42) * 25))
    loss = np.exp(sharpness * g)
    z = rng.normal(size=(4, len(g)))
    deviation = noise * (0.6 + 0.5 * (loss - 1)) * np.exp(0.3 * rng.normal(size=len(g)))
    tail = np.exp(rng.normal(size=(4, len(g))) * 1.5 + 1) * (rng.random((4, len(g))) < 0.9) * 2
    return np.abs(loss + z * deviation + diverges * tail)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for place, (name, params, noise, sharpness) in enumerate(TABLES):
        rows = [[float(f"{x:.4g}") for x in row] for row in values(params, 100 + place, noise, sharpness).T]
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            json.dump({"name": name, "params": params, "values": rows}, file)


main()
