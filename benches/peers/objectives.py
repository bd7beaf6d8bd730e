"""Plays samplers on problems with several objectives and compares the hypervolumes of their fronts pairwise.

    python3 benches/peers/objectives.py play OUT.json SAMPLER SEEDS TRIALS TABLE...
    python3 benches/peers/objectives.py compare A.json B.json

SAMPLER is `optuna-tpe`, `optuna-gp` (needs PyTorch), `optuna-nsga2`, or the command line of a filter such as "allometry sampler --kind gp".

A TABLE (of search.py) gives the loss of a configuration; the second objective is what the network costs, the number of products of its layers
and the epochs' share of the batch, computed from the parameters whose names say what they are. The loss is told as one seed's value, always the
same for one run; the cost is exact. The problems `dtlz2-2`, `dtlz2-3` and `zdt1` (Deb et al. 2005; Zitzler, Deb & Thiele 2000) on grids of six
parameters of 11 levels may stand in the place of a TABLE: they have no noise.

What counts is the hypervolume of the true means of the configurations tried, over the worst point of the median configuration, as a share of what
the whole table could win (over 1.1 in each objective, of what the known front on the grid wins, for `zdt1` and `dtlz2`). Losses enter by their logarithm where the table spans more than a factor of ten.
"""

import json
import math
import os
import sys
import time
import zlib

import numpy as np

import paired
from program import Program

CHECKPOINTS = (25, 50, 100)


def volume(points, reference):
    """Of two or three objectives, smaller is better."""
    points = np.asarray(points)
    points = points[(points < reference).all(1)]
    if len(points) == 0:
        return 0.0
    if len(reference) == 2:
        total, reached = 0.0, reference[0]
        for x, y in points[np.argsort(points[:, 1], kind="stable")]:
            if x < reached:
                total += (reached - x) * (reference[1] - y)
                reached = x
        return total
    levels = np.unique(points[:, -1])
    ends = np.append(levels[1:], reference[-1])
    return sum(
        (end - level) * volume(points[points[:, -1] <= level][:, :-1], reference[:-1])
        for level, end in zip(levels, ends)
    )


class Table:
    def __init__(self, path):
        with open(path) as file:
            document = json.load(file)
        self.name, self.params = document["name"], document["params"]
        values = np.array([[math.nan if v is None else v for v in row] for row in document["values"]])
        self.is_log = np.nanmax(values) > 10 * np.nanmin(values) > 0
        self.values = np.log(values) if self.is_log else values
        means = self.values.mean(1)
        means = np.where(np.isnan(means), np.nanmax(means), means)
        sizes = [len(p["values"]) for p in self.params]
        digits = np.stack(np.unravel_index(np.arange(len(means)), sizes), 1)
        self.costs = np.array([self.cost({p["name"]: p["values"][d] for p, d in zip(self.params, row)}) for row in digits])
        self.points = np.stack([means, self.costs], 1)
        self.reference = np.median(self.points, 0)
        self.best = volume(self.points, self.reference)
        self.objectives = 2

    @staticmethod
    def cost(params):
        widths = [float(params[name]) for name in ("u1", "u2", "width") if name in params]
        depth = float(params.get("depth", 1))
        per_step = sum(10 * w for w in widths) + (widths[0] * widths[-1]) * depth
        return math.log(per_step)

    def index(self, params):
        index = 0
        for p in self.params:
            index = index * len(p["values"]) + p["values"].index(params[p["name"]])
        return index

    def told(self, params, seed):
        index = self.index(params)
        pick = zlib.crc32(f"{self.name}/{seed}/{index}".encode()) % self.values.shape[1]
        value = self.values[index, pick]
        return None if math.isnan(value) else [float(value), float(self.costs[index])]

    def truth(self, params):
        return self.points[self.index(params)]


class Problem:
    """A function on a grid, without noise."""

    def __init__(self, name):
        self.name = name
        self.params = [{"name": f"x{i}", "type": "ordinal", "values": [k / 10 for k in range(11)]} for i in range(6)]
        self.objectives = 3 if name == "dtlz2-3" else 2
        self.reference = np.full(self.objectives, 1.1)
        # The front: of zdt1 y = 1 - sqrt x, of dtlz2 the unit sphere, at the levels of the first parameters.
        if name == "zdt1":
            front = [(x, 1 - math.sqrt(x)) for x in np.arange(11) / 10]
        elif self.objectives == 2:
            front = [(math.cos(a), math.sin(a)) for a in np.arange(11) / 10 * math.pi / 2]
        else:
            angles = np.arange(11) / 10 * math.pi / 2
            front = [(math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)) for a in angles for b in angles]
        self.best = volume(front, self.reference)

    def truth(self, params):
        x = [params[f"x{i}"] for i in range(6)]
        if self.name == "zdt1":
            g = 1 + 9 * sum(x[1:]) / 5
            return np.array([x[0], g * (1 - math.sqrt(x[0] / g))])
        g = sum((v - 0.5) ** 2 for v in x[self.objectives - 1 :])
        a = [v * math.pi / 2 for v in x]
        if self.objectives == 2:
            return (1 + g) * np.array([math.cos(a[0]), math.sin(a[0])])
        return (1 + g) * np.array(
            [math.cos(a[0]) * math.cos(a[1]), math.cos(a[0]) * math.sin(a[1]), math.sin(a[0])]
        )

    def told(self, params, seed):
        return [float(v) for v in self.truth(params)]


class Filter(Program):
    def __init__(self, command, problem, seed):
        directions = ["minimize"] * problem.objectives
        super().__init__(command, name=problem.name, seed=seed, params=problem.params, directions=directions)

    def ask(self, number):
        self.send(ask=number)
        return self.receive()

    def tell(self, number, values):
        self.send(tell=number, values=values)


class Optuna:
    def __init__(self, name, problem, seed):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers = {
            "optuna-tpe": optuna.samplers.TPESampler,
            "optuna-gp": optuna.samplers.GPSampler,
            "optuna-nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=20),
        }
        self.study = optuna.create_study(sampler=samplers[name](seed=seed), directions=["minimize"] * problem.objectives)
        self.fail = optuna.trial.TrialState.FAIL
        self.params, self.trials, self.spent = problem.params, [], 0.0

    def ask(self, number):
        start = time.process_time()
        trial = self.study.ask()
        params = {}
        for p in self.params:
            if p["type"] == "ordinal":
                params[p["name"]] = p["values"][trial.suggest_int(p["name"], 0, len(p["values"]) - 1)]
            else:
                params[p["name"]] = trial.suggest_categorical(p["name"], p["values"])
        self.spent += time.process_time() - start
        self.trials.append(trial)
        return params

    def tell(self, number, values):
        start = time.process_time()
        if values is None:
            self.study.tell(self.trials[number], state=self.fail)
        else:
            self.study.tell(self.trials[number], values)
        self.spent += time.process_time() - start

    def seconds(self):
        return self.spent


def play(out, sampler, seeds, trials, names):
    runs = json.load(open(out)) if os.path.exists(out) else []
    done = {(run["table"], run["seed"]) for run in runs}
    for name in names:
        problem = Table(name) if name.endswith(".json") else Problem(name)
        for seed in range(seeds):
            if (problem.name, seed) in done:
                continue
            peer = Optuna(sampler, problem, seed) if sampler.startswith("optuna-") else Filter(sampler, problem, seed)
            run = {"table": problem.name, "seed": seed, "share": {}}
            points, seen = [], set()
            for number in range(trials):
                params = peer.ask(number)
                peer.tell(number, problem.told(params, seed))
                points.append(problem.truth(params))
                seen.add(json.dumps(params, sort_keys=True))
                if number + 1 in CHECKPOINTS:
                    run["share"][str(number + 1)] = volume(points, problem.reference) / problem.best
            run["repeats"] = trials - len(seen)
            run["seconds"] = peer.seconds()
            runs.append(run)
            with open(out, "w") as file:
                json.dump(runs, file)
    summary(out, runs)


def summary(name, runs):
    tables = sorted({run["table"] for run in runs})
    keys = [key for key in map(str, CHECKPOINTS) if all(key in run["share"] for run in runs)]
    mean = lambda key, t: np.mean([r["share"][key] for r in runs if r["table"] == t])
    for key in keys:
        print(f"{name} after {key}: {np.mean([mean(key, t) for t in tables]):.4f}  " + ", ".join(f"{t} {mean(key, t):.3f}" for t in tables))
    print(
        f"{name}: {len(runs)} runs on {len(tables)} tables, {sum(r['repeats'] for r in runs) / len(runs):.1f} repeats and "
        f"{np.mean([r['seconds'] for r in runs]):.2f} s of CPU a run"
    )


if sys.argv[1] == "play":
    play(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), sys.argv[6:])
else:
    paired.compare(sys.argv[2], sys.argv[3], CHECKPOINTS, "share", summary)
