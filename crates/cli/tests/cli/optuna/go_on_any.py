"""Two more trials of a study by Optuna, with the parameters that it has."""

import json
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
path, name = sys.argv[1:]
storage = path if "://" in path else f"sqlite:///{path}"
study = optuna.load_study(study_name=name, storage=storage, sampler=optuna.samplers.TPESampler(seed=1))
space = {name: d for trial in study.get_trials() for name, d in trial.distributions.items()}
for _ in range(2):
    study.tell(study.ask(space), 1.0)
print(json.dumps({"trials": len(study.get_trials()), "best": study.best_trial.number}))
