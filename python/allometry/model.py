"""Models that `allometry train` wrote, applied in Python. Needs NumPy."""

import os
from typing import Any

from allometry import table as tables
from allometry.checkpoint import Checkpoint, read
from allometry.errors import AllometryError
from allometry.network import Network, Shape


class Model:
    """A trained model, read from a checkpoint by `allometry.load`."""

    def __init__(self, checkpoint: Checkpoint):
        self.path = checkpoint.path
        self.description = checkpoint.description
        """The checkpoint's description: configuration, settings, features, results of the best epoch."""
        self._shape = Shape.of(checkpoint)
        self._network = Network(self._shape, self._shape.tensors(checkpoint))

    @property
    def features(self) -> list[str]:
        """Names of the features, in the order of a window's columns."""
        return list(self._shape.features)

    @property
    def context(self) -> int:
        """Rows of a window."""
        return self._shape.context

    @property
    def columns(self) -> list[str]:
        """Names of the predicted columns: `score`, or one for each class."""
        names = self._shape.class_names
        if self._shape.task == "classes":
            return [f"class_{names[number] if names else number}" for number in range(self._shape.outputs)]
        return [f"class_{names[1]}"] if names and self._shape.task == "binary" else ["score"]

    def predict(self, table: Any) -> Any:
        """The table of predictions that `allometry predict` writes, one row for each row with enough history, series
        after series if the model's table held several.

        `table` is the path of a CSV file, a pandas or polars frame, a dictionary of columns, or, for a model without a
        time column, a NumPy array `(rows, features)`. A column of categories holds text; a category that the training
        rows did not have counts as none of them. In an array each category has its own column; a column with learned
        vectors holds the number of the category, from 1 in the order of the description's names, and 0 for any other.
        The predictions come as a frame of the same kind, or as a dictionary of arrays: `row`, the number of the row
        from 0, counting rows that were left out; its series and its time as the table has them; and the probability of
        a positive label, of each class, or the predicted number. Probabilities are calibrated if the checkpoint holds a
        calibration. A pandas frame keeps its index.
        """
        rows = self._rows(table)
        scores = self._network.scores(self._network.logits(self._windows(rows)))
        ends = rows.ends
        predicted = {"row": rows.numbers[ends]}
        if self._shape.series_column is not None:
            predicted[self._free(self._shape.series_column)] = rows.series[ends]
        if self._shape.time is not None:
            predicted[self._free(self._shape.time)] = rows.times[ends]
        for place, name in enumerate(self.columns):
            predicted[name] = scores[:, place]
        return rows.frame(predicted, ends)

    def windows(self, table: Any) -> Any:
        """Windows `(windows, context, features)` of a table's values: the input of `logits`, of the module of
        `to_torch` and of an exported ONNX model."""
        return self._windows(self._rows(table))

    def logits(self, windows: Any) -> Any:
        """Raw outputs `(windows, outputs)` for windows of a table's values, not scaled. A calibration is no part of them;
        `predict` applies it."""
        import numpy

        windows = numpy.asarray(windows, numpy.float32)
        wanted = (self._shape.context, len(self._shape.features))
        if windows.ndim != 3 or windows.shape[1:] != wanted:
            raise AllometryError(
                f"windows have the shape {windows.shape}, but the model takes (windows, {wanted[0]}, {wanted[1]})", 2
            )
        return self._network.logits(windows)

    def to_torch(self) -> Any:
        """A `torch.nn.Module` with the model's weights, from windows of a table's values to logits.

        It is in evaluation mode; its parameters have the names of the checkpoint's tensors. Needs PyTorch.
        """
        from allometry.torch_module import Module

        return Module(self._network)

    def __repr__(self) -> str:
        shape = self._shape
        return f"<allometry model {self.path}: {shape.task}, {shape.context} rows of {', '.join(shape.features)}>"

    def _rows(self, table: Any) -> tables.Rows:
        shape = self._shape
        missing = tables.Missing(shape.missing, shape.means)
        order = tables.Order(shape.time, shape.series_column, shape.max_gap)
        return tables.read(table, shape.features, shape.categories, order, missing, shape.context)

    def _windows(self, rows: tables.Rows) -> Any:
        import numpy

        cut = numpy.lib.stride_tricks.sliding_window_view(rows.values, self._shape.context, axis=0)
        windows = cut.transpose(0, 2, 1)
        # Without holes a view is enough, which takes no memory.
        return windows if len(rows.ends) == len(windows) else windows[rows.ends - (self._shape.context - 1)]

    def _free(self, name: str) -> str:
        """A name for the column of times or of series that no other column has."""
        return f"{name}.1" if name in ("row", *self.columns) else name


def load(path: str | os.PathLike[str]) -> Model:
    """Reads the model of a checkpoint that `allometry train` wrote. Needs NumPy, nothing else."""
    return Model(read(os.fspath(path)))
