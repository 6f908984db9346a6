"""Asks what every dashboard asks, of ClickHouse and of Prometheus, and compares the pictures; `--write` draws them anew."""

import sys
import tempfile

import demo
import metrics
import panels
import people
import pictures
import prom
from chdb import ClickHouse

EVENTS = 40_000


def main():
    with tempfile.TemporaryDirectory() as folder, ClickHouse(folder) as clickhouse, prom.prometheus() as url:
        # On one thread sums of fractions come in one order, and pictures are the same everywhere.
        clickhouse.run("SET max_threads = 1")
        demo.load(clickhouse, EVENTS)
        if "--write" in sys.argv:
            pictures.write(clickhouse, url)
            return
        wrong = panels.check(clickhouse) + people.check(clickhouse) + metrics.check(url) + metrics.of_clickhouse(clickhouse)
        wrong = wrong or pictures.check(clickhouse, url)
    if wrong:
        sys.exit("\n".join(wrong))
    print("no question fails, none is empty, times are in order, the pictures are current")


if __name__ == "__main__":
    main()
