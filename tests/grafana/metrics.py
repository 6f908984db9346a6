"""Every panel's and annotation's PromQL, run on a real Prometheus with believable metrics in it: no error, no empty panel; and each
metric is one that the service records, or that the named exporter is known to have."""

import pathlib
import re
import sys
import urllib.error

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "prometheus"))

import prom  # noqa: E402
import sources  # noqa: E402
from boards import BOARDS, board, span  # noqa: E402


def recorded():
    """Recording rules by name, each written out."""
    rules = {rule["record"]: rule["expr"].strip() for _, rule in sources.rules() if "record" in rule}
    return {name: written_out(text, rules) for name, text in rules.items()}


def written_out(text, rules):
    """`text` with each recorded series as its expression: the demo metrics are what is scraped, not what rules make of it."""

    def expression(match):
        inner = f"({written_out(rules[match[1]], rules)})"
        if not match[2]:
            return inner
        # A selector on what a rule gave: as a join, since PromQL selects only stored series.
        label, value = re.fullmatch(r'\{(\w+)="(\w+)"\}', match[2]).groups()
        return f'({inner} and on ({label}) label_replace(vector(1), "{label}", "{value}", "", ""))'

    return re.sub(r"(clickstream:[\w:]+)(\{[^}]*\})?", expression, text)


def questions():
    """(board, what asks, PromQL, instant)."""
    for name in BOARDS:
        dashboard = board(name)
        for annotation in dashboard["annotations"]["list"]:
            if annotation["datasource"]["type"] == "prometheus":
                yield dashboard, name, f"annotation {annotation['name']}", annotation["target"]["expr"], None
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                if target["datasource"]["type"] == "prometheus":
                    yield dashboard, name, panel["title"], target["expr"], target["instant"]


def asked(expression, rules):
    return written_out(expression.replace("$__rate_interval", "5m"), rules)


def check(url):
    """What is wrong with any question."""
    rules = recorded()
    host = sources.metrics()
    known = set(host) | {f"{n}_{s}" for n in host for s in ("bucket", "sum", "count")} | set(rules) | {"ALERTS"}
    wrong, count = [], 0
    for dashboard, name, what, expression, instant in questions():
        count += 1
        for series in sources.names_in(expression.replace("$__rate_interval", "5m")):
            if series not in known and not sources.OTHERS.match(series):
                wrong.append(f"{name}: {what} reads {series}, which nothing records")
        text = asked(expression, rules)
        try:
            found = prom.now(url, text) if instant else prom.over_time(url, text, *span(dashboard))
        except urllib.error.HTTPError as error:
            wrong.append(f"{name}: {what} fails: {error.read().decode()}")
            continue
        # Nothing restarts in the demo metrics: that annotation only has to be understood.
        if not found and instant is not None:
            wrong.append(f"{name}: {what} is empty: {text}")
    print(f"{count} questions to Prometheus", flush=True)
    return wrong


def of_clickhouse(clickhouse):
    """Metrics of ClickHouse's own that it does not have: it exports what its system tables name."""
    there = {f"ClickHouseMetrics_{name}" for (name,) in clickhouse.rows("SELECT metric FROM system.metrics")[1]}
    events = clickhouse.rows("SELECT event FROM system.events SETTINGS system_events_show_zero_values = 1")[1]
    there |= {f"ClickHouseProfileEvents_{name}" for (name,) in events}
    read = set(re.findall(r"ClickHouse\w+_\w+", " ".join(expression for _, _, _, expression, _ in questions())))
    return [f"ClickHouse has no {name}" for name in sorted(read - there)]
