"""Running a ladder, and its report, which a notebook shows as a page."""

import html
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from allometry.program import call, follow


@dataclass(frozen=True)
class Report:
    """A report of a ladder. A notebook shows its page; `print` shows its text."""

    document: dict[str, Any]
    """Every number, as `allometry report -o report.json` writes it (docs/reference/report.schema.json)."""
    html: str
    """The page, with its own style and script."""
    markdown: str
    """The text."""

    def __str__(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return f"<allometry report of {self.document['name']}: {self.document['verdict']['outcome']}>"

    def _repr_html_(self) -> str:
        # The page in a frame of its own: its style does not reach the notebook, and the notebook's does not reach it.
        # Its links lead within the page, not to the notebook's address.
        page = html.escape(self.html.replace("<head>", '<head><base href="about:srcdoc">', 1), quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="Allometry report" '
            'style="width: 100%; height: 80vh; border: 1px solid #8884"></iframe>'
        )


def run(
    ladder: str = "ladder.toml",
    *,
    trials: int | None = None,
    workers: int | None = None,
    settings: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> Report:
    """Runs or resumes the study of every budget, as `allometry run` does, and returns the report.

    `settings` changes keys of the ladder file for this run, such as `{"model.epochs": 20}`. Progress is shown unless
    `quiet`. An interrupt ends the run with its results saved; the same call continues it.
    """
    arguments = ["run", str(ladder), "--json", "--no-summary"]
    arguments += ["--trials", str(trials)] if trials is not None else []
    arguments += ["--workers", str(workers)] if workers is not None else []
    for key, value in (settings or {}).items():
        arguments += ["-S", f"{key}={_toml(value)}"]
    written = json.loads(follow(*arguments, quiet=quiet))["reports"]
    return _read(*(Path(written[kind]) for kind in ("json", "html", "md")))


def report(*sources: str) -> Report:
    """The report of a ladder, a storage, or files of trials by budget, as `allometry report SOURCE...` makes it.

    A source is that of `allometry report`: `"ladder.toml"`, which is the default, `"sqlite:///trials.db"` or
    `"2M=small.json"`.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("report.json", "report.html", "report.md")]
        call("report", *(str(source) for source in sources), *(word for path in paths for word in ("-o", str(path))))
        return _read(*paths)


def _read(document: Path, page: Path, text: Path) -> Report:
    return Report(
        document=json.loads(document.read_text("utf-8")),
        html=page.read_text("utf-8"),
        markdown=text.read_text("utf-8"),
    )


def _toml(value: Any) -> str:
    """A value as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value)
