"""A private instance of a server, driven by the scripts as any test of faults drives them."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVERS = ROOT / "servers"
# Seconds: a start of Cassandra on two busy cores, with room.
PATIENCE = 240


def script(name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script of servers/; what it says is in stdout and stderr."""
    command = [str(SERVERS / name), *map(str, arguments)]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=2 * PATIENCE)


def new_folder(test: unittest.TestCase) -> pathlib.Path:
    """A folder on the disk that the servers' data is on (/tmp may be memory), gone after the test."""
    parent = ROOT / "target" / "servers" / "test"
    parent.mkdir(parents=True, exist_ok=True)
    return pathlib.Path(test.enterContext(tempfile.TemporaryDirectory(dir=parent)))


def eventually(what: str, condition, seconds: float = 60):
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)
    return value


def processes_of(folder: pathlib.Path) -> list[int]:
    """Every process whose command line names a file below the folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"{folder}/" in (entry / "cmdline").read_text():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


class Instance:
    """Started on construction; use as a context, which stops it."""

    def __init__(self, name: str, folder: pathlib.Path, *options: object, **environment: str):
        self.name, self.folder, self.options, self.environment = name, folder, options, environment
        self.facts: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        began = time.monotonic()
        done = script("start.sh", self.name, "--data", self.folder, *self.options, **self.environment)
        if done.returncode:
            raise AssertionError(f"{self.name} did not start:\n{done.stderr}")
        lines = (self.folder / "server.env").read_text().splitlines()
        self.facts = dict(line.split("=", 1) for line in lines)
        printed = dict(word.split("=", 1) for word in done.stdout.split())
        assert printed["pid"] == self.facts["pid"], f"standard output and server.env differ: {done.stdout}"
        self.took = time.monotonic() - began

    @property
    def port(self) -> int:
        return int(self.facts["port"])

    @property
    def pid(self) -> int:
        return int(self.facts["pid"])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        done = script("stop.sh", "--data", self.folder)
        assert done.returncode == 0, done.stderr

    def __enter__(self) -> "Instance":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
