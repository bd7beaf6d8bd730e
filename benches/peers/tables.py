"""Tables of real trainings: every point of a grid of hyperparameters, several seeds each.

    python3 benches/peers/tables.py OUTPUT_FOLDER [NAME...]

Small multilayer perceptrons in NumPy on data sets that scikit-learn ships or generates. Nets of one shape are trained together as one
batched product. A table is a JSON document: `params` as `allometry sampler` takes them, and `values`, one row per grid point (last
parameter fastest) with one validation loss or error per seed, in four significant digits; null where the training diverged.
"""

import itertools
import json
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from sklearn import datasets

SEEDS = 4


def ordinal(name, values, log=False):
    return {"name": name, "type": "ordinal", "values": values, "log": log}


def categorical(name, values):
    return {"name": name, "type": "categorical", "values": values}


def split(x, y, train, validation, seed):
    """Standardised training and validation parts."""
    order = np.random.default_rng(seed).permutation(len(x))
    a, b = order[:train], order[train : train + validation]
    # A pixel that is constant in training must not blow up in validation.
    mean, deviation = x[a].mean(0), np.maximum(x[a].std(0), 0.2 * x[a].std(0).mean())
    x = ((x - mean) / deviation).astype(np.float32)
    if y.dtype.kind == "f":
        y = ((y - y[a].mean()) / y[a].std()).astype(np.float32)
    return x[a], y[a], x[b], y[b]


def diabetes():
    data = datasets.load_diabetes()
    return split(data.data, data.target.astype(float), 240, 200, 1)


def friedman():
    x, y = datasets.make_friedman1(600, n_features=10, noise=0.5, random_state=3)
    return split(x, y, 256, 300, 2)


def cancer():
    data = datasets.load_breast_cancer()
    return split(data.data, data.target, 256, 300, 3)


def digits():
    data = datasets.load_digits()
    return split(data.data / 16.0, data.target, 384, 600, 4)


def wine():
    data = datasets.load_wine()
    rng = np.random.default_rng(5)
    x = data.data + rng.normal(size=data.data.shape) * data.data.std(0) * 0.8
    return split(x, data.target, 100, 78, 6)


def spirals():
    rng = np.random.default_rng(7)
    t = rng.uniform(0.5, 3.0, 700)
    side = rng.integers(0, 2, 700)
    angle = 2.2 * t + np.pi * side
    x = np.stack([t * np.cos(angle), t * np.sin(angle)], 1) + rng.normal(size=(700, 2)) * 0.12
    return split(np.concatenate([x, rng.normal(size=(700, 2))], 1), side, 300, 400, 8)


FCNET = [
    categorical("activation_1", ["tanh", "relu"]),
    categorical("activation_2", ["tanh", "relu"]),
    ordinal("batch_size", [16, 32, 64], True),
    ordinal("dropout_1", [0.0, 0.4]),
    ordinal("dropout_2", [0.0, 0.4]),
    ordinal("init_lr", [5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1], True),
    categorical("lr_schedule", ["cosine", "const"]),
    ordinal("n_units_1", [8, 16, 32, 64], True),
    ordinal("n_units_2", [8, 16, 32, 64], True),
]

PLAIN = [
    ordinal("learning_rate", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1], True),
    ordinal("width", [8, 16, 32, 64], True),
    ordinal("depth", [1, 2, 3]),
    ordinal("batch_size", [16, 32, 64], True),
    ordinal("dropout", [0.0, 0.2, 0.4]),
    ordinal("weight_decay", [0.0, 1e-3, 1e-2, 1e-1]),
]

SGD = [
    ordinal("learning_rate", [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0], True),
    ordinal("momentum", [0.0, 0.5, 0.9, 0.97]),
    ordinal("width", [8, 16, 32, 64], True),
    categorical("activation", ["relu", "tanh", "none"]),
    categorical("schedule", ["const", "cosine"]),
]

# name: data, loss, grid, epochs, optimiser
TABLES = {
    "plain-wine": (wine, "error", PLAIN, 20, "adamw"),
    "sgd-spirals": (spirals, "log_loss", SGD, 30, "sgd"),
    "plain-digits": (digits, "log_loss", PLAIN, 8, "adamw"),
    "fcnet-diabetes": (diabetes, "mse", FCNET, 20, "adamw"),
    "fcnet-friedman": (friedman, "mse", FCNET, 30, "adamw"),
    "fcnet-cancer": (cancer, "log_loss", FCNET, 12, "adamw"),
    "fcnet-digits": (digits, "error", FCNET, 8, "adamw"),
    "sgd-digits": (digits, "error", SGD, 10, "sgd"),
}


def layout(point):
    """What decides the shape of the arrays."""
    widths = [point["n_units_1"], point["n_units_2"]] if "n_units_1" in point else [point["width"]] * point.get("depth", 2)
    activations = [point.get(f"activation_{i + 1}", point.get("activation", "relu")) for i in range(len(widths))]
    return tuple(widths), tuple(activations), point.get("batch_size", 32)


def softmax_loss(z, y):
    z = z - z.max(-1, keepdims=True)
    log_sum = np.log(np.exp(z).sum(-1, keepdims=True))
    return -np.take_along_axis(z - log_sum, y[..., None], -1)[..., 0]


def train(data, loss, epochs, optimiser, key, points):
    """Validation losses of all `points` with all seeds: shape (points, seeds)."""
    x, y, x_val, y_val = data
    widths, activations, batch = key
    nets = [(point, seed) for point in points for seed in range(SEEDS)]
    count = len(nets)
    outputs = 1 if loss == "mse" else int(max(y.max(), y_val.max())) + 1
    sizes = [x.shape[1], *widths, outputs]
    get = lambda name, default: np.array([float(p.get(name, default)) for p, _ in nets], np.float32)[:, None, None]
    rate = get("init_lr", 0) + get("learning_rate", 0)
    momentum, decay = get("momentum", 0), get("weight_decay", 0)
    cosine = np.array([p.get("lr_schedule", p.get("schedule", "const")) == "cosine" for p, _ in nets])[:, None, None]
    names = [f"dropout_{i + 1}" if "dropout_1" in nets[0][0] else "dropout" for i in range(len(widths))]
    keep = [1 - get(name, 0) for name in names]
    # One generator per net, so that a value does not depend on which nets are trained together.
    rngs = [np.random.default_rng([s, len(sizes), int(1e6 * p.get("init_lr", p.get("learning_rate"))), batch]) for p, s in nets]
    weights = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        w = np.stack([r.normal(size=(fan_in, fan_out)) for r in rngs]).astype(np.float32) * np.sqrt(2 / fan_in)
        weights += [w, np.zeros((count, 1, fan_out), np.float32)]
    first = [np.zeros_like(w) for w in weights]
    second = [np.zeros_like(w) for w in weights]
    steps = epochs * (len(x) // batch)
    step = 0
    noise = np.random.default_rng([11, *widths, batch])

    def forward(inputs, masks):
        layers = [inputs]
        for i in range(len(widths)):
            z = layers[-1] @ weights[2 * i] + weights[2 * i + 1]
            z = np.maximum(z, 0) if activations[i] == "relu" else np.tanh(z) if activations[i] == "tanh" else z
            layers.append(z * masks[i] if masks else z)
        return layers, layers[-1] @ weights[-2] + weights[-1]

    for _ in range(epochs):
        orders = np.stack([r.permutation(len(x)) for r in rngs])
        for start in range(0, len(x) - batch + 1, batch):
            rows = orders[:, start : start + batch]
            masks = [(noise.random((count, batch, w), np.float32) < k) / k for w, k in zip(widths, keep)]
            layers, z = forward(x[rows], masks)
            target = y[rows]
            if loss == "mse":
                delta = 2 * (z - target[..., None]) / batch
            else:
                z = np.exp(z - z.max(-1, keepdims=True))
                delta = z / z.sum(-1, keepdims=True)
                np.put_along_axis(delta, target[..., None], np.take_along_axis(delta, target[..., None], -1) - 1, -1)
                delta /= batch
            gradients = []
            for i in reversed(range(len(widths) + 1)):
                gradients[:0] = [layers[i].transpose(0, 2, 1) @ delta, delta.sum(1, keepdims=True)]
                if i:
                    delta = delta @ weights[2 * i].transpose(0, 2, 1)
                    h = layers[i]
                    if activations[i - 1] == "relu":
                        delta = np.where(h > 0, delta * masks[i - 1], 0)
                    else:
                        clean = h / np.maximum(masks[i - 1], 1)
                        delta = delta * masks[i - 1] * (1 - clean**2 if activations[i - 1] == "tanh" else 1)
            step += 1
            lr = np.where(cosine, rate * 0.5 * (1 + np.cos(np.pi * step / steps)), rate)
            for j, g in enumerate(gradients):
                if optimiser == "sgd":
                    first[j] = momentum * first[j] + g
                    weights[j] = weights[j] - lr * first[j]
                else:
                    first[j] = 0.9 * first[j] + 0.1 * g
                    second[j] = 0.999 * second[j] + 0.001 * g * g
                    m, v = first[j] / (1 - 0.9**step), second[j] / (1 - 0.999**step)
                    weights[j] = weights[j] * (1 - lr * decay) - lr * m / (np.sqrt(v) + 1e-8)
    values = []
    for net in range(0, count, 16):
        part = slice(net, net + 16)
        held, weights_all = weights, weights
        weights = [w[part] for w in weights_all]
        z = forward(np.broadcast_to(x_val, (len(weights[0]), *x_val.shape)), None)[1]
        weights = held
        if loss == "mse":
            values.append(((z[..., 0] - y_val) ** 2).mean(-1))
        elif loss == "error":
            wrong = (z.argmax(-1) != y_val).mean(-1)
            values.append(np.where(np.isfinite(z).all((1, 2)), wrong, np.nan))
        else:
            values.append(softmax_loss(z, np.broadcast_to(y_val, z.shape[:2])).mean(-1))
    return np.concatenate(values).reshape(len(points), SEEDS)


def grid(params):
    return [dict(zip((p["name"] for p in params), point)) for point in itertools.product(*(p["values"] for p in params))]


def train_grid(data, loss, params, epochs, optimiser):
    """Validation losses of all points of a grid with all seeds: shape (points, seeds)."""
    points = grid(params)
    groups = {}
    for index, point in enumerate(points):
        groups.setdefault(layout(point), []).append(index)
    values = np.empty((len(points), SEEDS))
    for key, members in groups.items():
        for start in range(0, len(members), 48):
            part = members[start : start + 48]
            values[part] = train(data, loss, epochs, optimiser, key, [points[i] for i in part])
    return values


def rounded(values):
    """Rows in four significant digits; null where a training diverged."""
    return [[float(f"{v:.3e}") if np.isfinite(v) else None for v in row] for row in values]


def table(name):
    load, loss, params, epochs, optimiser = TABLES[name]
    values = train_grid(load(), loss, params, epochs, optimiser)
    return {"name": name, "metric": loss, "params": params, "values": rounded(values)}


def main():
    folder, names = sys.argv[1], sys.argv[2:] or list(TABLES)
    os.makedirs(folder, exist_ok=True)
    np.seterr(all="ignore")
    for name in names:
        start = time.process_time()
        document = table(name)
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            json.dump(document, file, separators=(",", ":"))
            file.write("\n")
        print(f"{name}: {len(document['values'])} points, {time.process_time() - start:.0f} s of CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
