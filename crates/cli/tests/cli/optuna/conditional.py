"""What Optuna reads of a study whose trials lack parameters, and two trials of its own that branch in the same way."""

import json
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
path, name = sys.argv[1:]
study = optuna.load_study(study_name=name, storage=f"sqlite:///{path}", sampler=optuna.samplers.TPESampler(seed=1))
read = [sorted(trial.params) for trial in study.get_trials()]


def objective(trial):
    if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
        return trial.suggest_float("momentum", 0.0, 0.99)
    return trial.suggest_float("beta", 0.8, 0.999)


study.optimize(objective, n_trials=2)
print(json.dumps({"read": read, "trials": len(study.get_trials())}))
