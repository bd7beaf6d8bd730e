"""Values of trials, as people and libraries write them."""

from typing import Any, Mapping


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
