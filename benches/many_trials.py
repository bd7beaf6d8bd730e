"""Writes trials of a random search as Optuna's all_trials.json.

Usage: python3 benches/many_trials.py TRIALS PARAMETERS OUTPUT.json

Half of the parameters are floats, half are lists of five numbers; the first six have effects, two of them together.
"""

import json
import random
import sys


def main():
    trials, parameters = int(sys.argv[1]), int(sys.argv[2])
    draw = random.Random(1)
    with open(sys.argv[3], "w") as file:
        json.dump([trial(number, parameters, draw) for number in range(trials)], file)


def trial(number, parameters, draw):
    values = [draw.random() if i % 2 else draw.randrange(5) / 4 for i in range(parameters)]
    effect = 0.04 * values[0] + 0.03 * values[1] + 0.02 * (values[2] - 0.5) ** 2 + 0.02 * values[3] * values[4] - 0.01 * values[5]
    value = 0.65 + effect + draw.gauss(0, 0.015)
    params = {f"parameter_{i}": x for i, x in enumerate(values)}
    return {"number": number, "value": value, "params": params, "state": "COMPLETE"}


if __name__ == "__main__":
    main()
