"""Checkpoints of every task and of every setting that changes the forward pass: NumPy, PyTorch and ONNX against
`allometry predict`."""

import csv
import json
import math
import os
import random
import subprocess
import sys

import pytest

import allometry
from allometry import program

numpy = pytest.importorskip("numpy")

TOLERANCE = 1e-5
ROWS = 240
LADDER = """
name = "model"
trials = 1
[data]
path = "data.csv"
time = "date"
label = "{label}"
[data.features]
include = ["b", "a", "level"]
[model]
context = 11
patch = 4
stride = 3
epochs = 2
{model}
[space]
d_model = [12]
n_layers = [2]
n_heads = [3]
d_ff_ratio = [2]
learning_rate = [3e-3]
[[budget]]
label = "s"
weights = "any"
"""
SETTINGS = {
    "plain": "",
    "unscaled": 'normalize = "none"',
    "revin": 'normalize = "revin"',
    "affine": 'normalize = "revin"\nrevin_affine = true',
    "independent": 'channels = "independent"',
    "independent_mean": 'channels = "independent"\nhead = "mean"\nnormalize = "revin"\nrevin_affine = true',
    "embedding": "feature_embedding = 5",
    "embedding_independent": 'feature_embedding = 2\nchannels = "independent"',
    "mean": 'head = "mean"\nhead_dropout = 0.2',
    "mup": 'parametrization = "mup"\nbase_width = 4\nbase_head_width = 2',
    "averaged": "average_epochs = 2",
    "classes": 'task = "classes"\nmonitor = "accuracy"',
    "regression": 'task = "regression"',
    "calibrated_temperature": "",
    "calibrated_platt": "",
    "calibrated_isotonic": "",
    "classes_temperature": 'task = "classes"\nmonitor = "accuracy"',
    "regression_independent": 'task = "regression"\nchannels = "independent"\nhead = "mean"',
}
LABELS = {"classes": "class", "regression": "number"}


def table_lines():
    """A table out of time order, with features of different sizes and labels of each kind."""
    draw = random.Random(5)
    rows = []
    for day in range(ROWS):
        a, b, level = draw.gauss(0, 1), draw.gauss(50, 20), draw.gauss(1e4, 0.5)
        date = f"20{10 + day // 336:02}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}"
        signal = a + (b - 50) / 20 + 0.3 * draw.gauss(0, 1)
        labels = [int(signal > 0), (signal > -0.7) + (signal > 0.7), f"{500 + 40 * signal:.3f}"]
        rows.append([date, f"{level:.4f}", f"{a:.6f}", "unused", f"{b:.6f}", *labels])
    draw.shuffle(rows)
    return [["date", "level", "a", "note", "b", "binary", "class", "number"], *rows]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """For each setting the folder of a trained checkpoint and of its predictions by the program."""
    made = {}
    for name, model in SETTINGS.items():
        folder = made[name] = tmp_path_factory.mktemp(name)
        with open(folder / "data.csv", "w", newline="") as file:
            csv.writer(file).writerows(table_lines())
        label = LABELS.get(name.partition("_")[0], "binary")
        (folder / "ladder.toml").write_text(LADDER.format(label=label, model=model))
        call(folder, "train", "--quiet", "-o", "model.safetensors", *calibrated(name))
        call(folder, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    return made


def calibrated(name):
    """The option that calibrates a setting's checkpoint, if its name ends with a method."""
    method = name.partition("_")[2]
    # With two epochs the model knows too little to be calibrated.
    return ["--calibrate", method, "-S", "model.epochs=12"] if method in ("temperature", "platt", "isotonic") else []


@pytest.fixture(params=SETTINGS)
def trained(request, folders):
    return folders[request.param]


@pytest.fixture
def plain(folders):
    return folders["plain"]


def call(folder, *arguments):
    done = subprocess.run([program.find(), *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scores_of(folder):
    with open(folder / "scores.csv", newline="") as file:
        header, *rows = csv.reader(file)
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


def columns_of_scores(folder):
    """The program's scores, a list for each row."""
    columns = [values for name, values in scores_of(folder).items() if name not in ("row", "date")]
    return [[float(value) for value in row] for row in zip(*columns)]


def assert_predicted(predicted, folder):
    """Predictions as a mapping of columns against those of the program."""
    expected = scores_of(folder)
    assert list(predicted) == list(expected)
    for name, values in expected.items():
        if name in ("row", "date", "shop"):
            assert [str(value)[: len(text)] for value, text in zip(predicted[name], values, strict=True)] == values
        else:
            assert_close(predicted[name], [float(value) for value in values])


def assert_close(found, expected):
    """To 1e-5, relative for numbers above 1."""
    found, expected = numpy.asarray(found, float).ravel(), numpy.asarray(expected, float).ravel()
    assert found.shape == expected.shape
    worst = (numpy.abs(found - expected) / numpy.maximum(1, numpy.abs(expected))).max()
    assert worst <= TOLERANCE


def test_predictions_are_the_programs(trained):
    model = allometry.load(trained / "model.safetensors")
    assert model.features == ["b", "a", "level"] and model.context == 11
    predicted = model.predict(trained / "data.csv")
    assert_predicted(predicted, trained)
    spread = predicted[model.columns[0]]
    assert spread.std() > 1e-4, "a constant would hide most differences"


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The folder of a trial with its own window and scaling, which differ from those of other trials."""
    folder = tmp_path_factory.mktemp("searched")
    with open(folder / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows(table_lines())
    ladder = LADDER.format(label="binary", model="").replace("context = 11\npatch = 4\nstride = 3\nepochs = 2\n", "")
    space = 'context = [8, 11]\npatch = [3, 4]\nstride = [2, 3]\nepochs = [2, 3]\nnormalize = ["none", "revin", "standard"]\n'
    (folder / "ladder.toml").write_text(ladder.replace("[space]\n", "[space]\n" + space))
    own = ["context=8", "patch=3", "stride=2", "epochs=3", "normalize=revin"]
    call(folder, "run", "--quiet")
    call(folder, "enqueue", "--study", "s", *own)
    call(folder, "run", "--quiet", "-S", "trials=2")
    call(folder, "train", "--quiet", "--trial", "1", "-o", "model.safetensors")
    call(folder, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    return folder


def test_a_trial_with_its_own_settings_predicts_like_the_program(searched):
    model = allometry.load(searched / "model.safetensors")
    assert model.context == 8
    assert_predicted(model.predict(searched / "data.csv"), searched)
    assert len(scores_of(searched)["row"]) == ROWS - 7


def test_torch_gives_the_same(folders, searched):
    folders = {**folders, "searched": searched}
    python = os.environ.get("ALLOMETRY_TORCH", sys.executable)
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        pytest.skip(f"{python} has no torch")
    code = (
        "import allometry, json, sys, torch\n"
        "for folder in sys.argv[1:]:\n"
        "    model = allometry.load(f'{folder}/model.safetensors')\n"
        "    module = model.to_torch()\n"
        "    windows = model.windows(f'{folder}/data.csv')\n"
        "    logits = module(torch.tensor(windows))\n"
        "    logits.sum().backward()\n"
        "    drops = module.train().dropout.p > 0 and bool((module(torch.tensor(windows)) != logits).any())\n"
        "    assert drops, 'dropout counts again in training'\n"
        "    assert all(p.grad is not None for p in module.parameters())\n"
        "    print(json.dumps([logits.tolist(), module.scores(logits).tolist(), model.logits(windows).tolist()]))\n"
    )
    done = subprocess.run([python, "-c", code, *map(str, folders.values())], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(folders)
    for line, folder in zip(lines, folders.values()):
        logits, scores, ours = json.loads(line)
        assert_close(logits, ours)
        assert_close(scores, columns_of_scores(folder))


def test_onnx_gives_the_same(trained):
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    if allometry.load(trained / "model.safetensors").description.get("calibration", {}).get("method") == "isotonic":
        done = subprocess.run(
            [program.find(), "export", "model.safetensors", "--onnx", "model.onnx"],
            cwd=trained, capture_output=True, text=True,
        )
        assert done.returncode == 2 and "--calibrate temperature" in done.stderr
        return
    call(trained, "export", "model.safetensors", "--onnx", "model.onnx")
    onnx.checker.check_model(str(trained / "model.onnx"), full_check=True)
    model = allometry.load(trained / "model.safetensors")
    session = onnxruntime.InferenceSession(str(trained / "model.onnx"), providers=["CPUExecutionProvider"])
    windows = numpy.ascontiguousarray(model.windows(trained / "data.csv"))
    logits, scores = session.run(["logits", "scores"], {"windows": windows})
    assert_close(logits, model.logits(windows))
    assert_close(scores, columns_of_scores(trained))
    one = session.run(["scores"], {"windows": windows[:1]})[0]
    assert_close(one, scores[:1])
    assert json.loads(session.get_modelmeta().custom_metadata_map["allometry"])["data"]["features"] == model.features


def columns_of(lines):
    header, *rows = lines
    columns = {name: [row[place] for row in rows] for place, name in enumerate(header)}
    numbers = {name: [float(value) for value in columns[name]] for name in ("level", "a", "b")}
    return {"date": columns["date"]} | numbers


def test_a_dictionary_is_a_table(plain):
    model = allometry.load(plain / "model.safetensors")
    assert_predicted(model.predict(columns_of(table_lines())), plain)
    arrays = {name: numpy.array(values) for name, values in columns_of(table_lines()).items()}
    arrays["date"] = arrays["date"].astype("datetime64[ns]")
    assert_predicted(model.predict(arrays), plain)


def test_a_pandas_frame_is_a_table(plain):
    pandas = pytest.importorskip("pandas")
    model = allometry.load(plain / "model.safetensors")
    frame = pandas.read_csv(plain / "data.csv").set_index("note", append=True)
    for date in (frame["date"], pandas.to_datetime(frame["date"]), pandas.to_datetime(frame["date"], utc=True)):
        predicted = model.predict(frame.assign(date=date))
        assert_predicted({name: predicted[name] for name in predicted}, plain)
        assert (frame.loc[predicted.index, "date"].str[:10] == predicted["date"].astype(str).str[:10]).all()
    nullable = frame.convert_dtypes()
    assert_predicted({name: values for name, values in model.predict(nullable).items()}, plain)
    with pytest.raises(allometry.AllometryError, match="the frame: row 0 .* column `a` has 'x', which is not a number"):
        model.predict(frame.assign(a="x"))


def test_a_polars_frame_is_a_table(plain):
    polars = pytest.importorskip("polars")
    model = allometry.load(plain / "model.safetensors")
    frame = polars.read_csv(plain / "data.csv")
    for date in (polars.col("date"), polars.col("date").str.to_date(), polars.col("date").str.to_datetime("%Y-%m-%d")):
        predicted = model.predict(frame.with_columns(date))
        assert isinstance(predicted, polars.DataFrame)
        assert_predicted({name: predicted[name].to_list() for name in predicted.columns}, plain)


def test_an_array_is_a_table_without_times(tmp_path, plain):
    lines = table_lines()
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows(sorted(lines[1:]) and [lines[0], *sorted(lines[1:])])
    (tmp_path / "ladder.toml").write_text(LADDER.format(label="binary", model="").replace('time = "date"\n', ""))
    call(tmp_path, "train", "--quiet", "-o", "model.safetensors")
    call(tmp_path, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    columns = columns_of([lines[0], *sorted(lines[1:])])
    array = numpy.array([columns["b"], columns["a"], columns["level"]]).T
    assert_predicted(allometry.load(tmp_path / "model.safetensors").predict(array), tmp_path)
    model = allometry.load(plain / "model.safetensors")
    with pytest.raises(allometry.AllometryError, match="orders rows by the column `date`"):
        model.predict(array)
    with pytest.raises(allometry.AllometryError, match="the array has 2 columns, but the model has 3 features: b, a, lev"):
        model.predict(array[:, :2])


def test_logits_take_windows_of_the_models_shape(plain):
    model = allometry.load(plain / "model.safetensors")
    assert model.logits(numpy.zeros((0, 11, 3))).shape == (0, 1)
    with pytest.raises(allometry.AllometryError, match=r"shape \(2, 11, 2\), but the model takes \(windows, 11, 3\)"):
        model.logits(numpy.zeros((2, 11, 2)))


TABLE = "date,b,a,level\n"


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["2020-01-01,1,2"], "line 2 has 3 fields, but the header has 4"),
        (["2020-01-01,1,2,x"], "line 2: column `level` has `x`, which is not a number"),
        (["2020-01-01,1_0,2,3"], "line 2: column `b` has `1_0`, which is not a number"),
        (["2020-01-01,,2,3", "2020-01-02,1,inf,3"], "line 2: column `b` is missing (and 1 further missing or infinite value)"),
        (["2020-01-01,1,2,1e39"], "line 2: column `level` is infinite or too large for a 32-bit float"),
        (["soon,1,2,3"], "line 2: column `date` (time) is 'soon', which is no time"),
        (["2020-01-01,1,2,3", "7,1,2,3"], "line 3: column `date` (time) is '7', a integer after a local time"),
        (["2020-01-01,1,2,3", "2020-01-01 00:00,1,2,3"], "line 2 and line 3 have the same time in column `date`"),
        (["2020-01-01,1,2,3"], "1 rows are too few for a window of 11"),
        ([], "the table has no rows"),
    ],
)
def test_bad_rows_are_errors_as_in_the_program(plain, tmp_path, rows, problem):
    path = tmp_path / "rows.csv"
    path.write_text(TABLE + "".join(row + "\n" for row in rows))
    with pytest.raises(allometry.AllometryError) as error:
        allometry.load(plain / "model.safetensors").predict(path)
    assert str(error.value) == f"{path}: {problem}" and error.value.exit_code == 3
    done = subprocess.run(
        [program.find(), "predict", "model.safetensors", str(path)], cwd=plain, capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr


def test_tables_that_are_not_there(plain, tmp_path):
    model = allometry.load(plain / "model.safetensors")
    with pytest.raises(allometry.AllometryError, match="cannot read .*none.csv: No such file") as error:
        model.predict(tmp_path / "none.csv")
    assert error.value.exit_code == 4
    with pytest.raises(allometry.AllometryError, match=r"there is no column `a` \(feature\); the table has `date`, `b`"):
        model.predict({"date": ["2020-01-01"], "b": [1.0]})
    with pytest.raises(allometry.AllometryError, match="data.parquet: unknown kind of table"):
        model.predict("data.parquet")
    with pytest.raises(allometry.AllometryError, match="cannot read a table from builtins.int"):
        model.predict(3)


def test_rows_are_left_out_and_counted_as_in_the_program(tmp_path):
    """Gaps of every kind, times with offsets, blank lines, quotes, more columns and another order."""
    lines = table_lines()
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    ladder = LADDER.format(label="binary", model="").replace('label = "binary"\n', 'label = "binary"\nna = "drop"\n')
    (tmp_path / "ladder.toml").write_text(ladder)
    call(tmp_path, "train", "--quiet", "-o", "model.safetensors")
    fields = ["1", " 2.5 ", "", "NA", "inf", "nan", "true", "FALSE", "1e39", "+4", ".5", "6.", "-1e-3", '"7"', "null"]
    rows = ["level,date,more,a,b\n"]
    for number in range(60):
        time = f"2021-03-{number % 28 + 1:02}T{number // 28:02}:30:{number:02}.{number:03}+01:00"
        a = fields[number] if number < len(fields) else str(number)
        rows.append(f'10000.5,{time},"x, y",{a},{number / 7}\n' + ("\n" if number % 9 == 0 else ""))
    (tmp_path / "gaps.csv").write_text("\ufeff" + "".join(rows), encoding="utf-8")
    call(tmp_path, "predict", "model.safetensors", "gaps.csv", "-o", "scores.csv")
    predicted = allometry.load(tmp_path / "model.safetensors").predict(tmp_path / "gaps.csv")
    expected = scores_of(tmp_path)
    assert [str(row) for row in predicted["row"]] == expected["row"]
    assert list(predicted["date"]) == expected["date"]
    assert_close(predicted["score"], [float(value) for value in expected["score"]])
    assert len(expected["row"]) == 60 - 6 - 10


TIMES = """
2020-01-%02d|2020-01-%02dT12:30|2020-01-%02d 12:30|2020-01-%02dT12:30:15.5|2020-01-%02dt12:30:15,25|2020-01-%02dT1230
2020-01-%02dT12|202001%02d|202001%02dT123015|2020-01-%02dT12:30:15Z|2020-01-%02dT12:30:15+05:30|2020-01-%02d 12:30-0530
2020-01-%02dT12:30:15+05|2020-01-%02dT24:00|2020-01-%02dT12:30:60|2020-01-%02dT12:30:61|2020-01-%02dT12:30:15.1234567891
2020-01-%02dT12:30:15.123456789Z|%02d|%02d.5|1e%02d|-%02d|+%02d|2020-1-%02d|20-01-%02d|2020/01/%02d|12020-01-%02d
+002020-01-%02d|-002020-01-%02d|-000000-01-%02d|+012020-01-%02d|0001-01-%02d|0000-02-%02d|9999-01-%02d|2019-02-29T%02d
2020-01-%02dT12:30:15Z[UTC]|2020-01-%02dT12:30[Europe/Paris]|2020-01-%02dT12:30+01:00[Europe/Paris]|2020-01-%02dZ
2020-01-%02dT12:30z|2020-01-%02dT12:30:15.Z| 2020-01-%02d |2020-01-%02dT00:00:00Z|2020-01-%02dT00:00:00.000|2020-W%02d-1
99999999999999999%02d|-92233720368547758%02d|nan%02d|0x%02d|1_0%02d|%02d.|\u0663%02d|2020-01-%02dT12:30:15+26:00
2020-01-%02dT12:30:15-25:59:59|2020-01-%02dT12:30:15+01:60|0001-01-%02dT00:00:00+12:00|9999-12-%02dT23:59:59-12:00
"""


@pytest.mark.parametrize("form", TIMES.strip().replace("\n", "|").split("|"))
def test_times_are_read_as_in_the_program(plain, tmp_path, form):
    lines = [f'{number / 7},"{form % number}",{number},10000\n' for number in range(19, 0, -1)]
    (tmp_path / "times.csv").write_text("a,date,b,level\n" + "".join(lines), encoding="utf-8")
    arguments = ["predict", "model.safetensors", str(tmp_path / "times.csv"), "-o", str(tmp_path / "scores.csv")]
    done = subprocess.run([program.find(), *arguments], cwd=plain, capture_output=True, text=True)
    model = allometry.load(plain / "model.safetensors")
    if done.returncode:
        assert "column `date`" in done.stderr or "time" in done.stderr
        with pytest.raises(allometry.AllometryError, match="which is no time|have the same time"):
            model.predict(tmp_path / "times.csv")
        return
    predicted, expected = model.predict(tmp_path / "times.csv"), scores_of(tmp_path)
    assert [str(row) for row in predicted["row"]] == expected["row"]
    if predicted["date"].dtype.kind in "if":
        assert list(predicted["date"]) == [float(time) for time in expected["date"]]
    else:
        assert list(predicted["date"]) == expected["date"]


def test_names_of_classes_are_those_of_the_columns(plain, tmp_path):
    changed = with_description(plain, lambda d: d["data"]["preparation"].update(class_names=["down", "up"]))
    (tmp_path / "named.safetensors").write_bytes(changed)
    assert allometry.load(tmp_path / "named.safetensors").columns == ["class_up"]


def parts_of(content):
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def packed(header, data):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def with_description(plain, change):
    """The checkpoint's bytes with another description."""
    header, data = parts_of((plain / "model.safetensors").read_bytes())
    description = json.loads(header["__metadata__"]["allometry"])
    change(description)
    header["__metadata__"]["allometry"] = json.dumps(description)
    return packed(header, data)


def refusal(folder, content):
    path = folder / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(allometry.AllometryError) as error:
        allometry.load(path)
    assert str(error.value).startswith(str(path)), error.value
    return str(error.value).removeprefix(str(path)), error.value.exit_code


def test_files_that_are_no_checkpoints_are_refused(plain, tmp_path):
    content = (plain / "model.safetensors").read_bytes()
    for cut in (0, 7, 100, len(content) // 2, len(content) - 1):
        why, code = refusal(tmp_path, content[:cut])
        assert why.startswith(" is not a complete safetensors file: ") and code == 4
    header, data = parts_of(content)
    name = "head.bias"
    changes = [
        ({name: header[name] | {"shape": [1 << 60]}}, f" is not a complete safetensors file: tensor `{name}` has no valid shape and place"),
        ({name: header[name] | {"shape": [2]}}, f" is not a complete safetensors file: tensor `{name}` of shape [2] has 4 bytes"),
        ({name: header[name] | {"dtype": "F64"}}, f" is not a complete safetensors file: tensor `{name}` is 'F64', not F32"),
        ({name: 7}, f" is not a complete safetensors file: tensor `{name}` is None, not F32"),
        ({"__metadata__": {}}, " is a safetensors file, but not a checkpoint of Allometry"),
    ]
    for change, why in changes:
        assert refusal(tmp_path, packed(header | change, data)) == (why, 4)
    assert "do not fill its" in refusal(tmp_path, packed(header, data + b"1234"))[0]
    with pytest.raises(allometry.AllometryError, match="cannot read checkpoint none.safetensors: No such file"):
        allometry.load("none.safetensors")


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("schema", "allometry.checkpoint/9", " has the format allometry.checkpoint/9; this package reads allometry.checkpoint/1 and allometry.checkpoint/2"),
        ("best", None, " holds no finished epoch yet; run the same `allometry train` again to continue it"),
        ("model.context", 10**18, f": model.context is {10**18}, but must be a whole number from 1 to {1 << 40}"),
        ("model.context", 1 << 39, ": tensor `positions` is [3, 12], not [183251937962, 12]"),
        ("model.stride", 0, f": model.stride is 0, but must be a whole number from 1 to {1 << 40}"),
        ("model.patch", 12, ": model.patch is 12, above model.context = 11"),
        ("model.head", "attention", ": model.head is 'attention'; this version of allometry knows flatten, mean"),
        ("model.head", ["mean"], ": model.head is ['mean']; this version of allometry knows flatten, mean"),
        ("model.revin_affine", 1, ": model.revin_affine is 1, but must be true or false"),
        ("model", [], ": model.context cannot be read: what holds it is no JSON object"),
        ("params.d_model", 15, ": tensor `embedding.weight` is [12, 12], not [15, 12]"),
        ("params.d_model", True, f": params.d_model is True, but must be a whole number from 1 to {1 << 40}"),
        ("params.n_layers", 1 << 39, ": tensor `blocks.2.attention_norm.weight` is missing"),
        ("params.n_heads", 5, ": params.n_heads is 5, which does not divide d_model = 12"),
        ("params.dropout", "x", ": params.dropout is 'x', but must be a number from 0 to below 1"),
        ("model.head_dropout", 1, ": model.head_dropout is 1, but must be a number from 0 to below 1"),
        ("data.features", ["a", 3], ": data.features must be a list of texts"),
        ("data.features", [], ": data.features is empty"),
        ("data.preparation.scaling", [[0, 1]], ": data.preparation.scaling must have a mean and a deviation for each of 3 features"),
        ("data.preparation.scaling", [[0, 1], [0, 0], [0, 1]], ": data.preparation.scaling must be a mean and a standard deviation above 0"),
        ("data.preparation.scaling", [[0, 10**400]] * 3, ": data.preparation.scaling must be a mean and a standard deviation above 0"),
        ("data.preparation.class_names", ["x"], ": data.preparation.class_names has 1 names"),
        ("data.preparation.time", 3, ": data.preparation.time must be the name of a column"),
        ("data.preparation.missing", "fill", ": data.preparation.missing is 'fill'; this version of allometry knows error, drop, ffill, mean"),
    ],
)
def test_fields_that_cannot_be_are_refused_by_name(plain, tmp_path, place, value, why):
    def change(description):
        *outer, name = place.split(".")
        for one in outer:
            description = description[one]
        description[name] = value

    assert refusal(tmp_path, with_description(plain, change))[0] == why


def test_damaged_files_are_errors_and_nothing_else(plain, tmp_path):
    """Random damage gives a model or an `AllometryError`; predictions of a model with damaged weights are numbers."""
    content = (plain / "model.safetensors").read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    draw = random.Random(3)
    path = tmp_path / "damaged.safetensors"
    refused = 0
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(draw.choice([1, 1, 3, 20])):
            damaged[draw.randrange(head)] = draw.choice(b'0123456789[]{}:,"-eE.\\ \x00\xff')
        path.write_bytes(damaged[: draw.choice([len(damaged)] * 4 + [draw.randrange(len(damaged))])])
        try:
            allometry.load(path)
        except allometry.AllometryError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 200


def test_the_package_needs_nothing_to_be_imported():
    code = "import sys, allometry; print([name for name in ('numpy', 'pandas', 'polars', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_gelu_is_exact_to_single_precision():
    from allometry.network import _gelu

    x = numpy.linspace(-9, 9, 2001, dtype=numpy.float32)
    exact = [float(one) * 0.5 * math.erfc(-float(one) / math.sqrt(2)) for one in x]
    assert numpy.abs(_gelu(x) - exact).max() < 2e-6


CATEGORIES = LADDER.replace('label = "{label}"', 'label = "binary"\ncategorical = ["sector", "open"]\nna = "drop"').format(
    label="binary", model=""
)


def test_categories_are_features_as_in_the_program(tmp_path):
    draw, lines = random.Random(7), table_lines()
    header = [*lines[0], "sector", "open"]
    sectors = ["energy", " health", "food"]
    rows = [[*row, draw.choice(sectors), draw.choice(["true", "false"])] for row in lines[1:]]
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    (tmp_path / "ladder.toml").write_text(CATEGORIES)
    call(tmp_path, "train", "--quiet", "-o", "model.safetensors")
    # A category that the training rows did not have, and a missing one, whose row is left out.
    rows[5][-2], rows[60][-2], rows[90][-1] = "mining", "", "NA"
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    call(tmp_path, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    model = allometry.load(tmp_path / "model.safetensors")
    assert model.features == [
        *("b", "a", "level"),
        *(f"sector={name}" for name in ("energy", "food", "health")),
        *("open=false", "open=true"),
    ]
    assert_predicted(model.predict(tmp_path / "data.csv"), tmp_path)
    assert len(scores_of(tmp_path)["row"]) == ROWS - 2 - (model.context - 1)
    places = {name: place for place, name in enumerate(header)}
    table = columns_of([header, *rows]) | {"sector": [row[places["sector"]] for row in rows]}
    table["open"] = [{"true": True, "false": False, "NA": None}[row[places["open"]]] for row in rows]
    assert_predicted(model.predict(table), tmp_path)
    pandas = pytest.importorskip("pandas")
    predicted = model.predict(pandas.DataFrame(table).astype({"sector": "category"}))
    assert_predicted({name: predicted[name] for name in predicted}, tmp_path)
    polars = pytest.importorskip("polars")
    predicted = model.predict(polars.DataFrame(table))
    assert_predicted({name: predicted[name].to_list() for name in predicted.columns}, tmp_path)
    onnxruntime = pytest.importorskip("onnxruntime")
    call(tmp_path, "export", "model.safetensors", "--onnx", "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    windows = numpy.ascontiguousarray(model.windows(tmp_path / "data.csv"))
    assert_close(session.run(["scores"], {"windows": windows})[0], columns_of_scores(tmp_path))
    with pytest.raises(allometry.AllometryError, match="there is no column `sector` .categories."):
        model.predict({name: values for name, values in table.items() if name != "sector"})


@pytest.mark.parametrize(
    "model",
    [
        "",
        'normalize = "revin"\nrevin_affine = true\nfeature_embedding = 3',
        'normalize = "revin"\nchannels = "independent"\nhead = "mean"',
    ],
)
def test_vectors_of_categories_are_those_of_the_program(tmp_path, model):
    onnxruntime = pytest.importorskip("onnxruntime")
    draw, lines = random.Random(7), table_lines()
    header = [*lines[0], "sector", "open"]
    rows = [[*row, draw.choice(["energy", " health", "food"]), draw.choice(["true", "false"])] for row in lines[1:]]

    def write():
        with open(tmp_path / "data.csv", "w", newline="") as file:
            csv.writer(file).writerows([header, *rows])

    write()
    columns = '[{ column = "sector", embedding = 3 }, "open"]'
    ladder = LADDER.format(label="binary", model=model)
    ladder = ladder.replace('label = "binary"', f'label = "binary"\ncategorical = {columns}\nna = "drop"')
    (tmp_path / "ladder.toml").write_text(ladder)
    call(tmp_path, "train", "--quiet", "-o", "model.safetensors")
    rows[5][-2], rows[60][-2], rows[90][-1] = "mining", "", "NA"
    write()
    call(tmp_path, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    loaded = allometry.load(tmp_path / "model.safetensors")
    assert loaded.features == ["b", "a", "level", "open=false", "open=true", "sector"]
    assert loaded.description["schema"] == "allometry.checkpoint/2"
    assert_predicted(loaded.predict(tmp_path / "data.csv"), tmp_path)
    windows = numpy.ascontiguousarray(loaded.windows(tmp_path / "data.csv"))
    assert set(windows[..., 5].flat) == {0.0, 1.0, 2.0, 3.0}
    call(tmp_path, "export", "model.safetensors", "--onnx", "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert_close(session.run(["scores"], {"windows": windows})[0], columns_of_scores(tmp_path))
    sectors = windows[0, :, 5].copy()
    windows[0, 0, 5] = 4
    with pytest.raises(allometry.AllometryError, match="`sector` has a number of a category that is not from 0 to 3"):
        loaded.logits(windows)
    windows[0, 0, 5] = sectors[0]
    try:
        import torch
    except ImportError:
        pytest.skip(f"{sys.executable} has no torch")
    module = loaded.to_torch()
    weights = module.category_embeddings[0].weight
    assert weights.shape == (3, 3) and "category_embeddings.0.weight" in module.state_dict()
    logits = module(torch.tensor(windows))
    assert_close(module.scores(logits).detach().numpy(), columns_of_scores(tmp_path))
    logits.sum().backward()
    assert weights.grad.abs().min() > 0


@pytest.mark.parametrize("kind", ["dates", "numbers"])
def test_windows_with_a_hole_are_left_out_as_in_the_program(tmp_path, kind):
    header, *rows = table_lines()
    place = header.index("date")
    lines = [header, *sorted(rows, key=lambda row: row[place])]
    if kind == "numbers":
        lines = [lines[0], *([*row[:place], str(number), *row[place + 1 :]] for number, row in enumerate(lines[1:]))]
    lines = [*lines[:60], *lines[100:]]
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    gap = {"dates": '"7d"', "numbers": "7"}[kind]
    ladder = LADDER.format(label="binary", model="").replace('time = "date"\n', f'time = "date"\nmax_gap = {gap}\n')
    (tmp_path / "ladder.toml").write_text(ladder)
    call(tmp_path, "train", "--quiet", "-o", "model.safetensors")
    call(tmp_path, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    model = allometry.load(tmp_path / "model.safetensors")
    rows = len(lines) - 1
    assert len(scores_of(tmp_path)["row"]) == rows - 2 * (model.context - 1)
    assert_predicted(model.predict(tmp_path / "data.csv"), tmp_path)
    assert len(model.windows(tmp_path / "data.csv")) == rows - 2 * (model.context - 1)
    table = columns_of(lines)
    assert_predicted(model.predict(table), tmp_path)
    pandas = pytest.importorskip("pandas")
    if kind == "dates":
        predicted = model.predict(pandas.DataFrame(table).assign(date=pandas.to_datetime(table["date"])))
        assert_close(numpy.array(predicted["score"])[:, None], columns_of_scores(tmp_path))
    else:
        dates = [f"2020-{number // 28 + 1:02}-{number % 28 + 1:02}" for number in range(rows)]
        with pytest.raises(allometry.AllometryError, match="`max_gap` is in numbers, but column `date` .time. has date"):
            model.predict(table | {"date": dates})


@pytest.mark.parametrize("settings", ['na = "ffill"', 'na = "ffill"\nmax_gap = "2d"', 'na = "mean"'])
def test_missing_features_are_filled_as_in_the_program(tmp_path, settings):
    header, *rows = table_lines()
    place = header.index("date")
    rows = sorted(rows, key=lambda row: row[place])
    for row, column in [(0, "a"), (1, "a"), (20, "b"), (40, "a"), (41, "a"), (42, "a"), (43, "a"), (90, "level")]:
        rows[row][header.index(column)] = ""
    lines = [header, *reversed(rows)]
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    ladder = LADDER.format(label="binary", model="").replace('time = "date"\n', f'time = "date"\n{settings}\n')
    (tmp_path / "ladder.toml").write_text(ladder)
    call(tmp_path, "train", "--quiet", "-o", "model.safetensors")
    call(tmp_path, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    model = allometry.load(tmp_path / "model.safetensors")
    left_out = {'na = "ffill"': 2, 'na = "mean"': 0}.get(settings)
    if left_out is not None:
        assert len(scores_of(tmp_path)["row"]) == len(rows) - left_out - (model.context - 1)
    assert_predicted(model.predict(tmp_path / "data.csv"), tmp_path)
    if "mean" in settings:
        means = model.description["data"]["preparation"]["means"]
        # Other rows do not change the means: those of the training rows fill the only row that lacks a value.
        few = [header, *(["" if name == "a" else value for name, value in zip(header, row)] for row in rows[:30])]
        with open(tmp_path / "few.csv", "w", newline="") as file:
            csv.writer(file).writerows(few)
        filled = model.windows(tmp_path / "few.csv")[:, :, model.features.index("a")]
        assert (filled == numpy.float32(means[model.features.index("a")])).all()


def test_means_must_be_those_of_all_features(plain, tmp_path):
    def change(description):
        description["data"]["preparation"] |= {"missing": "mean", "means": [1.0]}

    why = ": data.preparation.means must have a number for each of 3 features"
    assert refusal(tmp_path, with_description(plain, change))[0] == why


def panel_lines():
    """The rows of `table_lines` as three series of different lengths, interleaved, with times in several zones."""
    header, *rows = table_lines()
    place = header.index("date")
    rows = sorted(rows, key=lambda row: row[place])
    lines = []
    for number, row in enumerate(rows):
        for shop in range(3):
            if number >= 20 * shop:
                zone = ["Z", "+01:00", "-05:00"][shop]
                time = f"{row[place]} 12:30:00{zone}" if shop else f"{row[place]}T12:30:00{zone}"
                level = str(float(row[header.index("level")]) + shop)
                line = [time if name == "date" else level if name == "level" else value for name, value in zip(header, row)]
                lines.append([*line, f"shop {2 - shop}"])
    return [[*header, "shop"], *lines]


@pytest.mark.parametrize("settings", ["", 'na = "ffill"', 'max_gap = "1d"'])
def test_series_are_kept_apart_as_in_the_program(tmp_path, settings):
    lines = panel_lines()
    if "ffill" in settings:
        for row in (1, 2, 100, 101, 102, 103):
            lines[row][lines[0].index("a")] = ""
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    ladder = LADDER.format(label="binary", model="")
    ladder = ladder.replace('time = "date"\n', f'time = "date"\nseries = "shop"\n{settings}\n')
    (tmp_path / "ladder.toml").write_text(ladder)
    call(tmp_path, "train", "--quiet", "-o", "model.safetensors")
    call(tmp_path, "predict", "model.safetensors", "data.csv", "-o", "scores.csv")
    model, expected = allometry.load(tmp_path / "model.safetensors"), scores_of(tmp_path)
    assert list(expected) == ["row", "shop", "date", "score"]
    predicted = model.predict(tmp_path / "data.csv")
    assert_predicted(predicted, tmp_path)
    assert (list(predicted["shop"]), list(predicted["date"])) == (expected["shop"], expected["date"])
    table = {name: [line[place] for line in lines[1:]] for place, name in enumerate(lines[0])}
    table |= {name: [float(value) if value else None for value in table[name]] for name in model.features}
    assert_predicted(model.predict(table), tmp_path)
    pandas = pytest.importorskip("pandas")
    frame = model.predict(pandas.DataFrame(table))
    assert list(frame["shop"]) == expected["shop"]
    assert_close(frame["score"], [float(value) for value in expected["score"]])
    with pytest.raises(allometry.AllometryError, match="there is no column `shop` .series."):
        model.predict({name: values for name, values in table.items() if name != "shop"})
    with pytest.raises(allometry.AllometryError, match=r"row 3 .from 0.: column `shop` .series. is empty"):
        model.predict(table | {"shop": [*table["shop"][:3], None, *table["shop"][4:]]})
    # The first twenty rows are of one series.
    with pytest.raises(allometry.AllometryError, match="of one series have the same time in column `date`"):
        model.predict(table | {"date": [*table["date"][:4], table["date"][0], *table["date"][5:]]})


@pytest.mark.parametrize(
    ("calibration", "why"),
    [
        ({"method": "beta"}, ".method is 'beta'; this version of allometry knows temperature, platt, isotonic"),
        ({"method": "temperature", "temperature": 0}, ".temperature is 0, but must be a number above 0"),
        ({"method": "platt", "slope": 1.0, "intercept": None}, ".intercept is None, but must be a number"),
        ({"method": "isotonic", "logits": [1, 1], "probabilities": [0.1, 0.2]}, ".logits must be numbers that rise"),
        (
            {"method": "isotonic", "logits": [0, 1], "probabilities": [0.1, 1.2]},
            ".probabilities must be one for each logit, from 0 to 1",
        ),
    ],
)
def test_calibrations_are_checked(plain, tmp_path, calibration, why):
    changed = with_description(plain, lambda description: description.update(calibration=calibration))
    assert refusal(tmp_path, changed) == (f": calibration{why}", 3)
