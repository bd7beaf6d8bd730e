"""Writes Parquet files with pyarrow, and what is in them as JSON.

    pip install pyarrow==26.0.1 && python parquet.py

`parquet-arrow.parquet` carries Arrow's schema, as pandas and pyarrow write it; `parquet-plain.parquet` does not, and stores timestamps as INT96,
decimals as integers and texts in delta encodings. Every second column of both is compressed by Brotli. The column `y` is 0, 1, 0, 1, ...
"""

import datetime
import decimal
import json
import pathlib
import zoneinfo

import numpy
import pyarrow
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
ROWS = 12
EMPTY = 5  # this row of every feature has no value
generator = numpy.random.default_rng(1)


def optional(values, type=None):
    return pyarrow.array([None if i == EMPTY else v for i, v in enumerate(values)], type)


def integers(bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    values = [low, high - 1, 0] + [low + int(generator.random() * (high - low)) for _ in range(ROWS - 3)]
    return optional(values, getattr(pyarrow, f"{'' if signed else 'u'}int{bits}")())


def decimals(digits, scale):
    values = []
    for i in range(ROWS):
        count = digits if i == 0 else int(generator.integers(1, digits + 1))
        unscaled = "".join(str(d) for d in generator.integers(1, 10, count))
        context = decimal.Context(prec=100)
        values.append(decimal.Decimal(("-" if i % 2 else "") + unscaled).scaleb(-scale, context))
    return optional(values, (pyarrow.decimal128 if digits <= 38 else pyarrow.decimal256)(digits, scale))


features = {f"{'' if s else 'u'}int{b}": integers(b, s) for b in (8, 16, 32, 64) for s in (True, False)}
features["float16"] = optional([numpy.float16(v) for v in [0.1, -65504, 6e-8, 6.1e-5, *range(8)]], pyarrow.float16())
features["float32"] = optional([numpy.float32(v) for v in generator.normal(size=ROWS)], pyarrow.float32())
features["float64"] = optional(generator.normal(size=ROWS).tolist(), pyarrow.float64())
features["boolean"] = optional([i % 3 == 0 for i in range(ROWS)], pyarrow.bool_())
for digits, scale in ((5, 2), (9, 0), (18, 7), (38, 10), (38, 30)):
    features[f"decimal {digits} {scale}"] = decimals(digits, scale)
wide = {f"decimal {digits} {scale}": decimals(digits, scale) for digits, scale in ((50, 45), (76, 45))}

order = [int(i) for i in generator.permutation(ROWS)]
start = datetime.datetime(2001, 2, 3, 4)
moments = [start + datetime.timedelta(hours=36 * i) for i in order]
times = {
    "integer": pyarrow.array(order),
    "unsigned": pyarrow.array(order, pyarrow.uint64()),
    "halves": pyarrow.array([i / 2 for i in order]),
    "text": pyarrow.array([m.isoformat() for m in moments]),
    "large text": pyarrow.array([m.isoformat() for m in moments], pyarrow.large_string()),
    "date": pyarrow.array([m.date() for m in moments]),
    "date64": pyarrow.array([m.date() for m in moments], pyarrow.date64()),
    **{f"local {u}": pyarrow.array(moments, pyarrow.timestamp(u)) for u in ("s", "ms", "us", "ns")},
    **{f"zoned {u}": pyarrow.array(moments, pyarrow.timestamp(u, "Europe/Rome")) for u in ("s", "ms", "us", "ns")},
}
categories = {
    "categories": pyarrow.array([m.isoformat() for m in moments]).dictionary_encode(),
    "codes": pyarrow.array(order).dictionary_encode(),
}
skipped = {
    "duration": pyarrow.array(range(ROWS), pyarrow.duration("ns")),
    "time": pyarrow.array(range(ROWS), pyarrow.time64("us")),
    "list": pyarrow.array([[1.0, 2.0]] * ROWS),
    "group": pyarrow.array([{"a": 1, "b": 2}] * ROWS),
    "map": pyarrow.array([[("a", 1)]] * ROWS, pyarrow.map_(pyarrow.string(), pyarrow.int64())),
    "nothing": pyarrow.nulls(ROWS),
    "bytes": pyarrow.array([b"x"] * ROWS),
    "fixed": pyarrow.array([b"xyz"] * ROWS, pyarrow.binary(3)),
}


def shown(name, values):
    """The times of a column as the trainer shows them."""
    if name in ("integer", "unsigned", "codes"):
        return [str(i) for i in order]
    if name == "halves":
        return [f"{i / 2:g}" for i in order]
    if name.startswith("date"):
        return [m.date().isoformat() for m in moments]
    if name.startswith("zoned"):
        return [m.replace(tzinfo=datetime.UTC).astimezone(zoneinfo.ZoneInfo("Europe/Rome")).isoformat() for m in moments]
    return [m.isoformat() for m in moments]


def write(name, features, times, skipped, compression, **options):
    y = pyarrow.array([i % 2 for i in range(ROWS)])
    columns = {**skipped, **features, **times, "y": y}
    codecs = {column: "brotli" if i % 2 else compression for i, column in enumerate(columns)}
    table = pyarrow.table(columns)
    pyarrow.parquet.write_table(table, HERE / f"{name}.parquet", row_group_size=8, compression=codecs, **options)
    exact = {c: [None if v is None else float(v) for v in values.to_pylist()] for c, values in features.items()}
    expected = {"features": exact, "times": {c: shown(c, v) for c, v in times.items()}, "skipped": list(skipped)}
    (HERE / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


write("parquet-arrow", {**features, **wide}, {**times, **categories}, skipped, "snappy")
# Without Arrow's schema a duration is a number, a zone is lost where INT96 is used, and so are categories.
plain = {k: v for k, v in times.items() if not k.startswith("zoned")}
del skipped["duration"]
write(
    "parquet-plain",
    features,
    plain,
    skipped,
    "zstd",
    store_schema=False,
    use_deprecated_int96_timestamps=True,
    store_decimal_as_integer=True,
    data_page_version="2.0",
    use_dictionary=False,
    column_encoding={"text": "DELTA_BYTE_ARRAY", "large text": "DELTA_LENGTH_BYTE_ARRAY", "int64": "DELTA_BINARY_PACKED", "float32": "BYTE_STREAM_SPLIT"},
)
