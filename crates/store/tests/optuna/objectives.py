"""Prints what Optuna says of a study with several objectives, and adds a trial to it: python objectives.py URL STUDY"""

import json
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(storage=sys.argv[1], study_name=sys.argv[2])
trial = study.ask()
trial.suggest_categorical("d_model", [32, 48, 64])
study.tell(trial, [0.75, 3.0])
print(
    json.dumps(
        {
            "directions": [d.name for d in study.directions],
            "metric_names": study.metric_names,
            "values": [None if t.values is None else [repr(v) for v in t.values] for t in study.trials],
            "best_trials": [t.number for t in study.best_trials],
        }
    )
)
