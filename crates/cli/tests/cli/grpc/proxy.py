"""Shows a token from Python: proxy.py PORT TOKEN [AUTHORITY]. Prints what a client without it meets, and how many trials one with it has."""

import pickle
import sys
import warnings

import grpc
import optuna
from optuna.storages import GrpcStorageProxy

from allometry.storage import GrpcStorage

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

port, token = int(sys.argv[1]), sys.argv[2]
authority = sys.argv[3] if len(sys.argv) > 3 else None
try:
    optuna.create_study(storage=GrpcStorageProxy(host="localhost", port=port))
except grpc.RpcError as error:
    print(error.code().name)
storage = GrpcStorage(port=port, token=token, authority=authority)
storage.wait_server_ready(timeout=10)
study = optuna.create_study(storage=pickle.loads(pickle.dumps(storage)))
study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
print(len(study.trials))
