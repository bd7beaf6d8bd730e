"""Optuna's storage protocol, our server beside Optuna's own over the same kind of database, in one run:

    python optuna_storage.py path/to/allometry [--storage postgresql [--fsync off]] [--trials 300] [--many 10000]
        [--clients 64] [--most 100000]

Both servers get the same calls from the same client. "bare" is a client that does nothing but the 15 calls of a TPE trial with
seven parameters, through Optuna's generated stubs; "study" is `study.optimize` through `GrpcStorageProxy`, whose sampler and bookkeeping
take the same time with either server. The client's own share is the processor time that its process took.
"""

import argparse
import glob
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")

import grpc
import optuna
from optuna.storages import GrpcStorageProxy
from optuna.storages._grpc.auto_generated import api_pb2, api_pb2_grpc

optuna.logging.set_verbosity(optuna.logging.ERROR)

FLOAT = '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}'
PARAMS = [f"parameter_{i}" for i in range(7)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command):
    port = free_port()
    words = [word.replace("PORT", str(port)) for word in command]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(6000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, port
        time.sleep(0.01)
    raise SystemExit(f"no answer from {words}")


def stub_at(port):
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)])
    return api_pb2_grpc.StorageServiceStub(channel)


def new_study(stub, name):
    return stub.CreateNewStudy(api_pb2.CreateNewStudyRequest(directions=[0], study_name=name)).study_id


def bare_trial(stub, study, after):
    """The calls of one trial; returns its id."""
    trials = api_pb2.GetTrialsRequest(study_id=study, included_trial_ids=[], trial_id_greater_than=after)
    new = api_pb2.CreateNewTrialRequest(study_id=study, template_trial_is_none=True)
    stub.GetTrials(trials)
    trial = stub.CreateNewTrial(new).trial_id
    one = api_pb2.GetTrialRequest(trial_id=trial)
    stub.GetTrial(one)
    stub.GetStudyDirections(api_pb2.GetStudyDirectionsRequest(study_id=study))
    stub.GetTrials(trials)
    for i, name in enumerate(PARAMS):
        stub.SetTrialParameter(
            api_pb2.SetTrialParameterRequest(
                trial_id=trial, param_name=name, param_value_internal=i / 7, distribution=FLOAT
            )
        )
    stub.GetTrial(one)
    stub.SetTrialStateValues(api_pb2.SetTrialStateValuesRequest(trial_id=trial, state=1, values=[0.5]))
    stub.GetTrial(one)
    return trial


def bare(port, name, trials):
    """Trials per second of the bare calls, and the share of the time that the client itself computed."""
    stub = stub_at(port)
    study = new_study(stub, name)
    after = bare_trial(stub, study, -1)
    begin, computed = time.perf_counter(), time.process_time()
    for _ in range(trials):
        after = bare_trial(stub, study, after)
    seconds = time.perf_counter() - begin
    return trials / seconds, (time.process_time() - computed) / seconds


def client(port, study, trials, barrier, results):
    stub = stub_at(port)
    barrier.wait()
    try:
        after = -1
        for _ in range(trials):
            after = max(after, bare_trial(stub, study, after))
        results.put(None)
    except grpc.RpcError as error:
        results.put(str(error.code()))


def together(port, name, clients, trials):
    """Trials per second of several processes on one study, and the errors that they met."""
    study = new_study(stub_at(port), name)
    barrier, results = multiprocessing.Barrier(clients + 1), multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=client, args=(port, study, trials, barrier, results)) for _ in range(clients)
    ]
    for process in processes:
        process.start()
    barrier.wait()
    begin = time.perf_counter()
    errors = [error for error in (results.get() for _ in processes) if error]
    seconds = time.perf_counter() - begin
    for process in processes:
        process.join()
    reply = stub_at(port).GetTrials(api_pb2.GetTrialsRequest(study_id=study, trial_id_greater_than=-1))
    numbers = sorted(trial.number for trial in reply.trials)
    assert errors or numbers == list(range(clients * trials)), "numbers are not whole"
    return clients * trials / seconds, errors


def optimize(port, sampler, trials):
    """Trials per second of a study with seven parameters and ten reports."""

    def objective(trial):
        x = [trial.suggest_float(name, 0, 1) for name in PARAMS]
        for step in range(10):
            trial.report(sum(x) * step, step)
        return sum(x)

    storage = GrpcStorageProxy(host="127.0.0.1", port=port)
    study = optuna.create_study(storage=storage, sampler=sampler)
    study.optimize(objective, n_trials=2)
    begin = time.perf_counter()
    study.optimize(objective, n_trials=trials)
    return trials / (time.perf_counter() - begin)


def fill(storage, url, trials):
    """A study of finished trials with seven parameters and ten reports, written past every server."""
    study = optuna.storages.RDBStorage(url).create_new_study([optuna.study.StudyDirection.MINIMIZE], "many")
    now = "2026-01-01 00:00:00.000000"
    tables = {
        "trials (trial_id, number, study_id, state, datetime_start, datetime_complete)": (
            (i + 1, i, study, "COMPLETE", now, now) for i in range(trials)
        ),
        "trial_params (trial_id, param_name, param_value, distribution_json)": (
            (i + 1, name, k / 7, FLOAT) for i in range(trials) for k, name in enumerate(PARAMS)
        ),
        "trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)": (
            (i + 1, step, i * 0.001 + step, "FINITE") for i in range(trials) for step in range(10)
        ),
        "trial_values (trial_id, objective, value, value_type)": (
            (i + 1, 0, i * 0.001, "FINITE") for i in range(trials)
        ),
    }
    storage.insert(url, tables)


class Sqlite:
    """SQLite files in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def url(self, name):
        return f"sqlite:///{self.folder}/{name}.db"

    def insert(self, url, tables):
        import sqlite3

        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        for table, rows in tables.items():
            marks = ", ".join("?" * (table.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.commit()
        connection.close()

    def close(self):
        pass


class Postgresql:
    """Databases of a PostgreSQL server of its own, which has the settings that it comes with, but for `fsync` if told."""

    def __init__(self, folder, fsync="on"):
        import psycopg2

        self.programs = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
        self.port, self.folder, self.connect = free_port(), folder, psycopg2.connect
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        os.chmod(folder, 0o777)
        self.run("initdb", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust")
        self.run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-p {self.port} -k {folder} -c fsync={fsync}", "start")

    def run(self, program, *arguments):
        command = [*self.user, f"{self.programs}/{program}", "-D", f"{self.folder}/data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def database(self, name):
        # SQLAlchemy's default driver depends on its version.
        return f"postgresql+psycopg2://postgres@127.0.0.1:{self.port}/{name}"

    def url(self, name):
        connection = self.connect(self.database("postgres").replace("+psycopg2", ""))
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name.lower()])
        if not cursor.fetchone():
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()
        return self.database(name.lower())

    def insert(self, url, tables):
        import io

        connection = self.connect(url.replace("+psycopg2", ""))
        cursor = connection.cursor()
        for table, rows in tables.items():
            text = io.StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))
            cursor.copy_expert(f"COPY {table} FROM STDIN", text)
        cursor.execute("SELECT setval('trials_trial_id_seq', (SELECT max(trial_id) FROM trials))")
        connection.commit()
        connection.autocommit = True
        # What the server does by itself after so many rows would fall on whoever is measured first.
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        connection.close()

    def close(self):
        self.run("pg_ctl", "-m", "immediate", "stop")


def get_trials(port, expected):
    """Seconds of a bare GetTrials, whose bytes are only received, and of reading the study through the proxy."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)])
    raw = channel.unary_unary("/optuna.StorageService/GetTrials")
    study = stub_at(port).GetStudyIdFromName(api_pb2.GetStudyIdFromNameRequest(study_name="many")).study_id
    request = api_pb2.GetTrialsRequest(study_id=study, trial_id_greater_than=-1).SerializeToString()
    bare, proxied = [], []
    for _ in range(3):
        begin = time.perf_counter()
        reply = raw(request)
        bare.append(time.perf_counter() - begin)
        storage = GrpcStorageProxy(host="127.0.0.1", port=port)
        begin = time.perf_counter()
        trials = storage.get_all_trials(study, deepcopy=False)
        proxied.append(time.perf_counter() - begin)
        assert len(trials) == expected
    return bare, proxied, len(reply)


def memory(server):
    """Resident and greatest resident memory of a process, MiB."""
    with open(f"/proc/{server.pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return tuple(int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))


OPTUNAS = """
import optuna, sys, warnings
warnings.filterwarnings("ignore")
storage = optuna.storages.get_storage(sys.argv[1])
optuna.storages.run_grpc_proxy_server(storage, host="127.0.0.1", port=int(sys.argv[2]))
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("allometry")
    parser.add_argument("--storage", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--fsync", choices=["on", "off"], default="on")
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--most", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        is_sqlite = arguments.storage == "sqlite"
        storage = Sqlite(folder) if is_sqlite else Postgresql(folder, arguments.fsync)
        try:
            compare(arguments, storage)
        finally:
            storage.close()


def compare(arguments, storage):
    def servers(database):
        url = storage.url(database)
        ours = [arguments.allometry, "serve", "--grpc", "127.0.0.1:PORT", url]
        return {"ours": ours, "Optuna": [sys.executable, "-c", OPTUNAS, url, "PORT"]}

    def report(what, figures, unit):
        ours, theirs = figures["ours"], figures["Optuna"]
        times = ours / theirs if unit == "trials/s" else theirs / ours
        print(f"{what}: ours {ours:.4g}, Optuna's {theirs:.4g} {unit}, {times:.1f}x", flush=True)

    running = {}
    for who in ("ours", "Optuna"):
        running[who] = start(servers(who)[who])
    ports = {who: port for who, (_, port) in running.items()}
    # Several rounds, by turns: what else the machine does then falls on both.
    rounds = {who: [] for who in ports}
    for i in range(3):
        for who, port in ports.items():
            rounds[who].append(bare(port, f"bare {i}", arguments.trials if who == "ours" else arguments.trials // 5))
    report("bare calls, one client", {who: statistics.median(r for r, _ in of) for who, of in rounds.items()}, "trials/s")
    for who, of in rounds.items():
        print(f"{who}: {[f'{rate:.4g}' for rate, _ in of]} trials/s; the client's own share {[f'{s:.0%}' for _, s in of]}")
    for name, sampler in [("random", optuna.samplers.RandomSampler), ("TPE", optuna.samplers.TPESampler)]:
        rates = {
            who: optimize(port, sampler(seed=1), arguments.trials // 3 if who == "ours" else arguments.trials // 6)
            for who, port in ports.items()
        }
        report(f"study.optimize with 10 reports, {name} sampler", rates, "trials/s")
    rates, all_errors = {}, {}
    for who, port in ports.items():
        rates[who], all_errors[who] = together(port, "together", arguments.clients, 20 if who == "ours" else 3)
    report(f"{arguments.clients} clients at once", rates, "trials/s")
    print(f"errors: ours {len(all_errors['ours'])}, Optuna's {len(all_errors['Optuna'])}")
    for server, _ in running.values():
        server.kill()
        server.wait()

    fill(storage, storage.url("many"), arguments.many)
    first, bare_seconds, proxied_seconds = {}, {}, {}
    for who, command in servers("many").items():
        server, port = start(command)
        bares, proxied, size = get_trials(port, arguments.many)
        bare_seconds[who], proxied_seconds[who] = statistics.median(bares), statistics.median(proxied)
        print(f"{who}: GetTrials of {arguments.many}: {['%.3f' % s for s in bares]} s, {size / 1e6:.1f} MB", flush=True)
        first[who] = bares[0]
        server.kill()
        server.wait()
    report(f"GetTrials of {arguments.many} trials, the first", first, "s")
    report(f"GetTrials of {arguments.many} trials, again", bare_seconds, "s")
    report("the same through the proxy, read into objects", proxied_seconds, "s")

    fill(storage, storage.url("most"), arguments.most)
    server, port = start(servers("most")["ours"])
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)])
    raw = channel.unary_unary("/optuna.StorageService/GetTrials")
    request = api_pb2.GetTrialsRequest(study_id=1, trial_id_greater_than=-1).SerializeToString()
    rate, _ = bare(port, "beside", 100)
    rest = memory(server)
    reply = len(raw(request))
    after = memory(server)
    print(
        f"ours with {arguments.most} trials: {rest[0]:.0f} MiB before, {after[0]:.0f} MiB after and {after[1]:.0f} MiB "
        f"at most during a GetTrials of all ({reply / 1e6:.0f} MB); {rate:.0f} trials/s of bare calls"
    )
    server.kill()
    server.wait()


if __name__ == "__main__":
    main()
