"""Writes metrics.json: metrics of a few sets of predictions as scikit-learn and numpy give them.

Probabilities are rounded to float32 first, then everything is computed in float64 (scikit-learn would compute the log
loss of float32 probabilities in float32, with the same clipping); what is undefined is left out.
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics

warnings.simplefilter("ignore")


def expected(y, p, prior):
    edge = float(np.finfo(np.float32).eps)
    out = {
        "log_loss": metrics.log_loss(y, np.clip(p.astype(np.float64), edge, 1 - edge), labels=[0, 1]),
        "brier": metrics.brier_score_loss(y, p.astype(np.float64), pos_label=1),
        "pred_min": p.min(),
        "pred_max": p.max(),
        "pred_mean": p.astype(np.float64).mean(),
        "pred_sd": p.astype(np.float64).std(),
    }
    for name, threshold in (("half", 0.5), ("prior", prior)):
        hard = (p >= np.float32(threshold)).astype(int)
        out[f"precision_at_{name}"] = metrics.precision_score(y, hard, zero_division=0)
        out[f"recall_at_{name}"] = metrics.recall_score(y, hard, zero_division=0)
        out[f"f1_at_{name}"] = metrics.f1_score(y, hard, zero_division=0)
    if 0 < y.sum() < len(y):
        out["auc"] = metrics.roc_auc_score(y, p)
    if y.sum() > 0:
        out["average_precision"] = metrics.average_precision_score(y, p)
    return {k: float(v) for k, v in sorted(out.items())}


rng = np.random.default_rng(20261101)
cases = []


def case(name, y, p, prior):
    y, p = np.asarray(y, dtype=int), np.asarray(p, dtype=np.float32)
    cases.append(
        {
            "name": name,
            "labels": y.tolist(),
            "probabilities": [float(v) for v in p],
            "prior": prior,
            "expected": expected(y, p, prior),
        }
    )


y = (rng.random(300) < 0.2).astype(int)
case("informative", y, 1 / (1 + np.exp(-(2 * y - 1.5 + rng.normal(size=300)))), 0.21)
case("heavy ties", y, np.round(rng.random(300) * 4) / 4, 0.25)
case("inverted", y, np.clip(0.9 - 0.6 * y + 0.1 * rng.normal(size=300), 0, 1), 0.2)
case("uninformative", y, rng.random(300), 0.2)
case("constant", [0, 1, 0, 1, 0], [0.3] * 5, 0.4)
case("perfect and certain", [0, 0, 1, 1], [0.0, 0.0, 1.0, 1.0], 0.5)
case("wrong and certain", [0, 1], [1.0, 0.0], 0.5)
case("on the thresholds", [1, 0, 1, 0, 0], [0.5, 0.5, 0.2, 0.2, 0.1], 0.2)
case("nothing predicted positive", [1, 0, 0], [0.1, 0.05, 0.2], 0.3)
case("only negatives", [0, 0, 0], [0.1, 0.6, 0.2], 0.3)
case("only positives", [1, 1], [0.1, 0.6], 0.3)
case("one row", [1], [0.25], 0.3)

text = json.dumps(cases, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
