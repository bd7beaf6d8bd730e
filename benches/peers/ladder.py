"""Times a whole ladder against PyTorch and Optuna doing the same trials: the same configurations, epochs and early stopping.

Usage: python benches/peers/ladder.py TABLE.parquet [--trials 50] [--epochs 50] [--patience 10] [--binary PATH] [--mode MODE]
(needs torch, optuna, pandas, pyarrow, scikit-learn; a C++ compiler for compiled modes)

The ladder has budgets of 100k, 400k and 1.6M weights. `allometry run` does its trials with two workers. Then two processes with one thread
each train the same configurations in PyTorch (models as a user would write them, fused AdamW) with the same batches, clipping, validation
after each epoch and early stopping, as trials of one Optuna study per budget in an SQLite file. At the start each budget's middle
configuration is measured in float32 and in bf16 under autocast, and compiled in the faster of the two, and the budget is trained in the mode
that needs least time for a trial. This measurement is not in the wall time. Training is random in both, so that trials stop at
different epochs: the table shows wall time, epochs, and time per epoch.
"""

import argparse
import functools
import json
import multiprocessing
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from validation_auc import CONTEXT, PATCH, STRIDE, TABLE, windows

BATCH = 128
FLOATS = ("learning_rate", "dropout", "weight_decay")
INTS = ("d_model", "n_layers", "n_heads", "d_ff_ratio")
PRECISIONS = ("float32", "bf16")
MODES = (*PRECISIONS, *(f"compiled {precision}" for precision in PRECISIONS))
# Steps whose median is a mode's speed.
STEPS = 10
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
            value = choices[int(value)] if choices else value
            params[name] = int(value) if name in INTS else value
        epochs = "select count(*) from trial_intermediate_values where trial_id = ?"
        count = database.execute(epochs, (trial,)).fetchone()[0]
        trials.setdefault(names[study], []).append((params, count))
    return seconds, trials


def vars_of(options):
    return {"trials": options.trials, "epochs": options.epochs, "patience": options.patience}


class Trainer:
    """Trains configurations in PyTorch on the table, in one thread."""

    def __init__(self, table):
        import torch

        torch.set_num_threads(1)
        features, self.labels, self.train, self.validation = windows(table)
        fitted = features[: self.train.stop]
        deviation = fitted.std(0)
        features = (features - fitted.mean(0)) / [d if d > 0 else 1.0 for d in deviation]
        values, self.targets = torch.tensor(features, dtype=torch.float32), torch.tensor(self.labels)
        self.features = values.shape[1]
        self.cut = values.unfold(0, CONTEXT, 1).transpose(1, 2)
        self.shown = self.cut[self.validation.start - CONTEXT + 1 : self.validation.stop - CONTEXT + 1]

    def begin(self, params, mode):
        """Makes the model of a configuration, to be run in a mode."""
        import torch
        from patchtst import Classifier

        # Otherwise PyTorch would stop compiling after a few models of other shapes.
        torch.compiler.reset()
        self.model = Classifier(
            params["d_model"], params["n_layers"], params["n_heads"], params["dropout"], self.features,
            CONTEXT, PATCH, STRIDE, ratio=params["d_ff_ratio"],
        )
        rates = {"lr": params["learning_rate"], "weight_decay": params["weight_decay"]}
        self.optimizer = torch.optim.AdamW(self.model.parameters(), fused=True, **rates)
        self.forward = torch.compile(self.model) if "compiled" in mode else self.model
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled="bf16" in mode)

    def batches(self):
        import torch

        return (torch.randperm(len(self.train)) + self.train.start).split(BATCH)

    def step(self, rows):
        from torch import nn

        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast:
            logits = self.forward(self.cut[rows - CONTEXT + 1])
        nn.functional.binary_cross_entropy_with_logits(logits.float(), self.targets[rows]).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()

    def auc(self):
        import torch
        from sklearn.metrics import roc_auc_score

        self.model.eval()
        with torch.no_grad(), self.autocast:
            logits = self.forward(self.shown).float()
        return roc_auc_score(self.labels[self.validation.start : self.validation.stop], logits.numpy())


def measure(arguments):
    """Returns the seconds before a mode runs at full speed (compiling), those of a step, and those of a validation."""
    table, params, mode = arguments
    trainer = Trainer(table)
    whole, *_, last = trainer.batches()
    # What a process does once, such as imports, belongs to no mode.
    trainer.begin(params, "float32")
    trainer.step(last)
    trainer.auc()
    trainer.begin(params, mode)

    def seconds(what, *arguments):
        began = time.monotonic()
        what(*arguments)
        return time.monotonic() - began

    first = seconds(trainer.step, whole) + seconds(trainer.step, last) + seconds(trainer.auc)
    step = statistics.median(seconds(trainer.step, whole) for _ in range(STEPS))
    validation = statistics.median(seconds(trainer.auc) for _ in range(3))
    return max(0.0, first - 2 * step - validation), step, validation


def fastest(pool, name, rows, options):
    """Returns the mode in which PyTorch is expected to need least for a trial of a budget, compiling included."""
    if options.mode != "measured":
        return options.mode
    middle = sorted(rows, key=lambda row: row[0]["d_model"])[len(rows) // 2][0]
    epochs = statistics.mean(count for _, count in rows)
    steps = steps_of(options.table)
    whole = {}

    def expect(mode):
        before, step, validation = pool.apply(measure, ((options.table, middle, mode),))
        whole[mode] = before + epochs * (steps * step + validation)
        print(
            f"{name}: {mode:16} {before:6.1f} s before, {1e3 * step:7.1f} ms a step, "
            f"{1e3 * validation:7.1f} ms a validation: {whole[mode]:7.1f} s for {epochs:.0f} epochs"
        )

    for precision in PRECISIONS:
        expect(precision)
    # Compiling takes long, so that the slower precision is left out.
    expect(f"compiled {min(whole, key=whole.get)}")
    return min(whole, key=whole.get)


def steps_of(table):
    """Returns the number of batches in an epoch."""
    return -(-len(windows(table)[2]) // BATCH)


def start(storage, options):
    """Prepares a process of the pool for `evaluate`."""
    global study_of, trainer_of_process, limits
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    study_of = functools.cache(lambda name: optuna.load_study(study_name=name, storage=storage))
    trainer_of_process, limits = Trainer(options.table), (options.epochs, options.patience)


def evaluate(arguments):
    """Trains one configuration as a trial of its study and returns the number of epochs."""
    name, params, mode = arguments
    import optuna

    study, trainer, (epochs, patience) = study_of(name), trainer_of_process, limits
    done = 0

    def objective(trial):
        nonlocal done
        p = {name: trial.suggest_float(name, 0, 1e6) for name in FLOATS}
        p |= {name: trial.suggest_int(name, 1, 10**6) for name in INTS}
        trainer.begin(p, mode)
        best, waited = 0.0, 0
        for epoch in range(epochs):
            for rows in trainer.batches():
                trainer.step(rows)
            auc = trainer.auc()
            trial.report(auc, epoch)
            done += 1
            best, waited = (auc, 0) if auc > best else (best, waited + 1)
            if waited >= patience:
                break
        return best

    # Enqueued trials would not do: two processes can take the same one.
    study.sampler = optuna.samplers.PartialFixedSampler(params, optuna.samplers.RandomSampler())
    study.optimize(objective, n_trials=1)
    return done


def theirs(folder, trials, options):
    """Wall seconds and epochs. The pool hands each configuration to one process, as soon as the process is free."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{folder / 'optuna.db'}"
    processes = multiprocessing.get_context("spawn")
    work = []
    with processes.Pool(1) as pool:
        for name, rows in trials.items():
            mode = fastest(pool, name, rows, options)
            print(f"{name}: PyTorch runs {mode}")
            work += [(name, params, mode) for params, _ in rows]
    for name in trials:
        optuna.create_study(study_name=name, storage=storage, direction="maximize")
    began = time.monotonic()
    with processes.Pool(2, start, (storage, options)) as pool:
        epochs = sum(pool.imap_unordered(evaluate, work, chunksize=1))
    return time.monotonic() - began, epochs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--binary", default="target/release/allometry", help="from `cargo build --release`")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--mode", choices=["measured", *MODES], default="measured", help="of PyTorch")
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
