"""CPU and memory of a dashboard with many open tabs.

    cargo build --release && cargo build --release -p allometry-store --example load_store
    target/release/examples/load_store x.db 10000
    python3 benches/dashboard_tabs.py target/release/allometry x.db --tabs 50 --seconds 60

Each tab asks for the page, its parts and its charts once, then listens to the stream of events as a browser does. Printed are the shares
of one core that the server took while they were opened and while nothing changed, and its peak memory.
"""

import argparse
import os
import socket
import subprocess
import time


def ask(host, port, path):
    """The whole answer."""
    with socket.create_connection((host, port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        parts = []
        while part := connection.recv(1 << 20):
            parts.append(part)
    answer = b"".join(parts)
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    return answer


def listen(host, port):
    connection = socket.create_connection((host, port))
    connection.sendall(f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    connection.setblocking(False)
    return connection


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("allometry")
    parser.add_argument("storage")
    parser.add_argument("--tabs", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    command = [arguments.allometry, "serve", "--listen", "127.0.0.1:0", arguments.storage]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        host, port = server.stdout.readline().strip().removeprefix("Dashboard: http://").rstrip("/").split(":")
        started = time.perf_counter()
        first = ask(host, port, "/charts")
        print(f"first charts: {time.perf_counter() - started:.2f} s, {len(first) / 2**20:.1f} MiB")
        tabs = []
        before, started = cpu_seconds(server.pid), time.perf_counter()
        for _ in range(arguments.tabs):
            for path in ("/", "/live", "/charts"):
                ask(host, port, path)
            tabs.append(listen(host, port))
        taken = cpu_seconds(server.pid) - before
        print(f"{arguments.tabs} tabs opened in {time.perf_counter() - started:.2f} s, {taken:.2f} s of CPU")
        before = cpu_seconds(server.pid)
        time.sleep(arguments.seconds)
        share = (cpu_seconds(server.pid) - before) / arguments.seconds
        peak = next(line.split()[1] for line in open(f"/proc/{server.pid}/status") if line.startswith("VmHWM"))
        print(f"at rest: {100 * share:.2f}% of a core over {arguments.seconds:.0f} s; peak memory {int(peak) / 1024:.0f} MiB")
    finally:
        server.kill()


if __name__ == "__main__":
    main()
