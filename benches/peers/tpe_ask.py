"""Milliseconds of one TPE proposal of Optuna after so many told trials, in the space of `cargo bench -p allometry-search --bench sampler`.

    python benches/peers/tpe_ask.py 1000

Wall and CPU time, medians of 20 asks. Run it right before or after the bench: load weighs on both.
"""

import random
import statistics
import sys
import time

import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution

optuna.logging.set_verbosity(optuna.logging.ERROR)
LEVELS = [2, 2, 4, 3, 3, 6, 2, 6, 6]
WORDS = {0, 1, 6}
SPACE = {
    f"p{i}": CategoricalDistribution(["a", "b"]) if i in WORDS else IntDistribution(0, n - 1)
    for i, n in enumerate(LEVELS)
}


def value(params):
    return -((params["p5"] - 3) ** 2) - 0.3 * abs(params["p7"] - params["p8"]) + 0.2 * random.random()


def main():
    told = int(sys.argv[1])
    random.seed(1)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(multivariate=True, seed=1))
    draw = lambda set_: random.choice(set_.choices) if isinstance(set_, CategoricalDistribution) else random.randint(0, set_.high)
    trials = []
    for _ in range(told):
        params = {name: draw(set_) for name, set_ in SPACE.items()}
        trials.append(optuna.trial.create_trial(params=params, distributions=SPACE, value=value(params)))
    study.add_trials(trials)
    wall, cpu = [], []
    for _ in range(20):
        a, b = time.perf_counter(), time.process_time()
        trial = study.ask(SPACE)
        wall.append(1000 * (time.perf_counter() - a))
        cpu.append(1000 * (time.process_time() - b))
        study.tell(trial, value(trial.params))
    print(f"Optuna {optuna.__version__}, {told} told: wall {statistics.median(wall):.2f} ms, CPU {statistics.median(cpu):.2f} ms")


main()
