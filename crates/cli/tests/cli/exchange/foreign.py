"""Writes trials in every form that Optuna and pandas have, and compares studies with them.

`foreign.py write FOLDER` writes the files and prints what they are; `foreign.py check FOLDER DATABASE` prints where the studies of a
database, named as the files, differ from the trials that were written.
"""

import contextlib
import io
import json
import math
import os
import sys
import warnings

import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
what, folder = sys.argv[1:3]


class Failed(Exception):
    pass


# Texts that other readers of YAML than PyYAML take for truth values and numbers, and some that are quoted.
WORDS = """y n Y N 1e3 08 1e-4 1E5 +1e5 1e+5 .1e3 1.e5 +.5 -.5e3 0o17 7e84321 tRUE yEs nan .Nan 1:60 0x_1F = << ~ null
yes No on off 0777 0b11 1_000 1:30 190:20:30.15 .inf -.INF .NaN 1.5 +12 2024-01-01 1,5 0.0.1 # - : ? ! & * % @""".split()


def single(trial):
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    n = trial.suggest_int("n", 1, 64)
    trial.suggest_categorical("act", ["gelu", "caf\u00e9", True, 2, None])
    if trial.number % 3 == 1:
        trial.suggest_int("deep", 2, 9)
        trial.suggest_float("drop", 0, 1)
    if trial.number == 4:
        raise Failed
    trial.set_user_attr("n_params", 1000 * n)
    trial.set_user_attr("note", "\u00fcber, all; \"quoted\"")
    trial.set_user_attr("shape", [1, 2, {"a": None}])
    trial.set_user_attr("words", WORDS)
    trial.report(rate, 1)
    trial.report(float("nan"), 2)
    trial.report(rate * n, 3)
    if trial.number == 6:
        raise optuna.TrialPruned
    return rate * n


def double(trial):
    x = trial.suggest_float("x", -1, 1)
    k = trial.suggest_int("k", 0, 5)
    return x * x, k + 0.5


def studies(storage):
    sampler = optuna.samplers.RandomSampler(seed=3)
    one = optuna.create_study(storage=storage, study_name="one", direction="minimize", sampler=sampler)
    one.optimize(single, 12, catch=(Failed,))
    two = optuna.create_study(storage=storage, study_name="two", directions=["minimize", "maximize"], sampler=sampler)
    if hasattr(two, "set_metric_names"):
        two.set_metric_names(["loss", "speed"])
    two.optimize(double, 6)
    return one, two


def command(study, *options):
    output = io.StringIO()
    url = f"sqlite:///{folder}/optuna.db"
    arguments = ["optuna", "trials", "--storage", url, "--study-name", study, *options]
    old, sys.argv = sys.argv, arguments
    with contextlib.redirect_stdout(output):
        with contextlib.suppress(SystemExit):
            from optuna.cli import main

            main()
    sys.argv = old
    return output.getvalue()


def write():
    one, two = studies(f"sqlite:///{folder}/optuna.db")
    from optuna.storages import JournalStorage

    try:
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        from optuna.storages import JournalFileStorage as JournalFileBackend
    journal = JournalStorage(JournalFileBackend(f"{folder}/journal.log"))
    for study in (one, two):
        optuna.copy_study(
            from_study_name=study.study_name, from_storage=f"sqlite:///{folder}/optuna.db", to_storage=journal
        )
    files = []

    def wrote(name, study, **more):
        directions = [direction.name.lower() for direction in study.directions]
        files.append({"file": name, "study": study.study_name, "directions": directions, **more})

    for name in ("optuna.db", "journal.log"):
        for study in (one, two):
            wrote(name, study, kind="storage", precision=0)
    for study in (one, two):
        tag = study.study_name
        frame = study.trials_dataframe()
        levels = study.trials_dataframe(multi_index=True)
        tables = {
            f"{tag}.csv": lambda path: frame.to_csv(path),
            f"{tag}-bare.csv": lambda path: frame.to_csv(path, index=False),
            f"{tag}-levels.csv": lambda path: levels.to_csv(path, index=False),
        }
        lists = {
            f"{tag}-records.json": lambda path: frame.to_json(path, orient="records"),
            f"{tag}-columns.json": lambda path: frame.to_json(path),
        }
        if study is one:
            tables |= {
                f"{tag}.tsv": lambda path: frame.to_csv(path, sep="\t"),
                f"{tag}-german.csv": lambda path: frame.to_csv(path, sep=";", decimal=","),
                f"{tag}.csv.gz": lambda path: frame.to_csv(path),
                f"{tag}-utf16.csv": lambda path: frame.to_csv(path, encoding="utf-16"),
                f"{tag}-latin.csv": lambda path: frame.to_csv(path, encoding="latin-1"),
                f"{tag}-bom.csv": lambda path: frame.to_csv(path, encoding="utf-8-sig"),
            }
            lists |= {
                f"{tag}-index.json": lambda path: frame.to_json(path, orient="index"),
                f"{tag}-split.json": lambda path: frame.to_json(path, orient="split"),
                f"{tag}-table.json": lambda path: frame.to_json(path, orient="table"),
                f"{tag}-iso.json": lambda path: frame.to_json(path, orient="records", date_format="iso"),
                f"{tag}-lines.json": lambda path: frame.to_json(path, orient="records", lines=True),
                f"{tag}-records.json.gz": lambda path: frame.to_json(path, orient="records"),
            }
        for name, save in (tables | lists).items():
            save(f"{folder}/{name}")
            # Numbers of JSON have ten decimals there, and times three; None is a hole to pandas.
            wrote(name, study, kind="frame", precision=1e-3 if name in lists else 0, digits=10 if name in lists else 0)
        for form in ("json", "yaml"):
            for flat in ([], ["--flatten"]):
                name = f"{tag}-cli{'-flat' if flat else ''}.{form}"
                with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                    file.write(command(tag, "-f", form, *flat))
                wrote(name, study, kind="command", precision=1.0)
    print(json.dumps(files))


def same(a, b, digits):
    if isinstance(a, float) or isinstance(b, float):
        if not isinstance(a, (int, float)) or not isinstance(b, (int, float)) or isinstance(a, bool) or isinstance(b, bool):
            return False
        both_nan = math.isnan(a) and math.isnan(b)
        return both_nan or a == b or (digits > 0 and abs(a - b) <= 10.0**-digits)
    return type(a) is type(b) and a == b


def differences(mine, trial, file):
    kind, digits = file["kind"], file.get("digits", 0)
    is_exact = kind == "storage"
    params, attrs = dict(mine.params), dict(mine.user_attrs)
    if kind == "frame":
        params = {name: value for name, value in params.items() if value is not None}

    def pairs(expected, found):
        return expected.keys() == found.keys() and all(same(expected[name], found[name], digits) for name in expected)

    yield "number", mine.number == trial.number
    yield "state", mine.state == trial.state
    yield "values", (mine.values is None) == (trial.values is None)
    for a, b in zip(mine.values or [], trial.values or []):
        yield "values", same(float(a), float(b), digits)
    yield "params", pairs(params, dict(trial.params))
    found = {name: value for name, value in trial.user_attrs.items() if not name.startswith("allometry:")}
    numbers = {name: float(value) if isinstance(value, int) else value for name, value in attrs.items()}
    yield "user_attrs", pairs(numbers, {n: float(v) if isinstance(v, int) else v for n, v in found.items()})
    for a, b in ((mine.datetime_start, trial.datetime_start), (mine.datetime_complete, trial.datetime_complete)):
        yield "times", a == b or (a and b and abs((a - b).total_seconds()) <= file["precision"])
    if is_exact:
        yield "distributions", mine.distributions == trial.distributions
        yield "system_attrs", mine.system_attrs == trial.system_attrs
        reports = {str(k): v for k, v in mine.intermediate_values.items()}
        yield "intermediate", pairs(reports, {str(k): v for k, v in trial.intermediate_values.items()})


def check(database):
    with open(f"{folder}/files.json", encoding="utf-8") as manifest:
        files = json.load(manifest)
    wrong = []
    for place, file in enumerate(files):
        mine = optuna.load_study(storage=f"sqlite:///{folder}/optuna.db", study_name=file["study"])
        copied = optuna.load_study(storage=f"sqlite:///{database}", study_name=f"file-{place}")
        name = f"{file['file']}, {file['study']}"
        if mine.directions != copied.directions:
            wrong.append(f"{name}: directions")
        if len(mine.trials) != len(copied.trials):
            wrong.append(f"{name}: {len(copied.trials)} trials")
        for a, b in zip(mine.trials, copied.trials):
            fields = {field for field, is_same in differences(a, b, file) if not is_same}
            wrong.extend(f"{name}, trial {a.number}: {field}: {a} {b}" for field in sorted(fields))
        if len(mine.directions) > 1 and getattr(mine, "metric_names", None) != getattr(copied, "metric_names", None):
            wrong.append(f"{name}: metric names {copied.metric_names}")
    print(json.dumps(wrong))


if what == "write":
    write()
else:
    check(sys.argv[3])
