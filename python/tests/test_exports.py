"""Exports of a study, read back by the programs that they are for.

They run in the interpreter that ALLOMETRY_TOOLS names, if it is set: the packages of these programs are large.
"""

import json
import os
import subprocess
import sys

import pytest

import allometry

PYTHON = os.environ.get("ALLOMETRY_TOOLS", sys.executable)

MLFLOW = """
import allometry, json
from mlflow import MlflowClient
first = allometry.to_mlflow("x.db", tracking_uri="sqlite:///mlflow.db")
assert allometry.to_mlflow("x.db", "mine", tracking_uri="sqlite:///mlflow.db") == []
client = MlflowClient("sqlite:///mlflow.db")
experiment = client.get_experiment_by_name("mine")
runs = sorted(client.search_runs([experiment.experiment_id]), key=lambda run: int(run.data.tags["allometry.trial"]))
assert sorted(first) == sorted(run.info.run_id for run in runs)
print(json.dumps([
    [
        run.info.status,
        run.data.params,
        run.data.metrics.get("value"),
        [[point.step, point.value] for point in client.get_metric_history(run.info.run_id, "step_value")],
        run.data.tags.get("allometry.failure"),
    ]
    for run in runs
]))
"""

TENSORBOARD = """
import allometry, json, os
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
found = []
folders = allometry.to_tensorboard("logs", "x.db")
# A folder that was cut off half-way has not got its name yet.
os.rename(folders[1], folders[1] + ".partial")
assert allometry.to_tensorboard("logs", "x.db") == [folders[1]]
assert sorted(os.listdir("logs/mine")) == sorted(os.path.basename(folder) for folder in folders)
for folder in folders:
    events = EventAccumulator(folder).Reload()
    about = events.PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(about[metadata.SESSION_START_INFO_TAG])
    end = metadata.parse_session_end_info_plugin_data(about[metadata.SESSION_END_INFO_TAG])
    params = {name: value.number_value or value.string_value for name, value in start.hparams.items()}
    tags = events.Tags()["scalars"]
    steps = [[e.step, e.value] for e in events.Scalars("step_value")] if "step_value" in tags else []
    value = events.Scalars("value")[0].value if "value" in tags else None
    found.append(["FAILED" if end.status == 2 else "ENDED", params, value, steps])
assert allometry.to_tensorboard("logs", "x.db") == []
print(json.dumps(found))
"""

WANDB = """
import allometry, glob, json, os, subprocess, sys
from wandb.proto import wandb_internal_pb2


def records(path):
    # The log of LevelDB: blocks of 32 KiB with parts of records, after a header of 7 bytes.
    content, at, parts = open(path, "rb").read(), 7, b""
    while at < len(content):
        room = 32768 - at % 32768
        if room < 7:
            at += room
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        parts += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            yield record
            parts = b""


names = allometry.to_wandb(".", "x.db")
assert allometry.to_wandb(".", "x.db") == []
# A run that was cut off half-way lacks its last file; the process that wrote it has ended.
(cut,) = glob.glob(f"wandb/offline-run-*-{names[1]}")
os.remove(os.path.join(cut, "allometry-whole"))
again = f"import allometry; assert allometry.to_wandb('.', 'x.db') == ['{names[1]}']"
subprocess.run([sys.executable, "-c", again], check=True)
found = []
for name in names:
    (path,) = glob.glob(f"wandb/offline-run-*-{name}/run-{name}.wandb")
    params, summary, steps, code = {}, {}, [], None
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            assert record.run.run_group == "mine"
            params |= {u.key: json.loads(u.value_json) for u in record.run.config.update if u.key != "_wandb"}
        elif kind == "history":
            row = {(i.key or i.nested_key[0]): json.loads(i.value_json) for i in record.history.item}
            steps += [[row["_step"], row["step_value"]]] if "step_value" in row else []
        elif kind == "summary":
            summary |= {(u.key or u.nested_key[0]): json.loads(u.value_json) for u in record.summary.update}
        elif kind == "exit":
            code = record.exit.exit_code
    found.append([summary["state"], params, summary.get("value"), steps, code])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with a study of a trial of each state."""
    folder = tmp_path_factory.mktemp("exports")
    space = {"x": {"type": "float", "low": 0.5, "high": 1.0}, "kind": {"type": "categorical", "values": ["a", "b"]}}
    study = allometry.Study(str(folder / "x.db"), "mine", space=space, sampler="random")
    with study.ask() as trial:
        trial.report(1, 0.25)
        trial.report(2, 0.5)
        trial.tell(0.5)
    with study.ask() as trial:
        trial.report(1, 4.0)
        raise allometry.Pruned
    study.fail(study.ask().number, "no reason")
    study.ask()
    return folder


def exported(folder, module, code):
    """What a script prints about the trials that it exported and read back."""
    if subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode:
        pytest.skip(f"{PYTHON} has no {module}")
    done = subprocess.run([PYTHON, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def params(folder):
    frame = allometry.trials(str(folder / "x.db"))
    return [{"x": x, "kind": kind} for x, kind in zip(frame["params_x"], frame["params_kind"])]


def test_mlflow_reads_the_trials(study):
    texts = [{name: str(value) for name, value in one.items()} for one in params(study)]
    assert exported(study, "mlflow", MLFLOW) == [
        ["FINISHED", texts[0], 0.5, [[1, 0.25], [2, 0.5]], None],
        ["KILLED", texts[1], 4.0, [[1, 4.0]], None],
        ["FAILED", texts[2], None, [], "no reason"],
    ]


def test_tensorboard_reads_the_trials(study):
    expected = params(study)
    assert exported(study, "tensorboard", TENSORBOARD) == [
        ["ENDED", expected[0], 0.5, [[1, 0.25], [2, 0.5]]],
        ["ENDED", expected[1], 4.0, [[1, 4.0]]],
        ["FAILED", expected[2], None, []],
    ]


def test_wandb_reads_the_trials(study):
    expected = params(study)
    assert exported(study, "wandb", WANDB) == [
        ["complete", expected[0], 0.5, [[1, 0.25], [2, 0.5]], 0],
        ["pruned", expected[1], 4.0, [[1, 4.0]], 0],
        ["failed", expected[2], None, [], 1],
    ]
