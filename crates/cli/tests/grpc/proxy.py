"""Shows a token from Python, as docs/reference/optuna-storage.md has it: proxy.py PORT TOKEN."""

import sys
import warnings

import grpc
import optuna
from optuna.storages import GrpcStorageProxy

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


class Token(grpc.UnaryUnaryClientInterceptor):
    def __init__(self, token):
        self.shown = [("authorization", "Bearer " + token)]

    def intercept_unary_unary(self, call, details, request):
        return call(details._replace(metadata=self.shown), request)


class TokenStorage(GrpcStorageProxy):
    def __init__(self, *, host, port, token):
        self._token = token
        super().__init__(host=host, port=port)

    def _setup(self):
        super()._setup()
        from optuna.storages._grpc.auto_generated.api_pb2_grpc import StorageServiceStub
        from optuna.storages._grpc.client import GrpcClientCache

        self._channel = grpc.intercept_channel(self._channel, Token(self._token))
        self._stub = StorageServiceStub(self._channel)
        self._cache = GrpcClientCache(self._stub)


port, token = int(sys.argv[1]), sys.argv[2]
try:
    optuna.create_study(storage=GrpcStorageProxy(host="127.0.0.1", port=port))
except grpc.RpcError as error:
    print(error.code().name)
study = optuna.create_study(storage=TokenStorage(host="127.0.0.1", port=port, token=token))
study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
print(len(study.trials))
