"""Writes ridge.json: coefficients of scikit-learn's Ridge on small data sets of float32 values."""

import json
import pathlib

import numpy as np
from sklearn.linear_model import Ridge

rng = np.random.default_rng(20261130)
cases = []


def case(name, x, y, penalty):
    x = np.asarray(np.round(x, 4), dtype=np.float32)
    y = np.round(y, 4)
    model = Ridge(alpha=penalty, solver="cholesky").fit(x.astype(np.float64), y)
    cases.append(
        {
            "name": name,
            "penalty": penalty,
            "features": x.shape[1],
            "values": [float(str(v)) for v in x.ravel()],
            "targets": y.tolist(),
            "weights": [*model.coef_.tolist(), float(model.intercept_)],
        }
    )


x = rng.normal(size=(80, 5))
y = 3.0 + x[:, 0] - 0.5 * x[:, 3] + 0.2 * rng.normal(size=80)
case("hardly penalised", x, y, 0.01)
case("strongly penalised", x, y, 1000.0)
common = rng.normal(size=(60, 1))
x = common + 0.01 * rng.normal(size=(60, 4))
case("collinear, with a constant", np.hstack([x, np.zeros((60, 1))]), common[:, 0], 1.0)
x = rng.normal(size=(15, 25))
case("more features than rows", x, x[:, 0] + rng.normal(size=15), 0.1)

text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
