"""Writes classic.json: random sets of trials with the classic report that the rules of this file give for each.

An independent reading of the same rules as src/classic, from the standard library alone. Every printed number is
computed twice, in floating point and exactly, and a set in which the two print differently is drawn again: what the
fixtures hold does not depend on the order of a sum.

    python classic.py > classic.json
"""

import json
import math
import random
from fractions import Fraction

ORDER = ["d_model", "n_layers", "n_heads", "d_ff_ratio", "learning_rate", "dropout", "weight_decay"]


class Ambiguous(Exception):
    """A number lies on the boundary between two printed forms."""


def agreed(from_float, from_exact):
    if from_float != from_exact:
        raise Ambiguous
    return from_float


def mean(values):
    return math.fsum(values) / len(values)


def exact_mean(values):
    return sum(map(Fraction, values)) / len(values)


def exact_variance(values):
    if len(values) < 2:
        return Fraction(0)
    m = exact_mean(values)
    return sum((Fraction(v) - m) ** 2 for v in values) / (len(values) - 1)


def f4(x):
    return "N/A" if x is None else "%.4f" % x


def f4_mean(values):
    return agreed(f4(mean(values)), "%.4f" % float(exact_mean(values)))


def f4_sd(values):
    return f4(math.sqrt(exact_variance(values)))


def sort_key(value):
    if value is None:
        return (0, 0, "")
    if isinstance(value, str):
        return (2, 0, value)
    return (1, value, "")


def grouped(trials, name):
    groups = {}
    for trial in trials:
        if name in trial["params"]:
            groups.setdefault(trial["params"][name], []).append(trial["value"])
    return sorted(groups.items(), key=lambda item: sort_key(item[0]))


def importance(trials, name):
    values = [t["value"] for t in trials]
    variance = exact_variance(values)
    if variance == 0:
        return 0.0
    m = exact_mean(values)
    between = sum(len(g) * (exact_mean(g) - m) ** 2 for _, g in grouped(trials, name))
    share = between / len(values) / variance
    nearest = round(share * 10000)
    if abs(share * 10000 - nearest) > Fraction(49999, 100000):
        raise Ambiguous
    return nearest / 10000


def collapse(trials):
    def recorded(name):
        return [t["metrics"][name] for t in trials if name in t["metrics"]]

    lows, highs = recorded("pred_min"), recorded("pred_max")
    recalls = recorded("recall_at_half") or recorded("recall")
    spread = mean(highs) - mean(lows) if lows and highs else None
    zero = sum(r == 0 for r in recalls) / len(recalls) if recalls else None
    found = (spread is not None and spread < 0.2) or (zero is not None and zero > 0.3)
    return found, spread, mean(recalls) if recalls else None, zero


def report(ladder):
    metric = ladder["metric"]
    studies = []
    for study in ladder["studies"]:
        done = [t for t in study["trials"] if t["state"] == "COMPLETE"]
        studies.append(
            {
                "label": study["label"],
                "done": done,
                "best": max(t["value"] for t in done) if done else None,
                "params": study["best_params"] if done else None,
            }
        )
    blocks = [["# Cross-Budget HPO Comparison"]]

    rows = [f"| Budget | Best {metric} | Best d_model | Best n_layers | Best LR | Best dropout | Best WD |"]
    rows.append("|" + "|".join("-" * (len(cell) + 2) for cell in rows[0].strip("| ").split(" | ")) + "|")
    for s in studies:
        cells = [(s["params"] or {}).get(n, "N/A") for n in ["d_model", "n_layers", "learning_rate", "dropout", "weight_decay"]]
        rows.append(f"| {s['label']} | {f4(s['best'])} | " + " | ".join(str(c) for c in cells) + " |")
    blocks += [["## Best Results by Budget"], rows]

    blocks += [["## Scaling Law Analysis"], [f"- {s['label']}: {f4(s['best'])}" for s in studies]]
    if len(studies) == 3 and all(s["best"] is not None for s in studies):
        (s, sn), (m, mn), (l, ln) = [(x["best"], x["label"]) for x in studies]
        if l > m > s:
            blocks.append([f"**Scaling law HOLDS**: {ln} > {mn} > {sn}"])
        elif m > s > l:
            blocks.append(
                [
                    f"**Scaling law VIOLATED**: {mn} > {sn} > {ln}",
                    "This suggests larger models may be overfitting or need different regularization.",
                ]
            )
        else:
            blocks.append(["**Scaling law PARTIAL**: Non-monotonic relationship"])

    lines = []
    for name in ["dropout", "learning_rate", "weight_decay"]:
        found = {s["label"]: s["params"][name] for s in studies if s["params"] and name in s["params"]}
        if len(found) >= 2:
            same = all(v == list(found.values())[0] for v in found.values())
            lines.append(f"- **{name}**: {'Consistent' if same else 'Inconsistent'} - {found}")
    # The list ends with an empty line of its own, also where it is empty.
    blocks += [["## Parameter Consistency Across Budgets" + ("" if lines else "\n")], lines]

    rows = ["| Budget | Collapse? | Pred Range | Avg Recall |", "|--------|-----------|------------|------------|"]
    for s in studies:
        found, spread, recall, _ = collapse(s["done"])
        rows.append(f"| {s['label']} | {'Yes' if found else 'No'} | {f4(spread)} | {f4(recall)} |")
    blocks += [["## Probability Collapse by Budget"], rows]

    for s in studies:
        blocks += study_blocks(s, metric, ladder["tag"])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def study_blocks(s, metric, tag):
    done = s["done"]
    values = [t["value"] for t in done]
    blocks = [["---"], [f"# HPO Analysis: {s['label']}" + (f" ({tag})" if tag is not None else "")]]
    blocks += [
        ["## Summary Statistics"],
        [
            f"- Total trials: {len(done)}",
            f"- Best {metric}: {f4(s['best'])}",
            f"- Mean {metric}: {f4_mean(values) if done else 'N/A'}",
            f"- Std {metric}: {f4_sd(values) if done else 'N/A'}",
        ],
    ]
    if not done:
        return blocks
    if s["params"]:  # an empty one has no line
        blocks.append(["**Best Configuration:**"] + [f"  - {k}: {v}" for k, v in s["params"].items()])

    blocks.append(["## Probability Collapse Analysis"])
    found, spread, _, zero = collapse(done)
    if found:
        blocks.append(["**WARNING: Probability collapse detected!**"])
        lines = [] if spread is None else [f"- Mean prediction range: {spread:.4f}"]
        lines += [] if zero is None else [f"- Trials with zero recall: {zero * 100:.1f}%"]
        blocks.append(lines)
    else:
        blocks.append(["No probability collapse detected."])

    present = [n for n in ORDER if any(n in t["params"] for t in done)]
    blocks += [["## Parameter Importance"], [f"(Fraction of {metric} variance explained by each parameter)"]]
    ranked = sorted(((n, importance(done, n)) for n in present), key=lambda pair: -pair[1])
    blocks.append([f"  {n:15s} | {'#' * int(share * 50):50s} | {share:.4f}" for n, share in ranked])

    blocks.append(["## Parameter Trends"])
    for n in present:
        if n == "d_ff_ratio":
            continue
        groups = grouped(done, n)
        means = [float(exact_mean(g)) for _, g in groups]
        change = means[-1] - means[0]
        if abs(abs(change) - 0.01) < 1e-12:
            raise Ambiguous
        word = "flat" if abs(change) < 0.01 else "increasing" if change > 0 else "decreasing"
        if len(groups) == 1:
            word = "insufficient_data"
        # Means of different levels that differ by rounding alone would make the best one a matter of the sum's order.
        exact = [exact_mean(g) for _, g in groups]
        for i, a in enumerate(exact):
            for b in exact[:i]:
                if a != b and abs(a - b) < Fraction(1, 10**12):
                    raise Ambiguous
        best, worst = exact.index(max(exact)), exact.index(min(exact))
        lines = [f"- Trend: **{word}**"]
        for title, i in [("Best", best), ("Worst", worst)]:
            lines.append(f"- {title} value: {groups[i][0]} (mean {metric}: {agreed(round(mean(groups[i][1]), 4), round(means[i], 4))})")
        table = [f"| Value | Mean {metric} | Std | Count |", f"|-------|{'-' * len(f' Mean {metric} ')}|-----|-------|"]
        table += [f"| {v} | {f4_mean(g)} | {f4_sd(g)} | {len(g)} |" for v, g in groups]
        blocks += [[f"### {n}"], lines, table]

    blocks += [["## Coverage Matrices"], ["(Count of trials testing each combination)"]]
    for a, b in [("d_model", "n_layers"), ("d_model", "n_heads"), ("learning_rate", "dropout")]:
        if a not in present or b not in present:
            continue
        rows = [v for v, _ in grouped(done, a)]
        columns = [v for v, _ in grouped(done, b)]
        table = [f"| {a} | " + " | ".join(str(c) for c in columns) + " |", "| --- |" + " --- |" * len(columns)]
        for r in rows:
            counts = [sum(1 for t in done if a in t["params"] and b in t["params"] and t["params"][a] == r and t["params"][b] == c) for c in columns]
            table.append(f"| {r} | " + " | ".join(map(str, counts)) + " |")
        blocks += [[f"### {a} × {b}"], table]
    return blocks


CHOICES = {
    "d_model": [32, 48, 64, 128],
    "n_layers": [2, 3, 6],
    "n_heads": [2, 4, 8],
    "d_ff_ratio": [2, 4],
    "learning_rate": [1e-05, 5e-05, 0.0001, 0.0005],
    "dropout": [0.0, 0.1, 0.3],
    "weight_decay": [0.0, 1e-06, 1e-4, 0.001],
}
# Kinds that the seven parameters never have in practice, but may: words, truth values, nothing, 1 beside 1.0.
ODD = {"d_model": ["big", "small", 64], "n_heads": [True, False, 2], "dropout": [None, 0.1, 1, 1.0], "learning_rate": [1e-300, 123456789012345680.0, 3e22, 1]}


def draw(rng, labels, tag, sizes, metric="AUC", odd=False, drop=(), missing=0.0, records=None, best=1.0, level=None, fail=0.1):
    studies = []
    for label, size in zip(labels, sizes):
        trials = []
        for number in range(size):
            choices = {**CHOICES, **(ODD if odd else {})}
            params = {n: rng.choice(c) for n, c in choices.items() if n not in drop and rng.random() >= missing}
            if rng.random() < 0.2:
                params["activation"] = rng.choice(["gelu", "relu"])
            value = round(0.7 + 0.05 * rng.random(), 7) if level is None else level
            state = rng.choices(["COMPLETE", "FAIL", "PRUNED", "RUNNING"], [1 - fail, fail / 2, fail / 4, fail / 4])[0]
            metrics = {}
            if records == "narrow":
                metrics = {"pred_min": round(0.3 + 0.01 * rng.random(), 7), "pred_max": round(0.4 + 0.01 * rng.random(), 7)}
            elif records == "zero":
                metrics = {"pred_min": 0.1, "pred_max": round(0.9 + rng.random() / 20, 7), "recall": rng.choice([0.0, 0.0, 0.25])}
            elif records == "healthy":
                metrics = {"pred_min": 0.05, "pred_max": 0.85, "recall_at_half": round(0.1 + rng.random() / 2, 7)}
            trials.append({"number": number, "state": state, "value": None if state in ("FAIL", "RUNNING") else value, "params": params, "metrics": metrics})
        done = [t for t in trials if t["state"] == "COMPLETE"]
        chosen = max(done, key=lambda t: t["value"])["params"] if done and rng.random() < best else None
        if chosen is not None:
            names = list(chosen)
            rng.shuffle(names)
            chosen = {n: chosen[n] for n in names}
        studies.append({"label": label, "trials": trials, "best_params": chosen})
    return {"tag": tag, "metric": metric, "studies": studies}


CASES = [
    ("three budgets", dict(labels=["2M", "20M", "200M"], tag="a100", sizes=[14, 12, 10])),
    ("no tag", dict(labels=["small", "middle", "large"], tag=None, sizes=[10, 7, 12])),
    ("one budget", dict(labels=["400k"], tag="v100", sizes=[20])),
    ("two budgets", dict(labels=["it's", "1 | 2"], tag="x y", sizes=[8, 9])),
    ("five budgets", dict(labels=["1M", "2M", "4M", "8M", "16M"], tag="t4", sizes=[3, 4, 2, 3, 4])),
    ("no best parameters", dict(labels=["2M", "20M"], tag="a100", sizes=[6, 6], best=0.5)),
    ("parameters missing everywhere", dict(labels=["2M", "20M"], tag="a", sizes=[8, 7], drop=("n_heads", "dropout", "d_ff_ratio"))),
    ("parameters missing from some trials", dict(labels=["2M", "20M", "200M"], tag="a", sizes=[10, 8, 7], missing=0.3)),
    ("no known parameter at all", dict(labels=["2M", "20M"], tag="a", sizes=[4, 3], drop=ORDER)),
    ("values of other kinds", dict(labels=["2M", "20M", "200M"], tag="a", sizes=[12, 9, 7], odd=True)),
    ("one trial and none", dict(labels=["2M", "20M", "200M"], tag="a", sizes=[1, 0, 2], fail=0.0)),
    ("all values equal", dict(labels=["2M", "20M"], tag="a", sizes=[5, 4], level=0.1)),
    ("narrow predictions", dict(labels=["2M", "20M"], tag="a", sizes=[8, 6], records="narrow")),
    ("no recall", dict(labels=["2M", "20M"], tag="a", sizes=[6, 5], records="zero")),
    ("healthy predictions", dict(labels=["2M", "20M"], tag="a", sizes=[8, 6], records="healthy", metric="ROC AUC")),
    ("mostly failed", dict(labels=["2M", "20M", "200M"], tag="a", sizes=[6, 6, 6], fail=0.7)),
]


def main():
    rng = random.Random(20260126)
    out = []
    for name, settings in CASES:
        while True:
            ladder = draw(rng, **settings)
            try:
                expected = report(ladder)
            except Ambiguous:
                continue
            break
        out.append({"name": name, "ladder": ladder, "expected": expected})
    # Orders of the maxima that random draws seldom give.
    for name, best in [("scaling holds", [0.7, 0.71, 0.72]), ("scaling violated", [0.71, 0.72, 0.7]), ("scaling ties", [0.7, 0.7, 0.71])]:
        ladder = draw(rng, labels=["2M", "20M", "200M"], tag="a100", sizes=[2, 2, 2], fail=0.0, drop=ORDER[1:])
        for study, value in zip(ladder["studies"], best):
            study["trials"][0]["value"] = value
            study["trials"][1]["value"] = value - 0.03
        out.append({"name": name, "ladder": ladder, "expected": report(ladder)})
    print("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in out) + "\n]")


if __name__ == "__main__":
    main()
