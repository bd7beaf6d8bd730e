"""Trials in MLflow, TensorBoard and Weights & Biases, written by these programs' own packages.

Each trial that has ended becomes a run: its parameters, its value (`value`, or `value_1`, `value_2` with several
objectives), the values of its steps (`step_value`), its metrics, its times and its state. Trials that run or wait are
left out; a later call adds them.
"""

import datetime
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any, Iterator

from allometry.program import call

_ENDED = ("complete", "pruned", "failed")
_PARTIAL = ".partial"
"""End of the name of a folder for TensorBoard that is being written."""
_WHOLE = "allometry-whole"
"""Name of the file that says that a run of W&B was written to its end."""


def to_mlflow(source: str = "ladder.toml", study: str | None = None, tracking_uri: str | None = None) -> list[str]:
    """Writes trials to MLflow, an experiment for each study, and returns the identifiers of the new runs.

    `tracking_uri` is that of `mlflow.set_tracking_uri`; without it MLflow's own setting counts. Trials that the
    experiment has are left as they are. Needs `mlflow` or `mlflow-skinny`.
    """
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client = MlflowClient(tracking_uri)
    experiments: dict[str, tuple[str, set[str]]] = {}
    written = []
    for trial in _ended(source, study):
        name, number = trial["study"], str(trial["number"])
        if name not in experiments:
            experiments[name] = _experiment(client, name)
        experiment, known = experiments[name]
        if number in known:
            continue
        started, completed = _milliseconds(trial["started"]), _milliseconds(trial["completed"])
        run = client.create_run(experiment, start_time=started, run_name=f"trial {number}").info.run_id
        metrics = [Metric(_key(key), value, completed or 0, step) for key, value, step in _figures(trial)]
        params = [Param(_key(key), str(value)) for key, value in trial["params"].items()]
        tags = {"allometry.study": name, "allometry.trial": number, "allometry.state": trial["state"]}
        tags |= {"allometry.failure": trial["failure"]["reason"]} if trial["failure"] else {}
        # MLflow takes at most 1,000 metrics and 100 parameters at once.
        for at in range(0, len(metrics), 1000):
            client.log_batch(run, metrics=metrics[at : at + 1000])
        for at in range(0, len(params), 100):
            client.log_batch(run, params=params[at : at + 100])
        client.log_batch(run, tags=[RunTag(key, value) for key, value in tags.items()])
        status = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}[trial["state"]]
        client.set_terminated(run, status=status, end_time=completed)
        written.append(run)
    return written


def _experiment(client: Any, name: str) -> tuple[str, set[str]]:
    """The identifier of a study's experiment, and the trials that it has."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name), set()
    known: set[str] = set()
    token = None
    while True:
        runs = client.search_runs([found.experiment_id], max_results=1000, page_token=token)
        known |= {run.data.tags["allometry.trial"] for run in runs if "allometry.trial" in run.data.tags}
        token = runs.token
        if not token:
            return found.experiment_id, known


def to_tensorboard(folder: str, source: str = "ladder.toml", study: str | None = None) -> list[str]:
    """Writes trials for `tensorboard --logdir FOLDER` and returns the new folders, one for each trial.

    The page shows curves under *Scalars*, and parameters beside values under *HParams*. Trials whose folder is there
    are left as they are; one that was cut off half-way is written again. Needs `tensorboard`.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import summary_v2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    written = []
    for trial in _ended(source, study):
        place = Path(folder) / _path(trial["study"]) / f"trial-{trial['number']}"
        if place.exists():
            continue
        # The folder gets its name when it is whole.
        partial = place.with_name(place.name + _PARTIAL)
        shutil.rmtree(partial, ignore_errors=True)
        started, completed = _seconds(trial["started"]), _seconds(trial["completed"])
        writer = EventFileWriter(str(partial))

        def add(found: Any, step: int = 0) -> None:
            writer.add_event(Event(wall_time=completed, step=step, summary=found))

        identity = f"{trial['study']}/{trial['number']}"
        add(summary_v2.hparams_pb(trial["params"], trial_id=identity, start_time_secs=started))
        for key, value, step in _figures(trial):
            add(Summary(value=[Summary.Value(tag=key, simple_value=value)]), step)
        add(_session_end(trial["state"] == "failed", completed))
        writer.close()
        partial.rename(place)
        written.append(str(place))
    return written


def _session_end(failed: bool, time: float) -> Any:
    """What ends a trial on the page *HParams*. TensorBoard's own function for it needs TensorFlow."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time)
    about = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=end))
    value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)
    return Summary(value=[value])


def to_wandb(folder: str, source: str = "ladder.toml", study: str | None = None, project: str = "allometry") -> list[str]:
    """Writes trials as offline runs below `FOLDER/wandb` and returns their identifiers.

    Nothing is sent: `wandb sync FOLDER/wandb/offline-run-*` does. A later call writes the trials that have no run in the
    folder, and again those whose run was cut off half-way. A study is a group of runs. Needs `wandb`.
    """
    import wandb

    Path(folder).mkdir(parents=True, exist_ok=True)
    written = []
    for trial in _ended(source, study):
        identity = f"{trial['study']}/{trial['number']}/{trial['started']}"
        identifier = hashlib.sha256(identity.encode()).hexdigest()[:16]
        there = list(Path(folder, "wandb").glob(f"offline-run-*-{identifier}"))
        if any(_is_whole(run) for run in there):
            continue
        for run in there:
            shutil.rmtree(run)
        run = wandb.init(
            mode="offline",
            dir=folder,
            project=project,
            group=trial["study"],
            name=f"{trial['study']} trial {trial['number']}",
            id=identifier,
            config=trial["params"],
            tags=[trial["state"]],
            settings=wandb.Settings(silent=True, disable_git=True, console="off"),
        )
        for key, value, step in _figures(trial):
            if key == "step_value":
                run.log({key: value}, step=step)
        run.summary.update({key: value for key, value, _ in _figures(trial) if key != "step_value"})
        run.summary.update({"weights": trial["weights"], "number": trial["number"], "state": trial["state"]})
        place = Path(run.dir).parent
        run.finish(exit_code=1 if trial["state"] == "failed" else 0)
        (place / _WHOLE).touch()
        written.append(identifier)
    return written


def _is_whole(run: Path) -> bool:
    """Whether a run of W&B was written to its end, or sent."""
    return (run / _WHOLE).exists() or any(run.glob("*.synced"))


def _ended(source: str, study: str | None) -> Iterator[dict[str, Any]]:
    """The trials that have ended, as `allometry list --json-lines` prints them."""
    arguments = ["list", "--in", str(source), "--json-lines"] + (["--study", study] if study else [])
    trials = (json.loads(line) for line in call(*arguments).splitlines())
    return (trial for trial in trials if trial["state"] in _ENDED)


def _figures(trial: dict[str, Any]) -> Iterator[tuple[str, float, int]]:
    """The figures of a trial that are numbers, each with its name and step."""
    for point in trial["intermediate"]:
        if point["value"] is not None:
            yield "step_value", float(point["value"]), int(point["step"])
    last = max((int(point["step"]) for point in trial["intermediate"]), default=0)
    step = trial["best_step"] if trial["best_step"] is not None else last
    values = trial["values"]
    names = ["value"] if len(values) == 1 else [f"value_{place}" for place in range(1, len(values) + 1)]
    own = {"weights": trial["weights"]} | dict(zip(names, values))
    for name, value in (trial["metrics"] | own).items():
        if value is not None:
            yield name, float(value), int(step)


def _key(name: str) -> str:
    """A name with the characters that MLflow takes."""
    return re.sub(r"[^\w\-. /:]", "_", name)


def _path(study: str) -> Path:
    """The folder of a study below another, whatever its name holds."""
    parts = (re.sub(r"[^\w\-. ]", "_", part) for part in study.split("/"))
    return Path(*(part if part.strip(". ") else "_" for part in parts))


def _seconds(time: str | None) -> float:
    return datetime.datetime.fromisoformat(time).timestamp() if time else 0.0


def _milliseconds(time: str | None) -> int | None:
    return int(1000 * _seconds(time)) if time else None
