"""Times of a table's rows, read and ordered as the program does.

Integers and other numbers order rows as they are. Dates and local times are one kind, points in time (with an offset
from UTC) another; a column has times of one kind.
"""

import datetime
import re
from typing import Any, Sequence

_TEXT = re.compile(
    r"(\d{4}|[+-]\d{6})(?:-(\d\d)-(\d\d)|(\d\d)(\d\d))"
    r"(?:[Tt ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|z|[+-]\d\d(?::?\d\d){0,2})?)?"
    r"(?:\[[^\[\]]+\])*",
    re.ASCII,
)
_SECOND = 1_000_000_000
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_CYCLE = 146_097
"""Days of 400 years."""

INTEGER, NUMBER, CIVIL, INSTANT = "integer", "number", "local time", "point in time"


def parse(text: str) -> tuple[str, int | float] | None:
    """The kind of a time with its place in order; `None` for anything else.

    Dates and times are nanoseconds since 1970-01-01.
    """
    text = text.strip()
    if re.fullmatch(r"[+-]?\d+", text, re.ASCII) and -(1 << 63) <= int(text[:40]) < 1 << 63:
        return INTEGER, int(text)
    if (number := parse_number(text)) is not None:
        return (NUMBER, number) if number == number and abs(number) != float("inf") else None
    if not (found := _TEXT.fullmatch(text)):
        return None
    year, month, day, further_month, further_day, hour, minute, second, fraction, offset = found.groups()
    days = _days(int(year), int(month or further_month), int(day or further_day))
    # A leap second counts as the second before it, as in the program.
    h, m, s = int(hour or 0), int(minute or 0), int("59" if second == "60" else second or 0)
    if days is None or year == "-000000" or h > 23 or m > 59 or s > 59:
        return None
    seconds = days * 86_400 + h * 3600 + m * 60 + s
    elapsed = seconds * _SECOND + int((fraction or "0").ljust(9, "0"))
    if not offset:
        return CIVIL, elapsed
    ahead = _seconds(offset)
    return None if ahead is None else (INSTANT, elapsed - ahead * _SECOND)


def parse_number(text: str) -> float | None:
    """The number that a field of a CSV file holds; `None` if it holds something else."""
    if not text.isascii() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _days(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01 in the Gregorian calendar, whose years `datetime` knows only in part.

    It moves the year by whole cycles of 400 years into those of `datetime`.
    """
    if not -9999 <= year <= 9999:
        return None
    cycles = (year - 2000) // 400
    try:
        return datetime.date(year - 400 * cycles, month, day).toordinal() + cycles * _CYCLE - _EPOCH
    except ValueError:
        return None


def _seconds(offset: str) -> int | None:
    """Seconds that a clock is ahead of UTC; `None` for more than the program knows."""
    digits = "".join(character for character in offset if character.isdigit()).ljust(6, "0")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if hours > 25 or minutes > 59 or seconds > 59:
        return None
    total = hours * 3600 + minutes * 60 + seconds
    return -total if offset.startswith("-") else total


def of_value(value: Any) -> tuple[str, int | float] | None:
    """The kind of a value of a table with its place in order; `None` where it is no time."""
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, datetime.datetime):
        if value != value:  # pandas' NaT
            return None
        return parse(value.isoformat())
    if isinstance(value, datetime.date):
        return parse(value.isoformat())
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return parse(repr(value))


def one_kind(found: Sequence[tuple[str, int | float]]) -> tuple[str, int | None]:
    """The kind of a column's times, and the row of the first that is of another kind."""
    kinds = {kind for kind, _ in found}
    if kinds <= {INTEGER, NUMBER}:
        return (NUMBER if NUMBER in kinds else INTEGER), None
    first = found[0][0]
    other = next((row for row, (kind, _) in enumerate(found) if kind != first), None)
    return first, other
