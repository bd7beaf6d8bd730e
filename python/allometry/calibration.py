"""Calibrations of probabilities: maps from a model's logits to probabilities, fitted by `allometry train`."""

import math
from dataclasses import dataclass
from typing import Any

from allometry.checkpoint import Checkpoint

METHODS = ("temperature", "platt", "isotonic")


@dataclass(frozen=True)
class Calibration:
    """A calibration: a line for the logits, or knots between which probabilities are interpolated."""

    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[list[float], list[float]] | None = None
    """Logits and probabilities, both rising; `None` for a line."""

    @classmethod
    def of(cls, checkpoint: Checkpoint, task: str) -> "Calibration":
        """Reads the calibration of a description, if any."""
        place = "calibration"
        if checkpoint.field(place) is None:
            return cls()
        method = checkpoint.word(f"{place}.method", METHODS)
        if task == "regression" or (task == "classes" and method != "temperature"):
            raise checkpoint.wrong(f"{place}.method", f"is {method!r}, which is not for the task {task!r}")
        if method == "temperature":
            return cls(slope=1 / _number(checkpoint, f"{place}.temperature", is_positive=True))
        if method == "platt":
            slope = _number(checkpoint, f"{place}.slope", is_positive=True)
            return cls(slope=slope, intercept=_number(checkpoint, f"{place}.intercept", is_positive=False))
        logits, probabilities = (_rising(checkpoint, f"{place}.{name}") for name in ("logits", "probabilities"))
        if len(logits) != len(probabilities) or probabilities[0] < 0 or probabilities[-1] > 1:
            raise checkpoint.wrong(f"{place}.probabilities", "must be one for each logit, from 0 to 1")
        return cls(knots=(logits, probabilities))


def _is_number(found: Any) -> bool:
    try:
        return isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found)
    except OverflowError:
        return False


def _number(checkpoint: Checkpoint, place: str, is_positive: bool) -> float:
    found = checkpoint.field(place)
    if not _is_number(found) or (is_positive and found <= 0):
        raise checkpoint.wrong(place, f"is {found!r}, but must be a number" + (" above 0" if is_positive else ""))
    return float(found)


def _rising(checkpoint: Checkpoint, place: str) -> list[float]:
    found = checkpoint.field(place, [])
    is_list = isinstance(found, list) and len(found) > 0 and all(_is_number(one) for one in found)
    if not is_list or any(a >= b for a, b in zip(found, found[1:])):
        raise checkpoint.wrong(place, "must be numbers that rise")
    return [float(one) for one in found]
