"""Records studies that Optuna's samplers drove on an objective whose effects are known; writes tpe.txt and gp.txt beside it.

Usage: python optuna_studies.py tpe|gp [STUDIES]      (optuna 5.0.0; GPSampler needs torch)

The space is that of a typical report: seven categorical parameters. learning_rate, dropout and d_model have effects; n_layers, n_heads,
d_ff_ratio and weight_decay have none. The noise belongs to the configuration: trained again with the same seed it gives the same
value, as a deterministic trainer does. One line per study of 50 trials: for each trial the seven level indices as digits, a colon, and the
value in units of 1e-6.
"""

import sys
from pathlib import Path

import numpy
import optuna

LEVELS = {"d_model": 5, "n_layers": 5, "n_heads": 3, "d_ff_ratio": 2, "learning_rate": 4, "dropout": 4, "weight_decay": 4}
EFFECTS = {
    "learning_rate": (0.010, 0.014, 0.004, 0.0),
    "dropout": (0.012, 0.008, 0.004, 0.0),
    "d_model": (0.0, 0.002, 0.004, 0.006, 0.008),
}
NOISE = 0.012
TRIALS = 50


def record(kind, seed):
    if kind == "gp":
        sampler = optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)
    else:
        sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)

    def objective(trial):
        levels = {name: trial.suggest_categorical(name, list(range(count))) for name, count in LEVELS.items()}
        noise = numpy.random.default_rng([seed, *levels.values()]).standard_normal()
        return 0.68 + sum(effect[levels[name]] for name, effect in EFFECTS.items()) + NOISE * noise

    study.optimize(objective, n_trials=TRIALS)
    digits = ("".join(str(trial.params[name]) for name in LEVELS) for trial in study.trials)
    return " ".join(f"{key}:{round(trial.value * 1e6)}" for key, trial in zip(digits, study.trials))


def main():
    kind = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else {"tpe": 200, "gp": 60}[kind]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = Path(__file__).with_name(f"{kind}.txt")
    with path.open("w") as file:
        for seed in range(count):
            file.write(record(kind, seed) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
