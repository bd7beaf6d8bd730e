"""Trains a transformer with PyTorch on generated sequences, from a thousand weights to 200 million on a GPU.

The lines that the search needs stand between the marks. Everything else is an ordinary training script.
"""

import argparse
import json
import os
import sys

import torch
from torch import nn

# Begin: parameters, report, checkpoints (without Allometry the script runs on its defaults).
PARAMS = {"d_model": 16, "n_layers": 2, "n_heads": 2, "d_ff_ratio": 4, "learning_rate": 3e-3, "dropout": 0.1}
if path := os.environ.get("ALLOMETRY_PARAMS"):
    PARAMS.update(json.load(open(path)))
SEED = int(os.environ.get("ALLOMETRY_SEED", 0))
# The weights that the ladder file's formula gives for these parameters.
WEIGHTS = os.environ.get("ALLOMETRY_WEIGHTS")
CHECKPOINT = os.path.join(os.environ.get("ALLOMETRY_CHECKPOINT_DIR", "."), "checkpoint.pt")
# Whether the value and the scores are to be those of the test rows.
IS_TEST = os.environ.get("ALLOMETRY_PART") == "test"


def report(**line):
    with open(os.environ.get("ALLOMETRY_REPORT", os.devnull), "a") as file:
        file.write(json.dumps(line) + "\n")


def should_stop():
    return os.path.exists(os.environ.get("ALLOMETRY_REPORT", "") + ".stop")
# End.

# The rows of each part are whole batches: another shape would be compiled anew.
FEATURES, LENGTH, BATCH = 4, 16, 64


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--compile", action="store_true", help="compile the network (torch.compile)")
    parser.add_argument(
        "--precision", choices=["auto", "bf16", "float32"], default="auto",
        help="bf16 runs the network under autocast; auto is bf16 on GPUs that have it",
    )
    return parser.parse_args()


def table(rows, seed, device):
    """Sequences, and labels that depend on products of features."""
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, LENGTH, FEATURES, generator=source)
    score = (x[:, :, 0] * x[:, :, 1]).mean(1) * 4 + torch.randn(rows, generator=source)
    return x.to(device), (score > 0).float().to(device)


class Network(nn.Module):
    """An embedding with learned positions, encoder layers, and a linear map of their mean to one logit."""

    def __init__(self, width, layers, heads, ratio, dropout):
        super().__init__()
        self.embedding = nn.Linear(FEATURES, width)
        self.positions = nn.Parameter(0.02 * torch.randn(LENGTH, width))
        sizes = (width, heads, ratio * width, dropout)
        options = {"activation": "gelu", "batch_first": True, "norm_first": True}
        self.layers = nn.Sequential(*(nn.TransformerEncoderLayer(*sizes, **options) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        x = self.norm(self.layers(self.embedding(x) + self.positions)).mean(1)
        # Logits in bf16 would make ties of scores that differ.
        with torch.autocast(x.device.type, enabled=False):
            return self.head(x.float()).squeeze(1)


def auc(scores, labels):
    """Share of pairs of a positive and a negative row that the scores put in order; half for ties."""
    difference = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return ((difference > 0).double() + 0.5 * (difference == 0).double()).mean().item()


def random_state():
    return [torch.get_rng_state()] + ([torch.cuda.get_rng_state()] if torch.cuda.is_available() else [])


def main():
    options = arguments()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    has_bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    bf16 = options.precision == "bf16" or (options.precision == "auto" and has_bf16)
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(SEED % 2**63)
    shape = [PARAMS[name] for name in ("d_model", "n_layers", "n_heads", "d_ff_ratio", "dropout")]
    network = Network(*shape).to(device)
    weights = sum(p.numel() for p in network.parameters() if p.requires_grad)
    if WEIGHTS and weights != int(WEIGHTS):
        sys.exit(f"the network has {weights} weights, but `weights` in the ladder file gives {WEIGHTS}")
    forward = torch.compile(network) if options.compile else network
    optimizer = torch.optim.AdamW(network.parameters(), lr=PARAMS["learning_rate"], fused=True)
    (x, y), validation = table(1536, 1, device), table(768, 2, device)
    scored = table(768, 3, device) if IS_TEST else validation
    print(f"{weights} weights on {device}, {'bf16' if bf16 else 'float32'}{', compiled' * options.compile}")

    def run(x):
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            return forward(x)

    def scores_of(x):
        network.eval()
        with torch.no_grad():
            return torch.cat([torch.sigmoid(run(rows)) for rows in x.split(BATCH)])

    # `steps` are the lines that were reported: a trial that is tried again has a new report.
    state = {"epoch": 0, "best": 0.0, "best_step": 0, "scores": None, "steps": []}
    if os.path.exists(CHECKPOINT):
        saved = torch.load(CHECKPOINT, map_location="cpu")
        state = saved["state"]
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        for restore, random in zip((torch.set_rng_state, torch.cuda.set_rng_state), saved["random"]):
            restore(random)
        for line in state["steps"]:
            report(**line)
        print("resumed after epoch", state["epoch"])
    for epoch in range(state["epoch"] + 1, options.epochs + 1):
        network.train()
        losses = []
        for rows in torch.randperm(len(x)).to(device).split(BATCH):
            loss = nn.functional.binary_cross_entropy_with_logits(run(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.detach())
        loss = torch.stack(losses).mean().item()
        if loss != loss:
            sys.exit(f"the loss of epoch {epoch} is not a number")
        shown = scores_of(validation[0])
        value = auc(shown, validation[1])
        if value > state["best"]:
            shown = scores_of(scored[0]) if IS_TEST else shown
            state.update(best=value, best_step=epoch, scores=shown.cpu())
        print("epoch", epoch, "loss", loss, "auc", value, flush=True)
        state["epoch"] = epoch
        state["steps"].append({"step": epoch, "value": value, "metrics": {"loss": loss}})
        saved = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(saved | {"random": random_state(), "state": state}, CHECKPOINT + ".new")
        os.replace(CHECKPOINT + ".new", CHECKPOINT)
        report(**state["steps"][-1])
        if should_stop():
            return
    labels = scored[1].cpu()
    report(scores=state["scores"].tolist(), labels=labels.int().tolist())
    value = state["best"]
    if IS_TEST:
        report(metrics={"validation": value})
        value = auc(state["scores"], labels)
    report(final=True, value=value, weights=weights, best_step=state["best_step"])


if __name__ == "__main__":
    main()
