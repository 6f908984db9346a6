#!/usr/bin/env python3
"""Prints the sizing table of docs/performance.md from what one event costs; see --help for the figures and their defaults."""

import argparse
from dataclasses import dataclass
from math import ceil

# Events a second, as a mean over the day.
RATES = (100, 1_000, 10_000, 100_000)
DAY = 86_400
YEAR = 365

# What one event costs, measured: option, default, meaning.
COSTS = (
    ("collect-us", 21.0, "µs of a core: taking it"),
    ("work-us", 169.0, "µs of a core: storing, landing, loading, compacting, settling, ClickHouse in the same process"),
    ("kafka-us", 65.0, "µs of a core of one broker"),
    ("store-us", 806.0, "µs of a core of one node of the event store"),
    ("minio-us", 7.0, "µs of a core of MinIO"),
    ("kafka-bytes", 92.0, "bytes on one broker's disk"),
    ("store-bytes", 251.0, "bytes on one node's disk"),
    ("raw-bytes", 44.0, "bytes of raw objects"),
    ("lake-bytes", 34.0, "bytes of the lake"),
    ("clickhouse-bytes", 108.0, "bytes of ClickHouse's tables"),
)
# What is assumed, and may be replaced.
ASSUMPTIONS = (
    ("utilisation", 0.6, "share of a core that is planned with"),
    ("copies", 3.0, "copies in Kafka and the event store"),
    ("log-days", 7.0, "LOG_RETENTION_DAYS"),
    ("raw-days", 30.0, "RAW_RETENTION_DAYS"),
    ("store-days", 400.0, "EVENT_RETENTION_DAYS"),
    ("node-cores", 8.0, "cores of a broker or node at most"),
    ("node-tb", 4.0, "TB of disk of a broker or node at most"),
    ("memory-gb", 4.0, "GB of memory with each core"),
    ("core-price", 30.0, "$ a month for a core with its memory"),
    ("disk-price", 0.08, "$ a month for a GB of SSD: Kafka, event store, ClickHouse"),
    ("object-price", 0.023, "$ a month for a GB of objects"),
)


@dataclass
class Size:
    """What a rate needs, once everything has been kept for as long as it is kept; the lake and ClickHouse: a year."""

    brokers: int
    partitions: int
    log_gb: float
    nodes: int
    store_gb: float
    object_gb: float
    clickhouse_gb: float
    collect: int
    work: int
    cores: int
    memory_gb: float
    price: float


def size(rate: int, o: argparse.Namespace) -> Size:
    def cores(micros: float) -> float:
        return rate * micros / 1e6 / o.utilisation

    def gigabytes(size: float, days: float) -> float:
        return rate * DAY * days * size / 1e9

    def machines(cores: float, gb: float) -> int:
        return max(int(o.copies), ceil(cores / o.node_cores), ceil(gb / 1e3 / o.node_tb))

    kafka, store = cores(o.kafka_us) * o.copies, cores(o.store_us) * o.copies
    log_gb, store_gb = gigabytes(o.kafka_bytes, o.log_days) * o.copies, gigabytes(o.store_bytes, o.store_days) * o.copies
    object_gb = gigabytes(o.raw_bytes, o.raw_days) + gigabytes(o.lake_bytes, YEAR)
    clickhouse_gb = gigabytes(o.clickhouse_bytes, YEAR)
    brokers, nodes = machines(kafka, log_gb), machines(store, store_gb)
    collect, work = ceil(cores(o.collect_us)), ceil(cores(o.work_us))
    # A broker or node has a core at least.
    total = max(brokers, ceil(kafka)) + max(nodes, ceil(store)) + collect + work + ceil(cores(o.minio_us))
    price = total * o.core_price + (log_gb + store_gb + clickhouse_gb) * o.disk_price + object_gb * o.object_price
    return Size(
        brokers=brokers,
        # Each is worked on by one host at a time; twice as many leave room for more hosts.
        partitions=max(4, 2 * work),
        log_gb=log_gb,
        nodes=nodes,
        store_gb=store_gb,
        object_gb=object_gb,
        clickhouse_gb=clickhouse_gb,
        collect=collect,
        work=work,
        cores=total,
        memory_gb=total * o.memory_gb,
        price=price,
    )


def disk(gb: float) -> str:
    return f"{gb:,.0f} GB" if gb < 1e3 else f"{gb / 1e3:,.1f} TB" if gb < 1e6 else f"{gb / 1e6:,.1f} PB"


def significant(number: float) -> str:
    """Two digits: more would be a pretence."""
    return f"{float(f'{number:.2g}'):,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default, meaning in COSTS + ASSUMPTIONS:
        parser.add_argument(f"--{name}", type=float, default=default, help=meaning, metavar="N")
    options = parser.parse_args()
    print(
        "| events/s | brokers | partitions | Kafka disk | Scylla nodes | Scylla disk | MinIO disk | ClickHouse disk "
        "| functions: collect | functions: the rest | cores in all | memory | $ a month |"
    )
    print("|" + "---|" * 13)
    for rate in RATES:
        s = size(rate, options)
        cells = (
            f"{rate:,}", s.brokers, s.partitions, disk(s.log_gb), s.nodes, disk(s.store_gb), disk(s.object_gb),
            disk(s.clickhouse_gb), s.collect, s.work, s.cores, f"{s.memory_gb:,.0f} GB", significant(s.price),
        )
        print(f"| {' | '.join(map(str, cells))} |")


main()
