"""Decisions of Optuna's pruners on random curves of trials that run side by side.

    python pruners.py > pruners.json
"""

import json
import math
import random
import warnings

import optuna
from optuna.pruners import (
    HyperbandPruner,
    MedianPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

STEPS = 27
# Each: the ladder file's [pruner], Optuna's pruner.
PRUNERS = [
    ("kind = 'median'\nn_startup_trials = 3", lambda: MedianPruner(n_startup_trials=3)),
    (
        "kind = 'percentile'\npercentile = 30\nn_startup_trials = 0\nn_warmup_steps = 4\ninterval_steps = 3\nn_min_trials = 2",
        lambda: PercentilePruner(30.0, 0, 4, 3, n_min_trials=2),
    ),
    ("kind = 'successive_halving'", lambda: SuccessiveHalvingPruner(min_resource=1)),
    (
        "kind = 'successive_halving'\nmin_resource = 2\nreduction_factor = 2\nmin_early_stopping_rate = 1\nbootstrap_count = 2",
        lambda: SuccessiveHalvingPruner(2, 2, 1, 2),
    ),
    ("kind = 'hyperband'", lambda: HyperbandPruner(1, STEPS)),
    (
        "kind = 'hyperband'\nmin_resource = 2\nmax_resource = 16\nreduction_factor = 2\nbootstrap_count = 1",
        lambda: HyperbandPruner(2, 16, 2, 1),
    ),
    ("kind = 'threshold'\nlower = 0.35", lambda: ThresholdPruner(lower=0.35)),
    (
        "kind = 'threshold'\nlower = 0.3\nupper = 0.9\nn_warmup_steps = 2\ninterval_steps = 4",
        lambda: ThresholdPruner(0.3, 0.9, 2, 4),
    ),
    ("kind = 'patience'\npatience = 3\nmin_delta = 0.02", lambda: PatientPruner(None, 3, 0.02)),
    (
        "kind = 'patience'\npatience = 2\nwrapped = { kind = 'median', n_startup_trials = 1 }",
        lambda: PatientPruner(MedianPruner(1), 2),
    ),
    ("kind = 'wilcoxon'", lambda: WilcoxonPruner()),
    ("kind = 'wilcoxon'\np_threshold = 0.3\nn_startup_steps = 5", lambda: WilcoxonPruner(p_threshold=0.3, n_startup_steps=5)),
]


def curve(rng, direction, fine):
    """Values that rise to a level, with noise; coarse ones have ties, some are no numbers."""
    level, rate, noise = rng.uniform(0.3, 0.9), rng.uniform(0.1, 1.0), rng.choice([0.0, 0.02, 0.1])
    digits = 6 if fine else rng.choice([1, 2, 6])
    sign = 1 if direction == "maximize" else -1
    values = []
    for step in range(1, rng.choice([STEPS, STEPS, rng.randint(1, STEPS)]) + 1):
        value = round(level * (1 - math.exp(-rate * step)) + rng.gauss(0, noise), digits)
        odd = rng.random()
        value = math.nan if odd < 0.01 else math.inf * sign if odd < 0.012 else value
        values.append((step, value if direction == "maximize" else 1 - value))
    skipping = rng.random() < 0.2
    return [(step, value) for step, value in values if not skipping or step % 3 == 1 or rng.random() < 0.3]


def number(x):
    return x if math.isfinite(x) else repr(x)


def replay(make, direction, seed):
    # Ties make the exact signed-rank test slow: seldom there.
    slow = isinstance(make(), WilcoxonPruner)
    rng = random.Random(seed)
    name = f"study {seed}"
    study = optuna.create_study(direction=direction, pruner=make(), study_name=name, sampler=optuna.samplers.RandomSampler(0))
    events, running = [], []
    for _ in range(12 if slow else 30):
        while len(running) >= rng.randint(1, 4):
            step_once(rng, study, running, events)
        trial = study.ask()
        events.append(["start", trial.number])
        # Some go on although they should stop.
        running.append((trial, curve(rng, direction, slow and rng.random() < 0.8), rng.random() < 0.8))
    while running:
        step_once(rng, study, running, events)
    return {"direction": direction, "study": name, "events": events}


def step_once(rng, study, running, events):
    place = rng.randrange(len(running))
    trial, values, obeys = running[place]
    if not values:
        reported = study._storage.get_trial(trial._trial_id).intermediate_values
        numbers = [v for v in reported.values() if not math.isnan(v)]
        if not numbers or rng.random() < 0.05:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            events.append(["end", trial.number, "failed", None])
        else:
            value = rng.choice([numbers[-1], max(numbers)])
            study.tell(trial, value)
            events.append(["end", trial.number, "complete", number(value)])
        running.pop(place)
        return
    step, value = values.pop(0)
    trial.report(value, step)
    stop = bool(trial.should_prune())
    events.append(["report", trial.number, step, number(value), stop])
    if stop and obeys:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        events.append(["end", trial.number, "pruned", None])
        running.pop(place)


scenarios = []
for index, (ladder, make) in enumerate(PRUNERS):
    for repeat in range(2):
        direction = "maximize" if repeat % 2 == 0 else "minimize"
        scenarios.append({"pruner": ladder, **replay(make, direction, 100 * index + repeat)})

signed = random.Random(7)
tests = []
import scipy.stats

for n in [2, 3, 5, 8, 13, 14, 20, 50, 51, 80]:
    for digits in [0, 1, 8]:
        d = [round(signed.gauss(0.3, 1.0), digits) for _ in range(n)]
        for alternative in ["less", "greater"]:
            p = scipy.stats.wilcoxon(d, alternative=alternative, zero_method="zsplit").pvalue
            tests.append({"differences": d, "tail": alternative, "p": float(p)})

print("{")
print(f' "optuna": "{optuna.__version__}", "steps": {STEPS}, "scenarios": [')
print(",\n".join("  " + json.dumps(scenario, separators=(",", ":")) for scenario in scenarios))
print(' ], "signed_rank": [')
print(",\n".join("  " + json.dumps(test, separators=(",", ":")) for test in tests))
print(" ]\n}")
