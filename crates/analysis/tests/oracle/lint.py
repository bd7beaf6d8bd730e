"""Writes lint.json: tables by value, rounded as reports print them, with what SciPy and statsmodels make of them.

Tests on summaries are computed from values that have exactly these means and standard deviations.

    python lint.py > lint.json
"""

import json
import math

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(5)
LEVEL = 0.95


def table(effects, counts, sd):
    levels = []
    for position, (effect, count) in enumerate(zip(effects, counts)):
        values = 0.7 + effect + sd * (1 + 0.4 * position) * rng.standard_normal(count)
        spread = values.std(ddof=1) if count > 1 else 0.0
        levels.append({"mean": round(values.mean(), 4), "sd": round(spread, 4), "count": int(count)})
    return levels


def values_with(level):
    """Values whose mean and sample standard deviation are those of the level."""
    n = level["count"]
    if n == 1:
        return np.array([level["mean"]])
    raw = rng.standard_normal(n)
    return level["mean"] + level["sd"] * (raw - raw.mean()) / raw.std(ddof=1)


def welch_contrast(levels):
    """Mean-centred steps, scaled to a slope; variances as they are."""
    kept = [(i, level) for i, level in enumerate(levels) if level["count"] > 1]
    x = np.array([i for i, _ in kept], float)
    c = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    m, s, n = (np.array([level[k] for _, level in kept], float) for k in ["mean", "sd", "count"])
    parts = c**2 * s**2 / n
    slope, error = (c * m).sum(), math.sqrt(parts.sum())
    freedom = parts.sum() ** 2 / (parts**2 / (n - 1)).sum()
    p = 2 * stats.t.sf(abs(slope / error), freedom)
    if len(kept) == 2:
        (_, a), (_, b) = kept
        two = stats.ttest_ind_from_stats(b["mean"], b["sd"], b["count"], a["mean"], a["sd"], a["count"], equal_var=False)
        assert math.isclose(two.pvalue, p, rel_tol=1e-9)
    return {"slope": slope, "standard_error": error, "freedom": freedom, "p": p}


def pooled_contrast(levels):
    """A linear hypothesis on the cell means of an ordinary least-squares fit."""
    groups = [values_with(level) for level in levels]
    design = np.vstack([np.tile(np.eye(len(levels))[i], (len(g), 1)) for i, g in enumerate(groups)])
    x = np.arange(len(levels)) - (len(levels) - 1) / 2
    test = sm.OLS(np.concatenate(groups), design).fit().t_test(x / (x**2).sum())
    return {"slope": test.effect.item(), "standard_error": test.sd.item(), "freedom": test.df_denom, "p": test.pvalue.item()}


def one_way(levels):
    groups = [values_with(level) for level in levels]
    f = stats.f_oneway(*groups)
    k, n = len(groups), sum(map(len, groups))
    return {
        "f": f.statistic,
        "p": f.pvalue,
        "epsilon_squared": (f.statistic - 1) * (k - 1) / (f.statistic * (k - 1) + n - k),
        "omega_squared": (f.statistic - 1) * (k - 1) / (f.statistic * (k - 1) + n - k + 1),
    }


def may_be_best(levels):
    possible = []
    for i, candidate in enumerate(levels):
        p = [
            stats.ttest_ind_from_stats(
                other["mean"], other["sd"], other["count"],
                candidate["mean"], candidate["sd"], candidate["count"],
                equal_var=False, alternative="greater",
            ).pvalue
            for j, other in enumerate(levels)
            if j != i and other["count"] > 1 and candidate["count"] > 1
        ]
        if not p or not multipletests(p, alpha=1 - LEVEL, method="holm")[0].any():
            possible.append(i)
    return possible


def change(levels):
    first, last = levels[0], levels[-1]
    if min(first["count"], last["count"]) < 2:
        return None
    a, b = (level["sd"] ** 2 / level["count"] for level in (first, last))
    freedom = (a + b) ** 2 / (a**2 / (first["count"] - 1) + b**2 / (last["count"] - 1))
    half = stats.t.ppf(0.5 + LEVEL / 2, freedom) * math.sqrt(a + b)
    point = last["mean"] - first["mean"]
    return {"point": point, "lower": point - half, "upper": point + half}


def with_holm(tests):
    for test, p in zip(tests, multipletests([test["p"] for test in tests], method="holm")[1]):
        test["p_holm"] = p


STUDIES = [
    [
        table([0.0, 0.002, 0.006, 0.012], [9, 14, 6, 21], 0.006),
        table([0.0, 0.0, 0.0], [20, 20, 10], 0.01),
        table([0.02, 0.0], [30, 20], 0.008),
    ],
    [
        table([0.0, -0.01, -0.014, -0.03, -0.02], [25, 7, 1, 3, 4], 0.005),
        table([0.004, 0.0, 0.001, 0.0], [12, 1, 2, 25], 0.012),
    ],
]

studies = []
for tables in STUDIES:
    trends = [
        {
            "levels": levels,
            "welch": welch_contrast(levels),
            "pooled": pooled_contrast(levels),
            "one_way": one_way(levels),
            "possible": may_be_best(levels),
            "change": change(levels),
        }
        for levels in tables
    ]
    with_holm([trend["one_way"] for trend in trends])
    studies.append(trends)
for kind in ["welch", "pooled"]:
    with_holm([trend[kind] for trends in studies for trend in trends])
print(json.dumps(studies, indent=1))
