"""Reads checkpoints: safetensors files with the model's tensors and, as JSON, a description of the model.

Needs NumPy. Sizes that the file claims are checked against its length before they are used, and the arrays are
views of the bytes read, so that no claim of a file takes memory.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

from allometry.errors import AllometryError

SCHEMAS = ("allometry.checkpoint/1", "allometry.checkpoint/2")
"""Names and versions of the formats that this module reads."""

_LONGEST_HEADER = 100_000_000
_LARGEST = 1 << 40
_UNREADABLE, _WRONG = 4, 3


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in memory."""

    path: str
    description: dict[str, Any]
    tensors: dict[str, Any]

    def wrong(self, field: str, why: str) -> AllometryError:
        """The error for a field of the description or for a tensor."""
        return AllometryError(f"{self.path}: {field} {why}", _WRONG)

    def field(self, place: str, default: Any = None) -> Any:
        """A value of the description by its path, such as `model.context`; `default` where it is not given."""
        found: Any = self.description
        for name in place.split("."):
            if not isinstance(found, dict):
                raise self.wrong(place, "cannot be read: what holds it is no JSON object")
            found = found.get(name)
        return default if found is None else found

    def whole(self, place: str, default: int | None = None, least: int = 1) -> int:
        """A whole number of the description."""
        found = self.field(place, default)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= _LARGEST:
            raise self.wrong(place, f"is {found!r}, but must be a whole number from {least} to {_LARGEST}")
        return found

    def share(self, place: str, default: float) -> float:
        """A number from 0 to below 1."""
        found = self.field(place, default)
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found < 1:
            raise self.wrong(place, f"is {found!r}, but must be a number from 0 to below 1")
        return float(found)

    def word(self, place: str, words: tuple[str, ...]) -> str:
        """One of several words; the first where it is not given."""
        found = self.field(place, words[0])
        if found not in words:
            raise self.wrong(place, f"is {found!r}; this version of allometry knows {', '.join(words)}")
        return found

    def flag(self, place: str) -> bool:
        """A truth value; false where it is not given."""
        found = self.field(place, False)
        if not isinstance(found, bool):
            raise self.wrong(place, f"is {found!r}, but must be true or false")
        return found

    def names(self, place: str) -> list[str]:
        """A list of texts; empty where it is not given."""
        found = self.field(place, [])
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise self.wrong(place, "must be a list of texts")
        return found

    def scale(self, place: str, found: Any) -> tuple[float, float]:
        """A mean with a standard deviation above 0."""
        fits = isinstance(found, list) and len(found) == 2
        fits = fits and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in found)
        try:
            fits = fits and all(math.isfinite(x) for x in found) and found[1] > 0
        except OverflowError:
            fits = False
        if not fits:
            raise self.wrong(place, "must be a mean and a standard deviation above 0")
        return float(found[0]), float(found[1])

    def tensor(self, name: str, *shape: int) -> Any:
        """A tensor of the model, which must have this shape."""
        found = self.tensors.get(name)
        if found is None:
            raise self.wrong(f"tensor `{name}`", "is missing")
        if found.shape != shape:
            raise self.wrong(f"tensor `{name}`", f"is {list(found.shape)}, not {list(shape)}")
        return found


def read(path: str) -> Checkpoint:
    """Reads a checkpoint with a trained model."""
    import numpy

    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise AllometryError(f"cannot read checkpoint {path}: {error.strerror or error}", _UNREADABLE) from error
    header, data = _header(path, content)
    metadata = header.pop("__metadata__", None)
    text = metadata.get("allometry") if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise AllometryError(f"{path} is a safetensors file, but not a checkpoint of Allometry", _UNREADABLE)
    description = _object(path, text, "its description")
    if description.get("schema") not in SCHEMAS:
        found = description.get("schema", "no name")
        raise AllometryError(f"{path} has the format {found}; this package reads {' and '.join(SCHEMAS)}", _UNREADABLE)
    tensors = {name: _tensor(path, name, entry, data) for name, entry in header.items()}
    parts = sorted((entry["data_offsets"] for entry in header.values()), key=tuple)
    ends = [0] + [end for _, end in parts]
    if [start for start, _ in parts] != ends[:-1] or ends[-1] != len(data):
        raise _damaged(path, f"its tensors do not fill its {len(data)} bytes of data")
    if description.get("best") is None:
        raise AllometryError(
            f"{path} holds no finished epoch yet; run the same `allometry train` again to continue it", _UNREADABLE
        )
    arrays = {
        name: numpy.frombuffer(view, dtype="<f4").reshape(header[name]["shape"]) for name, view in tensors.items()
    }
    return Checkpoint(path, description, arrays)


def _damaged(path: str, why: str) -> AllometryError:
    return AllometryError(f"{path} is not a complete safetensors file: {why}", _UNREADABLE)


def _object(path: str, text: str | bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"{what} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise _damaged(path, f"{what} is not a JSON object")
    return found


def _header(path: str, content: bytes) -> tuple[dict[str, Any], memoryview]:
    """The header of a safetensors file, and the data behind it."""
    if len(content) < 8:
        raise _damaged(path, f"it has {len(content)} bytes")
    length = int.from_bytes(content[:8], "little")
    if length > min(len(content) - 8, _LONGEST_HEADER):
        raise _damaged(path, f"it says that its header has {length} bytes, but the file has {len(content)}")
    return _object(path, content[8 : 8 + length], "its header"), memoryview(content)[8 + length :]


def _tensor(path: str, name: str, entry: Any, data: memoryview) -> memoryview:
    """The bytes of a tensor, after a check of its type, its shape and its place."""

    def counts(value: Any) -> bool:
        whole = isinstance(value, list) and all(isinstance(n, int) and not isinstance(n, bool) for n in value)
        return whole and all(0 <= n <= len(data) for n in value)

    entry = entry if isinstance(entry, dict) else {}
    if entry.get("dtype") != "F32":
        raise _damaged(path, f"tensor `{name}` is {entry.get('dtype')!r}, not F32")
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not counts(shape) or not counts(offsets) or len(offsets) != 2:
        raise _damaged(path, f"tensor `{name}` has no valid shape and place")
    start, end = offsets
    if end - start != 4 * math.prod(shape):
        raise _damaged(path, f"tensor `{name}` of shape {shape} has {end - start} bytes")
    return data[start:end]
