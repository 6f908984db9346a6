#!/usr/bin/env python3
"""ports.py free N: prints N free loopback ports.   ports.py check PORT…: fails if one is taken, and says by whom."""

import os
import random
import socket
import sys

# Below the ports that the kernel gives to outgoing connections: a client that looks for a server which is just being
# restarted could be given the server's own port, and keep it.
LOWEST, HIGHEST = 20_000, 28_999


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError:
            return False
    return True


def owner(port: int) -> str:
    """The process that listens on a port, as far as /proc shows it."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = open(table).read().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A":
                inodes.add(f"socket:[{fields[9]}]")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{fd}") in inodes:
                    command = open(f"/proc/{pid}/cmdline").read().replace("\0", " ").strip()
                    return f"process {pid} ({command[:60]})"
        except OSError:
            continue
    return "another process"


def main() -> None:
    match sys.argv[1:]:
        case ["free", count]:
            candidates = random.SystemRandom().sample(range(LOWEST, HIGHEST + 1), HIGHEST - LOWEST + 1)
            free = (port for port in candidates if is_free(port))
            print(*[next(free) for _ in range(int(count))])
        case ["check", *ports]:
            for port in map(int, ports):
                if not is_free(port):
                    sys.exit(f"port {port} is in use by {owner(port)}")
        case _:
            sys.exit(__doc__)


main()
