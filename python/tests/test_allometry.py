"""The module against the program: a ladder whose script uses `trial`, then a study that is asked and told."""

import html
import json
import math
import os
import signal
import subprocess
import sys
import time

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


def test_an_objective_is_optimized(tmp_path):
    space = {"x": {"type": "float", "low": -1.0, "high": 1.0}}
    study = allometry.Study(str(tmp_path / "x.db"), "mine", space=space, sampler="random")
    seen = []

    def objective(trial):
        seen.append(trial.params["x"])
        if len(seen) == 2:
            trial.report(1, 0.5)
            raise allometry.Pruned
        if len(seen) == 3:
            raise ValueError("no value")
        return trial.params["x"] ** 2

    study.optimize(objective, n_trials=6, catch=ValueError)
    frame = study.trials()
    assert list(frame["state"]) == ["complete", "pruned", "failed", "complete", "complete", "complete"]
    assert list(frame["params_x"]) == seen and frame["failure"][2] == "ValueError: no value"
    values = {number: x**2 for number, x in enumerate(seen) if number not in (1, 2)}
    number = min(values, key=values.get)
    assert study.best == allometry.Best(number, [values[number]], {"x": seen[number]}, None)
    assert study.best.value == values[number] and study.front == [study.best]
    with pytest.raises(ZeroDivisionError):
        study.optimize(lambda trial: 1 / 0, n_trials=3)

    study.optimize(lambda trial: float("nan"), n_trials=2)
    assert list(study.trials()["failure"])[7:] == ["the objective's value is NaN"] * 2
    for value in ("abc", b"1", {"x": 1}, [0.5, "1"], object()):
        with pytest.raises(TypeError, match="the value of a trial is a number, or a list of one for each objective"):
            study.optimize(lambda trial: value, n_trials=3)
    assert len(study.trials()) == 14
    with pytest.raises(ValueError, match=r"NaN: end it with `fail\(14\)`"):
        study.tell(study.ask().number, float("nan"))
    with pytest.raises(ValueError, match=r"the value of step 1 of trial 14 is NaN: end the trial with `fail\(14\)`"):
        study.report(14, 1, float("nan"))
    for constraints in ("abc", "123", b"1", 0.5, ["1"], {"ms": "1"}):
        with pytest.raises(TypeError, match="constraint"):
            study.tell(14, 0.5, constraints=constraints)
    with pytest.raises(ValueError, match="constraint ms is NaN"):
        study.tell(14, 0.5, constraints={"ms": float("nan")})
    study.fail(14)
    with pytest.raises(ValueError, match="n_trials is -1"):
        study.optimize(objective, n_trials=-1)
    study.optimize(objective, n_trials=0)

    # Raised within `exec`, it would make CPython end the tests with the exit code of an interrupt.
    def interrupted(trial):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.optimize(interrupted, n_trials=3)
    failures = list(study.trials()["failure"])
    assert (failures[6], failures[-1]) == ("ZeroDivisionError: division by zero", "KeyboardInterrupt")


def test_several_objectives_have_a_front(tmp_path):
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    study = allometry.Study(str(tmp_path / "x.db"), "mine", space=space, direction=["minimize", "minimize"])
    study.optimize(lambda trial: [trial.params["x"], -trial.params["x"]], n_trials=3)
    front = study.front
    assert [best.values[0] for best in front] == sorted(study.trials()["params_x"])
    assert all(best.values == [best.params["x"], -best.params["x"]] for best in front)
    with pytest.raises(allometry.AllometryError, match="study mine has several objectives: `front` has its best"):
        study.best


def test_a_block_ends_its_trial(tmp_path):
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    with allometry.Study(str(tmp_path / "x.db"), "mine", space=space) as study:
        with study.ask() as trial:
            trial.tell(trial.params["x"])
        with study.ask() as trial:
            study.tell(trial.number, 2.0)
        with study.ask() as trial:
            trial.report(1, 3.0)
            raise allometry.Pruned
        with pytest.raises(RuntimeError, match="broken"), study.ask():
            raise RuntimeError("broken")
        with pytest.raises(allometry.AllometryError, match="trial 4 of study mine was told no value"), study.ask():
            pass
        study.ask()
    frame = study.trials()
    assert list(frame["state"]) == ["complete", "complete", "pruned", "failed", "failed", "failed"]
    assert list(frame["failure"])[3:] == [
        "RuntimeError: broken",
        "no value was told",
        "the study was closed before the trial had a value",
    ]


def test_trials_are_a_polars_frame_too(ladder):
    polars = pytest.importorskip("polars")
    frame = allometry.trials(str(ladder / "ladder.toml"), frame="polars")
    expected = allometry.trials(str(ladder / "ladder.toml"))
    assert isinstance(frame, polars.DataFrame) and frame.columns == list(expected.columns)
    assert frame["number"].to_list() == list(range(6))
    assert frame["value"].to_list() == list(expected["value"])
    assert frame["started"].dtype == polars.Datetime("us", "UTC")
    assert frame["started"].to_list() == [time.to_pydatetime(warn=False) for time in expected["started"]]
    with pytest.raises(ValueError, match="frame is 'arrow'"):
        allometry.trials(str(ladder / "ladder.toml"), frame="arrow")


def test_a_ladder_is_run(ladder, tmp_path, capfd):
    (tmp_path / "ladder.toml").write_text((ladder / "ladder.toml").read_text())
    (tmp_path / "train.py").write_text(SCRIPT)
    report = allometry.run(tmp_path / "ladder.toml", trials=3, workers=1, settings={"seed": 5}, quiet=True)
    assert report.document["schema"].startswith("allometry.report/")
    assert list(allometry.trials(str(tmp_path / "ladder.toml"))["number"]) == [0, 1, 2]
    assert capfd.readouterr().err == ""
    allometry.run(tmp_path / "ladder.toml", trials=4, settings={"seed": 5})
    assert "trial 3 complete" in capfd.readouterr().err
    with pytest.raises(allometry.AllometryError, match="none.toml") as error:
        allometry.run(tmp_path / "none.toml", quiet=True)
    assert error.value.exit_code == 4


def test_an_interrupted_run_is_continued(tmp_path):
    """An interrupt reaches the program, which saves its state before the exception goes on."""
    slow = """
import os, sys, time
from allometry import trial
if trial.number == 1 and not os.path.exists("waited"):
    open("waiting", "w").close()
    while not trial.should_stop():
        time.sleep(0.02)
    sys.exit(1)
"""
    (tmp_path / "ladder.toml").write_text(LADDER.format(python=sys.executable))
    (tmp_path / "train.py").write_text(slow + SCRIPT)
    # A background job of a shell ignores interrupts, and so would this process.
    code = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import allometry
allometry.run('ladder.toml', workers=1)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "waiting").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode != 0 and "KeyboardInterrupt" in said and "interrupted; all results are saved" in said
    (tmp_path / "waited").touch()
    report = allometry.run(tmp_path / "ladder.toml", workers=1, quiet=True)
    states = list(allometry.trials(str(tmp_path / "ladder.toml"))["state"])
    assert states.count("complete") == 6 and report.document["schema"].startswith("allometry.report/")


def test_a_report_is_shown_in_a_notebook(ladder, monkeypatch):
    monkeypatch.chdir(ladder)
    report = allometry.report()
    assert report.document == allometry.report("ladder.toml").document
    assert repr(report) == "<allometry report of python: unknown>"
    assert str(report) == report.markdown and report.markdown.startswith("# ")
    shown = report._repr_html_()
    assert shown.startswith('<iframe srcdoc="') and shown.endswith("</iframe>") and "allow-same-origin" not in shown
    page = html.unescape(shown.split('srcdoc="')[1].split('"')[0])
    assert page.replace('<base href="about:srcdoc">', "") == report.html and page.startswith("<!DOCTYPE html>")
    with pytest.raises(allometry.AllometryError, match="none.toml"):
        allometry.report("none.toml")


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


def test_a_trial_finishes_with_numbers():
    from allometry import trial

    for value in ("abc", "12", {"x": 1}, [0.5, "1"], [], None):
        with pytest.raises(TypeError, match="the value of a trial is a number, or a list of one for each objective"):
            trial.finish(value)
