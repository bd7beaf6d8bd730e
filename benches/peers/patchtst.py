"""The built-in trainer's model in PyTorch, from stock modules, as a user would write it."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width, heads, rate, ratio=4):
        super().__init__()
        self.heads, self.rate = heads, rate
        self.scale = None  # 1 / sqrt(width of a head)
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, ratio * width)
        self.narrow = nn.Linear(ratio * width, width)
        self.dropout = nn.Dropout(rate)

    def forward(self, x):
        n, patches, width = x.shape
        parts = self.qkv(self.attention_norm(x)).view(n, patches, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        p = self.rate if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=p, scale=self.scale)
        mixed = mixed.transpose(1, 2).reshape(n, patches, width)
        x = x + self.dropout(self.projection(mixed))
        wide = self.dropout(nn.functional.gelu(self.widen(self.feed_forward_norm(x))))
        return x + self.dropout(self.narrow(wide))


class Classifier(nn.Module):
    """Windows (batch, context, features) to one output each, or (batch, outputs) where there are several.

    `revin` scales each window by its own mean and deviation, `affine` multiplies and moves the result by learned numbers;
    `feature_embedding` is the number of columns that a linear map makes of the features; with `independent` each column is a
    series of its own that meets the others in the head; `mean` lets the head see the mean of the patches.
    """

    def __init__(
        self, width, layers, heads, rate, features, context, patch, stride, revin=False, ratio=4, affine=False,
        feature_embedding=0, independent=False, mean=False, outputs=1, head_rate=0.0,
    ):
        super().__init__()
        self.patch, self.stride, self.normalises = patch, stride, revin
        self.independent, self.mean, self.affine = independent, mean, affine
        patches = (context - patch) // stride + 1
        columns = feature_embedding or features
        series = columns if independent else 1
        if affine:
            self.revin = Affine(features)
        self.feature_embedding = nn.Linear(features, columns) if feature_embedding else None
        self.embedding = nn.Linear(patch * columns // series, width)
        self.positions = nn.Parameter(0.02 * torch.randn(patches, width))
        self.dropout = nn.Dropout(rate)
        self.blocks = nn.ModuleList(Block(width, heads, rate, ratio) for _ in range(layers))
        self.final_norm = nn.LayerNorm(width)
        self.head_dropout = nn.Dropout(head_rate)
        self.head = nn.Linear(series * (1 if mean else patches) * width, outputs)

    @classmethod
    def from_description(cls, description):
        """The module of a checkpoint's description, weights not yet loaded."""
        params, model, data = description["params"], description["model"], description["data"]
        module = cls(
            params["d_model"],
            params["n_layers"],
            params["n_heads"],
            params.get("dropout", 0.1),
            len(data["features"]),
            model["context"],
            model["patch"],
            model["stride"],
            revin=model["normalize"] == "revin",
            ratio=params.get("d_ff_ratio", 4),
            affine=model.get("revin_affine", False),
            feature_embedding=model.get("feature_embedding", 0),
            independent=model.get("channels") == "independent",
            mean=model.get("head") == "mean",
            outputs=data["preparation"]["classes"] or 1,
            head_rate=model.get("head_dropout", 0.0),
        )
        if model.get("parametrization") == "mup":
            for block in module.blocks:
                block.scale = model.get("base_head_width", 16) ** 0.5 * params["n_heads"] / params["d_model"]
        return module

    def forward(self, windows):
        if self.normalises:
            mean = windows.mean(1, keepdim=True)
            deviation = (windows.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
            windows = (windows - mean) / deviation
        if self.affine:
            windows = self.revin(windows)
        if self.feature_embedding:
            windows = self.feature_embedding(windows)
        n, _, columns = windows.shape
        patches = windows.unfold(1, self.patch, self.stride)
        if self.independent:
            patches = patches.transpose(1, 2).reshape(n * columns, -1, self.patch)
        else:
            patches = patches.transpose(2, 3).flatten(2)
        x = self.dropout(self.embedding(patches) + self.positions)
        for block in self.blocks:
            x = block(x)
        x = self.final_norm(x)
        if self.mean:
            x = x.mean(1, keepdim=True)
        return self.head(self.head_dropout(x.reshape(n, -1))).squeeze(1)


class Affine(nn.Module):
    """The learned part of RevIN."""

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, windows):
        return windows * self.weight + self.bias
