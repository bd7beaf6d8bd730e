"""Trains a small network with PyTorch on generated data; pruned, resumed, and comparable row by row.

The lines that the search needs stand between the marks. Everything else is an ordinary training script.
"""

import json
import os

import torch
from torch import nn

# Begin: parameters, report, checkpoints (without Allometry the script runs on its defaults).
PARAMS = {"d_model": 32, "n_layers": 2, "learning_rate": 3e-3, "dropout": 0.1}
if path := os.environ.get("ALLOMETRY_PARAMS"):
    PARAMS.update(json.load(open(path)))
SEED = int(os.environ.get("ALLOMETRY_SEED", 0))
CHECKPOINT = os.path.join(os.environ.get("ALLOMETRY_CHECKPOINT_DIR", "."), "checkpoint.pt")


def report(**line):
    with open(os.environ.get("ALLOMETRY_REPORT", os.devnull), "a") as file:
        file.write(json.dumps(line) + "\n")


def should_stop():
    return os.path.exists(os.environ.get("ALLOMETRY_REPORT", "") + ".stop")
# End.

EPOCHS, FEATURES, BATCH = 15, 8, 64


def table(rows, seed):
    """Features, and a label that depends on products of them."""
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, FEATURES, generator=source)
    score = x[:, 0] * x[:, 1] + torch.sin(2 * x[:, 2]) + torch.randn(rows, generator=source)
    return x, (score > 0).float()


def model():
    width = PARAMS["d_model"]
    layers = [nn.Linear(FEATURES, width), nn.GELU()]
    for _ in range(PARAMS["n_layers"]):
        layers += [nn.Linear(width, width), nn.GELU(), nn.Dropout(PARAMS["dropout"])]
    return nn.Sequential(*layers, nn.Linear(width, 1))


def auc(scores, labels):
    """Share of pairs of a positive and a negative row that the scores put in order; half for ties."""
    difference = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return ((difference > 0).double() + 0.5 * (difference == 0).double()).mean().item()


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    torch.manual_seed(SEED % 2**63)
    (x, y), (x_validation, labels) = table(1500, 1), table(800, 2)
    network = model().to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=PARAMS["learning_rate"])
    first, best, scores = 1, 0.0, []
    if os.path.exists(CHECKPOINT):
        state = torch.load(CHECKPOINT)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        first, best, scores = state["epoch"] + 1, state["best"], state["scores"]
        print("resumed after epoch", state["epoch"])
    for epoch in range(first, EPOCHS + 1):
        network.train()
        for rows in torch.randperm(len(x)).split(BATCH):
            logits = network(x[rows].to(device)).squeeze(1)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, y[rows].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            now = torch.sigmoid(network(x_validation.to(device)).squeeze(1)).cpu()
        value = auc(now, labels)
        if value > best:
            best, scores = value, now.tolist()
        print("epoch", epoch, "loss", loss.item(), "auc", value, flush=True)
        state = {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": epoch,
            "best": best,
            "scores": scores,
        }
        torch.save(state, CHECKPOINT + ".new")
        os.replace(CHECKPOINT + ".new", CHECKPOINT)
        report(step=epoch, value=value, metrics={"loss": loss.item()})
        if should_stop():
            return
    report(scores=scores, labels=labels.int().tolist())
    report(final=True, value=best, weights=sum(p.numel() for p in network.parameters()))


main()
