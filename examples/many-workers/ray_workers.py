"""Starts as many workers on a Ray cluster as the argument says, each on one device, and waits for them."""

import os
import subprocess
import sys

import ray


@ray.remote(num_gpus=1)
def worker(storage, folder):
    # Ray sets CUDA_VISIBLE_DEVICES to the device that it gave to this task.
    environment = os.environ | {"ALLOMETRY_STORAGE": storage}
    command = ["allometry", "worker", "--quiet", "--folder", folder, "--workers", "1"]
    return subprocess.run(command, env=environment).returncode


ray.init()
storage = os.environ["ALLOMETRY_STORAGE"]
print(ray.get([worker.remote(storage, os.getcwd()) for _ in range(int(sys.argv[1]))]))
