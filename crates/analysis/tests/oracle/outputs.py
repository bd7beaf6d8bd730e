"""Metrics of scikit-learn on predictions of two models of the same rows, with jackknife standard errors.

python3 crates/analysis/tests/oracle/outputs.py > crates/analysis/tests/oracle/outputs.json
"""

import json

import numpy as np
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)


def macro_auc(targets, outputs):
    if outputs.shape[1] == 2:
        return roc_auc_score(targets, outputs[:, 1])
    return roc_auc_score(targets, outputs, multi_class="ovr", average="macro")


CLASSES = {
    "auc": macro_auc,
    "log_loss": lambda t, p: log_loss(t, p, labels=range(p.shape[1])),
    "accuracy": lambda t, p: accuracy_score(t, p.argmax(axis=1)),
}
NUMBERS = {
    "r2": lambda t, p: r2_score(t, p[:, 0]),
    "mse": lambda t, p: mean_squared_error(t, p[:, 0]),
    "mae": lambda t, p: mean_absolute_error(t, p[:, 0]),
}


def jackknife(figure, n):
    """Values without each row in turn, as sqrt(n - 1) times their deviations from the mean: squares sum to n variances."""
    values = np.array([figure(np.arange(n) != row) for row in range(n)])
    return np.sqrt(n - 1) * (values - values.mean())


def figures(metrics, targets, first, second):
    n = len(targets)
    result = {}
    for name, metric in metrics.items():
        moves = [jackknife(lambda kept: metric(targets[kept], p[kept]), n) for p in (first, second)]
        errors = [float(np.sqrt(np.mean(move**2))) for move in moves]
        result[name] = {
            "values": [float(metric(targets, p)) for p in (first, second)],
            "errors": errors,
            "difference_error": float(np.sqrt(np.mean((moves[1] - moves[0]) ** 2))),
            "correlation": float(np.mean(moves[0] * moves[1]) / errors[0] / errors[1]),
        }
    return result


def case(name, metrics, targets, first, second):
    # As they are kept: in single precision, but with probabilities that sum to 1 in double.
    single = [p.astype(np.float32) for p in (first, second)]
    double = [p.astype(np.float64) for p in single]
    if metrics is CLASSES:
        double = [p / p.sum(axis=1, keepdims=True) for p in double]
    targets = targets.astype(np.float32).astype(np.float64)
    found = {
        "name": name,
        "targets": targets.tolist(),
        "outputs": [p.astype(np.float64).ravel().tolist() for p in single],
        "metrics": figures(metrics, targets, *double),
    }
    if metrics is NUMBERS:
        squares = [(p[:, 0] - targets) ** 2 for p in double]
        found["paired_t_error"] = float(
            np.mean(squares[1] - squares[0]) / stats.ttest_rel(squares[1], squares[0]).statistic
        )
    return found


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def classes(rng, n, count):
    targets = rng.integers(count, size=n)
    shared = rng.normal(size=(n, count)) + 0.8 * np.eye(count)[targets]
    return targets, *(softmax(shared + scale * rng.normal(size=(n, count))) for scale in (0.3, 0.9))


def numbers(rng, n):
    targets = 50 + 3 * rng.normal(size=n)
    shared = rng.normal(size=n)
    models = [(0.6 * (targets - 50) + 50 + shared + scale * rng.normal(size=n))[:, None] for scale in (0.2, 1.0)]
    return targets, *models


def main():
    rng = np.random.default_rng(20261125)
    print(
        json.dumps(
            [
                case("two classes", CLASSES, *classes(rng, 160, 2)),
                case("three classes", CLASSES, *classes(rng, 240, 3)),
                case("five classes", CLASSES, *classes(rng, 300, 5)),
                case("numbers", NUMBERS, *numbers(rng, 200)),
                case("few numbers", NUMBERS, *numbers(rng, 60)),
            ]
        )
    )


if __name__ == "__main__":
    main()
