"""Writes noncentral_f.json: SciPy's noncentral F, and noncentralities at which an F is in its tails.

    python noncentral_f.py > noncentral_f.json
"""

import json

from scipy import optimize, stats

PLACES = [(0.3, 1, 20, 0.5), (1.0, 3, 40, 2.0), (4.0, 3, 40, 15.0), (8.0, 2, 9, 40.0), (60.0, 5, 400, 280.0), (0.9, 12, 700, 30.0), (900.0, 1, 35, 1000.0)]
OBSERVED = [(0.4, 3, 40), (1.0, 3, 40), (2.5, 3, 40), (7.0, 1, 12), (30.0, 4, 100), (400.0, 2, 40)]


def noncentrality(f, numerator, denominator, probability):
    def excess(x):
        return stats.ncf.cdf(f, numerator, denominator, x) - probability if x > 0 else stats.f.cdf(f, numerator, denominator) - probability

    return 0.0 if excess(0) <= 0 else optimize.brentq(excess, 0, 20 * numerator * f + 100, xtol=1e-12, rtol=1e-14)


cdf = [{"place": place, "cdf": stats.ncf.cdf(*place)} for place in PLACES]
ends = [{"observed": one, "level": level, "ends": [noncentrality(*one, (1 + level) / 2), noncentrality(*one, (1 - level) / 2)]} for one in OBSERVED for level in (0.9, 0.95)]
print(json.dumps({"cdf": cdf, "ends": ends}))
