"""A host, ClickHouse beside it, Prometheus, Alertmanager and node_exporter, all of them real. ClickHouse is killed, a file that is no
table is put into the inbox, the host stands still: the alerts of each fault fire, reach a receiver, and clear. The rules are those of
prometheus/, with every duration a 30th."""

import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
    process = subprocess.Popen([binary, "--data", data, *arguments], stdout=subprocess.PIPE, stderr=log, env={**os.environ, **environment}, text=True)
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
        url, process = service(self.binary, self.folder / "ch", ["clickhouse", "--listen", listen], {"CLICKHOUSE_PASSWORD": PASSWORD}, self.log)
        self.running.append(process)
        return url.rsplit("@", 1)[1], process

    def host(self, warehouse):
        environment = {"ADMIN_TOKEN": TOKEN, "WAREHOUSE_URL": f"http://default:{PASSWORD}@{warehouse}/clickstream", "SETUP": "on", "COMPACT_INTERVAL": "5"}
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
        ours["receivers"] = [{"name": one["name"], "webhook_configs": [{"url": receiver, "send_resolved": True}]} for one in ours["receivers"]]
        for route in (ours["route"], *ours["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "1s"}
        (self.folder / "alertmanager.yml").write_text(json.dumps(ours))
        manager = self.tool("prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/am", "--cluster.listen-address=")
        node = self.tool("prometheus-node-exporter", ready="/")
        for path in (sources.ROOT / "prometheus/rules").glob("*.yml"):
            (self.folder / path.name).write_text(hastened(path.read_text()))
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["recording.yml", "alerts.yml", "servers.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager.removeprefix("http://")]}]}]},
            "scrape_configs": [
                {"job_name": "clickstream", "authorization": {"credentials": TOKEN}, "static_configs": [{"targets": [host.removeprefix("http://")]}]},
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
                    {"type": "track", "event": "element_clicked", "messageId": str(uuid.uuid4()), "anonymousId": f"a-{i}", "properties": {"element_id": "buy-now"}}
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


def firing(url):
    return {one["metric"]["alertname"] for one in prom.get(url, "query", query='ALERTS{alertstate="firing"}') if not one["metric"]["alertname"].startswith("Disk")}


def until(what, true, seconds=45):
    """Waits until `true()`; says how long it took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            sys.exit(f"after {seconds} s still not: {what}; told were {Receiver.told}")
        time.sleep(0.25)
    print(f"{time.monotonic() - began:5.1f} s  {what}", flush=True)


def names_are_known(url, host):
    """What is scraped is what is written down, and the exporters have what the rules and dashboards read."""
    text = call(f"{host}/metrics").decode()
    scraped = set(re.findall(r"^# TYPE (\w+)", text, re.M))
    unknown = scraped - set(sources.metrics())
    if unknown:
        sys.exit(f"the host has metrics that docs/operations.md does not name: {sorted(unknown)}")
    there = {one["metric"]["__name__"] for one in prom.get(url, "query", query='{job="node"}')}
    read = " ".join(rule["expr"] for _, rule in sources.rules()) + "".join(p.read_text() for p in (sources.ROOT / "grafana/dashboards/en").glob("*.json"))
    # A machine without disks of its own, such as a container, has no node_disk_.
    lacking = {name for name in re.findall(r"\bnode_\w+", read) if not name.startswith("node_disk_")} - there - {"node_exporter"}
    if lacking:
        sys.exit(f"node_exporter has no {sorted(lacking)}")
    with urllib.request.urlopen(f"{url}/api/v1/rules", timeout=5) as answer:
        groups = json.load(answer)["data"]["groups"]
    ill = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]
    if ill:
        sys.exit(f"rules that cannot be evaluated: {ill}")
    print(f"{len(scraped)} metrics of the host, {len(there)} of node_exporter, {sum(len(g['rules']) for g in groups)} rules evaluated")


def told(name, status):
    return (name, status) in Receiver.told


def run(watched):
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    place, clickhouse = watched.clickhouse("127.0.0.1:0")
    host, process = watched.host(place)
    url = watched.watch(host, f"http://127.0.0.1:{receiver.server_port}/")
    watched.traffic(host)
    until("events are loaded, compacted, settled", lambda: len(prom.get(url, "query", query="clickstream_settled_rows_total > 0 and clickstream_landed_rows_total > 0")))
    time.sleep(8)
    if firing(url):
        sys.exit(f"without a fault there fire {firing(url)}")

    clickhouse.kill()
    clickhouse.wait()
    call(f"{host}/v1/inbox/demo/broken.csv", b"this is no table\n", method="PUT")
    first = {"ClickstreamNothingLoaded", "ClickstreamErrors", "ClickstreamFilesRefused"}
    until(f"ClickHouse killed, a broken file: {', '.join(sorted(first))} fire, and are told", lambda: first <= firing(url) and all(told(name, "firing") for name in first))
    names_are_known(url, host)
    watched.clickhouse(place)
    until("ClickHouse is back: all of it clears", lambda: not firing(url) & first, 60)
    until("it is told that they are over", lambda: all(told(name, "resolved") for name in first))

    process.send_signal(signal.SIGSTOP)
    until("the host stands still: ClickstreamDown fires and is told", lambda: "ClickstreamDown" in firing(url) and told("ClickstreamDown", "firing"))
    process.send_signal(signal.SIGCONT)
    until("the host goes on: it clears", lambda: "ClickstreamDown" not in firing(url))


def main():
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        watched = Watched(pathlib.Path(sys.argv[1]).resolve(), folder)
        try:
            run(watched)
        except BaseException:
            watched.log.flush()
            print((watched.folder / "log").read_text()[-1500:], file=sys.stderr)
            raise
        finally:
            watched.end()
    print(f"faults seen, told and over in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
