"""Values that Weights & Biases' own `sweeps` package (pip install sweeps setuptools) draws, as distributions.json beside this file."""

import json
import os
import warnings

import numpy as np
from scipy.stats import norm

warnings.simplefilter("ignore")

from sweeps import RunState, SweepRun  # noqa: E402
from sweeps.hyperband_stopping import hyperband_stop_runs  # noqa: E402
from sweeps.params import HyperParameter  # noqa: E402

PARAMETERS = [
    {"min": 0.1, "max": 0.9},
    {"min": 1, "max": 9},
    {"min": 1, "max": 9.5},
    {"value": 7},
    {"values": ["a", 2, 2.5, True]},
    {"distribution": "categorical", "values": [1, 2, 3]},
    {"distribution": "uniform", "min": -3, "max": 4},
    {"distribution": "int_uniform", "min": 3, "max": 11},
    {"distribution": "log_uniform", "min": -7, "max": 0},
    {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1},
    {"distribution": "inv_log_uniform", "min": -1, "max": 3},
    {"distribution": "inv_log_uniform_values", "min": 0.01, "max": 0.5},
    {"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.25},
    {"distribution": "q_uniform", "min": 0.1, "max": 0.95, "q": 0.1},
    {"distribution": "q_uniform", "min": 8, "max": 64, "q": 8},
    {"distribution": "q_uniform", "min": 3.2, "max": 9},
    {"distribution": "q_log_uniform", "min": 1, "max": 5, "q": 1},
    {"distribution": "q_log_uniform_values", "min": 16, "max": 256, "q": 8},
    {"distribution": "normal", "mu": 2, "sigma": 0.5},
    {"distribution": "normal"},
    {"distribution": "q_normal", "mu": 10, "sigma": 4, "q": 2},
    {"distribution": "log_normal", "mu": -3, "sigma": 0.5},
    {"distribution": "beta", "a": 2, "b": 5},
    {"distribution": "q_beta", "a": 2, "b": 2, "q": 0.1},
]

HYPERBAND = [
    {"type": "hyperband", "min_iter": 3},
    {"type": "hyperband", "min_iter": 2, "eta": 4},
    {"type": "hyperband", "max_iter": 27, "s": 2},
    {"type": "hyperband", "max_iter": 50, "eta": 3, "s": 3},
]


def drawn(config):
    """Values at quantiles; where the distribution has no ends, at those that are two sigma from the middle and between."""
    parameter = HyperParameter("x", dict(config))
    name = config.get("distribution", "normal" if "mu" in config else "")
    low, high = (norm.cdf(-2), norm.cdf(2)) if "normal" in name else (1e-9, 1 - 1e-9)
    return [np.asarray(parameter.ppf(x)).item() for x in np.linspace(low, high, 41)]


def bands(early):
    run = SweepRun(name="a", state=RunState.running, history=[{"loss": 1.0}] * 60)
    config = {"method": "random", "metric": {"name": "loss", "goal": "minimize"}, "early_terminate": dict(early),
              "parameters": {"x": {"values": [1, 2]}}}
    hyperband_stop_runs([run], config)
    return run.early_terminate_info["bands"][:3]


answer = {
    "parameters": [{"config": config, "drawn": drawn(config)} for config in PARAMETERS],
    "hyperband": [{"config": config, "bands": bands(config)} for config in HYPERBAND],
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "distributions.json"), "w") as file:
    json.dump(answer, file, indent=1)
    file.write("\n")
