"""Trains a small network on generated data, in plain Python.

What is there for the search stands between the marks: reading the parameters, reporting each epoch, saving and resuming.
Everything else is an ordinary training script.
"""

import json
import math
import os
import random

# Begin: parameters, report, checkpoints (without Allometry the script runs on its defaults).
PARAMS = {"width": 8, "learning_rate": 0.1, "activation": "tanh"}
if path := os.environ.get("ALLOMETRY_PARAMS"):
    PARAMS.update(json.load(open(path)))
SEED = int(os.environ.get("ALLOMETRY_SEED", 0))
CHECKPOINT = os.path.join(os.environ.get("ALLOMETRY_CHECKPOINT_DIR", "."), "checkpoint.json")


def report(**line):
    with open(os.environ.get("ALLOMETRY_REPORT", os.devnull), "a") as file:
        file.write(json.dumps(line) + "\n")


def should_stop():
    return os.path.exists(os.environ.get("ALLOMETRY_REPORT", "") + ".stop")
# End.

EPOCHS = 20
FEATURES = 4


def rows(count, seed):
    """Points with a label that depends on them through a curved line, and noise."""
    source = random.Random(seed)
    table = []
    for _ in range(count):
        x = [source.gauss(0, 1) for _ in range(FEATURES)]
        score = x[0] * x[1] + math.sin(x[2]) + source.gauss(0, 0.7)
        table.append((x, float(score > 0)))
    return table


class Network:
    """One hidden layer and a logistic output."""

    def __init__(self, width, seed):
        source = random.Random(seed)
        self.hidden = [[source.gauss(0, 0.5) for _ in range(FEATURES + 1)] for _ in range(width)]
        self.output = [source.gauss(0, 0.5) for _ in range(width + 1)]

    def forward(self, x):
        x = x + [1.0]
        sums = [sum(w * v for w, v in zip(row, x)) for row in self.hidden]
        if PARAMS["activation"] == "tanh":
            values = [math.tanh(s) for s in sums]
            slopes = [1 - v * v for v in values]
        else:
            values = [max(0.0, s) for s in sums]
            slopes = [float(s > 0) for s in sums]
        logit = sum(w * v for w, v in zip(self.output, values + [1.0]))
        return x, values, slopes, 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))

    def step(self, x, label, rate):
        x, values, slopes, p = self.forward(x)
        error = p - label
        for i, row in enumerate(self.hidden):
            gradient = error * self.output[i] * slopes[i]
            for j in range(len(row)):
                row[j] -= rate * gradient * x[j]
        for i, value in enumerate(values + [1.0]):
            self.output[i] -= rate * error * value

    def weights(self):
        return len(self.hidden) * (FEATURES + 1) + len(self.output)


def auc(scores, labels):
    """Share of pairs of a positive and a negative row that the scores put in order; half for ties."""
    positives = [s for s, l in zip(scores, labels) if l]
    negatives = [s for s, l in zip(scores, labels) if not l]
    pairs = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return pairs / (len(positives) * len(negatives))


def main():
    training, validation = rows(300, 1), rows(200, 2)
    network, first, best, scores, values = Network(PARAMS["width"], SEED), 1, 0.0, [], []
    if os.path.exists(CHECKPOINT):
        state = json.load(open(CHECKPOINT))
        network.hidden, network.output = state["hidden"], state["output"]
        best, scores, values = state["best"], state["scores"], state["values"]
        first = len(values) + 1
        # A trial that is tried again has a new report.
        for step, value in enumerate(values, start=1):
            report(step=step, value=value)
        print("resumed after epoch", len(values))
    labels = [int(label) for _, label in validation]
    for epoch in range(first, EPOCHS + 1):
        # The order depends on the epoch alone, so that a resumed trial has it too.
        for x, label in random.Random(SEED + epoch).sample(training, len(training)):
            network.step(x, label, PARAMS["learning_rate"])
        now = [network.forward(x)[3] for x, _ in validation]
        value = auc(now, labels)
        if value > best:
            best, scores = value, now
        print("epoch", epoch, "auc", value, flush=True)
        values.append(value)
        state = vars(network) | {"best": best, "scores": scores, "values": values}
        with open(CHECKPOINT + ".new", "w") as file:
            json.dump(state, file)
        os.replace(CHECKPOINT + ".new", CHECKPOINT)
        report(step=epoch, value=value)
        if should_stop():
            return
    report(scores=scores, labels=labels)
    report(final=True, value=best, weights=network.weights())


main()
