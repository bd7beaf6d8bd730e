"""Driving a study: ask for a configuration, tell what came of it."""

import json
import tempfile
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from allometry.program import call


@dataclass(frozen=True)
class Asked:
    """A configuration that was handed out."""

    number: int
    params: dict[str, Any]
    seed: int | None
    weights: int | None


class Study:
    """A study in a store, shared with whoever else works on it.

    `space` makes the study where it is not there: a dictionary from names to sets, such as
    `{"lr": {"type": "float", "low": 1e-5, "high": 0.1, "log": True}}` (docs/reference/driving.md). A list for `direction` gives it as many
    objectives.
    """

    def __init__(
        self,
        storage: str,
        name: str,
        space: Mapping[str, Mapping[str, Any]] | None = None,
        direction: str | Sequence[str] = "minimize",
        sampler: str | None = None,
    ):
        self.storage = storage
        self.name = name
        self._space = space
        self._directions = [direction] if isinstance(direction, str) else list(direction)
        self._sampler = sampler

    def ask(self) -> Asked:
        """The next configuration: an enqueued one where one waits, else the sampler's."""
        arguments = ["ask", *self._where()]
        if self._sampler:
            arguments += ["--sampler", self._sampler]
        if self._space is None:
            return self._asked(call(*arguments))
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump({"params": [{"name": name} | dict(set_) for name, set_ in self._space.items()]}, file)
            file.flush()
            directions = [word for direction in self._directions for word in ("--direction", direction)]
            return self._asked(call(*arguments, "--space", file.name, *directions))

    def tell(
        self,
        number: int,
        value: float | Sequence[float],
        constraints: Sequence[float] | Mapping[str, float] | None = None,
    ) -> None:
        """Ends a trial with its value, or one for each objective, and the values of its constraints: above 0 is broken."""
        values = value if isinstance(value, Sequence) else [value]
        if isinstance(constraints, Mapping):
            told = [f"--constraint={name}={float(one)!r}" for name, one in constraints.items()]
        else:
            told = [f"--constraint={float(one)!r}" for one in constraints or ()]
        call("tell", *self._where(), str(number), *(repr(float(one)) for one in values), *told)

    def report(self, number: int, step: int, value: float) -> bool:
        """Stores the value of a step; whether the ladder's pruner would stop the trial there."""
        answer = call("tell", *self._where(), str(number), repr(float(value)), "--step", str(step))
        return bool(json.loads(answer)["stop"])

    def fail(self, number: int, reason: str | None = None) -> None:
        """Ends a trial without a value."""
        call("tell", *self._where(), str(number), "--state", "failed", *(["--reason", reason] if reason else []))

    def prune(self, number: int) -> None:
        """Ends a trial early: its value is that of its last step."""
        call("tell", *self._where(), str(number), "--state", "pruned")

    def enqueue(self, **params: Any) -> None:
        """Puts a configuration in the queue; parameters that are not given are drawn."""
        call("enqueue", *self._where(), *(f"{name}={value}" for name, value in params.items()))

    def trials(self):
        """The trials as a `pandas.DataFrame`, as `allometry.trials`."""
        from allometry.reading import trials

        return trials(self.storage, self.name)

    def _where(self) -> list[str]:
        return ["--in", self.storage, "--study", self.name]

    @staticmethod
    def _asked(line: str) -> Asked:
        document = json.loads(line)
        return Asked(document["number"], document["params"], document["seed"], document["weights"])
