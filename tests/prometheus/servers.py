"""The servers of a run: a host and ClickHouse beside it, Prometheus, Alertmanager and who it tells, node_exporter."""

import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler

import sources

sys.path.insert(0, str(sources.ROOT / "tests/grafana"))
import prom  # noqa: E402

FASTER = 30
TOKEN = "scrape-" + uuid.uuid4().hex
PASSWORD = uuid.uuid4().hex
TEMPLATES = prom.BIN / "../share/prometheus/alertmanager"
UNITS = {"s": 1, "m": 60, "h": 3600}


def hastened(text):
    """Windows, offsets and patience of a rules file, each a 30th."""

    def shorter(match):
        return match[1] + f"{max(1, round(int(match[2]) * UNITS[match[3]] / FASTER))}s"

    return re.sub(r"(\[|\boffset |\bfor: )(\d+)([smh])\b", shorter, text)


def call(url, body=None, method=None, token=TOKEN, user=None):
    request = urllib.request.Request(url, data=body, method=method)
    request.add_header("Content-Type", "application/json")
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:".encode()).decode())
    elif token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read()


def service(binary, data, arguments, environment, log):
    """Starts a command that says `ready URL`; the URL and the process."""
    process = subprocess.Popen(
        [binary, "--data", data, *arguments], stdout=subprocess.PIPE, stderr=log, env={**os.environ, **environment}, text=True
    )
    line = process.stdout.readline()
    if not line.startswith("ready "):
        raise RuntimeError(f"{' '.join(arguments)} does not start: {line}")
    return line.split()[1], process


class Receiver(BaseHTTPRequestHandler):
    """What Alertmanager sends, by alert and status."""

    told = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.told += [(one["labels"]["alertname"], one["status"]) for one in body["alerts"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Watched:
    """The servers of one run, in a folder."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.running = binary, pathlib.Path(folder), []
        self.log = open(self.folder / "log", "w")
        self.stop = threading.Event()

    def clickhouse(self, listen):
        url, process = service(
            self.binary, self.folder / "ch", ["clickhouse", "--listen", listen], {"CLICKHOUSE_PASSWORD": PASSWORD}, self.log
        )
        self.running.append(process)
        return url.rsplit("@", 1)[1], process

    def host(self, warehouse):
        environment = {
            "ADMIN_TOKEN": TOKEN,
            "WAREHOUSE_URL": f"http://default:{PASSWORD}@{warehouse}/clickstream",
            "SETUP": "on",
            "COMPACT_INTERVAL": "5",
        }
        url, process = service(self.binary, self.folder / "data", ["up", "--listen", "127.0.0.1:0"], environment, self.log)
        self.running.append(process)
        return url, process

    def tool(self, name, *arguments, ready="/-/ready"):
        url, process = prom.started([prom.BIN / name, *arguments], self.folder / f"{name}.log", ready, folder=TEMPLATES)
        self.running.append(process)
        return url

    def watch(self, host, receiver):
        """Alertmanager, node_exporter and Prometheus; Prometheus' address."""
        ours = sources.yaml.safe_load((sources.ROOT / "prometheus/alertmanager.yml").read_text())
        ours["receivers"] = [
            {"name": one["name"], "webhook_configs": [{"url": receiver, "send_resolved": True}]} for one in ours["receivers"]
        ]
        for route in (ours["route"], *ours["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "1s"}
        (self.folder / "alertmanager.yml").write_text(json.dumps(ours))
        manager = self.tool(
            "prometheus-alertmanager",
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/am",
            "--cluster.listen-address=",
        )
        node = self.tool("prometheus-node-exporter", ready="/")
        for path in (sources.ROOT / "prometheus/rules").glob("*.yml"):
            (self.folder / path.name).write_text(hastened(path.read_text()))
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["recording.yml", "alerts.yml", "servers.yml", "ledger.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager.removeprefix("http://")]}]}]},
            "scrape_configs": [
                {
                    "job_name": "clickstream",
                    "authorization": {"credentials": TOKEN},
                    "static_configs": [{"targets": [host.removeprefix("http://")]}],
                },
                {"job_name": "node", "scrape_interval": "5s", "static_configs": [{"targets": [node.removeprefix("http://")]}]},
            ],
        }
        (self.folder / "prometheus.yml").write_text(json.dumps(config))
        return self.tool("prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/tsdb")

    def traffic(self, host):
        """Events and questions, until told to stop; a host that does not answer is asked again."""

        def send():
            while not self.stop.wait(0.2):
                events = [
                    {
                        "type": "track",
                        "event": "element_clicked",
                        "messageId": str(uuid.uuid4()),
                        "anonymousId": f"a-{i}",
                        "properties": {"element_id": "buy-now"},
                    }
                    for i in range(20)
                ]
                try:
                    call(f"{host}/v1/batch", json.dumps({"batch": events}).encode(), user="demo")
                    call(f"{host}/v1/reports/elements?site=demo&from=2026-11-24&to=2026-11-24")
                except OSError:
                    pass

        threading.Thread(target=send, daemon=True).start()

    def end(self):
        self.stop.set()
        for process in reversed(self.running):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
