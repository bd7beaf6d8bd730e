"""Plays samplers on functions with constraints and compares them pairwise.

    python3 benches/peers/constrained.py play OUT.json SAMPLER SEEDS [TRIALS]
    python3 benches/peers/constrained.py compare OUT.json OTHER.json

SAMPLER is `optuna-tpe`, `optuna-gp` (needs PyTorch), `random`, or the command line of a filter such as "allometry sampler --kind gp". What counts is the
best feasible value told so far as normalised regret: 0 is the best feasible value of the function, 1 the median over feasible points drawn at random; a
run without a feasible trial counts as 1, and so does whatever is worse than that. `play` appends to OUT.json what it has, so that it can be interrupted; `compare`
prints mean regrets, runs without a feasible trial, and the paired difference of the runs that both files have.
"""

import json
import math
import os
import sys
import time

import numpy as np

import paired
from program import Program

CHECKPOINTS = (25, 50)


def number(name, low, high, log=False):
    return {"name": name, "type": "float", "low": low, "high": high, "log": log}


def choice(name, *values):
    return {"name": name, "type": "ordinal", "values": list(values)}


def gardner_one(x, y):
    """Gardner et al. 2014, section 5.1."""
    return math.cos(2 * x) * math.cos(y) + math.sin(x), [math.cos(x) * math.cos(y) - math.sin(x) * math.sin(y) + 0.5]


def gardner_two(x, y):
    """Gardner et al. 2014, section 5.1: about 1% of the square is feasible."""
    return math.sin(x) + y, [math.sin(x) * math.sin(y) + 0.95]


def gramacy(x, y):
    """Gramacy et al. 2016, section 1."""
    first = 1.5 - x - 2 * y - 0.5 * math.sin(2 * math.pi * (x * x - 2 * y))
    return x + y, [first, x * x + y * y - 1.5]


def hartmann(**point):
    """Hartmann's function of six variables inside the unit ball (Letham et al. 2019, section 5.1)."""
    x = np.array([point[f"x{i}"] for i in range(6)])
    a = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])
    p = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                         [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])
    value = -np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(a * (x - p) ** 2).sum(1))
    return float(value), [float(np.linalg.norm(x)) - 1]


def vessel(shell, head, radius, length):
    """The pressure vessel of Sandgren (1990), thicknesses in sixteenths of an inch."""
    s, h = 0.0625 * shell, 0.0625 * head
    cost = 0.6224 * s * radius * length + 1.7781 * h * radius**2 + 3.1661 * s * s * length + 19.84 * s * s * radius
    volume = math.pi * radius**2 * length + 4 / 3 * math.pi * radius**3
    return cost, [0.0193 * radius - s, 0.00954 * radius - h, 1_296_000 - volume, length - 240]


def network(rate, width, depth, dropout, batch):
    """A loss as of a network that wants width and depth, and the milliseconds that it may take."""
    best = 3e-3 * (256 / width) ** 0.5
    loss = 1.2 * width**-0.35 + 0.4 * depth**-0.7 + 0.05 * math.log(rate / best) ** 2 + 0.6 * (dropout - 0.1) ** 2
    return loss + 0.01 * abs(math.log2(batch / 64)), [0.01 * depth * width**1.2 / batch**0.3 - 6, width * depth * batch / 65_536 - 1]


FUNCTIONS = {
    "gardner 1": (gardner_one, [number("x", 0, 6), number("y", 0, 6)]),
    "gardner 2": (gardner_two, [number("x", 0, 6), number("y", 0, 6)]),
    "gramacy": (gramacy, [number("x", 0, 1), number("y", 0, 1)]),
    "hartmann": (hartmann, [number(f"x{i}", 0, 1) for i in range(6)]),
    "vessel": (vessel, [choice("shell", *range(1, 33)), choice("head", *range(1, 33)), number("radius", 10, 80), number("length", 10, 240)]),
    "network": (network, [number("rate", 1e-5, 1e-1, True), choice("width", 32, 64, 96, 128, 192, 256, 384, 512, 768),
                          choice("depth", *range(1, 13)), number("dropout", 0, 0.6), choice("batch", 16, 32, 64, 128, 256)]),
}


def draw(rng, parameters):
    def value(p):
        if p["type"] == "ordinal":
            return p["values"][rng.integers(len(p["values"]))]
        if p["log"]:
            return math.exp(rng.uniform(math.log(p["low"]), math.log(p["high"])))
        return rng.uniform(p["low"], p["high"])

    return {p["name"]: value(p) for p in parameters}


def scale(name):
    """Share of feasible points, and the best and the median feasible value: by random points and steps down from the best of them."""
    function, parameters = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    found = []
    for _ in range(100_000):
        point = draw(rng, parameters)
        value, constraints = function(**point)
        if max(constraints) <= 0:
            found.append((value, point))
    share, values = len(found) / 100_000, [value for value, _ in found]
    leaders = sorted(found, key=lambda one: one[0])[:20]
    for value, point in leaders[:]:
        reach = 0.1
        while reach > 1e-6:
            better = False
            for _ in range(60):
                other = dict(point)
                for p in parameters:
                    if rng.random() < 0.5:
                        if p["type"] == "ordinal":
                            place = p["values"].index(other[p["name"]]) + rng.integers(-1, 2)
                            other[p["name"]] = p["values"][min(max(place, 0), len(p["values"]) - 1)]
                        elif p["log"]:
                            width = reach * math.log(p["high"] / p["low"])
                            other[p["name"]] = min(max(other[p["name"]] * math.exp(rng.normal() * width), p["low"]), p["high"])
                        else:
                            moved = other[p["name"]] + rng.normal() * reach * (p["high"] - p["low"])
                            other[p["name"]] = min(max(moved, p["low"]), p["high"])
                told, constraints = function(**other)
                if max(constraints) <= 0 and told < value:
                    value, point, better = told, other, True
            if not better:
                reach /= 2
        leaders.append((value, point))
    return share, min(value for value, _ in leaders), float(np.median(values))


class Filter(Program):
    def __init__(self, command, name, seed, trials):
        super().__init__(command, name=name, seed=seed, budget=trials, workers=1, params=FUNCTIONS[name][1])

    def ask(self, number):
        self.send(ask=number)
        return self.receive()

    def tell(self, number, value, constraints):
        self.send(tell=number, value=value, constraints=constraints)


class Random:
    def __init__(self, name, seed):
        self.rng, self.parameters = np.random.default_rng(1000 + seed), FUNCTIONS[name][1]

    def ask(self, number):
        return draw(self.rng, self.parameters)

    def tell(self, number, value, constraints):
        pass

    def seconds(self):
        return 0.0


class Optuna:
    def __init__(self, sampler, name, seed):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers = {"optuna-tpe": optuna.samplers.TPESampler, "optuna-gp": optuna.samplers.GPSampler}
        self.study = optuna.create_study(sampler=samplers[sampler](seed=seed))
        self.parameters, self.trials, self.spent = FUNCTIONS[name][1], [], 0.0

    def ask(self, number):
        start = time.process_time()
        trial = self.study.ask()
        params = {}
        for p in self.parameters:
            if p["type"] == "ordinal":
                params[p["name"]] = p["values"][trial.suggest_int(p["name"], 0, len(p["values"]) - 1)]
            else:
                params[p["name"]] = trial.suggest_float(p["name"], p["low"], p["high"], log=p["log"])
        self.spent += time.process_time() - start
        self.trials.append(trial)
        return params

    def tell(self, number, value, constraints):
        for place, constraint in enumerate(constraints):
            self.trials[-1].set_constraint(str(place), constraint)
        self.study.tell(self.trials[-1], value)

    def seconds(self):
        return self.spent


def play(out, sampler, seeds, trials):
    rows = json.load(open(out)) if os.path.exists(out) else []
    done = {(row["table"], row["seed"]) for row in rows}
    scales = {name: scale(name) for name in FUNCTIONS}
    for seed in range(seeds):
        for name, (function, _) in FUNCTIONS.items():
            if (name, seed) in done:
                continue
            if sampler == "random":
                player = Random(name, seed)
            elif sampler.startswith("optuna-"):
                player = Optuna(sampler, name, seed)
            else:
                player = Filter(sampler, name, seed, trials)
            _, best, median = scales[name]
            incumbent, feasible, curve = math.inf, 0, {}
            for number in range(trials):
                value, constraints = function(**player.ask(number))
                player.tell(number, value, constraints)
                if max(constraints) <= 0:
                    incumbent, feasible = min(incumbent, value), feasible + 1
                if number + 1 in CHECKPOINTS:
                    curve[number + 1] = min(max((incumbent - best) / (median - best), 0.0), 1.0)
            rows.append({"table": name, "seed": seed, "regret": curve, "feasible": feasible, "none": incumbent == math.inf,
                         "seconds": player.seconds()})
            with open(out, "w") as file:
                json.dump(rows, file)


def summary(name, runs):
    print(name)
    for table in [*FUNCTIONS, "all"]:
        own = [run for run in runs if table in ("all", run["table"])]
        if own:
            regrets = [np.mean([run["regret"][str(c)] for run in own]) for c in CHECKPOINTS]
            print(f"  {table:10} {len(own):4} runs, regret " + " / ".join(f"{r:.4f}" for r in regrets)
                  + f", feasible {np.mean([run['feasible'] for run in own]):.1f}, none {sum(run['none'] for run in own)}"
                  + f", {np.mean([run['seconds'] for run in own]):.2f} s")


if __name__ == "__main__":
    if sys.argv[1] == "play":
        play(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]) if len(sys.argv) > 5 else 50)
    elif sys.argv[1] == "scales":
        for name in FUNCTIONS:
            print(name, *scale(name))
    else:
        paired.compare(sys.argv[2], sys.argv[3], CHECKPOINTS, "regret", summary)
