"""Loads every trial of a storage with Optuna, or writes a study of so many: load_store.py FILE-OR-URL [TRIALS].

What is written is what a TPE worker writes of a trial with seven parameters and twenty reports through `RDBStorage`.
"""

import sys

import optuna
from optuna.trial import TrialState

storage = sys.argv[1] if "://" in sys.argv[1] else f"sqlite:///{sys.argv[1]}"
optuna.logging.set_verbosity(optuna.logging.WARNING)
if len(sys.argv) > 2:
    storage = optuna.storages.RDBStorage(storage)
    study = storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "bench")
    spread = optuna.distributions.FloatDistribution(0, 1)
    for i in range(int(sys.argv[2])):
        trial = storage.create_new_trial(study)
        for k in range(7):
            storage.set_trial_param(trial, f"parameter_{k}", k / 7, spread)
        for step in range(1, 21):
            storage.set_trial_intermediate_value(trial, step, 0.7 + 1 / (i + step + 3))
        storage.set_trial_state_values(trial, TrialState.COMPLETE, [0.75])
    sys.exit()
for name in optuna.get_all_study_names(storage):
    trials = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
    reports = sum(len(trial.intermediate_values) for trial in trials)
    print(f"{name}: {len(trials)} trials, {reports} intermediate values")
