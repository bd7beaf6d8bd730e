"""Prints what Optuna says of the constraints of a study, or makes studies with them: python constraints.py URL STUDY [make]

`make` writes two studies: STUDY/new with Trial.set_constraint, STUDY/old with the list that samplers wrote before Optuna 5.
"""

import json
import math
import sys
import warnings

import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
url, name = sys.argv[1:3]


def seen(name):
    study = optuna.load_study(storage=url, study_name=name)
    single = len(study.directions) == 1
    try:
        best = study.best_trial.number if single else None
    except ValueError:
        best = None
    return {
        "constraints": [{k: v if math.isfinite(v) else None for k, v in t.constraints.items()} for t in study.trials],
        "best": best,
        "best_trials": [t.number for t in study.best_trials],
    }


if len(sys.argv) == 3:
    print(json.dumps(seen(name)))
    sys.exit()

new = optuna.create_study(storage=url, study_name=f"{name}/new")
for x, constraints in [(1.0, {"ms": 0.5, "mb": -1}), (2.0, {"ms": 0.0, "mb": -2.5}), (3.0, {"ms": -1}), (0.5, {}), (0.1, {"ms": 1e-9})]:
    trial = new.ask({"x": optuna.distributions.FloatDistribution(0, 10)})
    for key, value in constraints.items():
        trial.set_constraint(key, value)
    new.tell(trial, x)
told = iter([(0.25, -1.0), (-0.5, 0.0), (-2.0, -3.0), (float("inf"), 0.0)])
sampler = optuna.samplers.NSGAIISampler(seed=1, constraints_func=lambda trial: next(told))
old = optuna.create_study(storage=url, study_name=f"{name}/old", sampler=sampler, directions=["minimize", "maximize"])
values = iter([(0.0, 9.0), (1.0, 1.0), (2.0, 3.0), (0.0, 9.0)])
old.optimize(lambda trial: (trial.suggest_float("x", 0, 1), next(values))[1], n_trials=4)
print(json.dumps({"new": seen(f"{name}/new"), "old": seen(f"{name}/old")}))
