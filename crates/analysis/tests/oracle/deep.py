"""Writes deep.json: values of SciPy, statsmodels, scikit-learn and exact enumeration for the functions of src/stats.

    python deep.py > deep.json
"""

import itertools
import json
import math
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import optimize, stats
from scipy.stats import qmc
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

warnings.filterwarnings("ignore")
rng = np.random.default_rng(11)


def tails():
    return [
        {
            "x": x,
            "df": df,
            "t": stats.t.sf(x, df),
            "f": stats.f.sf(x, df, df + 3),
            "chi2": stats.chi2.sf(x, df),
            "t95": stats.t.ppf(0.975, df),
        }
        for x in [0.1, 1.0, 2.5, 12.0]
        for df in [1, 4, 29, 400]
    ]


def many_degrees():
    degrees = [999, 1000, 12345.6, 1e6, 1e9, 1e15]
    return [{"df": df, "t95": stats.t.ppf(0.975, df), "t999": stats.t.ppf(0.9995, df), "p": 2 * stats.t.sf(2, df)} for df in degrees]


def linear():
    """Factors with unequal counts, one score, and in the second case a factor that another one aliases partly."""
    out = []
    for n, aliased in [(40, False), (25, False), (40, True)]:
        codes = {
            "a": rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05]),
            "b": rng.integers(0, 3, n),
            "c": rng.integers(0, 2, n),
        }
        for k, v in codes.items():
            codes[k] = np.unique(v, return_inverse=True)[1]
        if aliased:
            codes["c"] = (codes["b"] == 1).astype(int)
        score = rng.normal(size=n) * 3 + 50
        y = 0.7 + 0.02 * codes["a"] - 0.01 * codes["b"] + 0.001 * score + rng.normal(size=n) * 0.01 * (1 + codes["a"])
        d = pd.DataFrame({**codes, "s": score, "y": y})
        case = {"codes": {k: v.tolist() for k, v in codes.items()}, "score": score.tolist(), "y": y.tolist()}
        terms = ["C(a)", "C(b)", "C(c)", "s"]
        full = smf.ols("y~" + "+".join(terms), d).fit()
        case["r_squared"], case["df_resid"] = full.rsquared, int(full.df_resid)
        if not aliased:
            table = sm.stats.anova_lm(full, typ=2)
            case["type_ii"] = [dict(zip(["ss", "df", "f", "p"], map(float, table.loc[t, ["sum_sq", "df", "F", "PR(>F)"]]))) for t in terms]
            robust = smf.ols("y~" + "+".join(terms), d).fit(cov_type="HC3", use_t=True)
            case["hc3"] = {"b": robust.params["s"], "se": robust.bse["s"], "p": robust.pvalues["s"]}
            t = full.t_test("C(a)[T.2] - C(a)[T.1] = 0")
            case["contrast"] = {"b": float(t.effect[0]), "se": float(np.ravel(t.sd)[0]), "p": float(t.pvalue)}
        else:
            # The test of a term by comparing models with and without it, whatever their rank.
            case["type_ii"] = []
            for t in terms:
                less = smf.ols("y~" + "+".join(u for u in terms if u != t), d).fit()
                df = int(less.df_resid - full.df_resid)
                case["type_ii"].append({"ss": float(less.ssr - full.ssr) if df else 0.0, "df": df})
        r2 = {}
        for size in range(5):
            for subset in itertools.combinations(range(4), size):
                fit = smf.ols("y~1" + "".join("+" + terms[i] for i in subset), d).fit()
                r2[subset] = fit.rsquared
        lmg = np.zeros(4)
        for order in itertools.permutations(range(4)):
            for i, t in enumerate(order):
                lmg[t] += r2[tuple(sorted(order[: i + 1]))] - r2[tuple(sorted(order[:i]))]
        case["lmg"] = (lmg / math.factorial(4)).tolist()
        out.append(case)
    return out


def one_ways():
    out = []
    for sizes in [[5, 5], [3, 8, 2, 7], [1, 4, 1]]:
        y = np.concatenate([0.7 + 0.01 * i + 0.03 * rng.normal(size=n) for i, n in enumerate(sizes)])
        codes = np.repeat(np.arange(len(sizes)), sizes)
        k, n = len(sizes), len(y)
        table = sm.stats.anova_lm(smf.ols("y~C(g)", pd.DataFrame({"y": y, "g": codes})).fit())
        ssb, msw = table["sum_sq"].iloc[0], table["mean_sq"].iloc[1]
        total = table["sum_sq"].sum()
        out.append({"y": y.tolist(), "codes": codes.tolist(), "groups": k, "omega": (ssb - (k - 1) * msw) / (total + msw)})
    return out


def between(y, codes):
    return sum((codes == c).sum() * (y[codes == c].mean() - y.mean()) ** 2 for c in np.unique(codes))


def exact_permutations():
    """Every one of the n! orders of the values."""
    out = []
    for y, codes in [
        ([0.1, 0.9, 0.4, 0.8, 0.3, 0.7], [0, 1, 0, 1, 0, 1]),
        ([1.0, 1.0, 2.0, 2.0, 3.0, 2.0, 5.0], [0, 0, 1, 1, 2, 2, 2]),
    ]:
        y, codes = np.array(y), np.array(codes)
        observed = between(y, codes)
        hits = [between(np.array(o), codes) >= observed * (1 - 1e-10) for o in itertools.permutations(y)]
        out.append({"y": y.tolist(), "codes": codes.tolist(), "p": float(np.mean(hits))})
    return out


def kendalls():
    cases = [(rng.normal(size=30), rng.normal(size=30)), (rng.integers(0, 4, 50), rng.integers(0, 5, 50))]
    cases += [([1, 2, 3, 4], [1, 3, 2, 4]), ([1, 1, 2, 2, 3], [5, 5, 5, 6, 6]), (range(20), range(20, 0, -1))]
    out = []
    for x, y in cases:
        x, y = np.asarray(x, float), np.asarray(y, float)
        r = stats.kendalltau(x, y, method="asymptotic")
        out.append({"x": x.tolist(), "y": y.tolist(), "tau": r.statistic, "p": r.pvalue})
    return out


def jonckheeres():
    """Mean and variance over every assignment of the pooled values to groups of these sizes."""
    out = []
    for groups in [[[1.0, 2.0], [3.0, 2.0], [5.0]], [[1.0, 1.0, 2.0], [2.0, 2.0], [3.0, 1.0]], [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]]:
        sizes = [len(g) for g in groups]
        pool = [x for g in groups for x in g]

        def statistic(order):
            parts, start = [], 0
            for s in sizes:
                parts.append(order[start : start + s])
                start += s
            return sum(
                (b > a) + 0.5 * (b == a)
                for i, j in itertools.combinations(range(len(parts)), 2)
                for a in parts[i]
                for b in parts[j]
            )

        values = np.array([statistic(o) for o in itertools.permutations(pool)])
        out.append({"groups": groups, "statistic": statistic(pool), "mean": values.mean(), "variance": values.var()})
    return out


def isotonics():
    out = []
    for _ in range(4):
        y, w = rng.normal(size=9), rng.integers(1, 6, 9).astype(float)
        x = np.arange(9)
        up = IsotonicRegression(increasing=True).fit(x, y, w).predict(x)
        down = IsotonicRegression(increasing=False).fit(x, y, w).predict(x)
        out.append({"y": y.tolist(), "w": w.tolist(), "up": up.tolist(), "down": down.tolist()})
    return out


def two_samples():
    out = []
    for a, b in [(rng.normal(size=8), rng.normal(0.5, 3, 5)), (rng.integers(0, 4, 9), rng.integers(1, 5, 12)), ([1.0, 2.0], [3.0, 5.0])]:
        a, b = np.asarray(a, float), np.asarray(b, float)
        w = stats.ttest_ind(a, b, equal_var=False, alternative="greater")
        m = stats.mannwhitneyu(a, b, method="asymptotic")
        out.append({"a": a.tolist(), "b": b.tolist(), "t": w.statistic, "df": w.df, "p": w.pvalue, "u": m.statistic, "mw": m.pvalue})
    return out


def tables():
    out = []
    for counts in [[[10, 2], [3, 15]], [[5, 0, 1], [0, 7, 2], [1, 1, 9], [0, 0, 4]], [[3, 3], [3, 3]], [[0, 4, 0], [5, 0, 0], [0, 0, 6]]]:
        table = np.array(counts)
        chi2 = stats.contingency.chi2_contingency(table, correction=False)
        n, (r, c) = table.sum(), table.shape
        phi2 = max(0, chi2.statistic / n - (r - 1) * (c - 1) / (n - 1))
        v = math.sqrt(phi2 / min(r - (r - 1) ** 2 / (n - 1) - 1, c - (c - 1) ** 2 / (n - 1) - 1))
        out.append({"counts": counts, "chi2": chi2.statistic, "p": chi2.pvalue, "v": min(v, 1.0)})
    return out


def discrepancies():
    out = []
    for n, d in [(1, 1), (7, 2), (20, 5)]:
        points = rng.random((n, d))
        out.append({"points": points.tolist(), "cd": qmc.discrepancy(points, method="CD")})
    return out


def benjamini_hochbergs():
    cases = [[0.01, 0.04, 0.03], [0.2], rng.random(20).tolist(), [0.001, 0.001, 0.9]]
    return [{"p": p, "adjusted": multipletests(p, method="fdr_bh")[1].tolist()} for p in cases]


def bcas():
    """Efron's formulas written out with SciPy's normal distribution and NumPy's quantiles, on given resamples."""
    out = []
    for y in [rng.exponential(size=25), rng.normal(size=12)]:
        index = rng.integers(0, len(y), (999, len(y)))
        replicates = y[index].mean(axis=1)
        jack = np.array([np.delete(y, i).mean() for i in range(len(y))])
        z0 = stats.norm.ppf(((replicates < y.mean()).mean() + (replicates <= y.mean()).mean()) / 2)
        u = jack.mean() - jack
        a = (u**3).sum() / (6 * (u**2).sum() ** 1.5)
        p = [stats.norm.cdf(z0 + (z0 + stats.norm.ppf(q)) / (1 - a * (z0 + stats.norm.ppf(q)))) for q in [0.05, 0.95]]
        out.append(
            {
                "estimate": y.mean(),
                "replicates": replicates.tolist(),
                "jackknife": jack.tolist(),
                "percentile": np.quantile(replicates, [0.05, 0.95]).tolist(),
                "bca": np.quantile(replicates, p).tolist(),
            }
        )
    return out


def best_ofs():
    """Means over every subset of k values, and over every sequence of k values."""
    out = []
    for y in [[0.3, 0.1, 0.9, 0.4, 0.5], [1.0, 1.0, 2.0], [0.5]]:
        for k in range(1, len(y) + 1):
            out.append(
                {
                    "y": sorted(y),
                    "k": k,
                    "u": float(np.mean([max(s) for s in itertools.combinations(y, k)])),
                    "v": float(np.mean([max(s) for s in itertools.product(y, repeat=k)])),
                }
            )
    return out


def delongs():
    """The definition of DeLong, DeLong and Clarke-Pearson (1988): every pair of rows."""
    out = []
    for n, digits in [(60, 12), (40, 1)]:
        labels = np.arange(n) % 3 == 0
        base = rng.normal(size=n) + labels
        models = [np.round(base + rng.normal(size=n), digits), np.round(0.5 * base + rng.normal(size=n), digits)]
        v10, v01 = [], []
        for s in models:
            psi = (s[labels][:, None] > s[~labels]) + 0.5 * (s[labels][:, None] == s[~labels])
            v10.append(psi.mean(axis=1))
            v01.append(psi.mean(axis=0))
        cov = np.cov(v10) / labels.sum() + np.cov(v01) / (~labels).sum()
        out.append(
            {
                "labels": labels.tolist(),
                "scores": [m.tolist() for m in models],
                "auc": [roc_auc_score(labels, m) for m in models],
                "covariance": cov.tolist(),
            }
        )
    return out


def power_laws():
    out = []
    for noise in [0.0, 0.002]:
        sizes = np.geomspace(1e4, 1e7, 12)
        x = sizes / np.exp(np.log(sizes).mean())
        y = 0.8 - 0.03 * x**-0.4 + noise * rng.normal(size=12)
        fit, _ = optimize.curve_fit(lambda x, a, b, c: a - b * x**-c, x, y, [0.8, 0.03, 0.5], xtol=1e-14, ftol=1e-14)
        out.append({"sizes": sizes.tolist(), "y": y.tolist(), "limit": fit[0], "amplitude": fit[1], "exponent": fit[2]})
    return out


groups = [tails, linear, one_ways, exact_permutations, kendalls, jonckheeres, isotonics, two_samples, tables]
groups += [discrepancies, benjamini_hochbergs, bcas, best_ofs, delongs, power_laws, many_degrees]
print(json.dumps({group.__name__: group() for group in groups}))
