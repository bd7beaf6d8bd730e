"""Compares a training step of the built-in trainer with the same step in PyTorch, by CPU time and peak memory.

Usage: python benches/peers/train_step.py [--rounds 5] [--sizes S M L] [--compiled]   (needs torch and cargo; Linux)

The trainer in f32 and bf16, and PyTorch eager in f32 and under autocast to bf16 (with --compiled also both compiled),
run in turn, each on one thread, with the same input (batch, 80, 105), patches of 16 rows every 8, dropout 0.1, gradients
clipped at norm 1 and AdamW (fused in PyTorch). A round's figure is the CPU time of all threads of the process per step,
from the scheduler. The table shows medians over the rounds, the median ratios of PyTorch's time to the trainer's in the
same round, and peak memory.
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


def run_torch(mode, width, layers, heads, batch, steps):
    import torch
    from patchtst import Classifier
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Classifier(width, layers, heads, 0.1, FEATURES, CONTEXT, PATCH, STRIDE).train()
    forward = torch.compile(model) if "compiled" in mode else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    windows = torch.randn(batch, CONTEXT, FEATURES)
    labels = (torch.arange(batch) % 5 == 0).float()

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled="bf16" in mode):
            logits = forward(windows)
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)
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
    parser.add_argument("--compiled", action="store_true", help="measure compiled PyTorch, too")
    parser.add_argument("--torch", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch:
        mode, size = options.torch
        run_torch(mode, *SIZES[size])
        return
    build = ["cargo", "build", "--release", "-p", "allometry-trainer", "--example", "train_step"]
    subprocess.run([*build, "--quiet"], check=True)
    text = subprocess.run([*build, "--message-format=json"], check=True, capture_output=True, text=True).stdout
    binary = text.split('"executable":"')[-1].split('"')[0]
    modes = ["f32", "bf16"] + (["compiled f32", "compiled bf16"] if options.compiled else [])
    for size in options.sizes:
        numbers = [str(n) for n in SIZES[size]]
        steps = SIZES[size][-1]
        peers = {f"allometry {mode}": Peer([binary, *numbers, mode], steps) for mode in ("f32", "bf16")}
        for mode in modes:
            command = [sys.executable, __file__, "--torch", mode, size]
            peers[f"PyTorch {mode}"] = Peer(command, steps)
        rounds = [{name: peer.round() for name, peer in peers.items()} for _ in range(options.rounds)]
        print(f"{size:24}        ms  over f32  over bf16  peak MiB")
        for name, peer in peers.items():
            median = 1e3 * statistics.median(times[name] for times in rounds)
            ratios = [
                statistics.median(times[name] / times[f"allometry {ours}"] for times in rounds)
                for ours in ("f32", "bf16")
            ]
            print(f"  {name:22}  {median:8.1f}  {ratios[0]:8.2f}  {ratios[1]:9.2f}  {peer.finish():8.0f}", flush=True)


if __name__ == "__main__":
    main()
