"""Makes a study with whatever Optuna runs this, or prints the trials of one: `former.py URL make|dump`."""

import json
import os
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
url, what = sys.argv[1:3]


class Failed(Exception):
    pass


def objective(trial):
    x = trial.suggest_uniform("x", -5, 0)
    trial.suggest_loguniform("rate", 1e-5, 1)
    n = trial.suggest_int("n", 1, 8)
    trial.suggest_categorical("c", ["a", None, True, 2.5])
    trial.suggest_discrete_uniform("q", 0, 1, 0.25)
    trial.set_user_attr("n_params", 1000 * n)
    trial.set_user_attr("note", "\u00e9")
    trial.report(x, 1)
    trial.report(0.5, 3)
    if trial.number == 2:
        raise Failed
    if trial.number == 4:
        raise optuna.exceptions.TrialPruned()
    return float("inf") if trial.number == 5 else x * n


if what == "make":
    # What a process has just made it may show otherwise than it stored it: another one dumps it.
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(storage=url, study_name="old", direction="maximize", sampler=sampler)
    study.optimize(objective, 8, catch=(Failed,))
    study.set_user_attr("k", [1, {"a": 2}])
    print("null")
    sys.exit()
study = optuna.load_study(storage=url, study_name="old")
trials = [
    {
        "number": trial.number,
        "state": trial.state.name,
        "value": repr(trial.value),
        "params": trial.params,
        # Former classes keep ends as they were given, those of today as floats.
        "ranges": {
            name: [float(set.low), float(set.high)] for name, set in trial.distributions.items() if hasattr(set, "low")
        },
        "user_attrs": trial.user_attrs,
        "intermediate": {str(step): value for step, value in trial.intermediate_values.items()},
        "start": str(trial.datetime_start),
        "complete": str(trial.datetime_complete),
    }
    for trial in study.trials
]
print(json.dumps({"direction": study.direction.name, "user_attrs": study.user_attrs, "trials": trials}, sort_keys=True))
