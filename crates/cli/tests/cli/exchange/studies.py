"""Makes, compares and continues studies with Optuna: studies.py COMMAND STORAGE..., a storage being a URL or a journal's path."""

import json
import math
import sys

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_storage(name):
    if "://" in name:
        return optuna.storages.RDBStorage(name)
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(name))


def make(storage):
    """One study with trials of every state and kind, and one of two objectives."""
    study = optuna.create_study(storage=storage, study_name="caf\u00e9/2M", direction="minimize")
    study.set_user_attr("note", {"x": [1, None, "\u00e9\"\n"]})
    sets = {
        "lr": FloatDistribution(1e-5, 1.0, log=True),
        "dropout": FloatDistribution(0.0, 1.0, step=0.25),
        "n_layers": IntDistribution(2, 10, step=2),
        "width": IntDistribution(1, 1024, log=True),
        "d_model": CategoricalDistribution([32, 48, 64]),
        "act": CategoricalDistribution(["gelu", " \u00e9,\"\n", None, True, 1.5]),
    }
    params = {"lr": 0.1 + 0.2, "dropout": 0.75, "n_layers": 4, "width": 7, "d_model": 48, "act": " \u00e9,\"\n"}

    def add(state, value=None, **fields):
        known = {"params": params, "distributions": sets}
        study.add_trial(create_trial(state=state, value=value, **{**known, **fields}))

    add(TrialState.COMPLETE, 0.1, intermediate_values={1: 0.5, 2: math.nan, 7: -math.inf},
        user_attrs={"recall": 0.25, "count": 3, "tag": "5", "who": None, "list": [1, {"a": True}]},
        system_attrs={"grid_id": 3, "constraints": [0.5, -math.inf], "constraints:ms": -1e-05})
    add(TrialState.COMPLETE, math.inf, params={**params, "act": None, "lr": 1e-5})
    add(TrialState.PRUNED, 0.5, intermediate_values={0: 0.5})
    add(TrialState.PRUNED, params={**params, "act": True})
    add(TrialState.FAIL, params={"lr": 1e-3}, distributions={"lr": sets["lr"]})
    add(TrialState.COMPLETE, -1.0, params={}, distributions={})
    study.enqueue_trial({"lr": 1e-2, "act": "gelu"}, user_attrs={"why": "guess"})
    trial = study.ask()
    assert trial.number == 6
    trial.suggest_float("lr", 1e-5, 1.0, log=True)
    study.enqueue_trial({"lr": 1e-4, "n_layers": 6})

    two = optuna.create_study(storage=storage, study_name="two", directions=["maximize", "minimize"])
    two.set_metric_names(["auc", "seconds"])
    for i in range(3):
        two.tell(two.ask({"x": FloatDistribution(0, 1)}), [i / 7, -math.inf if i else 2.0])
    two.tell(two.ask(), state=TrialState.FAIL)


def seen(storage, name):
    """Everything of a study, so that NaN equals itself and 1 differs from 1.0 and True."""
    study = optuna.load_study(study_name=name, storage=storage)
    trials = []
    for t in study.trials:
        own = {k: repr(v) for k, v in sorted(t.user_attrs.items())}
        trials.append({
            "number": t.number, "state": t.state.name, "values": repr(t.values), "params": repr(list(t.params.items())),
            "distributions": repr(list(t.distributions.items())), "user_attrs": own,
            "system_attrs": {k: repr(v) for k, v in sorted(t.system_attrs.items())},
            "intermediate": repr(sorted(t.intermediate_values.items())),
            "times": repr((t.datetime_start, t.datetime_complete)),
        })
    attributes = {k: repr(v) for k, v in study.user_attrs.items()}
    return {"trials": trials, "directions": [d.name for d in study.directions], "names": study.metric_names,
            "user_attrs": attributes}


def go_on(storage, name):
    """Optuna's own sampler goes on; how many trials there are then."""
    study = optuna.load_study(study_name=name, storage=storage, sampler=optuna.samplers.TPESampler(seed=1, n_startup_trials=1))

    def objective(trial):
        lr = trial.suggest_float("lr", 1e-5, 1.0, log=True)
        n = trial.suggest_int("n_layers", 2, 10, step=2)
        act = trial.suggest_categorical("act", ["gelu", " \u00e9,\"\n", None, True, 1.5])
        return lr * n + (act is None)

    study.optimize(objective, n_trials=5)
    study.trials_dataframe()
    return {"trials": len(study.trials), "waiting": [t.number for t in study.trials if t.state == TrialState.WAITING],
            "queued": study.trials[7].params.get("lr")}


def main():
    command, name, *rest = sys.argv[1:]
    storage = open_storage(name)
    if command == "make":
        make(storage)
        answer = None
    elif command == "seen":
        answer = seen(storage, *rest)
    else:
        answer = go_on(storage, *rest)
    print(json.dumps(answer))


main()
