"""Every panel's SQL, every variable's and every annotation's, run on ClickHouse with demo data: no error, no empty panel, time in
order, as it stands and with one site and one element chosen. `panels.py EVENTS` times each on so many events, and fails where one is dear."""

import sys
import tempfile
import time

import demo
from boards import BOARDS, CLICKHOUSE, board, interval, span
from chdb import ClickHouse
from macros import expand

ALL = {"site": ["demo", "demo-docs", "demo-news"], "element": ["buy-now", "share"], "page": ["/"]}
ONE = {"site": ["demo"], "element": ["buy-now"], "page": ["/catalogue"]}
# Processor time that a question may take on 10,000,000 events, seconds.
BOUND = 1.0


def questions(dashboard):
    """(what asks, SQL, whether a time series) of one dashboard."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"], False
    for annotation in dashboard["annotations"]["list"]:
        if annotation["datasource"]["type"] == CLICKHOUSE:
            yield f"annotation {annotation['name']}", annotation["target"]["rawSql"], True
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            if target["datasource"]["type"] == CLICKHOUSE:
                yield panel["title"], target["rawSql"], target["format"] == 0


def judge(columns, rows, series):
    """What is wrong with an answer."""
    if not rows:
        return "is empty"
    if all(value in (None, 0, "0", "") for row in rows for value in row[1 if series else 0 :]):
        return "has nothing but zeros"
    if series:
        if columns[0][0] != "time" or not columns[0][1].startswith("DateTime"):
            return f"has no column time first, but {columns[0]}"
        times = [row[0] for row in rows]
        if times != sorted(times):
            return "has times out of order"
    return None


def answered(clickhouse, choices):
    """Asks everything; what is wrong, and (CPU seconds, seconds, board, what) of each question."""
    wrong, took = [], []
    for name in BOARDS:
        dashboard = board(name)
        since, until = span(dashboard)
        for what, sql, series in questions(dashboard):
            for chosen, everything in choices:
                began, before = time.monotonic(), time.process_time()
                try:
                    text = expand(sql, since, until, chosen, everything, interval(since, until))
                    fault = judge(*clickhouse.rows(text), series)
                except ValueError as error:
                    fault = f"fails: {error}"
                took.append((time.process_time() - before, time.monotonic() - began, name, what))
                if fault:
                    wrong.append(f"{name}: {what} ({'all' if everything else 'one site'}) {fault}")
    return wrong, took


def check(clickhouse):
    """What is wrong with any question, with everything chosen and with one of each."""
    wrong, took = answered(clickhouse, ((ALL, ("site", "element")), (ONE, ())))
    print(f"{len(took)} questions to ClickHouse, the dearest {max(took)[0] * 1000:.0f} ms of CPU", flush=True)
    return wrong


def main(count):
    with tempfile.TemporaryDirectory() as folder, ClickHouse(folder) as clickhouse:
        began = time.monotonic()
        demo.load(clickhouse, count)
        print(
            f"{count} events loaded in {time.monotonic() - began:.0f} s\n\n| dashboard | panel | CPU ms | ms |\n|---|---|---|---|",
            flush=True,
        )
        wrong, took = answered(clickhouse, ((ALL, ("site", "element")),))
        for cpu, seconds, name, what in sorted(took, reverse=True):
            print(f"| {name} | {what} | {cpu * 1000:.0f} | {seconds * 1000:.0f} |")
            if cpu > BOUND * count / 10_000_000:
                wrong.append(f"{name}: {what} takes {cpu:.2f} s of processor time on {count} events")
        if wrong:
            sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main(int(sys.argv[1]))
