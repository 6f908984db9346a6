#!/usr/bin/env python3
"""Writes docs/cost.md: what a month on AWS costs, from what an event costs that was measured, and from prices; --check only compares."""

import pathlib
import sys
from dataclasses import dataclass, replace
from math import ceil

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOC = ROOT / "docs" / "cost.md"
RATES = (100, 1_000, 10_000)
HOURS = 720  # a month of 30 days, as those compare with who say "a month"
SECONDS = HOURS * 3_600
CORE_MB = 1_769  # memory with which a function has one processor (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)

# Measured: docs/performance.md. Name, value, unit, and the words there that say so.
MEASURED = (
    ("collect", 21.0, "µs of a core an event", "| collect | 21 µs |"),
    ("store", 1_765.0, "events a second, by one function that waits for Cassandra", "worked off by store (events) | **1,765 a second**"),
    ("land", 30_114.0, "events a second on two cores, PUTs included", "worked off by land (events) | **30,114 a second**"),
    ("compact", 133_665.0, "events per core-second", "133,665 events per core-second"),
    ("settle", 82_788.0, "events per core-second, ClickHouse's own work included", "82,788 events per core-second"),
    ("kafka_us", 65.0, "µs of a core of a broker an event", "| Kafka | 65 µs |"),
    ("store_us", 806.0, "µs of a core of a node of the event store an event", "| Cassandra, MinIO | 806, 7 µs |"),
    ("kafka_bytes", 92.0, "bytes of a broker's disk an event, compressed", "| Kafka | 92 bytes |"),
    ("store_bytes", 251.0, "bytes of a node's disk an event", "| Cassandra | 251 bytes |"),
    ("raw_bytes", 44.0, "bytes of raw objects an event", "| raw objects, lake | 44, 34 bytes |"),
    ("lake_bytes", 34.0, "bytes of the lake an event", "| raw objects, lake | 44, 34 bytes |"),
    ("clickhouse_bytes", 108.0, "bytes of ClickHouse's table events an event", "| ClickHouse | 108 bytes |"),
)
# Set in template.yaml: memory in MB, windows in seconds.
CHOSEN = (
    ("collect_mb", 256, "memory of collect, MB: it waits more than it computes"),
    ("store_mb", 256, "memory of store, MB: it waits for the event store"),
    ("land_mb", 512, "memory of land, MB"),
    ("load_mb", 256, "memory of load, MB"),
    ("compact_mb", 1_769, "memory of compact, MB"),
    ("settle_mb", 1_024, "memory of settle, MB"),
    ("land_window", 5, "LandWindowSeconds"),
    ("store_window", 1, "StoreWindowSeconds"),
    ("compact_minutes", 10, "CompactMinutes"),
)
# Assumed: nobody has measured these on AWS.
ASSUMED = (
    ("wait_ms", 15.0, "ms that a request waits for Kafka on other machines, all replicas in sync"),
    ("invoke_ms", 20.0, "ms of an invocation of store besides its events"),
    ("put_ms", 60.0, "ms of a PUT, and of a GET, of a raw object"),
    ("load_ms", 100.0, "ms of an insert into ClickHouse"),
    ("payload_bytes", 1_450.0, "bytes of an event in a Kafka trigger's payload: JSON of 900 bytes in base64, and the record's fields"),
    ("answer_bytes", 130.0, "bytes of the answer an event"),
    ("clickhouse_us", 60.0, "µs of a core of ClickHouse an event: inserts, merges, marts"),
    ("busy", 0.6, "share of a core that is planned with"),
    ("log_bytes", 900.0, "bytes that an invocation logs with its line of metrics, other than collect's, which prints one a minute"),
)
# US East (N. Virginia), on demand, without free tiers. The last column says where a price was read, in 2026-11, in stored copies of
# public pages; LIST is a list price that was not looked up again.
LIST = "list price, not looked up again"
PRICES = (
    ("gb_second", 0.0000133334, "a GB-second of Lambda, arm64", "prices.js of artillery 2.0.28, after aws.amazon.com/lambda/pricing"),
    ("invocation", 0.20e-6, "an invocation", "aws.amazon.com/lambda/pricing, as read on 2026-09-20"),
    ("api_first", 1.00e-6, "a request of the HTTP API, the first 300 million a month", "AWS whitepaper on private APIs, cost optimization"),
    ("api_more", 0.90e-6, "each further one", "AWS whitepaper on private APIs, cost optimization"),
    ("put", 0.005e-3, "a PUT or LIST of S3", "devnotes.tech on S3 pricing"),
    ("get", 0.0004e-3, "a GET or HEAD of S3", "devnotes.tech on S3 pricing"),
    ("s3_gb", 0.023, "a GB of S3 a month", "devnotes.tech on S3 pricing"),
    ("log_gb", 0.50, "a GB of logs", LIST),
    ("alarm", 0.10, "an alarm a month", LIST),
    ("metric", 0.30, "a metric of our own a month", LIST),
    ("trace", 5.0e-6, "a trace of X-Ray", LIST),
    ("secret", 0.40, "a secret a month", "AWS, Clickstream Analytics, cost (2024-08-30)"),
    ("out_gb", 0.09, "a GB to the internet", "devnotes.tech on S3 pricing"),
    ("zone_gb", 0.02, "a GB between zones, both directions", "AWS, Clickstream Analytics, cost (2024-08-30): 0.01 in and 0.01 out"),
    ("endpoint_hour", 0.01, "an hour of an interface endpoint in a zone", "AWS, Clickstream Analytics, cost (2024-08-30)"),
    ("msk_gb", 0.10, "a GB of MSK's disks a month", "notes on aws.amazon.com/msk/pricing (github.com/Gilgamech/OfferingOverview)"),
    ("disk_gb", 0.08, "a GB of EBS (gp3) a month", LIST),
)
# Machines: $ an hour, cores that may be used for ever (burstable ones have a fifth to 30 % of two), GB of memory.
BROKERS = (("kafka.t3.small", 0.0456, 0.4), ("kafka.m5.large", 0.21, 2.0))
SEEN = {
    "kafka.t3.small": "public notes on aws.amazon.com/msk/pricing", "kafka.m5.large": "public notes on aws.amazon.com/msk/pricing",
    "m7g.large": "factualminds.com on EC2 prices, June 2026",
}
MACHINES = (
    ("t4g.medium", 0.0336, 0.4, 4), ("t4g.large", 0.0672, 0.6, 8), ("m7g.large", 0.0816, 2.0, 8), ("m7g.xlarge", 0.1632, 4.0, 16),
    ("m7g.2xlarge", 0.3264, 8.0, 32), ("m7g.4xlarge", 0.6528, 16.0, 64),
)
M, C, A, P = ({row[0]: row[1] for row in rows} for rows in (MEASURED, CHOSEN, ASSUMED, PRICES))
ALARMS = 47  # of template.yaml
METRICS = 45  # that the functions print, each by function
PAYLOAD = 6e6  # bytes of an invocation's payload at most (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)
POLLER = 5e6  # bytes a second of a poller (https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html)


@dataclass(frozen=True)
class Setup:
    """How it is deployed and used."""

    rate: int
    batch: int = 10
    function_url: bool = False
    store_days: int = 30
    single: bool = False
    """One machine with Kafka, the event store and ClickHouse, one copy of each."""


def partitions(rate):
    """As bench/sizing.py: two for each core of work, four at least."""
    return max(4, 2 * ceil(rate * 169e-6 / A["busy"]))


def invocations(rate, window):
    """Of a Kafka trigger, a second: one each window and poller, or more where a window's records fill more than one payload."""
    pollers = ceil(rate * A["payload_bytes"] / POLLER)
    return max(pollers / window, rate * A["payload_bytes"] / PAYLOAD), pollers


def core(mb):
    return min(1.0, mb / CORE_MB)


def api(requests):
    return min(requests, 300e6) * P["api_first"] + max(0, requests - 300e6) * P["api_more"]


def machine(cores, memory):
    return next(m for m in MACHINES if m[2] >= cores and m[3] >= memory)


def objects(rate):
    """Raw objects a second: each invocation of land writes one for every partition that its poller reads."""
    land, pollers = invocations(rate, C["land_window"])
    return land * partitions(rate) / pollers


def functions(s):
    """GB-seconds and invocations a second, function by function."""
    requests = s.rate / s.batch
    store, _ = invocations(s.rate, C["store_window"])
    land, _ = invocations(s.rate, C["land_window"])
    puts, runs = objects(s.rate), 1 / (C["compact_minutes"] * 60)
    seconds = {
        # name: (invocations a second, seconds of function a second, MB)
        "collect": (requests, requests * A["wait_ms"] / 1e3 + s.rate * M["collect"] / 1e6 / core(C["collect_mb"]), C["collect_mb"]),
        "store": (store, store * A["invoke_ms"] / 1e3 + s.rate / M["store"], C["store_mb"]),
        "land": (land, puts * A["put_ms"] / 1e3 + s.rate * 2 / M["land"] / core(C["land_mb"]), C["land_mb"]),
        "load": (puts, puts * (A["put_ms"] + A["load_ms"]) / 1e3, C["load_mb"]),
        "compact": (runs, s.rate / M["compact"] / core(C["compact_mb"]) + puts * A["put_ms"] / 1e3 / 16, C["compact_mb"]),
        "settle": (runs, s.rate / M["settle"] / core(C["settle_mb"]), C["settle_mb"]),
        # Every 5 minutes, and every hour three times: half a second each, most of the time.
        "unspill, reconcile, erase, retention": (1 / 300 + 3 / 3_600, (1 / 300 + 3 / 3_600) / 2, 1_024),
    }
    return {name: (calls, busy * mb / 1_024) for name, (calls, busy, mb) in seconds.items()}


def servers(s):
    """Kafka, the event store, ClickHouse: names, and $ a month."""
    def disk(size, days):
        return s.rate * 86_400 * days * size / 1e9

    cores = {name: s.rate * us / 1e6 / A["busy"] for name, us in
             (("kafka", M["kafka_us"]), ("store", M["store_us"]), ("clickhouse", A["clickhouse_us"]))}
    log, store, warehouse = disk(M["kafka_bytes"], 7), disk(M["store_bytes"], s.store_days), disk(M["clickhouse_bytes"], 30)
    if s.single:
        one = machine(sum(cores.values()), 8)
        return {f"one {one[0]} with all three": one[1] * HOURS + (log + store + warehouse) * P["disk_gb"]}
    broker = next(b for b in BROKERS if b[2] >= cores["kafka"])
    node, house = machine(cores["store"], 4), machine(cores["clickhouse"], 8)
    return {
        f"Kafka: MSK, 3 {broker[0]}": 3 * (broker[1] * HOURS + log * P["msk_gb"]),
        f"event store: 3 {node[0]}, {s.store_days} days": 3 * (node[1] * HOURS + store * P["disk_gb"]),
        f"ClickHouse: {house[0]}": house[1] * HOURS + warehouse * P["disk_gb"],
    }


def month(s):
    """$ a month, line by line; the servers' names leave their machines out, which differ by rate."""
    work, events, puts = functions(s), s.rate * SECONDS, objects(s.rate) * SECONDS
    requests, calls = events / s.batch, sum(calls for calls, _ in work.values()) * SECONDS
    background = calls - requests
    zones = 0 if s.single else events * M["kafka_bytes"] * 3 * 2 / 3 / 1e9 * P["zone_gb"]
    lines = {
        "HTTP API": 0.0 if s.function_url else api(requests),
        "Lambda, invocations": calls * P["invocation"],
        "Lambda, GB-seconds": sum(gb for _, gb in work.values()) * SECONDS * P["gb_second"],
        # load and compact read each object; store, land and load look at erasures/ around each batch; compact lists and commits.
        "S3, requests": puts * P["put"] + (2 * puts + 2 * background) * P["get"] + SECONDS / 600 * (partitions(s.rate) + 8) * P["put"],
        "S3, a month of raw objects and lake": events * (M["raw_bytes"] + M["lake_bytes"]) / 1e9 * P["s3_gb"],
        "logs, alarms, metrics, secrets": background * A["log_bytes"] / 1e9 * P["log_gb"] + ALARMS * P["alarm"] + METRICS * P["metric"]
        + 3 * P["secret"],
        # Lambda's pollers reach Kafka in a VPC through endpoints of Lambda, STS and Secrets Manager in two zones.
        "network": events * A["answer_bytes"] / 1e9 * P["out_gb"] + zones + 6 * HOURS * P["endpoint_hour"],
    }
    names = ("one machine",) if s.single else ("Kafka", "event store", "ClickHouse")
    return {**lines, **dict(zip(names, servers(s).values()))}


def per_million(s):
    return sum(month(s).values()) / (s.rate * SECONDS / 1e6)


# What others publish, $ a million events.
# AWS: github.com/awslabs/clickstream-analytics-on-aws, docs/en/plan-deployment/cost.md of 2024-08-30: 10, 100 and 1,000 requests a second
# of 10 events each; ingestion on EC2, Kinesis, hourly processing, Redshift, a month of storage.
AWS_ABOUT = {100: 1.68, 1_000: 0.38, 10_000: 0.17}
AWS_TABLES = {100: 191.8 + 242.26, 1_000: 205.8 + 775.6, 10_000: 578.8 + 3_961}
AWS_CHEAPEST = {100: 49.8 + 242.26, 1_000: 75.8 + 775.6, 10_000: 348.8 + 3_961}
# Snowplow: docs.snowplow.io, "What to expect from the quick start guide": around $200 a month at 100 events a second.
SNOWPLOW = {100: 200 / (100 * SECONDS / 1e6)}

VARIANTS = (
    ("as template.yaml deploys it", Setup(0)),
    ("with FunctionUrl", Setup(0, function_url=True)),
    ("with FunctionUrl, 20 events a request, the event store 7 days", Setup(0, batch=20, function_url=True, store_days=7)),
    ("with FunctionUrl, the servers on one machine, one copy", Setup(0, function_url=True, single=True)),
)


def dollars(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:,.2f}"


def row(*cells):
    return f"| {' | '.join(map(str, cells))} |"


def verdict(s):
    """The figure, and whether it is below those published for the rate."""
    mine, above = round(per_million(s), 2), []
    if mine >= AWS_ABOUT[s.rate]:
        above.append("AWS's")
    if s.rate in SNOWPLOW and mine >= SNOWPLOW[s.rate]:
        above.append("Snowplow's")
    return f"{mine:.2f}" + (f", above {' and '.join(above)}" if above else "")


def document():
    base = [Setup(rate) for rate in RATES]
    months = [month(s) for s in base]
    rates = [f"{rate:,}" for rate in RATES]
    out = [INTRODUCTION, row("$ a month at events/s", *rates), "|" + "---|" * 4]
    out += [row(name, *(dollars(m[name]) for m in months)) for name in months[0]]
    out += [row("**all**", *(f"**{dollars(sum(m.values()))}**" for m in months)),
            row("of it functions, API and bucket", *(dollars(sum(list(m.values())[:7])) for m in months)),
            row("**$ a million events**", *(f"**{per_million(s):.2f}**" for s in base))]
    chosen = [", ".join(name.split(": ")[1].split(",")[0 if i else -1].strip() for i, name in enumerate(servers(s))) for s in base]
    out += ["", "Machines: " + "; ".join(f"at {rate}: {what}" for rate, what in zip(rates, chosen)) + " (three brokers and three nodes, one ClickHouse).", ""]
    out += ["## Against what others publish", "", row("$ a million events", *rates), "|" + "---|" * 4]
    out += [row(name, *(verdict(replace(setup, rate=rate)) for rate in RATES)) for name, setup in VARIANTS]
    out += [row("AWS's Clickstream Analytics, about", *(f"{AWS_ABOUT[rate]:.2f}" for rate in RATES)),
            row("the same, its cheapest (Fargate, no buffer)", *(f"{AWS_CHEAPEST[rate] / (rate * SECONDS / 1e6):.2f}" for rate in RATES)),
            row("Snowplow's quick start, about", *(f"{SNOWPLOW[rate]:.2f}" if rate in SNOWPLOW else "" for rate in RATES))]
    out += [COMPARISON, row("events a request", *(f"{b}" for b in (1, 5, 10, 20, 50))), "|" + "---|" * 6]
    out += [row(f"{rate:,}/s, {'FunctionUrl' if url else 'HTTP API'}",
                *(f"{per_million(Setup(rate, batch=b, function_url=url)):.2f}" for b in (1, 5, 10, 20, 50)))
            for rate in RATES for url in (False, True)]
    out += [WINDOWS, row("LandWindowSeconds", *(1, 2, 5, 10)), "|" + "---|" * 5]
    out += [row(f"{rate:,}/s: $ a month of PUTs", *(dollars(puts_at(rate, window)) for window in (1, 2, 5, 10))) for rate in RATES]
    out += [MEMORY, row("function", "MB", *(f"{rate} events/s: $ a month" for rate in rates)), "|" + "---|" * 5]
    sizes = {name: dict(CHOSEN_MB).get(name, 1_024) for name in functions(base[0])}
    out += [row(name, sizes[name], *(dollars(functions(s)[name][1] * SECONDS * P["gb_second"]) for s in base)) for name in sizes]
    out += [OPTIONS, row("option", *(f"{rate}/s: $ a month" for rate in rates)), "|" + "---|" * 4]
    out += [row("Tracing: Active", *(dollars(traces(s) * P["trace"]) for s in base)),
            row("SystemLogLevel: INFO (500 bytes an invocation)", *(dollars(all_calls(s) * 500 / 1e9 * P["log_gb"]) for s in base)),
            row("AccessLogs (250 bytes a request)", *(dollars(s.rate * SECONDS / s.batch * 250 / 1e9 * P["log_gb"]) for s in base)),
            row("the event store for 400 days instead of 30", *(dollars(3 * s.rate * 86_400 * 370 * M["store_bytes"] / 1e9 * P["disk_gb"]) for s in base))]
    out += [FIGURES, row("measured", "figure", "unit"), "|---|---|---|"]
    out += [row(name.replace("_", " "), f"{value:g}" if value < 1e3 else f"{value:,.0f}", unit) for name, value, unit, _ in MEASURED]
    out += ["", row("assumed", "figure", "unit"), "|---|---|---|"]
    out += [row(name.replace("_", " "), f"{value:g}", unit) for name, value, unit in ASSUMED]
    out += ["", row("price, $", "of", "read in"), "|---|---|---|"]
    out += [row(f"{price:.10f}".rstrip("0") if price < 0.001 else f"{price:g}", what, where) for _, price, what, where in PRICES]
    out += [row(f"{price:g}", f"an hour of {name}", SEEN.get(name, LIST)) for name, price, *_ in BROKERS + MACHINES]
    return "\n".join(out) + "\n"


CHOSEN_MB = [(name.removesuffix("_mb"), value) for name, value, _ in CHOSEN if name.endswith("_mb")]


def puts_at(rate, window):
    land, pollers = invocations(rate, window)
    return land * partitions(rate) / pollers * SECONDS * P["put"]


def all_calls(s):
    return sum(calls for calls, _ in functions(s).values()) * SECONDS


def traces(s):
    """A request a second of each function that is busy, and 5 % of the rest."""
    return sum(min(calls, 1) + 0.05 * max(0, calls - 1) for calls, _ in functions(s).values()) * SECONDS


INTRODUCTION = """# What it costs on AWS

Made by [bench/cost.py](../bench/cost.py) (`make cost`) from figures of [performance.md](performance.md), from memory sizes and
windows of [template.yaml](../template.yaml), and from prices of US East (N. Virginia), on demand, without free tiers. No bill of
AWS has been compared with it: what was assumed instead of measured stands at the end.

10 events a request; one month (30 days) of everything is kept, the log 7 days; three copies of the log and of the event store in
three zones; as many events in every second of the month: a site whose traffic has peaks needs machines for the peak. Not counted:
provisioned pollers of Kafka triggers (`MinimumPollers`), backups, questions that people ask, and people.
"""
COMPARISON = """
As deployed without further options it costs less than AWS's solution at 100 events/s, about the same at 1,000, and more at 10,000;
Snowplow's figure is reached with all servers on one machine only. What brings it below AWS's at every rate stands in the third row.

- AWS counts ingestion, hourly processing, Redshift's loads and a month of its storage; no event store, no traces of single events,
  no reports within seconds. About 1.68, 0.38 and 0.17 are its servers on EC2 with Kinesis and a run every hour; it can be had for less.
- Snowplow's figure is that of its quick start: small machines, one PostgreSQL, nothing twice.
- At 100 events/s the fixed price of machines decides: three brokers, three nodes and endpoints cost more than Snowplow's whole
  quick start. One machine with one copy of each is the like of it: what its disk loses is lost, other than what is in the bucket.
- At 10,000 events/s the disk and the processors of the event store are the larger part.

What the number of events in a request does, $ a million events (the tracking script gathers for a second or two):
"""
WINDOWS = """
## The window of land

A window costs a PUT for each partition, and with it an invocation of load and an insert into ClickHouse. Reports are older by the
window: with 5 s, what follows it has 5 s left of the 10 s that are promised. At 10,000 events/s payloads are full before 5 s are over.
"""
MEMORY = """
## Memory

A function has a processor's share by its memory, and is charged for both: what computes costs the same with any memory up to
1,769 MB, what waits costs more with more. GB-seconds are a small part of all, so sizes are chosen for time:
"""
OPTIONS = """
## What options cost besides
"""
FIGURES = """
## The figures behind it
"""

if __name__ == "__main__":
    text = document()
    if "--check" not in sys.argv:
        DOC.write_text(text)
    elif DOC.read_text() != text:
        sys.exit("docs/cost.md is not what bench/cost.py says: make cost")
