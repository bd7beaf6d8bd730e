"""Compares validation AUCs of the built-in trainer with PyTorch's on the same windows and settings.

Usage: python benches/peers/validation_auc.py TABLE.parquet [--seeds 4]   (needs torch, pandas, pyarrow, scikit-learn)

The table has columns date, close, high, label and features. Model: d_model 96, 2 layers, 8 heads, ratio 4, context 80, patches of 16
every 8; batch 128, AdamW with weight decay 1e-4, gradients clipped at norm 1, 20 epochs, best epoch by AUC. Every combination of learning
rate and dropout is trained once per seed by both, two trials at a time. One line each; then per setting both means with their spread over
the seeds and Welch's p-value of the difference of the two.
"""

import argparse
import json
import multiprocessing
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CONTEXT, PATCH, STRIDE, EPOCHS, BATCH, DECAY = 80, 16, 8, 20, 128, 1e-4
RATES, DROPOUTS = (1e-4, 5e-4), (0.4,)
# What every ladder on the table begins with.
TABLE = """
[data]
path = "{table}"
time = "date"
label = "label"
features = {{ exclude = ["close", "high"] }}
split = {{ train = 0.70, validation = 0.15 }}
[model]
kind = "patchtst"
context = {context}
patch = {patch}
stride = {stride}
"""
LADDER = """
name = "auc"
trials = {trials}
seed = {seed}
""" + TABLE + """normalize = "{normalize}"
epochs = {epochs}
patience = {epochs}
batch_size = {batch}
[space]
d_model = [96]
n_layers = [2]
n_heads = [8]
d_ff_ratio = [4]
learning_rate = {rates}
dropout = {dropouts}
weight_decay = [{decay}]
[[budget]]
label = "S"
weights = "any"
[sampler]
kind = "grid"
probes = false
"""


def ours(binary, table, normalize, seed):
    """AUC by (learning rate, dropout)."""
    with tempfile.TemporaryDirectory() as folder:
        ladder = Path(folder) / "ladder.toml"
        ladder.write_text(
            LADDER.format(
                trials=len(RATES) * len(DROPOUTS), seed=seed, table=table, context=CONTEXT, patch=PATCH, stride=STRIDE,
                normalize=normalize, epochs=EPOCHS, batch=BATCH, rates=list(RATES), dropouts=list(DROPOUTS), decay=DECAY,
            )
        )
        command = [binary, "run", str(ladder), "--workers", "2"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        database = sqlite3.connect(Path(folder) / "trials.db")
        numbers = "select trial_id, param_name, param_value, distribution_json from trial_params"
        params = {}
        for trial, name, value, distribution in database.execute(numbers):
            choices = json.loads(distribution)["attributes"].get("choices")
            params.setdefault(trial, {})[name] = choices[int(value)] if choices else value
        values = dict(database.execute("select trial_id, value from trial_values"))
        return {(params[t]["learning_rate"], params[t]["dropout"]): value for t, value in values.items()}


def windows(table):
    """Features scaled on the training part, labels, and the last rows of training and validation windows."""
    import pandas

    frame = pandas.read_parquet(table).sort_values("date")
    labels = frame["label"].to_numpy().astype("float32")
    features = frame.drop(columns=["date", "close", "high", "label"]).to_numpy().astype("float64")
    boundary, end = int(len(frame) * 0.70 + 1e-6), int(len(frame) * 0.85 + 1e-6)
    train = range(CONTEXT - 1, boundary - (CONTEXT - 1) - 1)
    return features, labels, train, range(boundary, end)


def theirs(arguments):
    table, normalize, rate, dropout, seed = arguments
    import torch
    from patchtst import Classifier
    from sklearn.metrics import roc_auc_score
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    features, labels, train, validation = windows(table)
    if normalize == "standard":
        fitted = features[: train.stop]
        deviation = fitted.std(0)
        features = (features - fitted.mean(0)) / [d if d > 0 else 1.0 for d in deviation]
    values, targets = torch.tensor(features, dtype=torch.float32), torch.tensor(labels)
    cut = values.unfold(0, CONTEXT, 1).transpose(1, 2)
    model = Classifier(96, 2, 8, dropout, values.shape[1], CONTEXT, PATCH, STRIDE, revin=normalize == "revin")
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=DECAY, fused=True)
    best = 0.0
    for _ in range(EPOCHS):
        model.train()
        order = torch.randperm(len(train)) + train.start
        for rows in order.split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.binary_cross_entropy_with_logits(model(cut[rows - CONTEXT + 1]), targets[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            logits = model(cut[validation.start - CONTEXT + 1 : validation.stop - CONTEXT + 1])
        best = max(best, roc_auc_score(labels[validation.start : validation.stop], logits.numpy()))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--binary", default="target/release/allometry", help="from `cargo build --release`")
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    table = str(Path(options.table).resolve())
    sys.stdout.reconfigure(line_buffering=True)
    from scipy.stats import ttest_ind

    print("normalize  rate    dropout  ours mean (sd)   PyTorch mean (sd)  p of the difference")
    for normalize in ("standard", "revin"):
        settings = [(rate, dropout) for rate in RATES for dropout in DROPOUTS]
        own = [ours(options.binary, table, normalize, seed) for seed in range(options.seeds)]
        work = [(table, normalize, *setting, seed) for setting in settings for seed in range(options.seeds)]
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            peers = dict(zip((item[2:] for item in work), pool.map(theirs, work, chunksize=1)))
        all_own, all_peers = [], []
        for rate, dropout in settings:
            first = [by_setting[rate, dropout] for by_setting in own]
            second = [peers[rate, dropout, seed] for seed in range(options.seeds)]
            all_own += first
            all_peers += second
            show(normalize, f"{rate:<7} {dropout:<7}", first, second, ttest_ind)
        show(normalize, "all            ", all_own, all_peers, ttest_ind)
        print(f"{normalize:<10} best            {max(all_own):.4f}           {max(all_peers):.4f}")


def show(normalize, setting, first, second, ttest):
    def mean(values):
        return f"{statistics.mean(values):.4f} ({statistics.stdev(values):.4f})"

    p = ttest(first, second, equal_var=False).pvalue
    print(f"{normalize:<10} {setting}  {mean(first)}  {mean(second)}    {p:.2f}")


if __name__ == "__main__":
    main()
