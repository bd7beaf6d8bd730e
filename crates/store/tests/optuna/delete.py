"""Deletes a study and prints the names of those that are left: delete.py URL NAME."""

import json
import sys

import optuna

optuna.delete_study(study_name=sys.argv[2], storage=sys.argv[1])
print(json.dumps(sorted(optuna.get_all_study_names(sys.argv[1]))))
