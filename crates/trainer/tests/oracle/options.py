"""Writes options.json: what PyTorch computes in double precision for each option of the trainer's model.

Usage: python options.py > options.json   (needs torch)

One case per option: tensors by the names of benches/peers/patchtst.py, one batch, the logits, the loss, its gradient by
every tensor, and the losses of a few steps of AdamW.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[4] / "benches/peers"))
from patchtst import Classifier  # noqa: E402

FEATURES, CONTEXT, PATCH, STRIDE, WINDOWS, STEPS, RATE = 3, 12, 4, 4, 7, 4, 3e-3


def bce(weight=1.0, smoothing=0.0):
    def loss(logits, labels):
        targets = labels * (1 - smoothing) + smoothing / 2
        weight_tensor = torch.tensor(weight)
        return nn.functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weight_tensor)

    return loss


def focal(logits, labels, gamma=2.0):
    p = torch.sigmoid(logits)
    own = torch.where(labels > 0, p, 1 - p)
    return (-((1 - own) ** gamma) * own.log()).mean()


def soft_auc(logits, labels):
    positive, negative = logits[labels > 0], logits[labels == 0]
    return nn.functional.softplus(negative[None] - positive[:, None]).mean()


def classes(logits, labels):
    return nn.functional.cross_entropy(logits, labels.long(), label_smoothing=0.1)


CASES = {
    "plain": ({}, {}, bce()),
    "affine": ({"normalize": "revin", "revin_affine": True}, {"revin": True, "affine": True}, bce()),
    "embedding": ({"feature_embedding": 2}, {"feature_embedding": 2}, bce()),
    "independent": ({"channels": "independent"}, {"independent": True}, bce()),
    "everything": (
        {
            "normalize": "revin",
            "revin_affine": True,
            "feature_embedding": 4,
            "channels": "independent",
            "head": "mean",
        },
        {"revin": True, "affine": True, "feature_embedding": 4, "independent": True, "mean": True},
        bce(),
    ),
    "mean": ({"head": "mean"}, {"mean": True}, bce()),
    "weighted": ({"loss": "weighted", "positive_weight": 3.0}, {}, bce(weight=3.0)),
    "smoothing": ({"label_smoothing": 0.2}, {}, bce(smoothing=0.2)),
    "focal": ({"loss": "focal"}, {}, focal),
    "soft_auc": ({"loss": "soft_auc"}, {}, soft_auc),
    "classes": ({"task": "classes", "label_smoothing": 0.1}, {"outputs": 3}, classes),
    "regression": ({"task": "regression"}, {}, lambda logits, targets: ((logits - targets) ** 2).mean()),
}


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.flatten().tolist()]


def main():
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    cases = []
    for name, (settings, form, loss_of) in CASES.items():
        model = Classifier(8, 1, 2, 0.0, FEATURES, CONTEXT, PATCH, STRIDE, ratio=2, **form)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
                parameter.copy_(parameter.float())
        windows = torch.randn(WINDOWS, CONTEXT, FEATURES).float().double()
        targets = (torch.arange(WINDOWS) % 3 == 0).double()
        if name == "classes":
            targets = (torch.arange(WINDOWS) % 3).double()
        if name == "regression":
            targets = torch.randn(WINDOWS).float().double()
        case = {"name": name, "settings": settings, "windows": numbers(windows), "targets": numbers(targets)}
        case["tensors"] = {key: numbers(value) for key, value in model.state_dict().items()}
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
        losses = []
        for step in range(STEPS):
            optimizer.zero_grad()
            logits = model(windows)
            loss = loss_of(logits, targets)
            loss.backward()
            if step == 0:
                case["logits"] = numbers(logits)
                gradients = {key: numbers(parameter.grad) for key, parameter in model.named_parameters()}
                case["gradients"] = gradients
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            losses.append(loss.item())
            optimizer.step()
        case["losses"] = losses
        cases.append(case)
    json.dump(cases, sys.stdout)
    print()


main()
