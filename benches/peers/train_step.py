"""Compares a training step of the built-in trainer with the same step in PyTorch eager, by CPU time and peak memory.

Usage: python benches/peers/train_step.py [--rounds 5] [--sizes S M L]   (needs torch and cargo; Linux)

Both run in turn, each on one thread, with the same input (batch, 80, 105), patches of 16 rows every 8, dropout 0.1,
gradients clipped at norm 1 and AdamW (fused in PyTorch). A round's figure is the CPU time of all threads of the
process per step, from the scheduler; the table shows medians over the rounds.
"""

import argparse
import glob
import statistics
import subprocess
import sys

SIZES = {"S": (96, 2, 8, 128, 20), "M": (192, 6, 8, 64, 8), "L": (384, 10, 16, 32, 3)}
FEATURES, CONTEXT, PATCH, STRIDE = 105, 80, 16, 8


class Peer:
    """A process that does some steps for each line it is sent."""

    def __init__(self, command, steps):
        self.steps = steps
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            raise SystemExit(f"{self.process.args} said {line!r} instead of {word!r}")

    def cpu_seconds(self):
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path) as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def round(self):
        before = self.cpu_seconds()
        self.process.stdin.write("\n")
        self.expect("done")
        return (self.cpu_seconds() - before) / self.steps

    def finish(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        self.process.stdin.close()
        self.process.wait()
        return peak / 1024


def run_torch(width, layers, heads, batch, steps):
    import torch
    from patchtst import Classifier
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Classifier(width, layers, heads, 0.1, FEATURES, CONTEXT, PATCH, STRIDE).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    windows = torch.randn(batch, CONTEXT, FEATURES)
    labels = (torch.arange(batch) % 5 == 0).float()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.binary_cross_entropy_with_logits(model(windows), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    for _ in range(3):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        for _ in range(steps):
            step()
        print("done", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--torch", choices=list(SIZES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch:
        run_torch(*SIZES[options.torch])
        return
    build = ["cargo", "build", "--release", "-p", "allometry-trainer", "--example", "train_step"]
    subprocess.run([*build, "--quiet"], check=True)
    text = subprocess.run([*build, "--message-format=json"], check=True, capture_output=True, text=True).stdout
    binary = text.split('"executable":"')[-1].split('"')[0]
    print("size  allometry ms  PyTorch ms  ratio  peak MiB allometry  PyTorch")
    for size in options.sizes:
        numbers = [str(n) for n in SIZES[size]]
        ours = Peer([binary, *numbers], SIZES[size][-1])
        theirs = Peer([sys.executable, __file__, "--torch", size], SIZES[size][-1])
        rounds = [(ours.round(), theirs.round()) for _ in range(options.rounds)]
        ours_median, theirs_median = (1e3 * statistics.median(r) for r in zip(*rounds))
        print(
            f"{size:4}  {ours_median:12.1f}  {theirs_median:10.1f}  {theirs_median / ours_median:5.2f}"
            f"  {ours.finish():18.0f}  {theirs.finish():7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
