"""Runs four trials, the first of them the waiting one, enqueues two, and prints the study: continue.py URL NAME."""

import json
import sys

import optuna
from described import described

study = optuna.load_study(study_name=sys.argv[2], storage=sys.argv[1])


def objective(trial):
    rate = trial.suggest_float("lr", 1e-5, 1.0, log=True)
    trial.suggest_float("dropout", 0.0, 1.0, step=0.25)
    trial.suggest_categorical("decay", [0.0, 1e-5, 1e-4])
    trial.suggest_int("n_layers", 2, 10, step=2)
    trial.suggest_categorical("d_model", [32, 48, 64])
    trial.suggest_categorical("act", ["gelu", "\u00e9", None, True])
    trial.report(float("nan"), 1)
    trial.report(rate, 2)
    return rate


study.optimize(objective, n_trials=4)
study.enqueue_trial({"d_model": 64, "lr": 1e-3, "batch": 7})
study.enqueue_trial({})
print(json.dumps({"trials": described(study)}))
