"""OpenTelemetry's own collector, which the Makefile builds of otelcol/, and the spans that it wrote."""

import json
import signal
import socket
import subprocess
import time
from types import SimpleNamespace

import sources

PROGRAM = sources.ROOT / "target/otelcol/otelcol"


def attributes(of):
    """Names and values as OTLP's JSON has them; whole numbers are text there."""
    return {one["key"]: next(iter(one["value"].values()), None) for one in of.get("attributes", [])}


def flat(span, resource):
    return SimpleNamespace(
        resource=resource,
        trace=span["traceId"],
        id=span["spanId"],
        parent=span.get("parentSpanId", ""),
        name=span["name"],
        kind=span["kind"],
        begins=int(span["startTimeUnixNano"]),
        ends=int(span["endTimeUnixNano"]),
        attributes=attributes(span),
        links=[link["traceId"] for link in span.get("links", [])],
    )


class Collector:
    """A collector on a port of loopback where nothing listens until it is started; it writes what it takes to a file."""

    def __init__(self, folder):
        self.written, self.log, self.process = folder / "spans", folder / "collector.log", None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        config = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.port}"}}}},
            "exporters": {"file": {"path": str(self.written), "flush_interval": "100ms"}},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}}},
        }
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([PROGRAM, f"--config=yaml:{json.dumps(config)}"], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while "Everything is ready" not in self.log.read_text():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"the collector does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def spans(self):
        """All that it wrote; what has no end of line yet is being written."""
        whole, _, _ = self.text().rpartition("\n")
        return [
            flat(span, attributes(one["resource"]))
            for line in whole.splitlines()
            for one in json.loads(line)["resourceSpans"]
            for scope in one["scopeSpans"]
            for span in scope["spans"]
        ]

    def text(self):
        return self.written.read_text() if self.written.exists() else ""
