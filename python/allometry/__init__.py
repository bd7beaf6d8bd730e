"""Tunes a model at several parameter budgets and reports, with its uncertainty, what scale buys.

`allometry.trial` is for training scripts that `allometry run` starts, `allometry.storage` for Optuna's workers on
`allometry serve --grpc`; the rest runs ladders, reads and drives studies and applies trained models. It calls the
program `allometry`, which the wheel carries. Models need NumPy, and tables of trials pandas or polars.
"""

from allometry.errors import AllometryError, Pruned
from allometry.exports import to_mlflow, to_tensorboard, to_wandb
from allometry.ladder import Report, report, run
from allometry.model import Model, load
from allometry.reading import read_report, trials
from allometry.study import Asked, Best, Study

__all__ = [
    "AllometryError",
    "Asked",
    "Best",
    "Model",
    "Pruned",
    "Report",
    "Study",
    "load",
    "read_report",
    "report",
    "run",
    "to_mlflow",
    "to_tensorboard",
    "to_wandb",
    "trials",
]
