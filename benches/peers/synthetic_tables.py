"""Tables drawn at random to resemble tables of multilayer perceptrons and small transformers.

    python3 benches/peers/synthetic_tables.py OUTPUT_FOLDER [development | held-out]

Without a second argument a loss is `exp(sharpness g)` of a sum `g` of a bowl in the learning rate whose place shifts with the other parameters, of main effects and of pairwise
interactions. Four seeds a point with noise that grows with the loss; large learning rates diverge with a heavy tail. Same format as tables.py.

`development` and `held-out` are sets of twelve other tables each: the first for choosing between variants of a sampler, the second for judging the chosen
one. Both have every response, link and noise below, in other spaces and from other seeds; no table is in both.
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


def levels(low, high, count):
    """A range on a logarithmic scale as a long list."""
    return [float(f"{x:.4g}") for x in np.geomspace(low, high, count)]


SMALL = [
    ordinal("lr", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]),
    ordinal("width", [16, 24, 36]),
    ordinal("depth", [1, 2]),
    ordinal("dropout", [0.0, 0.2, 0.4]),
    ordinal("wd", [0.0, 1e-2, 1e-1]),
]
WORDS = [
    words("optimizer", ["adam", "adamw", "sgd", "rmsprop"]),
    words("schedule", ["cosine", "const", "linear"]),
    words("activation", ["relu", "tanh", "gelu", "silu"]),
    words("norm", ["none", "layer", "batch"]),
    ordinal("lr", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]),
    ordinal("batch", [16, 32, 64, 128]),
]
MIXED = [
    ordinal("lr", levels(1e-4, 1e-1, 17)),
    ordinal("dropout", [x / 16 for x in range(9)]),
    ordinal("width", [16, 32, 64, 128, 256]),
    words("optimizer", ["adam", "adamw", "sgd", "rmsprop"]),
    words("activation", ["relu", "tanh", "gelu"]),
]
RANGES = [
    ordinal("lr", levels(1e-5, 1e-1, 41)),
    ordinal("wd", levels(1e-6, 1e-1, 41)),
    words("schedule", ["cosine", "const", "linear"]),
]
# name, parameters, response, link, noise, its size; the seed is that of the set and the place in the list.
KINDS = {
    "development": (
        3_000,
        [
            ("dev-small-edge", SMALL, "edge", "saturating", "even", 0.15),
            ("dev-small-waves", SMALL, "waves", "exponential", "tails", 0.09),
            ("dev-words-words", WORDS, "words", "linear", "even", 0.09),
            ("dev-words-edge", WORDS, "edge", "exponential", "region", 0.12),
            ("dev-mixed-bowl", MIXED, "bowl", "exponential", "grows", 0.06),
            ("dev-mixed-words", MIXED, "words", "saturating", "tails", 0.06),
            ("dev-ranges-waves", RANGES, "waves", "linear", "region", 0.09),
            ("dev-ranges-bowl", RANGES, "bowl", "saturating", "even", 0.03),
            ("dev-mlp-steps", MLP, "steps", "exponential", "grows", 0.12),
            ("dev-mlp-edge", MLP, "edge", "linear", "tails", 0.12),
            ("dev-tr-bowl", TRANSFORMER, "bowl", "linear", "region", 0.18),
            ("dev-fc-edge", FCNET, "edge", "exponential", "grows", 0.09),
        ],
    ),
    "held-out": (
        7_000,
        [
            ("held-small-bowl", SMALL, "bowl", "exponential", "region", 0.12),
            ("held-small-edge", SMALL, "edge", "linear", "tails", 0.09),
            ("held-words-words", WORDS, "words", "exponential", "grows", 0.09),
            ("held-words-bowl", WORDS, "bowl", "saturating", "tails", 0.12),
            ("held-mixed-edge", MIXED, "edge", "linear", "region", 0.06),
            ("held-mixed-words", MIXED, "words", "exponential", "even", 0.06),
            ("held-ranges-bowl", RANGES, "bowl", "linear", "tails", 0.09),
            ("held-ranges-waves", RANGES, "waves", "saturating", "grows", 0.06),
            ("held-mlp-bowl", MLP, "bowl", "exponential", "even", 0.12),
            ("held-mlp-steps", MLP, "steps", "linear", "region", 0.09),
            ("held-tr-edge", TRANSFORMER, "edge", "saturating", "grows", 0.18),
            ("held-fc-words", FCNET, "words", "linear", "even", 0.12),
        ],
    ),
}


def response(kind, params, u, index, rng):
    """A function of the points: rising main effects, a narrow bowl, a bowl for each word, waves or steps, each with pairwise interactions."""
    count, points = u.shape
    ordered = [d for d in range(count) if params[d]["type"] == "ordinal"]
    nominal = [d for d in range(count) if params[d]["type"] == "categorical"]
    weight = rng.exponential(size=count) + 0.1
    g = np.zeros(points)
    for d in nominal:
        g += weight[d] * 0.5 * rng.normal(size=len(params[d]["values"]))[index[d]]
    if kind == "edge":
        # The best value is the first or the last; some effects saturate before.
        for d in ordered:
            x = u[d] if rng.random() < 0.5 else 1 - u[d]
            g += weight[d] * 1.5 * np.maximum(x - (0.4 if rng.random() < 0.3 else 0.0), 0) ** rng.uniform(0.7, 2)
    elif kind in ("bowl", "words"):
        turn = rng.normal(size=(len(ordered), len(ordered))) * 0.4 + np.eye(len(ordered))
        centre = np.repeat(rng.uniform(0.1, 0.9, size=(len(ordered), 1)), points, axis=1)
        if kind == "words":
            word = nominal[rng.integers(len(nominal))]
            centre = rng.uniform(0, 1, size=(len(ordered), len(params[word]["values"])))[:, index[word]]
        g += 4 * ((np.sqrt(weight[ordered])[:, None] * (turn @ (u[ordered] - centre))) ** 2).sum(0)
    elif kind == "waves":
        frequency = rng.standard_t(5, size=(200, count)) * weight * 2.5
        g += 1.5 * np.sqrt(2 / 200) * np.cos(frequency @ u + rng.uniform(0, 2 * np.pi, size=(200, 1))).sum(0)
        g += 2 * weight[ordered[0]] * (u[ordered[0]] - rng.uniform(0.2, 0.8)) ** 2
    elif kind == "steps":
        for _ in range(30):
            first, second = rng.choice(count, 2, p=weight / weight.sum())
            cell = (u[first] > rng.uniform()) * 2 + (u[second] > rng.uniform())
            g += 0.35 * rng.normal(size=4)[cell]
    for _ in range(count):
        i, j = rng.choice(count, 2, replace=False)
        pair = rng.normal(size=(len(params[i]["values"]), len(params[j]["values"])))
        for axis, d in enumerate((i, j)):
            if params[d]["type"] == "ordinal":
                pair = np.cumsum(pair, axis) / np.sqrt(pair.shape[axis])
        g += 0.3 * np.sqrt(weight[i] * weight[j]) * (pair - pair.mean())[index[i], index[j]]
    g -= g.min()
    return g / np.median(g)


def drawn(params, kind, link, noise, size, seed):
    """Shape (seeds, points). The noise is a share of the distance between the best and the median loss; a tenth of its variance belongs to the point."""
    rng = np.random.default_rng(seed)
    shape = [len(p["values"]) for p in params]
    index = np.indices(shape).reshape(len(shape), -1)
    u = np.stack([i / (s - 1) for i, s in zip(index, shape)])
    g = response(kind, params, u, index, rng)
    loss = {"exponential": np.expm1(1.5 * g) / np.expm1(1.5), "saturating": (1 - np.exp(-g)) / (1 - np.exp(-1)), "linear": g}[link]
    z = rng.normal(size=(4, len(g)))
    deviation = np.full(len(g), size)
    if noise == "grows":
        deviation = size * (0.5 + loss)
    elif noise == "tails":
        # One seed in ten goes wrong.
        z = 0.7 * z + 4 * rng.exponential(size=z.shape) * (rng.random(z.shape) < 0.1)
    elif noise == "region":
        place = u[rng.integers(len(shape))]
        deviation = size * np.exp(1.2 * (place - 0.5) * rng.choice([-2, 2])) / 1.4
    z = np.sqrt(0.9) * z + np.sqrt(0.1) * rng.normal(size=len(g))
    return 1 + loss + z * deviation


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    if len(sys.argv) > 2:
        seed, tables = KINDS[sys.argv[2]]
        made = [(name, params, drawn(params, *rest, seed + place)) for place, (name, params, *rest) in enumerate(tables)]
    else:
        made = [(name, params, values(params, 100 + place, *rest)) for place, (name, params, *rest) in enumerate(TABLES)]
    for name, params, replicates in made:
        rows = [[float(f"{x:.4g}") for x in row] for row in replicates.T]
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            json.dump({"name": name, "params": params, "values": rows}, file)


if __name__ == "__main__":
    main()
