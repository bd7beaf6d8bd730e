"""The trial that a training script was started for by `allometry run` or `allometry worker`.

Outside of a trial `params` is empty and reports go nowhere, so that the script runs by hand too.
"""

import json
import os
from typing import Any, Iterable

from allometry.values import constraints_of, numbers_of

params: dict[str, Any] = {}
"""The configuration."""

number: int | None = None
"""Number of the trial in its study."""

seed: int = 0
"""Seed of everything random."""

checkpoint_dir: str = os.environ.get("ALLOMETRY_CHECKPOINT_DIR", ".")
"""Folder for checkpoints: a trial that is tried again finds what its first attempt left."""

_report = os.environ.get("ALLOMETRY_REPORT")

if "ALLOMETRY_PARAMS" in os.environ:
    with open(os.environ["ALLOMETRY_PARAMS"], encoding="utf-8") as _file:
        params = json.load(_file)
    number = int(os.environ["ALLOMETRY_TRIAL_NUMBER"])
    seed = int(os.environ["ALLOMETRY_SEED"])


def report(step: int, value: float, **metrics: float) -> None:
    """Reports the value after a step, such as an epoch, and further figures of it."""
    line: dict[str, Any] = {"step": int(step), "value": float(value)}
    if metrics:
        line["metrics"] = {name: float(figure) for name, figure in metrics.items()}
    _append(line)


def metrics(**figures: float) -> None:
    """Reports figures of the whole trial."""
    _append({"metrics": {name: float(figure) for name, figure in figures.items()}})


def constraints(*values: float, **named: float) -> None:
    """Reports the values of the trial's constraints, by place or by name: the trial is feasible where none is above 0."""
    if values:
        _append({"constraints": constraints_of(values)})
    if named:
        _append({"constraints": constraints_of(named)})


def scores(scores: Iterable[float], labels: Iterable[int], rows: Iterable[int] | None = None) -> None:
    """Reports the predictions on the validation rows: probabilities of class 1, and the classes."""
    line: dict[str, Any] = {"scores": [float(s) for s in scores], "labels": [int(l) for l in labels]}
    if rows is not None:
        line["rows"] = [int(row) for row in rows]
    _append(line)


def should_stop() -> bool:
    """Whether the trial should end here: it is pruned, or the run is being ended."""
    return _report is not None and os.path.exists(_report + ".stop")


def finish(value: float | Iterable[float], weights: int | None = None, best_step: int | None = None) -> None:
    """Reports the trial's value, or one for each objective, and the exact number of trainable weights where known."""
    line: dict[str, Any] = {"final": True}
    values = numbers_of(value)
    line |= {"value": values[0]} if len(values) == 1 else {"values": values}
    if weights is not None:
        line["weights"] = int(weights)
    if best_step is not None:
        line["best_step"] = int(best_step)
    _append(line)


def _append(line: dict[str, Any]) -> None:
    if _report is not None:
        with open(_report, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
