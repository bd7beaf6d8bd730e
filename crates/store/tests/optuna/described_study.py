"""Prints the trials of a study: described_study.py URL NAME."""

import json
import sys

import optuna
from described import described

print(json.dumps({"trials": described(optuna.load_study(study_name=sys.argv[2], storage=sys.argv[1]))}))
