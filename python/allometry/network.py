"""The built-in model's forward pass in NumPy: windows of a table's values to logits."""

from dataclasses import dataclass
from typing import Any

from allometry.calibration import Calibration
from allometry.checkpoint import Checkpoint
from allometry.errors import AllometryError
from allometry.table import Categories

_EPSILON = 1e-5
"""Added to variances, as the trainer and PyTorch's `LayerNorm` do."""

_WRONG = 3

_BATCH_VALUES = 1 << 22
"""Values of the widest layer that one batch of windows may have."""


@dataclass(frozen=True)
class Shape:
    """What a checkpoint's description says of its model, each field checked."""

    features: list[str]
    context: int
    patch: int
    stride: int
    width: int
    layers: int
    heads: int
    wide: int
    normalize: str
    affine: bool
    embedded: int
    independent: bool
    mean: bool
    outputs: int
    dropout: float
    head_dropout: float
    score_scale: float
    """Factor of the products of queries and keys."""
    task: str
    class_names: list[str]
    categories: list[Categories]
    """Columns of categories, whose features come last; those with learned vectors are the last of them."""
    scaling: list[tuple[float, float]] | None
    target: tuple[float, float]
    time: str | None
    series_column: str | None
    """Column that tells the series of a row; `None` for a table of one."""
    missing: str
    """Treatment of missing and infinite features: `"error"`, `"drop"`, `"ffill"` or `"mean"`."""
    means: list[float]
    """Mean of each feature that is a number, by which `"mean"` fills it; otherwise empty."""
    max_gap: tuple[str, float] | None
    """Longest time between two neighbouring rows of a window, in `"seconds"` or as a `"number"`."""
    calibration: Calibration
    """Map from logits to those of calibrated probabilities, or to the probabilities."""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Shape":
        """Reads the shape from a description."""
        features = checkpoint.names("data.features")
        if not features:
            raise checkpoint.wrong("data.features", "is empty")
        categories = _categories(checkpoint, features)
        context, patch = checkpoint.whole("model.context"), checkpoint.whole("model.patch")
        if patch > context:
            raise checkpoint.wrong("model.patch", f"is {patch}, above model.context = {context}")
        width, heads = checkpoint.whole("params.d_model"), checkpoint.whole("params.n_heads")
        if width % heads:
            raise checkpoint.wrong("params.n_heads", f"is {heads}, which does not divide d_model = {width}")
        task = checkpoint.word("model.task", ("binary", "classes", "regression"))
        outputs = checkpoint.whole("data.preparation.classes") if task == "classes" else 1
        names = checkpoint.names("data.preparation.class_names")
        if names and len(names) != max(outputs, 2):
            raise checkpoint.wrong("data.preparation.class_names", f"has {len(names)} names")
        head_width = width // heads
        base = checkpoint.whole("model.base_head_width", 16)
        mup = checkpoint.word("model.parametrization", ("standard", "mup")) == "mup"
        time, series = (checkpoint.field(f"data.preparation.{name}") for name in ("time", "series"))
        for name, column in (("time", time), ("series", series)):
            if not isinstance(column, str | None):
                raise checkpoint.wrong(f"data.preparation.{name}", "must be the name of a column")
        target = checkpoint.field("data.preparation.target")
        missing = checkpoint.word("data.preparation.missing", ("error", "drop", "ffill", "mean"))
        encoded = [name for one in categories for name in one.features]
        vectors = [one.column for one in categories if one.embedding is not None]
        return cls(
            features=features,
            context=context,
            patch=patch,
            stride=checkpoint.whole("model.stride"),
            width=width,
            layers=checkpoint.whole("params.n_layers"),
            heads=heads,
            wide=checkpoint.whole("params.d_ff_ratio", 4) * width,
            normalize=checkpoint.word("model.normalize", ("standard", "revin", "none")),
            affine=checkpoint.flag("model.revin_affine") and any(one not in vectors for one in features),
            embedded=checkpoint.whole("model.feature_embedding", 0, least=0),
            independent=checkpoint.word("model.channels", ("mixed", "independent")) == "independent",
            mean=checkpoint.word("model.head", ("flatten", "mean")) == "mean",
            outputs=outputs,
            dropout=checkpoint.share("params.dropout", 0.1),
            head_dropout=checkpoint.share("model.head_dropout", 0.0),
            score_scale=(base**0.5 if mup else head_width**0.5) / head_width,
            task=task,
            class_names=names,
            categories=categories,
            scaling=_scaling(checkpoint, len(features), categories),
            target=(0.0, 1.0) if target is None else checkpoint.scale("data.preparation.target", target),
            time=time,
            series_column=series,
            missing=missing,
            means=_means(checkpoint, len(features) - len(encoded)) if missing == "mean" else [],
            max_gap=_max_gap(checkpoint),
            calibration=Calibration.of(checkpoint, task),
        )

    @property
    def columns(self) -> int:
        """Columns of the series from which patches are cut."""
        return self.embedded or self.inputs

    @property
    def vectors(self) -> list[Categories]:
        """Columns of categories with learned vectors."""
        return [one for one in self.categories if one.embedding is not None]

    @property
    def numbers(self) -> int:
        """Features that are no number of a category, which come first."""
        return len(self.features) - len(self.vectors)

    @property
    def inputs(self) -> int:
        """Values of a row with the vectors of its categories."""
        return self.numbers + sum(one.embedding or 0 for one in self.vectors)

    @property
    def series(self) -> int:
        """Series of a window that pass through the encoder separately."""
        return self.columns if self.independent else 1

    @property
    def patches(self) -> int:
        """Patches of a window."""
        return (self.context - self.patch) // self.stride + 1

    def tensors(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """The model's tensors by their names, each of the shape that the description gives."""
        width = self.width
        found = {}

        def take(name: str, *shape: int) -> None:
            found[name] = checkpoint.tensor(name, *shape)

        def linear(name: str, outputs: int, inputs: int) -> None:
            take(f"{name}.weight", outputs, inputs)
            take(f"{name}.bias", outputs)

        if self.affine:
            take("revin.weight", self.numbers)
            take("revin.bias", self.numbers)
        for number, one in enumerate(self.vectors):
            take(f"category_embeddings.{number}.weight", len(one.names), one.embedding or 0)
        if self.embedded:
            linear("feature_embedding", self.embedded, self.inputs)
        linear("embedding", width, self.patch * self.columns // self.series)
        take("positions", self.patches, width)
        for block in (f"blocks.{number}" for number in range(self.layers)):
            for norm in ("attention_norm", "feed_forward_norm"):
                take(f"{block}.{norm}.weight", width)
                take(f"{block}.{norm}.bias", width)
            linear(f"{block}.qkv", 3 * width, width)
            linear(f"{block}.projection", width, width)
            linear(f"{block}.widen", self.wide, width)
            linear(f"{block}.narrow", width, self.wide)
        take("final_norm.weight", width)
        take("final_norm.bias", width)
        linear("head", self.outputs, self.series * (1 if self.mean else self.patches) * width)
        return found


def _categories(checkpoint: Checkpoint, features: list[str]) -> list[Categories]:
    place = "data.preparation.categories"
    found = checkpoint.field(place, [])
    columns = found if isinstance(found, list) else [None]
    if not all(isinstance(one, dict) and isinstance(one.get("column"), str) for one in columns):
        raise checkpoint.wrong(place, "must be a list of objects with the name of a column")
    names = [one.get("names") for one in columns]
    if not all(isinstance(list_, list) and all(isinstance(name, str) for name in list_) for list_ in names):
        raise checkpoint.wrong(place, "must have the names of each column's categories")
    sizes = [one.get("embedding") for one in columns]
    for size in sizes:
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 1024):
            raise checkpoint.wrong(place, f"has `embedding` = {size!r}, but it must be a whole number from 1 to 1024")
    categories = [Categories(one["column"], one["names"], size) for one, size in zip(columns, sizes)]
    if sizes != sorted(sizes, key=lambda size: size is not None):
        raise checkpoint.wrong(place, "must have the columns with an `embedding` last")
    last = [name for one in categories for name in one.features]
    if last and features[-len(last) :] != last:
        raise checkpoint.wrong(place, "does not agree with the last features of data.features")
    return categories


def _max_gap(checkpoint: Checkpoint) -> tuple[str, float] | None:
    place = "data.preparation.max_gap"
    found = checkpoint.field(place)
    if found is None:
        return None
    for unit in ("seconds", "number"):
        amount = found.get(unit) if isinstance(found, dict) else None
        if isinstance(amount, (int, float)) and not isinstance(amount, bool) and amount > 0:
            return unit, float(amount)
    raise checkpoint.wrong(place, "must be an object with `seconds` or a `number` above 0")


def _means(checkpoint: Checkpoint, numbers: int) -> list[float]:
    place = "data.preparation.means"
    means = checkpoint.field(place, [])
    is_number = [isinstance(mean, (int, float)) and not isinstance(mean, bool) for mean in means or []]
    if not isinstance(means, list) or len(means) != numbers or not all(is_number):
        raise checkpoint.wrong(place, f"must have a number for each of {numbers} features")
    return [float(mean) for mean in means]


def _scaling(
    checkpoint: Checkpoint, features: int, categories: list[Categories]
) -> list[tuple[float, float]] | None:
    place = "data.preparation.scaling"
    scaling = checkpoint.field(place)
    if scaling is None:
        return None
    numbers = features - sum(len(one.features) for one in categories)
    if not isinstance(scaling, list) or len(scaling) != numbers:
        raise checkpoint.wrong(place, f"must have a mean and a deviation for each of {numbers} features")
    return [checkpoint.scale(place, one) for one in scaling] + (features - numbers) * [(0.0, 1.0)]


class Network:
    """The model of a checkpoint in NumPy, in single precision like the trainer."""

    def __init__(self, shape: Shape, tensors: dict[str, Any]):
        self.shape = shape
        self.tensors = tensors

    def scaled(self, windows: Any) -> Any:
        """Windows of the table's values, scaled as the rows of the training were."""
        import numpy

        if self.shape.scaling is None:
            return windows
        mean, deviation = numpy.array(self.shape.scaling).T
        largest = numpy.finfo(numpy.float32).max
        with numpy.errstate(over="ignore"):
            scaled = (windows.astype(numpy.float64) - mean) / deviation
        return scaled.clip(-largest, largest).astype(numpy.float32)

    def logits(self, windows: Any) -> Any:
        """Raw outputs `(windows, outputs)` of windows `(windows, context, features)` of the table's values."""
        import numpy

        shape = self.shape
        row = max(shape.wide, 3 * shape.width, shape.patches * shape.heads)
        window = max(shape.series * shape.patches * row, shape.context * len(shape.features))
        batch = max(1, _BATCH_VALUES // window)
        parts = [self._forward(windows[at : at + batch]) for at in range(0, len(windows), batch)]
        return numpy.concatenate(parts) if parts else numpy.empty((0, shape.outputs), numpy.float32)

    def scores(self, logits: Any) -> Any:
        """Probability of a positive label, probability of each class, or the predicted number; calibrated if the
        checkpoint is."""
        import numpy

        calibration = self.shape.calibration
        if calibration.knots is not None:
            return numpy.interp(logits.astype(numpy.float64), *calibration.knots).astype(numpy.float32)
        logits = calibration.slope * logits.astype(numpy.float64) + calibration.intercept
        if self.shape.task == "binary":
            odds = numpy.exp(-numpy.abs(logits))
            scores = numpy.where(logits >= 0, 1, odds) / (1 + odds)
        elif self.shape.task == "classes":
            odds = numpy.exp(logits - logits.max(axis=1, keepdims=True))
            scores = odds / odds.sum(axis=1, keepdims=True)
        else:
            mean, deviation = self.shape.target
            scores = logits * deviation + mean
        return scores.astype(numpy.float32)

    def _linear(self, name: str, x: Any) -> Any:
        return x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]

    def _norm(self, name: str, x: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = ((centred * centred).mean(axis=-1, keepdims=True) + x.dtype.type(_EPSILON)) ** 0.5
        return centred / deviation * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]

    def _forward(self, windows: Any) -> Any:
        shape = self.shape
        count = len(windows)
        x = self._embed(self._patches(self.scaled(windows)))
        for number in range(shape.layers):
            block = f"blocks.{number}"
            x = x + self._attention(block, self._norm(f"{block}.attention_norm", x))
            wide = _gelu(self._linear(f"{block}.widen", self._norm(f"{block}.feed_forward_norm", x)))
            x = x + self._linear(f"{block}.narrow", wide)
        x = self._norm("final_norm", x)
        if shape.mean:
            x = x.mean(axis=1)
        return self._linear("head", x.reshape(count, -1))

    def _patches(self, x: Any) -> Any:
        """The patches of each series of scaled windows: `(windows * series, patches, patch values)`."""
        import numpy

        shape = self.shape
        x, codes = x[..., : shape.numbers], x[..., shape.numbers :]
        if shape.normalize == "revin":
            # Differences from the first row keep the digits of a feature far above its deviation.
            x = x - x[:, :1]
            x = x - x.mean(axis=1, keepdims=True)
            x = x / ((x * x).mean(axis=1, keepdims=True) + x.dtype.type(_EPSILON)) ** 0.5
        if shape.affine:
            x = x * self.tensors["revin.weight"] + self.tensors["revin.bias"]
        if shape.vectors:
            x = numpy.concatenate([x, *self._vectors(codes)], axis=-1)
        if shape.embedded:
            x = self._linear("feature_embedding", x)
        # A view (windows, patches, columns, rows of a patch), of which a reshape below makes a copy.
        cut = numpy.lib.stride_tricks.sliding_window_view(x, shape.patch, axis=1)[:, :: shape.stride]
        if shape.independent:
            return cut.transpose(0, 2, 1, 3).reshape(-1, shape.patches, shape.patch)
        return cut.transpose(0, 1, 3, 2).reshape(len(x), shape.patches, -1)

    def _vectors(self, codes: Any) -> list[Any]:
        """The vectors of numbers of categories `(windows, context, columns)`: zeros for the number 0."""
        import numpy

        found = []
        for number, one in enumerate(self.shape.vectors):
            of_column = codes[..., number].astype(int)
            if ((of_column < 0) | (of_column > len(one.names))).any():
                most = len(one.names)
                raise AllometryError(f"`{one.column}` has a number of a category that is not from 0 to {most}", _WRONG)
            table = self.tensors[f"category_embeddings.{number}.weight"]
            found.append(numpy.concatenate([numpy.zeros_like(table[:1]), table])[of_column])
        return found

    def _embed(self, patches: Any) -> Any:
        return self._linear("embedding", patches) + self.tensors["positions"]

    def _attention(self, block: str, x: Any) -> Any:
        import numpy

        shape = self.shape
        parts = self._linear(f"{block}.qkv", x)
        parts = parts.reshape(-1, shape.patches, 3, shape.heads, shape.width // shape.heads)
        query, key, value = parts.transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2) * x.dtype.type(shape.score_scale)
        odds = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = odds / odds.sum(axis=-1, keepdims=True) @ value
        return self._linear(f"{block}.projection", mixed.transpose(0, 2, 1, 3).reshape(x.shape))


def _gelu(x: Any) -> Any:
    """`x Phi(x)` by equation 7.1.26 of Abramowitz & Stegun 1964, as in the trainer: NumPy has no `erf`."""
    import numpy

    one = x.dtype.type
    t = one(1) / (one(0.3275911 * 0.5**0.5) * numpy.abs(x) + one(1))
    polynomial = one(1.0614054)
    for coefficient in (-1.453152, 1.4214137, -0.28449674, 0.2548296):
        polynomial = polynomial * t + one(coefficient)
    tail = one(0.5) * polynomial * t * numpy.exp(one(-0.5) * x * x)
    return x * numpy.where(x < 0, tail, one(1) - tail)
