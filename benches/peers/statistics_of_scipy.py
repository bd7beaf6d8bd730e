"""The same statistics of the same trials by Allometry and by SciPy and scikit-learn, in turn, with what they give.

    cargo build --release -p allometry-analysis --example statistics
    python3 benches/peers/statistics_of_scipy.py --runs 5 target/release/examples/statistics

Times are of the fastest of five calls after a first one, medians over the runs. A permutation test of five groups has 10,000 permutations
(`scipy.stats.permutation_test` in batches), a bootstrap of a mean 2,000 resamples (`scipy.stats.bootstrap`).
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

PERMUTATIONS, RESAMPLES, CALLS = 10_000, 2_000, 5


def draws(count):
    state, out = 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append((state >> 11) / 2**53)
    return out


def peers(count):
    """The fastest call of each, as JSON."""
    import numpy as np
    from scipy import stats
    from sklearn.isotonic import isotonic_regression
    from sklearn.metrics import roc_auc_score

    drawn = np.array(draws(3 * count))
    x = np.floor(drawn[:count] * 20)
    y = drawn[count : 2 * count] + 0.01 * x
    labels = drawn[2 * count :] < 0.2
    codes = (x // 4).astype(int)
    order = np.argsort(codes, kind="stable")
    groups = np.split(y[order], np.cumsum(np.bincount(codes))[:-1])
    sizes = np.array([len(group) for group in groups])
    edges = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    first, second = y[: count // 2], y[count // 2 :] + 0.02
    center = y.mean()

    def between(*samples, axis=-1):
        """Sum of squares between groups, which orders permutations as F does."""
        means = [np.mean(sample, axis=axis) for sample in samples]
        return sum(len_ * (mean - center) ** 2 for len_, mean in zip(sizes, means))

    batch = max(1, 2_000_000 // count)

    def permutation():
        options = dict(vectorized=True, n_resamples=PERMUTATIONS, batch=batch, alternative="greater", rng=0)
        return stats.permutation_test(groups, between, **options).pvalue

    def bootstrap():
        options = dict(n_resamples=RESAMPLES, batch=batch, method="percentile", rng=0)
        return stats.bootstrap((y,), np.mean, **options).confidence_interval.low

    calls = {
        "kendall": lambda: stats.kendalltau(x, y).statistic,
        "mann_whitney": lambda: stats.mannwhitneyu(first, second, method="asymptotic").pvalue,
        "isotonic": lambda: isotonic_regression(y).sum(),
        "delong": lambda: roc_auc_score(labels, y),
        "permutation": permutation,
        "bootstrap": bootstrap,
    }
    out = {}
    for name, call in calls.items():
        result = call()
        seconds = []
        for _ in range(CALLS):
            started = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - started)
        out[name] = {"seconds": min(seconds), "result": float(result)}
    print(json.dumps(out))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours", nargs="?", help="the example `statistics`")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", type=int, metavar="TRIALS", help="run SciPy and scikit-learn once, in this process")
    arguments = parser.parse_args()
    if arguments.peers:
        return peers(arguments.peers)
    print("| statistic | trials | ours, ms | theirs, ms | ratio | ours | theirs |")
    print("|---|---|---|---|---|---|---|")
    for count in (150, 10_000):
        commands = ([arguments.ours, str(count)], [sys.executable, __file__, "--peers", str(count)])
        runs = [[json.loads(subprocess.check_output(command)) for command in commands] for _ in range(arguments.runs)]
        for name in runs[0][0]:
            ours, theirs = (statistics.median(run[side][name]["seconds"] for run in runs) * 1e3 for side in (0, 1))
            results = [f"{runs[0][side][name]['result']:.6g}" for side in (0, 1)]
            print(f"| {name} | {count} | {ours:.3f} | {theirs:.3f} | {theirs / ours:.1f} | {' | '.join(results)} |", flush=True)


if __name__ == "__main__":
    main()
