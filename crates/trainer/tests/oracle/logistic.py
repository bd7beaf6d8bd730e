"""Writes logistic.json: coefficients of scikit-learn's LogisticRegression on small data sets of float32 values."""

import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(20261102)
cases = []


def case(name, x, y, strength=1.0):
    x = np.asarray(np.round(x, 4), dtype=np.float32)
    model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(x.astype(np.float64), y)
    cases.append(
        {
            "name": name,
            "strength": strength,
            "features": x.shape[1],
            "values": [float(str(v)) for v in x.ravel()],
            "labels": y.astype(int).tolist(),
            "weights": [*model.coef_[0].tolist(), float(model.intercept_[0])],
        }
    )


x = rng.normal(size=(120, 6))
case("noisy", x, rng.random(120) < 1 / (1 + np.exp(1.2 - x[:, 0] + 0.5 * x[:, 3])))
case("separable", x, x[:, 1] > 0.8)
case("hardly penalised", x, rng.random(120) < 0.5, 100.0)
case("strongly penalised", x, x[:, 1] > 0.8, 0.01)
common = rng.normal(size=(100, 1))
x = common + 0.01 * rng.normal(size=(100, 5))
case("collinear, with a constant", np.hstack([x, np.zeros((100, 1))]), rng.random(100) < 1 / (1 + np.exp(-common[:, 0])))
x = rng.normal(size=(20, 30))
case("more features than rows", x, rng.random(20) < 0.3)

text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
