"""A study as Optuna sees it, in words that JSON has: floats as their repr, times as microseconds since 1970."""

import datetime

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)


def microseconds(time):
    if time is None:
        return None
    since = time.astimezone(datetime.timezone.utc) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return since // datetime.timedelta(microseconds=1)


def described(study):
    return [
        {
            "number": trial.number,
            "state": trial.state.name,
            "value": None if trial.values is None else repr(trial.value),
            "params": {name: repr(value) for name, value in trial.params.items()},
            "distributions": {
                name: optuna.distributions.distribution_to_json(d) for name, d in trial.distributions.items()
            },
            "intermediate": {str(step): repr(value) for step, value in trial.intermediate_values.items()},
            "started": microseconds(trial.datetime_start),
            "completed": microseconds(trial.datetime_complete),
        }
        for trial in study.get_trials(deepcopy=False)
    ]
