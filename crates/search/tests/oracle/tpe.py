"""Log densities of Optuna 5's Parzen estimator.

    python3 crates/search/tests/oracle/tpe.py > crates/search/tests/oracle/tpe.json
"""

import json

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

# Which of equal observations takes the wider kernels is left open by NumPy's default sort; here the first and the last.
argsort = np.argsort
np.argsort = lambda values, **options: argsort(values, **(options or {"kind": "stable"}))

space = {
    "ordinal": IntDistribution(0, 5),
    "nominal": CategoricalDistribution(["a", "b", "c"]),
    "linear": FloatDistribution(-1.0, 3.0),
    "log": FloatDistribution(1e-4, 1e-1, log=True),
}
settings = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
rng = np.random.default_rng(8)


def draw(n):
    return {
        "ordinal": rng.integers(0, 6, n),
        "nominal": rng.integers(0, 3, n),
        "linear": rng.uniform(-1, 3, n),
        "log": 10 ** rng.uniform(-4, -1, n),
    }


cases = []
for n in (1, 2, 7, 40):
    observed, queries = draw(n), draw(6)
    estimator = _ParzenEstimator({k: v.astype(float) for k, v in observed.items()}, space, settings)
    density = estimator.log_pdf({k: v.astype(float) for k, v in queries.items()})
    # Optuna's density is by the value or its logarithm, ours by the position in the range.
    jacobian = np.log(4.0) + np.log(np.log(1e3))
    rows = lambda d: [[v[i].item() for v in d.values()] for i in range(len(d["log"]))]
    cases.append({"observed": rows(observed), "queries": rows(queries), "log_density": (density + jacobian).tolist()})
print(json.dumps(cases, indent=1))
