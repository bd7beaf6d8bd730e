"""Writes ped_anova.json: importances by Optuna 5's PedAnovaImportanceEvaluator on small recorded studies.

    python ped_anova.py > ped_anova.json
"""

import json
import math
import random
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

DISTRIBUTIONS = {
    "activation": CategoricalDistribution(["relu", "gelu", "silu", None]),
    "d_model": CategoricalDistribution([256, 64, 128, 32]),
    "n_layers": IntDistribution(1, 6),
    "n_heads": IntDistribution(2, 15, step=3),
    "epochs": IntDistribution(10, 500),
    "width": IntDistribution(3, 700, log=True),
    "learning_rate": FloatDistribution(1e-5, 1e-1, log=True),
    "dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "weight_decay": FloatDistribution(-2.0, 3.0),
    "fixed": FloatDistribution(0.5, 0.5),
    "only": CategoricalDistribution(["adam"]),
}


def kind(d):
    if isinstance(d, CategoricalDistribution):
        return {"kind": "categorical", "choices": list(d.choices)}
    name = "float" if isinstance(d, FloatDistribution) else "int"
    return {"kind": name, "low": d.low, "high": d.high, "log": d.log, "step": d.step}


def draw(rng, d):
    if isinstance(d, CategoricalDistribution):
        return rng.choice(d.choices)
    if isinstance(d, IntDistribution):
        if d.log:
            return round(math.exp(rng.uniform(math.log(d.low), math.log(d.high))))
        return d.low + d.step * rng.randint(0, (d.high - d.low) // d.step)
    if d.step is not None:
        return d.low + d.step * rng.randint(0, round((d.high - d.low) / d.step))
    if d.log:
        return math.exp(rng.uniform(math.log(d.low), math.log(d.high)))
    return rng.uniform(d.low, d.high)


def value(rng, params, digits):
    get = lambda name, default: params.get(name, default)
    y = -abs(math.log10(get("learning_rate", 1e-3)) + 3) - 0.4 * abs(get("n_layers", 3) - 4)
    y += 0.5 * (get("activation", "relu") == "gelu") + 0.1 * math.log(get("width", 20)) + rng.gauss(0, 0.5)
    return round(y, digits)


def case(name, seed, n, direction, digits=12, missing=(), bad=0, names=DISTRIBUTIONS):
    rng = random.Random(seed)
    study = optuna.create_study(direction=direction)
    trials = []
    for i in range(n):
        space = {k: DISTRIBUTIONS[k] for k in names if k not in missing or rng.random() < 0.6}
        params = {k: draw(rng, d) for k, d in space.items()}
        y = math.inf if i < bad else value(rng, params, digits)
        study.add_trial(create_trial(state=TrialState.COMPLETE, value=y, params=params, distributions=space))
        trials.append([params, None if math.isinf(y) else y])
    evaluator = PedAnovaImportanceEvaluator()
    return {
        "name": name,
        "direction": direction,
        "space": {k: kind(DISTRIBUTIONS[k]) for k in names},
        "trials": trials,
        "divergence": evaluator.evaluate(study),
        "share": get_param_importances(study, evaluator=evaluator),
    }


print(
    json.dumps(
        {
            "optuna": optuna.__version__,
            "cases": [
                case("maximize", 1, 60, "maximize"),
                case("minimize", 1, 60, "minimize"),
                case("ties", 2, 80, "maximize", digits=0),
                case("ties down", 3, 45, "minimize", digits=0),
                case("conditional", 4, 90, "maximize", missing=("width", "activation", "dropout")),
                case("infinite values", 5, 30, "minimize", bad=4),
                case("few", 6, 7, "maximize"),
                case("two", 7, 2, "minimize"),
                case("many", 8, 400, "maximize", names=["learning_rate", "width", "activation"]),
            ],
        }
    )
)
