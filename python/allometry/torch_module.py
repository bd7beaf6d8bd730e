"""The built-in model as a module of PyTorch."""

from typing import Any

import torch
from torch import nn

from allometry.network import Network, Shape


class Module(nn.Module):
    """A trained model: windows `(windows, context, features)` of a table's values to logits `(windows, outputs)`."""

    def __init__(self, network: Network):
        super().__init__()
        shape = network.shape
        self.shape = shape
        width = shape.width
        scaling = torch.tensor(shape.scaling or [(0.0, 1.0)], dtype=torch.float64)
        self.register_buffer("means", scaling[:, 0], persistent=False)
        self.register_buffer("deviations", scaling[:, 1], persistent=False)
        if shape.affine:
            self.revin = _Affine(shape.numbers)
        self.category_embeddings = nn.ModuleList(_Vectors(len(one.names), one.embedding or 0) for one in shape.vectors)
        if shape.embedded:
            self.feature_embedding = nn.Linear(shape.inputs, shape.embedded)
        self.embedding = nn.Linear(shape.patch * shape.columns // shape.series, width)
        self.positions = nn.Parameter(torch.empty(shape.patches, width))
        self.dropout = nn.Dropout(shape.dropout)
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
        self.final_norm = nn.LayerNorm(width)
        self.head_dropout = nn.Dropout(shape.head_dropout)
        self.head = nn.Linear(shape.series * (1 if shape.mean else shape.patches) * width, shape.outputs)
        self.load_state_dict({name: torch.tensor(values) for name, values in network.tensors.items()})
        self.eval()

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The logits of windows of a table's values, not scaled."""
        shape = self.shape
        x = windows
        if shape.scaling is not None:
            largest = torch.finfo(torch.float32).max
            x = ((x.double() - self.means) / self.deviations).clamp(-largest, largest).float()
        x, codes = x[..., : shape.numbers], x[..., shape.numbers :]
        if shape.normalize == "revin":
            x = x - x[:, :1]
            x = x - x.mean(1, keepdim=True)
            x = x / ((x * x).mean(1, keepdim=True) + 1e-5).sqrt()
        if shape.affine:
            x = self.revin(x)
        vectors = [layer(codes[..., number]) for number, layer in enumerate(self.category_embeddings)]
        x = torch.cat([x, *vectors], -1) if vectors else x
        if shape.embedded:
            x = self.feature_embedding(x)
        patches = x.unfold(1, shape.patch, shape.stride)
        if shape.independent:
            patches = patches.transpose(1, 2).reshape(-1, shape.patches, shape.patch)
        else:
            patches = patches.transpose(2, 3).flatten(2)
        x = self.dropout(self.embedding(patches) + self.positions)
        for block in self.blocks:
            x = block(x)
        x = self.final_norm(x)
        if shape.mean:
            x = x.mean(1)
        return self.head(self.head_dropout(x.reshape(len(windows), -1)))

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        """Probability of a positive label, probability of each class, or the predicted number; calibrated if the
        checkpoint is."""
        calibration = self.shape.calibration
        if calibration.knots is not None:
            return _interpolated(logits.double(), *calibration.knots).float()
        logits = calibration.slope * logits.double() + calibration.intercept
        if self.shape.task == "binary":
            return logits.sigmoid().float()
        if self.shape.task == "classes":
            return logits.softmax(1).float()
        mean, deviation = self.shape.target
        return (logits * deviation + mean).float()


def _interpolated(x: torch.Tensor, knots: list[float], values: list[float]) -> torch.Tensor:
    """The values at `x` between knots that rise, and those of the outer knots outside of them."""
    places, heights = (torch.tensor(one, dtype=x.dtype, device=x.device) for one in (knots, values))
    if len(knots) == 1:
        return heights.expand_as(x)
    x = x.clamp(places[0], places[-1])
    after = torch.searchsorted(places, x.contiguous(), right=True).clamp(1, len(knots) - 1)
    share = (x - places[after - 1]) / (places[after] - places[after - 1])
    return heights[after - 1] + share * (heights[after] - heights[after - 1])


class _Affine(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features))
        self.bias = nn.Parameter(torch.empty(features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight + self.bias


class _Vectors(nn.Module):
    def __init__(self, categories: int, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(categories, size))

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """The vectors of numbers of categories, from 1; zeros for the number 0."""
        table = nn.functional.pad(self.weight, (0, 0, 1, 0))
        return nn.functional.embedding(codes.long(), table)


class _Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        width = shape.width
        self.heads, self.scale = shape.heads, shape.score_scale
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, shape.wide)
        self.narrow = nn.Linear(shape.wide, width)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, patches, width = x.shape
        parts = self.qkv(self.attention_norm(x)).view(n, patches, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        dropout = self.dropout.p if self.training else 0.0
        mixed: Any = nn.functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, scale=self.scale)
        x = x + self.dropout(self.projection(mixed.transpose(1, 2).reshape(n, patches, width)))
        wide = self.dropout(nn.functional.gelu(self.widen(self.feed_forward_norm(x))))
        return x + self.dropout(self.narrow(wide))
