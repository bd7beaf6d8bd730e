"""Writes trials of Ray Tune or of Weights & Biases with their own exporters: `tools.py ray|wandb FOLDER` prints what they are."""

import glob
import json
import os
import shutil
import sys

what, folder = sys.argv[1:3]


def of_ray():
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    import ray
    from ray import tune

    ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False)

    def train(config):
        for step in range(2):
            tune.report({"loss": config["lr"] / (step + 1), "acc": 0.5})

    space = {"lr": tune.loguniform(1e-4, 1e-1), "n": tune.randint(1, 9), "act": tune.choice(["relu", "gelu"])}
    tuner = tune.Tuner(
        train,
        param_space=space,
        tune_config=tune.TuneConfig(num_samples=3, metric="loss", mode="min", max_concurrent_trials=1),
        run_config=tune.RunConfig(storage_path=folder, name="experiment", verbose=0),
    )
    results = tuner.fit()
    frame = results.get_dataframe()
    frame.to_csv(f"{folder}/ray.csv", index=False)
    frame.to_json(f"{folder}/ray.json", orient="records", double_precision=15)
    trials = [{"params": dict(result.config), "value": result.metrics["loss"]} for result in results]
    return [{"file": name, "trials": trials} for name in ("ray.csv", "ray.json", "experiment")]


def of_wandb():
    import wandb

    trials = [{"params": {"lr": 0.1 / (i + 1), "n": i + 2, "act": "relu"}, "value": 0.5 - i / 10} for i in range(3)]
    run = wandb.init(mode="offline", project="p", dir=folder, settings=wandb.Settings(silent=True))
    names = ["Name", "State", "config.lr", "config.n", "config.act", "loss"]
    rows = [[f"run-{i}", "finished", *trial["params"].values(), trial["value"]] for i, trial in enumerate(trials)]
    run.log({"trials": wandb.Table(columns=names, data=rows)})
    run.finish()
    (table,) = glob.glob(f"{folder}/wandb/offline-run-*/files/media/table/*.table.json")
    shutil.copy(table, f"{folder}/wandb.json")
    return [{"file": "wandb.json", "trials": trials}]


print(json.dumps({"ray": of_ray, "wandb": of_wandb}[what]()))
