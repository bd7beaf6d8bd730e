"""Tunes a model at several parameter budgets and reports, with its uncertainty, what scale buys.

`allometry.trial` is for training scripts that `allometry run` starts, `allometry.storage` for Optuna's workers on
`allometry serve --grpc`; the rest reads and drives studies by the program `allometry`, which the wheel carries.
"""

from allometry.errors import AllometryError
from allometry.model import Model, load
from allometry.reading import read_report, trials
from allometry.study import Asked, Study

__all__ = ["AllometryError", "Asked", "Model", "Study", "load", "read_report", "trials"]
