"""Plays samplers on tables of real trainings (benches/peers/tables.py, or the budgets of recorded ladders: ladder_tables.py) and compares them pairwise.

    python3 benches/peers/search.py play OUT.json SAMPLER SEEDS TRIALS TABLE...
    python3 benches/peers/search.py compare A.json B.json

SAMPLER is `optuna-tpe`, `optuna-gp` (needs PyTorch), or the command line of a filter such as "allometry sampler --kind gp". Each trial is
told one of the seeds' values of its configuration, drawn for each repeat, always the same for one run, whoever asks. What counts is the mean over all seeds of the configuration handed over, as
normalised regret: 0 is the best configuration of the table, 1 the median one. Optuna hands over its best trial, a filter what it recommends.
Optuna sees ordinal parameters as integers, their ranks.

`play` appends to OUT.json what it has, so that it can be interrupted; `compare` prints mean regrets, wins, and the 95% bootstrap
interval of the paired difference (runs resampled within each table).
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


def read(path):
    """The table of a file, or one for each budget of a recorded ladder."""
    with open(path) as file:
        document = json.load(file)
    if "budgets" not in document:
        return [Table(document)]
    return [Table({**budget, "name": f"{document['name']}/{budget['weights']}"}) for budget in document["budgets"]]


class Table:
    def __init__(self, document):
        self.name, self.params = document["name"], document["params"]
        self.values = np.array([[math.nan if v is None else v for v in row] for row in document["values"]])
        means = self.values.mean(1)
        self.means = np.where(np.isnan(means), np.nanmax(means), means)
        ordered = np.sort(self.means)
        self.best, self.median = ordered[0], ordered[len(ordered) // 2]

    def index(self, params):
        index = 0
        for p in self.params:
            index = index * len(p["values"]) + p["values"].index(params[p["name"]])
        return index

    def value(self, index, seed, repeat):
        key = f"{self.name}/{seed}/{index}" + (f"/{repeat}" if repeat else "")
        pick = zlib.crc32(key.encode()) % self.values.shape[1]
        value = self.values[index, pick]
        return None if math.isnan(value) else float(value)

    def regret(self, index):
        return float((self.means[index] - self.best) / (self.median - self.best))


class Filter(Program):
    def __init__(self, command, table, seed, trials):
        super().__init__(command, name=table.name, seed=seed, budget=trials, workers=1, params=table.params)
        self.table = table

    def ask(self, number):
        self.send(ask=number)
        return self.table.index(self.receive())

    def tell(self, number, value):
        self.send(tell=number, value=value)

    def recommend(self):
        self.send(recommend=True)
        return self.table.index(self.receive())


class Optuna:
    def __init__(self, name, table, seed):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers = {"optuna-tpe": optuna.samplers.TPESampler, "optuna-gp": optuna.samplers.GPSampler}
        self.study = optuna.create_study(sampler=samplers[name](seed=seed))
        self.fail = optuna.trial.TrialState.FAIL
        self.table, self.trials, self.indices, self.spent = table, [], [], 0.0

    def ask(self, number):
        start = time.process_time()
        trial = self.study.ask()
        params = {}
        for p in self.table.params:
            if p["type"] == "ordinal":
                params[p["name"]] = p["values"][trial.suggest_int(p["name"], 0, len(p["values"]) - 1)]
            else:
                params[p["name"]] = trial.suggest_categorical(p["name"], p["values"])
        self.spent += time.process_time() - start
        self.trials.append(trial)
        self.indices.append(self.table.index(params))
        return self.indices[-1]

    def tell(self, number, value):
        if value is None:
            self.study.tell(self.trials[number], state=self.fail)
        else:
            self.study.tell(self.trials[number], value)

    def recommend(self):
        return self.indices[self.study.best_trial.number]

    def seconds(self):
        return self.spent


def play(out, sampler, seeds, trials, paths):
    runs = json.load(open(out)) if os.path.exists(out) else []
    done = {(run["table"], run["seed"]) for run in runs}
    for table in (table for path in paths for table in read(path)):
        for seed in range(seeds):
            if (table.name, seed) in done:
                continue
            peer = Optuna(sampler, table, seed) if sampler.startswith("optuna-") else Filter(sampler, table, seed, trials)
            run = {"table": table.name, "seed": seed, "recommended": {}, "told": {}, "visited": {}}
            seen, told = [], []
            for number in range(trials):
                index = peer.ask(number)
                value = table.value(index, seed, seen.count(index))
                peer.tell(number, value)
                seen.append(index)
                told.append(math.inf if value is None else value)
                if number + 1 in CHECKPOINTS:
                    key = str(number + 1)
                    run["recommended"][key] = table.regret(peer.recommend())
                    run["told"][key] = table.regret(seen[int(np.argmin(told))])
                    run["visited"][key] = min(map(table.regret, seen))
            run["repeats"] = len(seen) - len(set(seen))
            run["seconds"] = peer.seconds()
            runs.append(run)
            with open(out, "w") as file:
                json.dump(runs, file)
    summary(out, runs)


def summary(name, runs):
    tables = sorted({run["table"] for run in runs})
    mean = lambda kind, key: np.mean([np.mean([r[kind][key] for r in runs if r["table"] == t]) for t in tables])
    keys = [key for key in map(str, CHECKPOINTS) if all(key in run["recommended"] for run in runs)]
    for kind in ("recommended", "told", "visited"):
        print(f"{name} {kind}: " + " / ".join(f"{mean(kind, key):.4f}" for key in keys))
    print(
        f"{name}: {len(runs)} runs on {len(tables)} tables, {sum(r['repeats'] for r in runs) / len(runs):.1f} repeats and "
        f"{np.mean([r['seconds'] for r in runs]):.2f} s of CPU a run"
    )


if sys.argv[1] == "play":
    play(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), sys.argv[6:])
else:
    paired.compare(sys.argv[2], sys.argv[3], CHECKPOINTS, "recommended", summary)
