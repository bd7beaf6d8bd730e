"""Writes boosting.json: predictions of scikit-learn's histogram boosting on features of few values."""

import json
import pathlib

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

SETTINGS = {
    "learning_rate": 0.05,
    "max_depth": 3,
    "max_leaf_nodes": None,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
}

rng = np.random.default_rng(20261130)
cases = []


def case(name, x, y, rounds, classes):
    x = np.asarray(x, dtype=np.float32)
    model = (HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor)(
        max_iter=rounds, **SETTINGS
    )
    model.fit(x, y)
    predictions = model.predict_proba(x) if classes else model.predict(x)
    cases.append(
        {
            "name": name,
            "features": x.shape[1],
            "classes": classes,
            "rounds": rounds,
            "values": x.ravel().tolist(),
            "targets": y.tolist(),
            "predictions": [float(f"{p:.8g}") for p in predictions.ravel()],
        }
    )


x = rng.integers(0, 12, size=(300, 3))
noise = rng.normal(size=300)
y = np.asarray(np.round(np.sin(x[:, 0]) + 0.1 * x[:, 1] * (x[:, 2] > 5) + 0.3 * noise, 3), dtype=np.float32)
case("numbers", x, y.astype(np.float64), 40, 0)
case("large numbers", x, (1000.0 + 50.0 * y).round(2), 5, 0)
case("three classes", x, np.digitize(y, [-0.3, 0.6]), 25, 3)

text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
