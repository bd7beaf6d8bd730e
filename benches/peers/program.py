"""A sampler that runs as a program and speaks the protocol of `allometry sampler`: JSON lines over pipes."""

import json
import os
import subprocess


class Program:
    """Starts `command` and tells it the problem: `header` is the first line."""

    def __init__(self, command, **header):
        self.process = subprocess.Popen(command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.send(**header)

    def send(self, **line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def receive(self):
        return json.loads(self.process.stdout.readline())["params"]

    def seconds(self):
        """Ends the program and returns the processor time that it took."""
        self.process.stdin.close()
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        return usage.ru_utime + usage.ru_stime
