"""Optuna's own storage contract through a server: pytest test_contract.py, with the server's command in SERVE.

SERVE is the command of a server that is started for every test, as JSON: a list in which PORT stands for the port and
DATABASE for the URL of a SQLite file that does not exist yet or, where POSTGRES is the URL of a PostgreSQL server's database, for the URL of an empty
one beside it. Without SERVE Optuna's own server is tested.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
import uuid
import warnings

import pytest
from optuna.storages import GrpcStorageProxy
from optuna.testing.pytest_storages import StorageTestCase

warnings.filterwarnings("ignore")

OPTUNAS = [
    sys.executable,
    "-W",
    "ignore",
    "-c",
    "import optuna, sys; optuna.storages.run_grpc_proxy_server("
    "optuna.storages.RDBStorage(sys.argv[1]), host='127.0.0.1', port=int(sys.argv[2]))",
    "DATABASE",
    "PORT",
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def new_database(url):
    """An empty database of the server of `url`."""
    import psycopg2

    name = f"contract_{uuid.uuid4().hex}"
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    # SQLAlchemy's default driver depends on its version.
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(scheme="postgresql+psycopg2", path="/" + name))


@pytest.fixture
def storage(tmp_path):
    port = free_port()
    command = json.loads(os.environ.get("SERVE", "null")) or OPTUNAS
    postgres = os.environ.get("POSTGRES")
    words = {
        "PORT": str(port),
        "DATABASE": new_database(postgres) if postgres else f"sqlite:///{tmp_path / 'x.db'}",
    }
    command = [word.replace("PORT", words["PORT"]).replace("DATABASE", words["DATABASE"]) for word in command]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        # A channel that is refused waits a second before it tries again.
        until = time.monotonic() + 60
        while not answers(port) and time.monotonic() < until:
            time.sleep(0.01)
        proxy = GrpcStorageProxy(host="127.0.0.1", port=port)
        proxy.wait_server_ready(timeout=60)
        yield proxy
        proxy.close()
    finally:
        server.kill()
        server.wait()


class TestStorage(StorageTestCase):
    @pytest.mark.skip(reason="the protocol's parameters are a map, which has no order")
    def test_get_all_trials_params_order(self):
        pass
