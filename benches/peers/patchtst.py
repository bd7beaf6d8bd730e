"""The built-in trainer's model in PyTorch, from stock modules, as a user would write it."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width, heads, rate, ratio=4):
        super().__init__()
        self.heads, self.rate = heads, rate
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
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=p)
        mixed = mixed.transpose(1, 2).reshape(n, patches, width)
        x = x + self.dropout(self.projection(mixed))
        wide = self.dropout(nn.functional.gelu(self.widen(self.feed_forward_norm(x))))
        return x + self.dropout(self.narrow(wide))


class Classifier(nn.Module):
    """Windows (batch, context, features) to one logit each; `revin` scales each window by its own mean and deviation."""

    def __init__(self, width, layers, heads, rate, features, context, patch, stride, revin=False, ratio=4):
        super().__init__()
        self.patch, self.stride, self.revin = patch, stride, revin
        patches = (context - patch) // stride + 1
        self.embedding = nn.Linear(patch * features, width)
        self.positions = nn.Parameter(0.02 * torch.randn(patches, width))
        self.dropout = nn.Dropout(rate)
        self.blocks = nn.ModuleList(Block(width, heads, rate, ratio) for _ in range(layers))
        self.final_norm = nn.LayerNorm(width)
        self.head = nn.Linear(patches * width, 1)

    @classmethod
    def from_description(cls, description):
        """The module of a checkpoint's description, weights not yet loaded."""
        params, model = description["params"], description["model"]
        return cls(
            params["d_model"],
            params["n_layers"],
            params["n_heads"],
            params.get("dropout", 0.1),
            len(description["data"]["features"]),
            model["context"],
            model["patch"],
            model["stride"],
            revin=model["normalize"] == "revin",
            ratio=params.get("d_ff_ratio", 4),
        )

    def forward(self, windows):
        if self.revin:
            mean = windows.mean(1, keepdim=True)
            deviation = (windows.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
            windows = (windows - mean) / deviation
        patches = windows.unfold(1, self.patch, self.stride).transpose(2, 3).flatten(2)
        x = self.dropout(self.embedding(patches) + self.positions)
        for block in self.blocks:
            x = block(x)
        return self.head(self.final_norm(x).flatten(1)).squeeze(1)
