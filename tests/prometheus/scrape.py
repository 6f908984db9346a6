"""A host, ClickHouse beside it, Prometheus, Alertmanager and node_exporter, all of them real. ClickHouse is killed, a file that is no
table is put into the inbox, the host stands still: the alerts of each fault fire, reach a receiver, and clear. The rules are those of
prometheus/, with every duration a 30th."""

import json
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import ThreadingHTTPServer

import sources
from servers import Receiver, Watched, call, prom

# Seconds that ClickHouse is away: three times what an event may take.
LATE = 30


def firing(url):
    return {
        one["metric"]["alertname"]
        for one in prom.get(url, "query", query='ALERTS{alertstate="firing"}')
        if not one["metric"]["alertname"].startswith(("Disk", "ClickstreamDisk"))
    }


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
    unknown = {name for name in scraped - set(sources.metrics()) if not sources.OTHERS.match(name)}
    if unknown:
        sys.exit(f"the host has metrics that docs/operations.md does not name: {sorted(unknown)}")
    there = {one["metric"]["__name__"] for one in prom.get(url, "query", query='{job="node"}')}
    read = " ".join(rule["expr"] for _, rule in sources.rules()) + "".join(
        p.read_text() for p in (sources.ROOT / "grafana/dashboards/en").glob("*.json")
    )
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


def not_fresh(url):
    return prom.get(url, "query", query='ALERTS{alertname="ClickstreamNotFresh"}')


def told(name, status):
    return (name, status) in Receiver.told


def run(watched):
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    place, clickhouse = watched.clickhouse("127.0.0.1:0")
    host, process = watched.host(place)
    url = watched.watch(host, f"http://127.0.0.1:{receiver.server_port}/")
    watched.traffic(host)
    until(
        "events are loaded, compacted, settled",
        lambda: len(prom.get(url, "query", query="clickstream_settled_rows_total > 0 and clickstream_landed_rows_total > 0")),
    )
    time.sleep(8)
    if firing(url):
        sys.exit(f"without a fault there fire {firing(url)}")

    clickhouse.kill()
    clickhouse.wait()
    killed = time.monotonic()
    call(f"{host}/v1/inbox/demo/broken.csv", b"this is no table\n", method="PUT")
    first = {"ClickstreamNothingLoaded", "ClickstreamErrors", "ClickstreamFilesRefused", "ClickstreamNotificationsFail", "ClickstreamPartFails"}
    later = {"ClickstreamWorkFails", "ClickstreamNotFresh"}
    until(
        f"ClickHouse killed, a broken file: {', '.join(sorted(first))} fire, and are told",
        lambda: first <= firing(url) and all(told(name, "firing") for name in first),
    )
    until("settle fails at each run: ClickstreamWorkFails fires", lambda: "ClickstreamWorkFails" in firing(url), 90)
    names_are_known(url, host)
    # Long enough that what waited is late, however fast the alerts came.
    time.sleep(max(0, LATE - (time.monotonic() - killed)))
    watched.clickhouse(place)
    # It comes in seconds, and may be over before the alert's time is: the rules' tests see it fire.
    until("ClickHouse is back, and what waited comes late: ClickstreamNotFresh is pending", lambda: not_fresh(url), 60)
    until("all of the first clears", lambda: not firing(url) & first, 60)
    until("it is told that they are over", lambda: all(told(name, "resolved") for name in first))

    process.send_signal(signal.SIGSTOP)
    until(
        "the host stands still: ClickstreamDown fires and is told",
        lambda: "ClickstreamDown" in firing(url) and told("ClickstreamDown", "firing"),
    )
    process.send_signal(signal.SIGCONT)
    until("the host goes on: it clears", lambda: "ClickstreamDown" not in firing(url))
    until("nothing fires any more", lambda: not firing(url) & later, 90)


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
