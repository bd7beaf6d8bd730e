"""Goes on with a study as a program of Optuna's would: two trials told, one left running, one enqueued with a part of
its parameters."""

import json
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
path, name = sys.argv[1:]
study = optuna.load_study(study_name=name, storage=f"sqlite:///{path}", sampler=optuna.samplers.TPESampler(seed=1))
space = {name: d for trial in study.get_trials() for name, d in trial.distributions.items()}
for value in [0.125, 0.25]:
    study.tell(study.ask(space), value)
study.ask(space)
study.enqueue_trial({"dropout": 0.1})
print(json.dumps({"trials": len(study.get_trials()), "best": study.best_trial.number}))
