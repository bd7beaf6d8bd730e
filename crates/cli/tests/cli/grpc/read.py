"""Prints a study as JSON, read by Optuna from the database itself: read.py URL STUDY."""

import json
import sys
import warnings

import optuna

warnings.filterwarnings("ignore")
study = optuna.load_study(storage=sys.argv[1], study_name=sys.argv[2])
print(
    json.dumps(
        [
            {
                "number": t.number,
                "state": t.state.name,
                "value": t.value if t.state.name == "COMPLETE" else None,
                "params": len(t.params),
                "reports": len(t.intermediate_values),
                "worker": t.user_attrs.get("worker"),
            }
            for t in study.trials
        ]
    )
)
