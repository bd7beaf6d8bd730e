"""Calls the program `allometry`."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile

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


def follow(*arguments: str, quiet: bool = False) -> str:
    """Standard output of a long command, whose progress is shown on `sys.stderr` as it comes, also in a notebook.

    An interrupt is passed on to the program, which saves its state, and raised again when the program has ended.
    """
    # Its own process group, so that Ctrl-C in a terminal does not reach the program a second time.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output, subprocess.Popen(
        [find(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        process_group=0,
    ) as process:
        said: list[str] = []
        try:
            _relay(process, said, quiet)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            _relay(process, said, quiet)
            raise
        if process.returncode != 0:
            raise AllometryError("".join(said[-20:]).strip() or f"exit code {process.returncode}", process.returncode)
        output.seek(0)
        return output.read()


def _relay(process: "subprocess.Popen[str]", said: list[str], quiet: bool) -> None:
    """Shows what the program says until it ends."""
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if not quiet:
            sys.stderr.write(line)
            sys.stderr.flush()
    process.wait()
