"""Fronts, crowding distances, elites and hypervolumes of random points by Optuna 5: writes pareto.json beside this file.

    python3 crates/core/tests/oracle/pareto.py
"""

import json
import pathlib

import numpy as np
import optuna
from optuna._hypervolume import compute_hypervolume
from optuna.samplers.nsgaii._elite_population_selection_strategy import (
    NSGAIIElitePopulationSelectionStrategy,
    _calc_crowding_distance,
)
from optuna.study._multi_objective import _fast_non_domination_rank
from optuna.trial import create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)
rng = np.random.default_rng(0)
cases = []
for dimension, count, kind in [(2, 12, "any"), (2, 60, "any"), (3, 40, "any"), (4, 25, "any"), (2, 40, "ties"), (3, 40, "ties")]:
    points = rng.normal(size=(count, dimension)).round(3)
    if kind == "ties":
        points = rng.integers(0, 5, size=(count, dimension)).astype(float)
    reference = points.max(0) - 0.25
    study = optuna.create_study(directions=["minimize"] * dimension)
    study.add_trials([create_trial(values=list(map(float, p))) for p in points])
    trials = study.get_trials()
    case = {
        "points": points.tolist(),
        "reference": reference.tolist(),
        "ranks": _fast_non_domination_rank(points).tolist(),
        "best_trials": [t.number for t in study.best_trials],
        "hypervolume": float(compute_hypervolume(points[(points < reference).all(1)], reference)),
    }
    if kind == "any":
        front = study.best_trials
        crowding = _calc_crowding_distance(list(front))
        case["crowding"] = [None if np.isinf(crowding[t.number]) else crowding[t.number] for t in front]
        size = count // 2
        elite = NSGAIIElitePopulationSelectionStrategy(population_size=size)(study, list(trials))
        case["elite"] = sorted(t.number for t in elite)
    cases.append(case)
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps({"optuna": optuna.__version__, "cases": cases}))
