"""Values of trials, as people and libraries write them."""

import math
from typing import Any, Iterable, Mapping


def numbers_of(value: Any) -> list[float]:
    """The values of a trial: a number, or one for each objective."""
    if not isinstance(value, str | bytes | bytearray | Mapping):
        try:
            return [float(value)]
        except TypeError:
            pass  # It may be a list of numbers.
        try:
            several = list(value)
            if several and not any(isinstance(one, str | bytes) for one in several):
                return [float(one) for one in several]
        except TypeError:
            pass
    raise TypeError(f"the value of a trial is a number, or a list of one for each objective, not {value!r}")


def number_of(value: Any, what: str) -> float:
    """One number, called `what` in errors; a text is none, even of digits."""
    if not isinstance(value, str | bytes | bytearray):
        try:
            return float(value)
        except TypeError:
            pass
    raise TypeError(f"{what} is a number, not {value!r}")


def constraints_of(values: Any) -> list[float] | dict[str, float]:
    """The values of a trial's constraints: numbers in their order, or by name."""
    if isinstance(values, Mapping):
        named = {str(name): number_of(value, f"constraint {name}") for name, value in values.items()}
        _check_numbers(named.items())
        return named
    if isinstance(values, str | bytes | bytearray) or not isinstance(values, Iterable):
        raise TypeError(f"the constraints of a trial are a list of numbers, or a mapping from names to them, not {values!r}")
    listed = [number_of(value, f"constraint {place}") for place, value in enumerate(values)]
    _check_numbers(enumerate(listed))
    return listed


def _check_numbers(values: Iterable[tuple[Any, float]]) -> None:
    for name, value in values:
        if math.isnan(value):
            raise ValueError(f"constraint {name} is NaN, so that nobody can say whether it is met")
