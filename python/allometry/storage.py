"""Optuna's storage at `allometry serve --grpc`, with what Optuna's own proxy lacks: a token and encryption.

Needs `optuna`, `grpcio` and `protobuf`.
"""

from pathlib import Path

import grpc
from optuna.storages import GrpcStorageProxy
from optuna.storages._grpc.auto_generated.api_pb2_grpc import StorageServiceStub
from optuna.storages._grpc.client import GrpcClientCache


class _Token(grpc.UnaryUnaryClientInterceptor):
    def __init__(self, token: str):
        self._shown = [("authorization", "Bearer " + token)]

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(client_call_details._replace(metadata=self._shown), request)


class GrpcStorage(GrpcStorageProxy):
    """A storage for `optuna.create_study` and `optuna.load_study`.

    `token` is that of the server, if it has one. `encrypted` says whether the server was given a certificate; `authority` is a PEM file
    with the certificates to trust, and without it those count that gRPC trusts.
    """

    def __init__(
        self,
        *,
        host: str = "localhost",
        port: int = 13000,
        token: str | None = None,
        encrypted: bool | None = None,
        authority: str | Path | None = None,
    ):
        self._token = token
        self._encrypted = authority is not None if encrypted is None else encrypted
        self._authority = None if authority is None else Path(authority).read_bytes()
        super().__init__(host=host, port=port)

    def _setup(self) -> None:
        address, options = f"{self._host}:{self._port}", [("grpc.max_receive_message_length", -1)]
        if self._encrypted:
            credentials = grpc.ssl_channel_credentials(self._authority)
            self._channel = grpc.secure_channel(address, credentials, options)
        else:
            self._channel = grpc.insecure_channel(address, options)
        if self._token:
            self._channel = grpc.intercept_channel(self._channel, _Token(self._token))
        self._stub = StorageServiceStub(self._channel)
        self._cache = GrpcClientCache(self._stub)

    def wait_server_ready(self, timeout: float | None = None) -> None:
        """Waits for the server, at most `timeout` seconds; `ConnectionError` where it does not come."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout)
        except grpc.FutureTimeoutError as error:
            raise ConnectionError("the storage's server does not answer") from error
