"""Prints a study: describe.py URL NAME."""

import json
import math
import sys

import optuna
from described import described

study = optuna.load_study(study_name=sys.argv[2], storage=sys.argv[1])
print(
    json.dumps(
        {
            "trials": described(study),
            "direction": study.direction.name,
            "best": study.best_trial.number,
            "user_attributes": study.user_attrs,
            "record": {"seed": study.trials[0].user_attrs["allometry:record"]["seed"]},
            "flat": {
                key.removeprefix("allometry:"): value
                for key, value in study.trials[0].user_attrs.items()
                if isinstance(value, (int, float)) and math.isfinite(value)
            },
        }
    )
)
