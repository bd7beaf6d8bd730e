"""A study of Optuna's own: five trials, one of them pruned."""

import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
path, name = sys.argv[1:]
storage = path if "://" in path else f"sqlite:///{path}"
sampler = optuna.samplers.RandomSampler(seed=3)
study = optuna.create_study(study_name=name, storage=storage, direction="minimize", sampler=sampler)


def objective(trial):
    x = trial.suggest_float("x", -1.0, 1.0)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    trial.report(x * x, 1)
    if trial.number == 2:
        raise optuna.TrialPruned()
    return x * x + (kind == "b")


study.optimize(objective, n_trials=5)
