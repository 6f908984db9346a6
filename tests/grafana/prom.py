"""A Prometheus of the test's own, with the metrics of series.py in it."""

import json
import pathlib
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager

import demo
import series

BIN = pathlib.Path(__file__).resolve().parents[2] / "target/prometheus/usr/bin"


def get(url, path, **parameters):
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=20) as answer:
        return json.load(answer)["data"]["result"]


@contextmanager
def prometheus():
    """Its address, while it runs."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        text, data, config = folder / "metrics", folder / "data", folder / "prometheus.yml"
        text.write_text(series.openmetrics())
        config.write_text("global: {}\n")
        made = subprocess.run([BIN / "promtool", "tsdb", "create-blocks-from", "openmetrics", text, data], capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(made.stderr)
        url, process = started(
            [BIN / "prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=100y"],
            folder / "log",
        )
        try:
            yield url
        finally:
            process.terminate()
            process.wait()


def started(command, log, ready="/-/ready", seconds=30, folder=None):
    """Starts a server on a free port of loopback; its address once it is ready."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with open(log, "w") as out:
        process = subprocess.Popen([*map(str, command), f"--web.listen-address=127.0.0.1:{port}"], stdout=out, stderr=out, cwd=folder)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url + ready, timeout=1)
            return url, process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(pathlib.Path(log).read_text()[-2000:])


def over_time(url, expression, since, until):
    """(labels, [(time, value)]) of each series of a range query."""
    step = max(60, int((until - since).total_seconds() / 200))
    found = get(url, "query_range", query=expression, start=since.timestamp(), end=until.timestamp(), step=step)
    return [(one["metric"], [(float(t), float(v)) for t, v in one["values"]]) for one in found]


def now(url, expression):
    return get(url, "query", query=expression, time=demo.NOW.timestamp())
