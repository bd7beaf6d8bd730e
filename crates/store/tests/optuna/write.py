"""Writes studies with Optuna and prints the first: write.py URL, or the path of a journal."""

import json
import sys

import optuna
from described import described
from optuna.storages.journal import JournalFileBackend

storage = sys.argv[1]
if storage.endswith(".log"):
    storage = optuna.storages.JournalStorage(JournalFileBackend(storage))

study = optuna.create_study(
    study_name="foreign",
    storage=storage,
    direction="minimize",
    sampler=optuna.samplers.RandomSampler(seed=1),
)


def objective(trial):
    rate = trial.suggest_float("lr", 1e-5, 1.0, log=True)
    trial.suggest_categorical("act", ["gelu", "\u00e9", None, True, 2, 2.5])
    trial.suggest_int("n_layers", 1, 9, step=2)
    trial.suggest_int("width", 1, 1024, log=True)
    trial.suggest_float("dropout", 0, 1, step=0.25)
    trial.report(float("nan"), 0)
    trial.report(float("inf"), 1)
    trial.report(rate, 5)
    trial.set_user_attr("pred_min", 0.25)
    trial.set_user_attr("note", {"x": float("nan"), "\u00e9": 1})
    if trial.number == 2:
        raise optuna.TrialPruned
    if trial.number == 3:
        return float("nan")
    if trial.number == 4:
        return float("-inf")
    return rate


study.optimize(objective, n_trials=6)
study.ask()
several = optuna.create_study(study_name="several", storage=storage, directions=["minimize", "maximize"])
several.optimize(lambda trial: (trial.suggest_float("x", 0.0, 1.0), trial.number / 4), n_trials=3)
optuna.create_study(study_name="empty", storage=storage)
print(json.dumps({"trials": described(study), "best": study.best_trial.number}))
