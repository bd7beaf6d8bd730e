"""Posterior and marginal likelihood of a Gaussian process by scikit-learn.

    python3 crates/search/tests/oracle/gp.py > crates/search/tests/oracle/gp.json
"""

import json

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

rng = np.random.default_rng(4)
levels = [6, 5, 9]
cells = np.stack([rng.integers(0, n, 14) for n in levels], 1)
queries = np.stack([rng.integers(0, n, 8) for n in levels], 1)
position = lambda c: c / (np.array(levels) - 1)
y = np.sin(3 * position(cells)[:, 0]) - position(cells)[:, 1] ** 2 + 0.1 * rng.normal(size=14)
length_scales, signal, noise = [0.7, 1.6, 4.0], 1.3, 0.05
size_scale = 0.8
kernel = ConstantKernel(signal) * Matern(length_scales, nu=2.5) + ConstantKernel(1.0)
process = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(position(cells), y)
mean, deviation = process.predict(position(queries), return_std=True)


def joint():
    """Points of two budgets half a decade apart: the size is one axis more, and each budget has a mean of its own."""
    decades = np.where(np.arange(14) < 6, 0.0, -0.5)
    same = lambda a, b: (a[:, None] == b[None, :]).astype(float)
    inputs = np.c_[position(cells), decades]
    at = np.c_[position(queries), np.zeros(len(queries))]
    covariance = ConstantKernel(signal) * Matern([*length_scales, size_scale], nu=2.5)
    told = covariance(inputs) + same(decades, decades) + noise * np.eye(14)
    cross = covariance(at, inputs) + same(np.zeros(len(at)), decades)
    solved = np.linalg.solve(told, cross.T)
    sign, log_determinant = np.linalg.slogdet(told)
    return {
        "decades": decades.tolist(),
        "size_scale": size_scale,
        "mean": (solved.T @ y).tolist(),
        "variance": (signal + 1 - (cross.T * solved).sum(0)).tolist(),
        "log_marginal_likelihood": float(-0.5 * (y @ np.linalg.solve(told, y) + log_determinant + 14 * np.log(2 * np.pi))),
    }


print(
    json.dumps(
        {
            "levels": levels,
            "cells": cells.tolist(),
            "y": y.tolist(),
            "length_scales": length_scales,
            "signal": signal,
            "noise": noise,
            "queries": queries.tolist(),
            "mean": mean.tolist(),
            "variance": (deviation**2).tolist(),
            "log_marginal_likelihood": process.log_marginal_likelihood_value_,
            "joint": joint(),
        },
        indent=1,
    )
)
