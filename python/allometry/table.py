"""Tables to be predicted: a CSV file, a pandas or polars frame, a dictionary of columns or a NumPy array.

The rows are treated as `allometry predict` treats them. Needs NumPy.
"""

import csv
import os
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from allometry import times
from allometry.errors import AllometryError

_EMPTY = {"", "NA", "N/A", "NULL", "null", "None", "<NA>"}
_BOOLEANS = {"true": 1.0, "True": 1.0, "TRUE": 1.0, "false": 0.0, "False": 0.0, "FALSE": 0.0}
_UNREADABLE, _WRONG = 4, 3


@dataclass(frozen=True)
class Rows:
    """The complete rows of a table in time order, series after series."""

    values: Any
    """Features `(rows, features)` in single precision, not yet scaled."""
    numbers: Any
    """Number of each row in its table, from 0, counting rows that were left out."""
    times: Any
    """Time of each row, as the table has it; `None` without a time column."""
    series: Any
    """Name of each row's series; `None` for a table of one."""
    ends: Any
    """Last rows of the windows, of which none spans a hole or two series."""
    source: "_Source"

    def frame(self, columns: Mapping[str, Any], ends: Any) -> Any:
        """Columns for the rows at `ends`, in the form of the table: a frame, or a dictionary of arrays."""
        return self.source.frame(columns, self.numbers[ends])


@dataclass(frozen=True)
class Order:
    """How the rows of a table follow each other."""

    time: str | None
    """Column that orders the rows."""
    series: str | None
    """Column that tells the series of a row; `None` for a table of one."""
    max_gap: tuple[str, float] | None
    """Longest time between two neighbouring rows of a window, in `"seconds"` or as a `"number"`."""


@dataclass(frozen=True)
class Categories:
    """A column of categories."""

    column: str
    names: list[str]
    """Categories of the training part."""
    embedding: int | None
    """Values of the learned vector of each category, of which the one feature has the number, from 1, or 0 for a
    category that the training part lacks; `None` if each category is a feature, 0 or 1."""

    @property
    def features(self) -> list[str]:
        """Names of the features."""
        return [f"{self.column}={name}" for name in self.names] if self.embedding is None else [self.column]


@dataclass(frozen=True)
class Missing:
    """Treatment of missing and infinite features."""

    policy: str
    """`"error"`; `"drop"` leaves their rows out; `"ffill"` takes the last value before, at most the longest gap
    earlier, and leaves out rows without one; `"mean"` takes `means`."""
    means: list[float]
    """Mean over the training rows of each feature that is a number; only for `"mean"`."""


@dataclass(frozen=True)
class _Source:
    """A table by its columns, with the words of its errors."""

    name: str
    columns: list[str]
    number_column: Callable[[str], Any]
    """A column as 64-bit floats, NaN where a value is missing."""
    time_column: Callable[[str], Any]
    """A column of times, as the table has them."""
    text_column: Callable[[str], list[str | None]]
    """A column as categories, `None` where a value is missing."""
    place: Callable[[int], str] = lambda row: f"row {row} (from 0)"
    frame: Callable[[Mapping[str, Any], Any], Any] = lambda columns, _: dict(columns)

    def wrong(self, why: str) -> AllometryError:
        return AllometryError(f"{self.name}: {why}", _WRONG)

    def check(self, name: str, role: str) -> None:
        if name not in self.columns:
            has = ", ".join(f"`{column}`" for column in self.columns)
            raise self.wrong(f"there is no column `{name}` ({role}); the table has {has}")
        if self.columns.count(name) > 1:
            raise self.wrong(f"two columns are named `{name}`")


def read(
    table: Any,
    features: list[str],
    categories: list[Categories],
    order_of: Order,
    missing: Missing,
    context: int,
) -> Rows:
    """The complete rows of a table, in time order, series after series by their names.

    `categories` are columns with the last of the `features`. No window has rows of two series, or two
    neighbouring rows whose times are further apart than the longest gap.
    """
    import numpy

    time, max_gap = order_of.time, order_of.max_gap
    if type(table).__module__.partition(".")[0] == "numpy":
        categories = []
    wide = features
    features = features[: len(features) - sum(len(one.features) for one in categories)]
    more = [] if order_of.series is None else [order_of.series]
    source = _source(table, [*features, *(one.column for one in categories)], time, more)
    for name in features:
        source.check(name, "feature")
    for one in categories:
        source.check(one.column, "categories")
    if time is not None:
        source.check(time, "time")
    names_of_series, series = None, None
    if order_of.series is not None:
        source.check(order_of.series, "series")
        names_of_series, series = _series(source, order_of.series)
    values = numpy.empty((0, len(features)), numpy.float32)
    for place, name in enumerate(features):
        column = source.number_column(name)
        if place == 0:
            values = numpy.empty((len(column), len(features)), numpy.float32)
        if len(column) != len(values):
            raise source.wrong(f"column `{name}` has {len(column)} rows, `{features[0]}` has {len(values)}")
        with numpy.errstate(over="ignore"):
            values[:, place] = column
    for one in categories:
        column, encoded = one.column, _encoded(source, one)
        if len(features) == 0 and values.shape == (0, 0):
            values = numpy.empty((len(encoded), 0), numpy.float32)
        if len(encoded) != len(values):
            raise source.wrong(f"column `{column}` has {len(encoded)} rows, the others have {len(values)}")
        values = numpy.concatenate([values, encoded], axis=1)
    if len(values) == 0:
        raise source.wrong("the table has no rows")
    names = [_column_of(name, categories) for name in wide]
    if missing.policy == "error":
        _check_gaps(source, values, names)
    order, column, clock = numpy.arange(len(values)), None, None
    if series is not None and len(series) != len(values):
        what = f"column `{order_of.series}` (series) has {len(series)} rows"
        raise source.wrong(f"{what}, the features have {len(values)}")
    if time is not None:
        order, column, clock = _ordered(source, time, len(values), series)
    group = numpy.zeros(len(values), int) if series is None else series
    if missing.policy == "mean":
        _fill_means(values, missing.means)
        _check_gaps(source, values, names)
    elif missing.policy == "ffill":

        def is_near(before: Any, after: Any) -> Any:
            is_one = group[before] == group[after]
            if max_gap is None or clock is None:
                return is_one
            return is_one & (_distances(source, time, clock, before, after, max_gap[0]) <= max_gap[1])

        _fill_forward(values, order, is_near)
    complete = numpy.isfinite(values).all(axis=1)
    order = order[complete[order]]
    is_cut = group[order[:-1]] != group[order[1:]]
    if max_gap is not None and clock is not None:
        is_cut |= _distances(source, time, clock, order[:-1], order[1:], max_gap[0]) > max_gap[1]
    ends = _unbroken(is_cut, context) if len(order) > 0 else numpy.arange(0)
    if len(ends) == 0:
        hole = "" if max_gap is None or len(order) < context else f" without a hole longer than {_shown(*max_gap)}"
        raise source.wrong(f"{len(order)} rows are too few for a window of {context}{hole}")
    shown = None if column is None else column[order]
    return Rows(values[order], order, shown, None if series is None else names_of_series[series[order]], ends, source)


def _series(source: _Source, name: str) -> tuple[Any, Any]:
    """The names of the series, ordered by their code points, and the place of each row's among them."""
    import numpy

    texts = source.text_column(name)
    for row, text in enumerate(texts):
        if text is None:
            raise source.wrong(f"{source.place(row)}: column `{name}` (series) is empty")
    names = sorted(set(texts))
    place = {text: number for number, text in enumerate(names)}
    return _objects(names), numpy.array([place[text] for text in texts], int)


def _fill_means(values: Any, means: list[float]) -> None:
    """Fills missing and infinite numbers, the first columns of `values`, with the means of their columns."""
    import numpy

    for place, mean in enumerate(means):
        values[~numpy.isfinite(values[:, place]), place] = mean


def _fill_forward(values: Any, order: Any, is_near: Callable[[Any, Any], Any]) -> None:
    """Fills missing and infinite values with the last one of their column before in `order`, where `is_near` says that
    its row, the first, is near enough to the second."""
    import numpy

    for place in range(values.shape[1]):
        is_known = numpy.isfinite(values[order, place])
        # The place in `order` of the last known value at each place, -1 before the first.
        last = numpy.maximum.accumulate(numpy.where(is_known, numpy.arange(len(order)), -1))
        gaps = numpy.flatnonzero(~is_known & (last >= 0))
        before, after = order[last[gaps]], order[gaps]
        near = is_near(before, after)
        values[after[near], place] = values[before[near], place]


def _distances(source: _Source, name: str | None, clock: tuple[str, Any], before: Any, after: Any, unit: str) -> Any:
    """The times from each of the rows `before` to that of `after`, in `unit`."""
    import numpy

    kind, keys = clock
    is_number = kind in (times.INTEGER, times.NUMBER)
    if is_number != (unit == "number"):
        found = "numbers" if is_number else "dates or times"
        raise source.wrong(f"the model's `max_gap` is in {unit}s, but column `{name}` (time) has {found}")
    steps = keys[after] - keys[before]
    if steps.dtype.kind == "m":
        return steps / numpy.timedelta64(1, "s")
    return steps.astype(numpy.float64) / (1 if is_number else 1e9)


def _unbroken(is_hole: Any, context: int) -> Any:
    """The last rows of the windows without a hole, where `is_hole` tells of each row but the first whether one, or
    another series, precedes it."""
    import numpy

    rows = numpy.arange(len(is_hole) + 1)
    firsts = numpy.maximum.accumulate(numpy.where(numpy.concatenate([[True], is_hole]), rows, 0))
    return numpy.flatnonzero(rows - firsts + 1 >= context)


def _shown(unit: str, amount: float) -> str:
    return f"{amount:g} {unit}" if unit == "seconds" else f"{amount:g}"


def _encoded(source: _Source, categories: Categories) -> Any:
    """The features of a column of categories: 1 in that of the row's category, or its number; NaN in all where it is
    missing."""
    import numpy

    place = {name: number for number, name in enumerate(categories.names)}
    texts = source.text_column(categories.column)
    encoded = numpy.zeros((len(texts), len(categories.features)), numpy.float32)
    for row, text in enumerate(texts):
        if text is None:
            encoded[row] = numpy.nan
        elif text in place and categories.embedding is not None:
            encoded[row] = place[text] + 1
        elif text in place:
            encoded[row, place[text]] = 1
    return encoded


def _column_of(feature: str, categories: list[Categories]) -> str:
    """The column that a feature is read from."""
    return next((one.column for one in categories if feature in one.features), feature)


def _texts(column: Any) -> list[str | None]:
    """Values as categories: text without spaces around it, whole numbers in digits, booleans as `true` and `false`;
    `None` where a value is missing."""

    def text(value: Any) -> str | None:
        if value is None or value != value or type(value).__name__ in ("NAType", "NaTType"):
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return None if str(value).strip() in _EMPTY else str(value).strip()

    return [text(value) for value in column]


def _check_gaps(source: _Source, values: Any, features: list[str]) -> None:
    """Raises an error if a value is missing or infinite."""
    import numpy

    gaps = numpy.argwhere(~numpy.isfinite(values))
    if len(gaps) == 0:
        return
    row, place = gaps[0]
    what = "is infinite or too large for a 32-bit float" if numpy.isinf(values[row, place]) else "is missing"
    more = len(gaps) - 1
    rest = f" (and {more} further missing or infinite value{'s' if more > 1 else ''})" if more else ""
    raise source.wrong(f"{source.place(int(row))}: column `{features[place]}` {what}{rest}")


def _ordered(source: _Source, name: str, rows: int, series: Any) -> tuple[Any, Any, tuple[str, Any]]:
    """The rows in time order, series after series, their times as the table has them, and the kind of the times with
    values to subtract."""
    import numpy

    column = source.time_column(name)
    if len(column) != rows:
        raise source.wrong(f"column `{name}` (time) has {len(column)} rows, the features have {rows}")
    kind, keys = _keys(source, name, column)
    order = numpy.argsort(keys, kind="stable")
    if series is not None:
        order = order[numpy.argsort(series[order], kind="stable")]
    is_equal = keys[order][1:] == keys[order][:-1]
    if series is not None:
        is_equal &= series[order][1:] == series[order][:-1]
    equal = numpy.flatnonzero(is_equal)
    if len(equal):
        first, second = (source.place(int(row)) for row in order[equal[0] : equal[0] + 2])
        one = "" if series is None else " of one series"
        more = f" (and {len(equal) - 1} more)" if len(equal) > 1 else ""
        raise source.wrong(f"{first} and {second}{one} have the same time in column `{name}`{more}")
    return order, column, (kind, column if column.dtype.kind == "M" else keys)


def _keys(source: _Source, name: str, column: Any) -> tuple[str, Any]:
    """The kind of a column of times, and a number for each that orders them."""
    import numpy

    typed = {"i": times.INTEGER, "u": times.INTEGER, "f": times.NUMBER, "M": times.CIVIL}.get(column.dtype.kind)
    if typed is not None:
        missing = numpy.isnat(column) if typed == times.CIVIL else ~numpy.isfinite(column)
        if missing.any():
            row = int(numpy.flatnonzero(missing)[0])
            raise source.wrong(f"{source.place(row)}: column `{name}` (time) is {column[row]}, which is no time")
        return typed, column.astype(numpy.int64) if typed == times.CIVIL else column
    found = []
    for row, value in enumerate(column.tolist()):
        key = times.of_value(value)
        if key is None:
            raise source.wrong(f"{source.place(row)}: column `{name}` (time) is {value!r}, which is no time")
        found.append(key)
    kind, other = times.one_kind(found)
    if other is not None:
        raise source.wrong(
            f"{source.place(other)}: column `{name}` (time) is {column[other]!r}, a {found[other][0]} after a {kind}"
        )
    # Nanoseconds of all years need more than 64 bits.
    exact = {times.NUMBER: numpy.float64, times.INTEGER: numpy.int64}.get(kind, object)
    return kind, numpy.array([key for _, key in found], exact)


def _source(table: Any, features: list[str], time: str | None, more: list[str]) -> _Source:
    module = type(table).__module__.partition(".")[0]
    if isinstance(table, (str, os.PathLike)):
        return _of_csv(os.fspath(table), {*features, *more} | ({time} if time is not None else set()))
    if module == "pandas" and hasattr(table, "columns"):
        return _of_pandas(table)
    if module == "polars" and hasattr(table, "get_column"):
        return _of_polars(table)
    if isinstance(table, Mapping):
        return _of_mapping(table)
    if module == "numpy" and getattr(table, "ndim", 0) == 2:
        return _of_array(table, features, time)
    raise AllometryError(
        f"cannot read a table from {type(table).__module__}.{type(table).__qualname__}: give the path of a CSV file, "
        "a pandas or polars frame, a dictionary of columns, or a NumPy array (rows, features)",
        _WRONG,
    )


def _numbers(source: str, name: str, column: Any) -> Any:
    """An array as 64-bit floats."""
    import numpy

    if column.ndim != 1:
        raise AllometryError(f"{source}: column `{name}` has {column.ndim} dimensions", _WRONG)
    if column.dtype.kind in "biuf":
        return column.astype(numpy.float64)
    numbers = numpy.empty(len(column), numpy.float64)
    for row, value in enumerate(column.tolist()):
        if value is None or type(value).__name__ in ("NAType", "NaTType"):
            numbers[row] = numpy.nan
        elif isinstance(value, (bool, int, float)) or type(value).__name__ == "Decimal":
            numbers[row] = value
        else:
            raise AllometryError(
                f"{source}: row {row} (from 0): column `{name}` has {value!r}, which is not a number", _WRONG
            )
    return numbers


def _of_pandas(frame: Any) -> _Source:
    import numpy

    import pandas

    def number_column(name: str) -> Any:
        column = frame[name]
        if pandas.api.types.is_numeric_dtype(column.dtype):
            return column.to_numpy(dtype=numpy.float64, na_value=numpy.nan)
        return _numbers("the frame", name, column.to_numpy(dtype=object))

    def time_column(name: str) -> Any:
        column = frame[name]
        if getattr(column.dtype, "tz", None) is not None:
            return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return column.to_numpy() if column.dtype.kind in "iufM" else column.to_numpy(dtype=object)

    def predicted(columns: Mapping[str, Any], numbers: Any) -> Any:
        return pandas.DataFrame(columns, index=frame.index[numbers])

    def text_column(name: str) -> list[str | None]:
        return _texts(frame[name].astype(object).tolist())

    return _Source("the frame", list(frame.columns), number_column, time_column, text_column, frame=predicted)


def _of_polars(frame: Any) -> _Source:
    import polars

    def number_column(name: str) -> Any:
        column = frame.get_column(name)
        if column.dtype.is_numeric() or column.dtype == polars.Boolean:
            return column.cast(polars.Float64).to_numpy()
        return _numbers("the frame", name, _objects(column.to_list()))

    def time_column(name: str) -> Any:
        column = frame.get_column(name)
        if column.dtype.is_numeric() or isinstance(column.dtype, polars.Datetime | polars.Date):
            return column.to_numpy()
        return _objects(column.to_list())

    def predicted(columns: Mapping[str, Any], _: Any) -> Any:
        return polars.DataFrame(dict(columns))

    def text_column(name: str) -> list[str | None]:
        return _texts(frame.get_column(name).to_list())

    return _Source("the frame", frame.columns, number_column, time_column, text_column, frame=predicted)


def _of_mapping(table: Mapping[str, Any]) -> _Source:
    def column(name: str) -> Any:
        import numpy

        given = table[name]
        if isinstance(given, numpy.ndarray):
            return given
        plain = numpy.array(list(given)) if len(given) else numpy.empty(0)
        # A list with None, or with values of several kinds, keeps them as they are.
        return plain if plain.dtype.kind in "biufM" and plain.ndim == 1 else _objects(given)

    return _Source(
        "the table",
        list(table),
        lambda name: _numbers("the table", name, column(name)),
        column,
        lambda name: _texts(column(name).tolist()),
    )


def _of_array(array: Any, features: list[str], time: str | None) -> _Source:
    if array.shape[1] != len(features):
        raise AllometryError(
            f"the array has {array.shape[1]} columns, but the model has {len(features)} features: {', '.join(features)}",
            _WRONG,
        )
    if time is not None:
        raise AllometryError(
            f"the model orders rows by the column `{time}`, which an array has not: give a frame or a dictionary", _WRONG
        )
    place = {name: number for number, name in enumerate(features)}
    def number_column(name: str) -> Any:
        return _numbers("the array", name, array[:, place[name]])

    return _Source("the array", features, number_column, _no_column, _no_column)


def _no_column(_: str) -> Any:
    raise AssertionError("an array has columns of numbers alone")


def _objects(values: Any) -> Any:
    """Values in an array as they are."""
    import numpy

    values = list(values)
    array = numpy.empty(len(values), dtype=object)
    array[:] = values
    return array


def _of_csv(path: str, wanted: set[str]) -> _Source:
    """The wanted columns of a CSV file with a header line."""
    if not path.lower().endswith(".csv"):
        raise AllometryError(
            f"{path}: unknown kind of table; its name must end in .csv (read others with pandas or polars and give "
            "the frame)",
            _WRONG,
        )
    lines: list[int] = []
    columns: dict[str, list[str]] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            records = csv.reader(file)
            header = [name.strip() for name in next(records, [])]
            places = [(place, name) for place, name in enumerate(header) if name in wanted]
            columns = {name: [] for _, name in places}
            for record in records:
                if not record:
                    continue
                if len(record) != len(header):
                    raise AllometryError(
                        f"{path}: line {records.line_num} has {len(record)} fields, but the header has {len(header)}",
                        _WRONG,
                    )
                lines.append(records.line_num)
                for place, name in places:
                    columns[name].append(record[place])
    except OSError as error:
        raise AllometryError(f"cannot read {path}: {error.strerror or error}", _UNREADABLE) from error
    except UnicodeDecodeError as error:
        raise AllometryError(f"{path} is not valid UTF-8", _WRONG) from error
    except csv.Error as error:
        raise AllometryError(f"{path}: {error}", _WRONG) from error

    def number_column(name: str) -> Any:
        import numpy

        numbers = numpy.empty(len(lines), numpy.float64)
        for row, field in enumerate(columns[name]):
            text = field.strip()
            number = numpy.nan if text in _EMPTY else _BOOLEANS.get(text, times.parse_number(text))
            if number is None:
                raise AllometryError(
                    f"{path}: line {lines[row]}: column `{name}` has `{field}`, which is not a number", _WRONG
                )
            numbers[row] = number
        return numbers

    return _Source(
        path,
        header,
        number_column,
        lambda name: _objects(columns[name]),
        lambda name: _texts(columns[name]),
        place=lambda row: f"line {lines[row]}",
    )
