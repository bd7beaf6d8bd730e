"""Writes stats.json: values of SciPy and statsmodels for the functions of src/stats.

    python stats.py > stats.json
"""

import json
import math
import random

import numpy as np
from scipy.special import expit, logit
from scipy.stats import f_oneway, norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

rng = random.Random(7)


def normals():
    return [{"p": p, "quantile": norm.ppf(p)} for p in [1e-9, 0.001, 0.025, 0.2, 0.5, 0.8, 0.9, 0.975, 0.995, 1 - 1e-9]]


def tails():
    return [{"z": z, "p": 2 * norm.sf(abs(z))} for z in [0.0, 0.2, -1.0, 1.96, 3.5, 9.0]]


def holms():
    cases = [[0.01, 0.04, 0.03], [0.5, 0.6], [0.2], [0.001, 0.001, 0.9, 0.02]]
    cases.append([rng.random() for _ in range(20)])
    return [{"p": p, "adjusted": list(multipletests(p, method="holm")[1])} for p in cases]


def wilsons():
    out = []
    for successes, count in [(0, 1), (1, 1), (0, 50), (3, 50), (50, 50), (17, 1000)]:
        for level in [0.9, 0.95]:
            lower, upper = proportion_confint(successes, count, 1 - level, method="wilson")
            out.append({"successes": successes, "count": count, "level": level, "lower": lower, "upper": upper})
    return out


def hanley_mcneils():
    """The 1982 formula as its source writes it, through the probabilities Q1 and Q2."""
    out = []
    for auc, pos, neg in [(0.72, 76, 346), (0.5, 10, 10), (0.95, 5, 2000), (0.31, 40, 60), (0.7246, 123, 594)]:
        q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
        se = math.sqrt((auc * (1 - auc) + (pos - 1) * (q1 - auc**2) + (neg - 1) * (q2 - auc**2)) / (pos * neg))
        half = norm.ppf(0.975) * se / (auc * (1 - auc))
        lower, upper = expit(logit(auc) - half), expit(logit(auc) + half)
        out.append({"auc": auc, "positives": pos, "negatives": neg, "se": se, "lower": lower, "upper": upper})
    return out


def one_ways():
    """Epsilon squared through F: (F - 1) (k - 1) / (F (k - 1) + N - k)."""
    out = []
    for sizes in [[5, 5], [3, 8, 2, 7], [1, 4, 1], [30, 6, 5, 4, 5]]:
        groups = [[0.7 + 0.01 * i + 0.03 * rng.gauss(0, 1) for _ in range(n)] for i, n in enumerate(sizes)]
        f = f_oneway(*groups).statistic
        k, n = len(sizes), sum(sizes)
        values = np.concatenate(groups)
        between = sum(len(g) * (np.mean(g) - values.mean()) ** 2 for g in groups)
        out.append(
            {
                "groups": groups,
                "naive": between / n / values.var(ddof=1),
                "epsilon_squared": (f - 1) * (k - 1) / (f * (k - 1) + n - k),
            }
        )
    return out


print(
    json.dumps(
        {
            "normal": normals(),
            "tail": tails(),
            "holm": holms(),
            "wilson": wilsons(),
            "hanley_mcneil": hanley_mcneils(),
            "one_way": one_ways(),
        },
        indent=1,
    )
)
