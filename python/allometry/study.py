"""Driving a study: ask for a configuration, tell what came of it."""

import json
import math
import operator
import tempfile
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Sequence

from allometry.errors import AllometryError, Pruned
from allometry.program import call
from allometry.values import constraints_of, number_of, numbers_of


@dataclass(frozen=True)
class Best:
    """A complete trial with its values, one for each objective."""

    number: int
    values: list[float]
    params: dict[str, Any]
    weights: int | None

    @property
    def value(self) -> float:
        """The value of the only objective, or of the first."""
        return self.values[0]


@dataclass(frozen=True)
class Asked:
    """A configuration that was handed out.

    As a context manager it ends its trial: with the value that `tell` gave; early, if the block raises `Pruned`; as
    failed, if the block raises anything else, which is raised again, or ends without a value.
    """

    number: int
    params: dict[str, Any]
    seed: int | None
    weights: int | None
    study: "Study" = field(repr=False, compare=False)

    def tell(
        self,
        value: float | Sequence[float],
        constraints: Sequence[float] | Mapping[str, float] | None = None,
    ) -> None:
        """Ends the trial, as `Study.tell`."""
        self.study.tell(self.number, value, constraints)

    def report(self, step: int, value: float) -> bool:
        """Stores the value of a step; whether the ladder's pruner would stop the trial there."""
        return self.study.report(self.number, step, value)

    def __enter__(self) -> "Asked":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if self.number not in self.study._open:
            return isinstance(error, Pruned)
        if isinstance(error, Pruned):
            self.study.prune(self.number)
            return True
        if error is not None:
            self.study.fail(self.number, f"{type(error).__name__}: {error}".rstrip(": "))
            return False
        self.study.fail(self.number, "no value was told")
        raise AllometryError(f"trial {self.number} of study {self.study.name} was told no value", 2)


class Study:
    """A study in a store, shared with whoever else works on it.

    `space` makes the study where it is not there: a dictionary from names to sets, such as
    `{"lr": {"type": "float", "low": 1e-5, "high": 0.1, "log": True}}` (docs/reference/driving.md). With a list of
    directions it has as many objectives.

    As a context manager it ends the trials that it asked for and that got no value, as failed.
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
        self._open: set[int] = set()
        """Trials that this object asked for and that have not ended."""

    def optimize(
        self,
        objective: Callable[[Asked], float | Sequence[float] | None],
        n_trials: int,
        catch: type[BaseException] | tuple[type[BaseException], ...] = (),
    ) -> None:
        """Evaluates as many configurations, one after the other.

        `objective` takes a trial with its `params` and returns its value, or one for each objective. It may `report`
        the values of steps and raise `Pruned`. An exception of it fails the trial and ends the call, unless it is of a
        kind that `catch` names. A value that is NaN fails the trial alone.
        """
        if operator.index(n_trials) < 0:
            raise ValueError(f"n_trials is {n_trials}: it is a number of trials, at least 0")
        for _ in range(n_trials):
            try:
                with self.ask() as trial:
                    value = objective(trial)
                    if value is not None and any(math.isnan(one) for one in numbers_of(value)):
                        self.fail(trial.number, "the objective's value is NaN")
                    elif value is not None:
                        trial.tell(value)
            except catch:
                continue

    @property
    def best(self) -> Best:
        """The best complete trial that breaks no constraint."""
        found = self._best()
        if "front" in found:
            raise AllometryError(f"study {self.name} has several objectives: `front` has its best trials", 2)
        return Best(found["number"], [found["value"]], found["params"], found["weights"])

    @property
    def front(self) -> list[Best]:
        """The Pareto front: the complete trials that no other is better than in every objective."""
        found = self._best()
        members = found.get("front") or [found | {"values": [found["value"]]}]
        return [Best(one["number"], one["values"], one["params"], one["weights"]) for one in members]

    def __enter__(self) -> "Study":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        for number in sorted(self._open):
            self.fail(number, "the study was closed before the trial had a value")

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
        values = numbers_of(value)
        if any(math.isnan(one) for one in values):
            raise ValueError(f"the value of trial {number} is NaN: end it with `fail({number})`")
        kept = constraints_of(() if constraints is None else constraints)
        if isinstance(kept, dict):
            told = [f"--constraint={name}={one!r}" for name, one in kept.items()]
        else:
            told = [f"--constraint={one!r}" for one in kept]
        call("tell", *self._where(), str(number), *(repr(one) for one in values), *told)
        self._open.discard(number)

    def report(self, number: int, step: int, value: float) -> bool:
        """Stores the value of a step; whether the ladder's pruner would stop the trial there."""
        reached = number_of(value, f"the value of step {step}")
        if math.isnan(reached):
            raise ValueError(
                f"the value of step {step} of trial {number} is NaN: end the trial with `fail({number})`, or leave the "
                "step out"
            )
        answer = call("tell", *self._where(), str(number), repr(reached), "--step", str(operator.index(step)))
        return bool(json.loads(answer)["stop"])

    def fail(self, number: int, reason: str | None = None) -> None:
        """Ends a trial without a value."""
        call("tell", *self._where(), str(number), "--state", "failed", *(["--reason", reason] if reason else []))
        self._open.discard(number)

    def prune(self, number: int) -> None:
        """Ends a trial early: its value is that of its last step."""
        call("tell", *self._where(), str(number), "--state", "pruned")
        self._open.discard(number)

    def enqueue(self, **params: Any) -> None:
        """Puts a configuration in the queue; parameters that are not given are drawn."""
        call("enqueue", *self._where(), *(f"{name}={value}" for name, value in params.items()))

    def trials(self, frame: str = "pandas"):
        """The trials as a table, as `allometry.trials`."""
        from allometry.reading import trials

        return trials(self.storage, self.name, frame)

    def _best(self) -> dict[str, Any]:
        return json.loads(call("best", *self._where(), "--json"))["studies"][0]

    def _where(self) -> list[str]:
        return ["--in", self.storage, "--study", self.name]

    def _asked(self, line: str) -> Asked:
        document = json.loads(line)
        self._open.add(document["number"])
        return Asked(document["number"], document["params"], document["seed"], document["weights"], self)
