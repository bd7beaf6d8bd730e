"""Median wall time, CPU time and peak memory of whole processes, run in turn so that noise falls on all alike.

    python3 benches/process.py --runs 20 'allometry report X=a.json' 'python3 other.py'

Prints one row per command and the ratio of its medians to the first command's.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import time


def measure(command):
    """Wall seconds, CPU seconds and peak resident MiB of one run; a failing command ends the benchmark."""
    started = time.perf_counter()
    process = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command}\n{message.decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("commands", nargs="+")
    arguments = parser.parse_args()
    for command in arguments.commands:
        measure(command)
    results = {command: [] for command in arguments.commands}
    for _ in range(arguments.runs):
        for command in arguments.commands:
            results[command].append(measure(command))
    medians = [[statistics.median(column) for column in zip(*results[c])] for c in arguments.commands]
    print("| command | wall, ms | CPU, ms | peak, MiB | wall, ratio | CPU, ratio |")
    print("|---|---|---|---|---|---|")
    for command, (wall, cpu, peak) in zip(arguments.commands, medians):
        ratios = f"{wall / medians[0][0]:.2f} | {cpu / medians[0][1]:.2f}"
        print(f"| `{command}` | {wall * 1e3:.1f} | {cpu * 1e3:.1f} | {peak:.1f} | {ratios} |")


if __name__ == "__main__":
    main()
