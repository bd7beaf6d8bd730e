"""Writes patchtst.json: what PyTorch computes, in double precision, for a small model of the trainer's architecture.

Usage: python patchtst.py > patchtst.json   (needs torch)
"""

import json
import sys

import torch
from torch import nn

FEATURES, CONTEXT, PATCH, STRIDE = 3, 12, 4, 4
WIDTH, LAYERS, HEADS, RATIO = 8, 2, 2, 2
WINDOWS, STEPS = 6, 20
RATE, DECAY, CLIP = 2e-3, 0.01, 0.5


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.projection = nn.Linear(WIDTH, WIDTH)
        self.feed_forward_norm = nn.LayerNorm(WIDTH)
        self.widen = nn.Linear(WIDTH, RATIO * WIDTH)
        self.narrow = nn.Linear(RATIO * WIDTH, WIDTH)

    def forward(self, x):
        batch, patches, _ = x.shape
        parts = self.qkv(self.attention_norm(x)).view(batch, patches, 3, HEADS, WIDTH // HEADS)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.projection(mixed.transpose(1, 2).reshape(batch, patches, WIDTH))
        return x + self.narrow(nn.functional.gelu(self.widen(self.feed_forward_norm(x))))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        patches = (CONTEXT - PATCH) // STRIDE + 1
        self.embedding = nn.Linear(PATCH * FEATURES, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(patches, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.final_norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(patches * WIDTH, 1)

    def forward(self, windows):
        patches = windows.unfold(1, PATCH, STRIDE).transpose(2, 3).flatten(2)
        x = self.embedding(patches) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.final_norm(x).flatten(1)).squeeze(1)

    def flat(self, gradient=False):
        """Tensors in the trainer's order; its linear weights have one row per input."""

        def values(parameter):
            tensor = parameter.grad if gradient else parameter
            return (tensor.T if tensor.dim() == 2 and parameter is not self.positions else tensor).flatten()

        modules = [self.embedding, self.positions]
        for block in self.blocks:
            modules += [block.attention_norm, block.qkv, block.projection]
            modules += [block.feed_forward_norm, block.widen, block.narrow]
        parts = []
        for module in [*modules, self.final_norm, self.head]:
            tensors = [module] if isinstance(module, nn.Parameter) else [module.weight, module.bias]
            parts += [values(tensor) for tensor in tensors]
        return torch.cat(parts).detach()


def revin(windows):
    mean = windows.mean(1, keepdim=True)
    return (windows - mean) / (windows.var(1, keepdim=True, correction=0) + 1e-5).sqrt()


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.flatten().tolist()]


def main():
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    model = Classifier()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
            parameter.copy_(parameter.float())
    batches = torch.randn(2, WINDOWS, CONTEXT, FEATURES).float().double()
    labels = torch.rand(2, WINDOWS) < 0.4
    result = {
        "weights": numbers(model.flat()),
        "windows": [numbers(batch) for batch in batches],
        "labels": labels.tolist(),
        "settings": {"learning_rate": RATE, "weight_decay": DECAY, "gradient_clip": CLIP},
        "logits": numbers(model(batches[0])),
        "revin_logits": numbers(model(revin(batches[0]))),
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(
            model(batches[step % 2]), labels[step % 2].double()
        )
        loss.backward()
        if step == 0:
            result["gradient"] = numbers(model.flat(gradient=True))
        norm = nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        losses.append((loss.item(), norm.item()))
        optimizer.step()
    result["losses"] = [loss for loss, _ in losses]
    result["gradient_norms"] = [norm for _, norm in losses]
    json.dump(result, sys.stdout)
    print()


main()
