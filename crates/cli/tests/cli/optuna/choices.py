"""Two studies in one file: one with choices that are no single values, one whose only trial nobody can read."""

import json
import sqlite3
import sys
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
command, path = sys.argv[1:]
CHOICES = [[64], [64, 64], {"a": [1, None]}, "x", None, True, 2.5, [], 10**30, float("nan")]


def objective(trial):
    trial.suggest_categorical("layers", CHOICES)
    return trial.suggest_float("x", 0, 1)


storage = f"sqlite:///{path}"
if command == "begin":
    sampler = optuna.samplers.RandomSampler(seed=1)
    for name in ("odd", "damaged"):
        study = optuna.create_study(study_name=name, storage=storage, sampler=sampler)
        study.optimize(objective, n_trials=12)
    with sqlite3.connect(path) as db:
        db.execute(
            "UPDATE trial_params SET distribution_json = 'x' WHERE trial_id IN (SELECT trial_id FROM trials JOIN studies"
            " USING (study_id) WHERE study_name = 'damaged')"
        )
else:
    study = optuna.load_study(study_name="odd", storage=storage, sampler=optuna.samplers.RandomSampler(seed=2))
    seen = [[repr(t.params), sorted(map(repr, t.distributions.items())), t.value] for t in study.trials]
    study.optimize(objective, n_trials=2)
    print(json.dumps({"seen": seen, "states": [t.state.name for t in study.trials]}))
