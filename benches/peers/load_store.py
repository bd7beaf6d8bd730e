"""Loads every trial of a storage with Optuna: load_store.py FILE."""

import sys

import optuna

storage = f"sqlite:///{sys.argv[1]}"
optuna.logging.set_verbosity(optuna.logging.WARNING)
for name in optuna.get_all_study_names(storage):
    trials = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
    reports = sum(len(trial.intermediate_values) for trial in trials)
    print(f"{name}: {len(trials)} trials, {reports} intermediate values")
