"""Importances of the same trials by Allometry and by Optuna, in turn: seconds, CPU seconds and peak memory.

    cargo build --release -p allometry-analysis --example importance
    python3 benches/peers/importance.py --runs 3 target/release/examples/importance

Seconds are those of the call alone. CPU seconds are those of the whole process for Allometry, of the call for Optuna;
peak memory is that of the process. Trials are those of crates/analysis/benches/trials/mod.rs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

NAMES = [f"p{i:02}" for i in range(20)]


def draws():
    state = 1
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 11) / 2**53


def trials(count):
    """The space in Optuna's terms, and params with their value."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    kinds = [
        CategoricalDistribution(["a", "b", "c", "d"]),
        IntDistribution(1, 16),
        FloatDistribution(0.0, 1.0),
        FloatDistribution(1e-5, 1e-1, log=True),
    ]
    values = [lambda u: "abcd"[int(u * 4)], lambda u: 1 + int(u * 16), lambda u: u, lambda u: 10 ** (-5 + 4 * u)]
    draw = draws()
    rows = []
    for _ in range(count):
        u = [next(draw) for _ in NAMES]
        y = -4 * (u[3] - 0.6) * (u[3] - 0.6) + (0.5 if u[0] < 0.25 else 0.0) + u[1] * u[2] + 0.2 * u[5]
        y += 0.2 * (next(draw) - 0.5)
        rows.append(({name: values[i % 4](u[i]) for i, name in enumerate(NAMES)}, y))
    return {name: kinds[i % 4] for i, name in enumerate(NAMES)}, rows


def optunas(what, count):
    """One importance by Optuna, as JSON."""
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space, rows = trials(count)
    study = optuna.create_study(direction="maximize")
    create = optuna.trial.create_trial
    study.add_trials([create(value=y, params=params, distributions=space) for params, y in rows])
    evaluator = FanovaImportanceEvaluator(seed=0) if what == "fanova" else PedAnovaImportanceEvaluator()
    evaluator.evaluate(study, params=NAMES[:1]) if what == "ped-anova" else None
    wall, cpu = time.perf_counter(), time.process_time()
    shares = evaluator.evaluate(study)
    result = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "outcome": shares}
    print(json.dumps(result))


def measure(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command} failed")
    result = json.loads(out)
    cpu = result.get("cpu", usage.ru_utime + usage.ru_stime)
    return (result["seconds"], cpu, usage.ru_maxrss / 1024), result["outcome"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours", nargs="?", help="the example `importance`")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--optuna", nargs=2, metavar=("WHAT", "TRIALS"), help="run Optuna once, in this process")
    arguments = parser.parse_args()
    if arguments.optuna:
        return optunas(arguments.optuna[0], int(arguments.optuna[1]))
    print("| importance | trials | by | seconds | CPU seconds | peak MiB |")
    print("|---|---|---|---|---|---|")
    for what, count in [("fanova", 1000), ("fanova", 10000), ("ped-anova", 1000), ("ped-anova", 10000)]:
        commands = {
            "Allometry": [arguments.ours, what, str(count)],
            "Optuna": [sys.executable, __file__, "--optuna", what, str(count)],
        }
        runs = {name: [] for name in commands}
        for _ in range(arguments.runs):
            for name, command in commands.items():
                runs[name].append(measure(command)[0])
        for name, results in runs.items():
            wall, cpu, peak = (statistics.median(column) for column in zip(*results))
            print(f"| {what} | {count} | {name} | {wall:.4f} | {cpu:.3f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
