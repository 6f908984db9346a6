"""The dashboards' files, and what each panel asks."""

import datetime
import json
import pathlib

import demo

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOARDS = ("elements", "audience", "pipeline", "infrastructure")
CLICKHOUSE = "grafana-clickhouse-datasource"


def board(name, language="en"):
    return json.loads((ROOT / f"grafana/dashboards/{language}/{name}.json").read_text())


def span(dashboard):
    """The time that it shows when it is opened, up to the demo data's end."""
    number, unit = int(dashboard["time"]["from"][4:-1]), dashboard["time"]["from"][-1]
    return demo.NOW - datetime.timedelta(**{{"d": "days", "h": "hours"}[unit]: number}), demo.NOW


def interval(since, until):
    """The step that Grafana takes for a panel of some 1,000 points, at least a minute."""
    return max(60, round((until - since).total_seconds() / 1000 / 60) * 60)
