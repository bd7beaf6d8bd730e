"""Writes calibration.json: calibrations of logits by scikit-learn and scipy, and their probabilities of other logits."""

import json
import pathlib

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax
from sklearn.calibration import _sigmoid_calibration, _TemperatureScaling
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(20261130)
cases = []


def rounded(x, digits=4):
    return np.asarray(np.round(x, digits), dtype=np.float32).astype(np.float64)


def case(name, method, logits, labels, asked, numbers, probabilities):
    cases.append(
        {
            "name": name,
            "method": method,
            "classes": 0 if logits.ndim == 1 else logits.shape[1],
            "logits": logits.ravel().tolist(),
            "labels": labels.astype(int).tolist(),
            "asked": asked.ravel().tolist(),
            "numbers": [float(f"{n:.10g}") for n in numbers],
            "probabilities": [float(f"{p:.8g}") for p in np.ravel(probabilities)],
        }
    )


def temperature(name, logits, labels, asked):
    """scikit-learn's fit, made exact: its search stops within about 1e-8 of the smallest loss."""
    found = _TemperatureScaling().fit(logits, labels)
    # scikit-learn takes one logit z as the two logits -z and z.
    start = found.beta_ * (2 if logits.ndim == 1 else 1)
    rows = logits if logits.ndim == 2 else np.stack([np.zeros_like(logits), logits], axis=1)

    def loss(factor):
        return -log_softmax(factor * rows, axis=1)[np.arange(len(rows)), labels.astype(int)].mean()

    factor = minimize_scalar(loss, bracket=(0.9 * start, start, 1.1 * start), tol=1e-14).x
    assert abs(factor - start) < 1e-5 * factor
    probabilities = expit(factor * asked) if logits.ndim == 1 else softmax(factor * asked, axis=1)
    case(name, "temperature", logits, labels, asked, [1 / factor], probabilities)


def platt(name, logits, labels, asked):
    """scikit-learn's sigmoid, made exact by further steps from its result."""
    a, b = _sigmoid_calibration(logits, labels, max_abs_prediction_threshold=1e9)
    positives, negatives = labels.sum(), (~labels).sum()
    targets = np.where(labels, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(at):
        z = at[0] * logits + at[1]
        return (np.logaddexp(0, z) - targets * z).mean()

    def gradient(at):
        error = expit(at[0] * logits + at[1]) - targets
        return np.array([(error * logits).mean(), error.mean()])

    exact = minimize(loss, [-a, -b], jac=gradient, method="BFGS", options={"gtol": 1e-13}).x
    assert np.allclose(exact, [-a, -b], rtol=1e-3, atol=1e-3), (exact, a, b)
    case(name, "platt", logits, labels, asked, exact, expit(exact[0] * asked + exact[1]))


def isotonic(name, logits, labels, asked):
    """Steps of scikit-learn's isotonic regression on Platt's targets, interpolated between their centres."""
    positives, negatives = labels.sum(), (~labels).sum()
    targets = np.where(labels, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    fitted = IsotonicRegression().fit_transform(logits, targets)
    heights, place = np.unique(np.round(fitted, 12), return_inverse=True)
    centres = np.bincount(place, weights=logits) / np.bincount(place)
    heights = np.bincount(place, weights=fitted) / np.bincount(place)
    case(name, "isotonic", logits, labels, asked, [*centres, *heights], np.interp(asked, centres, heights))


asked = rounded(rng.normal(size=40) * 4)
overconfident = rounded(3 * rng.normal(size=300) + 0.5)
labels = rng.random(300) < expit(overconfident / 2.5 - 1)
timid = rounded(0.3 * rng.normal(size=200) - 0.1)
frequent = rng.random(200) < expit(4 * timid)
ties = rounded(rng.normal(size=250), 1)
of_ties = rng.random(250) < expit(1.5 * ties - 2)
separated = rounded(np.r_[rng.normal(size=30) - 9, rng.normal(size=50) + 9])
for one in (temperature, platt, isotonic):
    one("overconfident", overconfident, labels, asked)
    one("timid", timid, frequent, asked)
    one("ties", ties, of_ties, asked)
platt("separated", separated, np.arange(80) >= 30, asked)
isotonic("separated", separated, np.arange(80) >= 30, asked)
large = rounded(1e3 * rng.normal(size=120))
platt("large logits", large, rng.random(120) < expit(large / 500), rounded(1e3 * rng.normal(size=20)))
for classes in (3, 7):
    z = rounded(3 * rng.normal(size=(260, classes)))
    odds = softmax(z / 2.2, axis=1)
    drawn = (rng.random(260)[:, None] > odds.cumsum(axis=1)).sum(axis=1)
    temperature(f"{classes} classes", z, drawn, rounded(3 * rng.normal(size=(15, classes))))

text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
