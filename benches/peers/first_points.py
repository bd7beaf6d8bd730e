"""Time from opening a dashboard's page to its first points: ours beside optuna-dashboard, on one database.

    pip install selenium==4.51.0 (with chromium and chromedriver)
    cargo build --release
    python3 benches/peers/first_points.py target/release/allometry --trials 1000 --repeats 5

Both servers run at the same time on the same SQLite file, which Optuna wrote. The pages are opened in turn, each time in
a new browser without a cache, and the time ends when the chart of the history has points.
"""

import argparse
import json
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna
from selenium import webdriver
from selenium.webdriver.chrome.service import Service


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def write_study(path, trials):
    """A study of five parameters with random trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name="points", direction="maximize")
    draw = random.Random(1)
    distributions = {f"x{i}": optuna.distributions.FloatDistribution(0.0, 1.0) for i in range(5)}
    rows = []
    for _ in range(trials):
        params = {name: draw.random() for name in distributions}
        value = params["x0"] - 0.3 * params["x1"] ** 2 + draw.gauss(0, 0.1)
        rows.append(optuna.create_trial(params=params, distributions=distributions, value=value))
    study.add_trials(rows)


def browser():
    options = webdriver.ChromeOptions()
    for argument in ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"]:
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium")
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def seconds_to(page, has_points):
    """Seconds from the start of the navigation until the page has points."""
    with browser() as driver:
        driver.get("about:blank")
        start = time.perf_counter()
        driver.get(page)
        while not driver.execute_script(f"return {has_points}"):
            if time.perf_counter() - start > 120:
                raise TimeoutError(f"{page} has no points")
            time.sleep(0.01)
        return time.perf_counter() - start


def wait_for_port(port):
    deadline = time.time() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.time() > deadline:
                raise
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "points.db"
        write_study(database, asked.trials)
        ours, theirs = free_port(), free_port()
        servers = [
            subprocess.Popen([asked.program, "serve", database, "--listen", f"127.0.0.1:{ours}"], stdout=subprocess.DEVNULL),
            subprocess.Popen(
                [Path(sys.executable).parent / "optuna-dashboard", f"sqlite:///{database}", "--port", str(theirs)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ),
        ]
        pages = {
            "allometry": (f"http://127.0.0.1:{ours}/", "document.querySelector('#history-0 svg .marks path') !== null"),
            "optuna-dashboard": (
                f"http://127.0.0.1:{theirs}/dashboard/studies/1",
                "document.querySelector('.scatterlayer path.point, .scatterlayer .points path, canvas') !== null",
            ),
        }
        try:
            for port in [ours, theirs]:
                wait_for_port(port)
            times = {name: [] for name in pages}
            for _ in range(asked.repeats):
                for name, (page, has_points) in pages.items():
                    times[name].append(seconds_to(page, has_points))
        finally:
            for server in servers:
                server.terminate()
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    result = {"trials": asked.trials, "seconds": times, "medians": medians}
    result["ratio"] = medians["optuna-dashboard"] / medians["allometry"]
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
