"""Writes recalibration.json: calibration slopes and figures of probabilities by statsmodels and scikit-learn."""

import json
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, logit, softmax
from sklearn.metrics import brier_score_loss, log_loss

rng = np.random.default_rng(20261130)
cases = []


def case(name, width, p, y, **expected):
    cases.append(
        {
            "name": name,
            "width": width,
            "probabilities": p.ravel().tolist(),
            "targets": y.astype(int).tolist(),
            **{name: float(f"{value:.12g}") for name, value in expected.items()},
        }
    )


def binary(name, scale, shift, rows):
    z = rng.normal(size=rows) * 2
    p = expit(z).astype(np.float32).astype(np.float64)
    y = rng.random(rows) < expit(scale * z + shift)
    fit = sm.Logit(y.astype(float), sm.add_constant(logit(p))).fit(disp=0, method="newton", tol=1e-14, cov_type="HC0")
    case(
        name,
        1,
        p,
        y,
        slope=fit.params[1],
        error=fit.bse[1],
        log_loss=log_loss(y, p),
        brier=brier_score_loss(y, p),
        gap=p.mean() - y.mean(),
    )


def classes(name, width, factor, rows):
    z = rng.normal(size=(rows, width)) * 2
    p = softmax(z, axis=1).astype(np.float32).astype(np.float64)
    y = (rng.random(rows)[:, None] > softmax(factor * z, axis=1).cumsum(axis=1)).sum(axis=1)
    logs = np.log(p)
    loss = lambda s: -log_softmax(s * logs, axis=1)[np.arange(rows), y].mean()
    slope = minimize_scalar(loss, bracket=(0.5 * factor, factor, 1.5 * factor), tol=1e-14).x
    q = softmax(slope * logs, axis=1)
    means = (q * logs).sum(axis=1)
    scores = logs[np.arange(rows), y] - means
    curvature = ((q * logs**2).sum(axis=1) - means**2).mean()
    truth = np.eye(width)[y]
    case(
        name,
        width,
        p,
        y,
        slope=slope,
        error=np.sqrt((scores**2).sum()) / rows / curvature,
        log_loss=log_loss(y, p, labels=range(width)),
        brier=((p - truth) ** 2).sum(axis=1).mean(),
        gap=p.max(axis=1).mean() - (p.argmax(axis=1) == y).mean(),
    )


binary("overconfident", 0.5, -0.4, 300)
binary("timid", 1.8, 0.7, 150)
binary("calibrated", 1.0, 0.0, 400)
classes("three classes", 3, 0.6, 250)
classes("six classes", 6, 1.3, 200)

text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
