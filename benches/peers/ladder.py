"""Times a whole ladder against PyTorch and Optuna doing the same trials: the same configurations, epochs and early stopping.

Usage: python benches/peers/ladder.py TABLE.parquet [--trials 50] [--epochs 50] [--patience 10] [--binary PATH]
(needs torch, optuna, pandas, pyarrow, scikit-learn)

The ladder has budgets of 100k, 400k and 1.6M weights. `allometry run` does its trials with two workers; then their configurations are
enqueued in one Optuna study per budget in an SQLite file, and two processes with one thread each train them in PyTorch (models as a user would
write them, fused AdamW) with the same batches, clipping, validation after each epoch and early stopping. Training is random in both, so
that trials stop at different epochs: the table shows wall time, epochs, and time per epoch.
"""

import argparse
import json
import multiprocessing
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from validation_auc import CONTEXT, PATCH, STRIDE, TABLE, windows

BATCH = 128
LADDER = """
name = "ladder"
trials = {trials}
seed = 1
""" + TABLE + """normalize = "standard"
epochs = {epochs}
patience = {patience}
batch_size = {batch}
[space]
d_model = [32, 48, 64, 96, 128, 160]
n_layers = {{ int = [2, 6] }}
n_heads = [2, 4, 8]
d_ff_ratio = [2, 4]
learning_rate = {{ float = [1e-5, 5e-4], log = true }}
dropout = [0.1, 0.3, 0.5]
weight_decay = [0.0, 1e-4, 1e-3]
[[budget]]
label = "100k"
weights = 100_000
[[budget]]
label = "400k"
weights = 400_000
[[budget]]
label = "1.6M"
weights = 1_600_000
[sampler]
kind = "sobol"
"""


def ours(binary, folder, options):
    """Wall seconds, and per budget each trial's configuration and epochs."""
    ladder = folder / "ladder.toml"
    settings = {"context": CONTEXT, "patch": PATCH, "stride": STRIDE, "batch": BATCH}
    ladder.write_text(LADDER.format(table=options.table, **settings, **vars_of(options)))
    began = time.monotonic()
    subprocess.run([binary, "run", str(ladder), "--workers", "2", "--quiet"], check=True)
    seconds = time.monotonic() - began
    database = sqlite3.connect(folder / "trials.db")
    trials = {}
    names = dict(database.execute("select study_id, study_name from studies"))
    for trial, study in database.execute("select trial_id, study_id from trials where state = 'COMPLETE'"):
        params = {}
        rows = "select param_name, param_value, distribution_json from trial_params where trial_id = ?"
        for name, value, distribution in database.execute(rows, (trial,)):
            choices = json.loads(distribution)["attributes"].get("choices")
            params[name] = choices[int(value)] if choices else value
        epochs = "select count(*) from trial_intermediate_values where trial_id = ?"
        count = database.execute(epochs, (trial,)).fetchone()[0]
        trials.setdefault(names[study], []).append((params, count))
    return seconds, trials


def vars_of(options):
    return {"trials": options.trials, "epochs": options.epochs, "patience": options.patience}


def work(arguments):
    """One process: optimises every study until no enqueued trial is left for it."""
    storage, table, studies, epochs, patience = arguments
    import optuna
    import torch
    from patchtst import Classifier
    from sklearn.metrics import roc_auc_score
    from torch import nn

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)
    features, labels, train, validation = windows(table)
    fitted = features[: train.stop]
    deviation = fitted.std(0)
    features = (features - fitted.mean(0)) / [d if d > 0 else 1.0 for d in deviation]
    values, targets = torch.tensor(features, dtype=torch.float32), torch.tensor(labels)
    cut = values.unfold(0, CONTEXT, 1).transpose(1, 2)
    shown = cut[validation.start - CONTEXT + 1 : validation.stop - CONTEXT + 1]
    done = 0

    def objective(trial):
        nonlocal done
        p = {name: trial.suggest_float(name, 0, 1e6) for name in ("learning_rate", "dropout", "weight_decay")}
        p |= {name: trial.suggest_int(name, 1, 10**6) for name in ("d_model", "n_layers", "n_heads", "d_ff_ratio")}
        model = Classifier(
            p["d_model"], p["n_layers"], p["n_heads"], p["dropout"], values.shape[1], CONTEXT, PATCH, STRIDE,
            ratio=p["d_ff_ratio"],
        )
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=p["learning_rate"], weight_decay=p["weight_decay"], fused=True
        )
        best, waited = 0.0, 0
        for epoch in range(epochs):
            model.train()
            for rows in (torch.randperm(len(train)) + train.start).split(BATCH):
                optimizer.zero_grad(set_to_none=True)
                logits = model(cut[rows - CONTEXT + 1])
                nn.functional.binary_cross_entropy_with_logits(logits, targets[rows]).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            model.eval()
            with torch.no_grad():
                auc = roc_auc_score(labels[validation.start : validation.stop], model(shown).numpy())
            trial.report(auc, epoch)
            done += 1
            best, waited = (auc, 0) if auc > best else (best, waited + 1)
            if waited >= patience:
                break
        return best

    for name, count in studies:
        optuna.load_study(study_name=name, storage=storage).optimize(objective, n_trials=count)
    return done


def theirs(folder, trials, options):
    """Wall seconds and epochs."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{folder / 'optuna.db'}"
    shares = [[], []]
    for name, rows in trials.items():
        study = optuna.create_study(study_name=name, storage=storage, direction="maximize")
        for params, _ in rows:
            study.enqueue_trial(params)
        half = len(rows) // 2
        shares[0].append((name, len(rows) - half))
        shares[1].append((name, half))
    began = time.monotonic()
    arguments = [(storage, options.table, share, options.epochs, options.patience) for share in shares]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        epochs = sum(pool.map(work, arguments, chunksize=1))
    return time.monotonic() - began, epochs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--binary", default="target/release/allometry", help="from `cargo build --release`")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--patience", type=int, default=10)
    options = parser.parse_args()
    options.table = str(Path(options.table).resolve())
    sys.stdout.reconfigure(line_buffering=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds, trials = ours(str(Path(options.binary).resolve()), folder, options)
        epochs = sum(count for rows in trials.values() for _, count in rows)
        print("          wall s  epochs  s per epoch")
        print(f"ours    {seconds:8.1f}  {epochs:6}  {seconds / epochs:11.3f}")
        peer, peer_epochs = theirs(folder, trials, options)
        print(f"PyTorch {peer:8.1f}  {peer_epochs:6}  {peer / peer_epochs:11.3f}")
        whole, each = peer / seconds, peer / peer_epochs / (seconds / epochs)
        print(f"ratio   {whole:8.2f}          {each:11.2f}")


if __name__ == "__main__":
    main()
