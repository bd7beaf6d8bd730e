"""Reports and trials as Python has them."""

import datetime
import json
from typing import Any

from allometry.program import call

_PLAIN = ("study", "number", "state", "value", "weights", "seed", "origin", "started", "completed")


def read_report(path: str) -> dict[str, Any]:
    """The document that `allometry report -o report.json` writes (docs/reference/report.schema.json)."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def trials(source: str, study: str | None = None, frame: str = "pandas"):
    """The trials of a ladder file, a storage URL or a database file as a table, one row each.

    Columns are `study`, `number`, `state`, `value`, `weights`, `seed`, `origin`, `started`, `completed`, `failure`, then
    `params_*` and `metrics_*`. `study` names one study by its name or its budget's label. The table is a
    `pandas.DataFrame`, or with `frame="polars"` a `polars.DataFrame`.
    """
    if frame not in ("pandas", "polars"):
        raise ValueError(f'frame is {frame!r}, but must be "pandas" or "polars"')
    arguments = ["list", "--in", source, "--json-lines"] + (["--study", study] if study else [])
    rows = [_row(json.loads(line)) for line in call(*arguments).splitlines()]
    return _pandas(rows) if frame == "pandas" else _polars(rows)


def _row(trial: dict[str, Any]) -> dict[str, Any]:
    row = {name: trial[name] for name in _PLAIN}
    row["failure"] = (trial["failure"] or {}).get("reason")
    row |= {f"params_{name}": value for name, value in trial["params"].items()}
    return row | {f"metrics_{name}": value for name, value in trial["metrics"].items()}


def _pandas(rows: list[dict[str, Any]]):
    import pandas

    frame = pandas.DataFrame(rows)
    for name in ("started", "completed"):
        if name in frame:
            frame[name] = pandas.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame


def _polars(rows: list[dict[str, Any]]):
    import polars

    for row in rows:
        for name in ("started", "completed"):
            row[name] = row[name] and datetime.datetime.fromisoformat(row[name])
    # Columns in the order in which trials first have them.
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    times = {"started": polars.Datetime("us", "UTC"), "completed": polars.Datetime("us", "UTC")}
    return polars.DataFrame(columns, schema_overrides=times if rows else None, strict=False)
