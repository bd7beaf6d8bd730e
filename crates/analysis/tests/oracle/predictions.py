"""Figures of predicted probabilities by scikit-learn and NumPy; writes predictions.json beside it.

Usage: python predictions.py      (numpy 2.4, scikit-learn 1.9)

The calibration error is written out here from its definition: rows in order of their prediction, ten bins of nearly equal counts with
boundaries at floor(bin * n / 10), mean distance between mean prediction and share of positives weighted by rows.
"""

import json
from pathlib import Path

import numpy
from sklearn.metrics import brier_score_loss, log_loss, recall_score, roc_auc_score

# The probability of class 1 given z + 1.2 y, for a prior of 0.2, has the logit 1.2 (z + 1.2 y) - 0.72 + log(0.2 / 0.8).
KINDS = {
    "healthy": lambda z, y: 1 / (1 + numpy.exp(2.106 - 1.2 * (z + 1.2 * y))),
    "shifted": lambda z, y: 0.55 + 0.15 * numpy.tanh(0.5 * z + 1.2 * y),
    "shrunken": lambda z, y: numpy.where(z + y > 1.05, 0.97, 0.02) + 0.01 * numpy.tanh(z),
    "constant": lambda z, y: y.mean() + 0.002 * numpy.tanh(z + y),
}


def case(name, seed, n):
    rng = numpy.random.default_rng(seed)
    labels = (rng.random(n) < 0.2).astype(int)
    scores = KINDS[name](rng.standard_normal(n), labels).astype("float32")
    order = numpy.argsort(scores, kind="stable")
    ascending, sorted_labels = scores[order].astype("float64"), labels[order]
    edges = [bin * n // 10 for bin in range(11)]
    gaps = [abs(ascending[a:b].sum() - sorted_labels[a:b].sum()) / n for a, b in zip(edges, edges[1:])]
    prior = labels.mean()
    wide = scores.astype("float64")
    return {
        "name": name,
        "labels": labels.tolist(),
        "scores": [float(score) for score in scores],
        "auc": roc_auc_score(labels, wide),
        "sd_ratio": wide.std() / numpy.sqrt(prior * (1 - prior)),
        "low": numpy.quantile(wide, 0.01),
        "high": numpy.quantile(wide, 0.99),
        "distinct": len(numpy.unique(scores)),
        "brier_skill": 1 - brier_score_loss(labels, wide) / brier_score_loss(labels, numpy.full(n, prior)),
        "log_loss": log_loss(labels, wide),
        "log_loss_of_prior": log_loss(labels, numpy.full(n, prior)),
        "calibration_error": sum(gaps),
        "recall_at_half": recall_score(labels, wide > 0.5),
        "recall_at_prior": recall_score(labels, wide > prior),
    }


if __name__ == "__main__":
    cases = [case(name, seed, n) for seed, (name, n) in enumerate((name, n) for name in KINDS for n in (57, 211))]
    Path(__file__).with_suffix(".json").write_text(json.dumps(cases))
