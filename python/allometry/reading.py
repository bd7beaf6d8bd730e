"""Reports and trials as Python has them."""

import json
from typing import Any

from allometry.program import call


def read_report(path: str) -> dict[str, Any]:
    """The document that `allometry report -o report.json` writes (docs/reference/report.schema.json)."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def trials(source: str, study: str | None = None):
    """The trials of a ladder file, a storage URL or a database file as a `pandas.DataFrame`, one row each.

    Columns are `study`, `number`, `state`, `value`, `weights`, `seed`, `origin`, `started`, `completed`, `failure`, then
    `params_*` and `metrics_*`. `study` names one study by its name or its budget's label.
    """
    import pandas

    arguments = ["list", "--in", source, "--json-lines"] + (["--study", study] if study else [])
    rows = []
    for line in call(*arguments).splitlines():
        trial = json.loads(line)
        row = {}
        for name in ("study", "number", "state", "value", "weights", "seed", "origin", "started", "completed"):
            row[name] = trial[name]
        row["failure"] = (trial["failure"] or {}).get("reason")
        row |= {f"params_{name}": value for name, value in trial["params"].items()}
        row |= {f"metrics_{name}": value for name, value in trial["metrics"].items()}
        rows.append(row)
    frame = pandas.DataFrame(rows)
    for name in ("started", "completed"):
        if name in frame:
            frame[name] = pandas.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame
