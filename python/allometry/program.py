"""Calls the program `allometry`."""

import os
import shutil
import subprocess
import sys
import sysconfig

from allometry.errors import AllometryError


def find() -> str:
    """Path of the program: `ALLOMETRY_BINARY`, else the one installed with this module, else the one in `PATH`."""
    if named := os.environ.get("ALLOMETRY_BINARY"):
        return named
    folders = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable)]
    for folder in folders:
        if found := shutil.which("allometry", path=folder):
            return found
    if found := shutil.which("allometry"):
        return found
    raise AllometryError("there is no program `allometry`: install the wheel, or name it in ALLOMETRY_BINARY", 127)


def call(*arguments: str) -> str:
    """Standard output of the program; `AllometryError` with what it said where it fails."""
    done = subprocess.run([find(), *arguments], capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise AllometryError(done.stderr.strip() or f"exit code {done.returncode}", done.returncode)
    return done.stdout
