"""Draws what each dashboard's panels answer on demo data: docs/pictures/grafana/*.svg. Not Grafana's own drawing."""

import drawing
import metrics
import prom
from boards import BOARDS, CLICKHOUSE, ROOT, board, interval, span
from macros import expand
from panels import ALL

PLACE = ROOT / "docs/pictures/grafana"
# Panels that tell the age of data against the clock, which demo data do not have.
AGES = {"Freshness in ClickHouse"}


def answers(panel, dashboard, clickhouse, prometheus, rules):
    """What a panel shows: ("series", {name: [(time, value)]}) or ("rows", columns, rows)."""
    since, until = span(dashboard)
    names = {
        o["matcher"]["options"]: p["value"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "displayName"
    }
    if panel["targets"][0]["datasource"]["type"] == CLICKHOUSE:
        target = panel["targets"][0]
        columns, rows = clickhouse.rows(expand(target["rawSql"], since, until, ALL, ("site", "element"), interval(since, until)))
        if target["format"] == 0:
            return "series", drawing.long_to_series(columns, rows, names)
        return "rows", ([names.get(name, name) for name, _ in columns], rows)
    series = {}
    for target in panel["targets"]:
        text = metrics.asked(target["expr"], rules)
        if target["instant"]:
            found = prom.now(prometheus, text)
            columns = sorted({key for one in found for key in one["metric"]})
            return "rows", (columns, [[one["metric"].get(column, "") for column in columns] for one in found])
        for labels, points in prom.over_time(prometheus, text, since, until):
            series[drawing.legend(target["legendFormat"], labels)] = points
    return "series", series


def pictures(clickhouse, prometheus):
    """Every picture's path and text."""
    rules = metrics.recorded()
    for name in BOARDS:
        dashboard = board(name)
        shown = [(p, *answers(p, dashboard, clickhouse, prometheus, rules)) for p in dashboard["panels"] if p["title"] not in AGES]
        yield PLACE / f"{name}.svg", drawing.picture(dashboard["title"], shown)


def check(clickhouse, prometheus):
    """Which pictures are not what they should be."""
    stale = [path.name for path, text in pictures(clickhouse, prometheus) if not path.exists() or path.read_text() != text]
    return [f"not what the dashboards' queries answer: {', '.join(stale)}: make operations"] if stale else []


def write(clickhouse, prometheus):
    for path, text in pictures(clickhouse, prometheus):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
