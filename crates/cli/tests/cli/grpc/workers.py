"""Works on a study through the server: workers.py PORT STUDY TRIALS NAME.

Tells TRIALS trials, each with parameters, reports and an attribute, and prints the number and the value of every one whose
telling was acknowledged. What the server does not answer is tried again until it does; a trial that was cut off is left.
"""

import sys
import time
import warnings

import grpc
import optuna
from optuna.storages import GrpcStorageProxy

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

port, name, trials, worker = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]


def connected():
    storage = GrpcStorageProxy(host="127.0.0.1", port=port)
    storage.wait_server_ready(timeout=60)
    return optuna.create_study(
        storage=storage,
        study_name=name,
        load_if_exists=True,
        sampler=optuna.samplers.RandomSampler(),
    )


told = 0
study = None
while told < trials:
    try:
        study = study or connected()
        trial = study.ask()
        x = trial.suggest_float("x", -5, 5)
        depth = trial.suggest_int("depth", 1, 9)
        kind = trial.suggest_categorical("kind", ["a", None, 0.5, True])
        for step in range(3):
            trial.report(x * step, step)
        trial.set_user_attr("worker", worker)
        value = x * x + depth
        study.tell(trial, value)
        print(trial.number, repr(value), flush=True)
        told += 1
    except grpc.RpcError as error:
        if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
            raise
        study = None
        time.sleep(0.1)
    except ConnectionError:
        study = None
    except optuna.exceptions.UpdateFinishedTrialError:
        # The server ended after the commit and before the answer.
        pass
