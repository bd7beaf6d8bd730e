"""Writes one_against_rest.json: probabilities of scikit-learn's OneVsRestClassifier of logistic regressions."""

import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

rng = np.random.default_rng(20261130)
cases = []


def case(name, classes, strength):
    x = np.asarray(np.round(rng.normal(size=(130, 4)), 4), dtype=np.float32)
    known, asked = x[:100], x[100:]
    noise = 0.5 * rng.normal(size=100)
    edges = np.quantile(known[:, 0] - known[:, 2] + noise, np.arange(1, classes) / classes)
    y = np.digitize(known[:, 0] - known[:, 2] + noise, edges)
    model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model = OneVsRestClassifier(model).fit(known.astype(np.float64), y)
    cases.append(
        {
            "name": name,
            "features": 4,
            "classes": classes,
            "strength": strength,
            "values": [float(str(v)) for v in known.ravel()],
            "labels": y.tolist(),
            "asked": [float(str(v)) for v in asked.ravel()],
            "probabilities": [float(f"{p:.8g}") for p in model.predict_proba(asked.astype(np.float64)).ravel()],
        }
    )


case("three classes", 3, 1.0)
case("five classes, strongly penalised", 5, 0.01)

text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
