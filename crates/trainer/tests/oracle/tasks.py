"""Writes tasks.json: metrics of predicted classes and predicted numbers as scikit-learn gives them, in float64.

Usage: python tasks.py   (needs numpy, scikit-learn)
"""

import json
import pathlib

import numpy as np
from sklearn import metrics

rng = np.random.default_rng(20261102)
classes, numbers = [], []
for count, rows, sharpness in ((3, 200, 1.5), (5, 60, 0.0), (2, 40, 3.0), (3, 30, -1.0)):
    labels = np.concatenate([np.arange(count), rng.integers(0, count, rows - count)])
    logits = rng.normal(size=(rows, count)) + sharpness * np.eye(count)[labels]
    # Few digits, so that there are ties.
    odds = np.exp(np.round(logits, 1))
    p = (odds / odds.sum(1, keepdims=True)).astype(np.float32)
    exact = p.astype(np.float64)
    auc = np.mean([metrics.roc_auc_score(labels == k, exact[:, k]) for k in range(count)])
    log_loss = -np.log(exact[np.arange(rows), labels]).mean()
    expected = {"auc": auc, "log_loss": log_loss, "accuracy": metrics.accuracy_score(labels, p.argmax(1))}
    whole = metrics.roc_auc_score(labels, exact / exact.sum(1, keepdims=True), multi_class="ovr") if count > 2 else auc
    assert abs(auc - whole) < 1e-12
    classes.append({"labels": labels.tolist(), "probabilities": p.flatten().tolist(), "expected": expected})
for rows, noise, offset in ((100, 0.5, 0.0), (50, 3.0, 10.0), (2, 0.1, -1e3)):
    targets = rng.normal(size=rows) + offset
    predictions = (targets + noise * rng.normal(size=rows)).astype(np.float32)
    exact = predictions.astype(np.float64)
    expected = {
        "mse": metrics.mean_squared_error(targets, exact),
        "mae": metrics.mean_absolute_error(targets, exact),
        "r2": metrics.r2_score(targets, exact),
        "pred_min": exact.min(),
        "pred_max": exact.max(),
        "pred_mean": exact.mean(),
        "pred_sd": exact.std(),
    }
    expected = {key: float(value) for key, value in expected.items()}
    numbers.append({"targets": targets.tolist(), "predictions": exact.tolist(), "expected": expected})
text = json.dumps({"classes": classes, "numbers": numbers}, separators=(",", ":"))
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
