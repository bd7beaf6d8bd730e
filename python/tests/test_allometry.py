"""The module against the program: a ladder whose script uses `trial`, then a study that is asked and told."""

import json
import math
import os
import subprocess
import sys

import pytest

import allometry
from allometry import program

LADDER = """
name = "python"
metric = "auc"
trials = 6
[command]
run = ["{python}", "train.py"]
steps = 3
[space]
rate = {{ float = [0.01, 1.0], log = true }}
kind = ["a", "b"]
[[budget]]
label = "s"
weights = "any"
"""

SCRIPT = """
from allometry import trial
value = 0.5 + trial.params["rate"] / 4
for step in range(1, 4):
    trial.report(step, value, loss=1 / step)
    assert not trial.should_stop()
trial.metrics(recall=float("nan"))
trial.scores([0.1, 0.9, 0.4, 0.6], [0, 1, 1, 0])
trial.finish(value, weights=1000 + trial.number, best_step=2)
"""


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ladder")
    (folder / "ladder.toml").write_text(LADDER.format(python=sys.executable))
    (folder / "train.py").write_text(SCRIPT)
    subprocess.run([program.find(), "run", "--quiet"], cwd=folder, check=True)
    return folder


def test_trials_are_a_table(ladder):
    frame = allometry.trials(str(ladder / "ladder.toml"))
    assert list(frame["number"]) == list(range(6))
    assert set(frame["state"]) == {"complete"}
    assert list(frame["weights"]) == [1000 + number for number in range(6)]
    assert ((frame["params_rate"] / 4 + 0.5 - frame["value"]).abs() < 1e-12).all()
    assert set(frame["params_kind"]) <= {"a", "b"}
    assert (frame["completed"] >= frame["started"]).all()


def test_the_report_is_a_document(ladder):
    report = allometry.read_report(ladder / "report" / "report.json")
    assert report["schema"].startswith("allometry.report/")


def test_a_study_is_asked_and_told(tmp_path):
    space = {"x": {"type": "float", "low": -1.0, "high": 1.0}, "kind": {"type": "categorical", "values": ["a", "b"]}}
    study = allometry.Study(str(tmp_path / "x.db"), "mine", space=space, direction="minimize", sampler="random")
    first = study.ask()
    assert -1 <= first.params["x"] <= 1 and first.params["kind"] in ("a", "b")
    study.report(first.number, 1, 0.75)
    study.tell(first.number, 0.5, constraints={"ms": -1.0})
    study.fail(study.ask().number, "no reason")
    third = study.ask()
    study.report(third.number, 1, -0.25)
    study.prune(third.number)
    study.enqueue(x=0.125, kind="b")
    assert study.ask().params == {"x": 0.125, "kind": "b"}
    frame = study.trials()
    assert list(frame["state"]) == ["complete", "failed", "pruned", "running"]
    assert list(frame["value"])[:1] + list(frame["value"])[2:3] == [0.5, -0.25]
    assert math.isnan(frame["value"][1])
    assert frame["failure"][1] == "no reason"


def test_a_study_may_have_several_objectives(tmp_path):
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    study = allometry.Study(str(tmp_path / "x.db"), "mine", space=space, direction=["minimize", "maximize"])
    study.tell(study.ask().number, [0.5, 2.0])
    with pytest.raises(allometry.AllometryError, match="2 values, one for each objective"):
        study.tell(study.ask().number, 0.5)


def test_a_refusal_says_why(tmp_path):
    with pytest.raises(allometry.AllometryError) as error:
        allometry.trials(str(tmp_path / "none.db"))
    assert error.value.exit_code == 4
    assert "none.db" in str(error.value)
    study = allometry.Study(str(tmp_path / "x.db"), "mine", space={"x": {"type": "float", "low": 0.0, "high": 1.0}})
    number = study.ask().number
    study.tell(number, 1.0)
    with pytest.raises(allometry.AllometryError, match="already"):
        study.tell(number, 2.0)


def test_a_script_runs_by_hand(tmp_path):
    script = "from allometry import trial; trial.report(1, 0.5); trial.finish(1.0); print(trial.params, trial.should_stop())"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{} False"


def test_a_trial_reports_a_value_for_each_objective(tmp_path):
    report = tmp_path / "report"
    script = "from allometry import trial; trial.finish([0.5, 20], weights=3)"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "ALLOMETRY_REPORT": str(report)}, check=True)
    assert json.loads(report.read_text()) == {"final": True, "values": [0.5, 20.0], "weights": 3}
