"""Panels: what each draws, in both languages. A text is a pair: English, Russian."""

CLICKHOUSE = {"type": "grafana-clickhouse-datasource", "uid": "clickstream-clickhouse"}
PROMETHEUS = {"type": "prometheus", "uid": "clickstream-prometheus"}
LANGUAGES = ("en", "ru")


class Text(tuple):
    """What is read by people: (English, Russian)."""

    def __new__(cls, english, russian):
        return super().__new__(cls, (english, russian))


def spoken(value, language):
    """`value` with each text in one language."""
    if isinstance(value, Text):
        return value[LANGUAGES.index(language)]
    if isinstance(value, dict):
        return {key: spoken(inner, language) for key, inner in value.items()}
    if isinstance(value, list):
        return [spoken(inner, language) for inner in value]
    return value.replace("{language}", language) if isinstance(value, str) else value


def sql(text, series=False):
    """A query of ClickHouse: a table, or a time series whose first column is `time`."""
    return {
        "datasource": CLICKHOUSE,
        "editorType": "sql",
        "queryType": "timeseries" if series else "table",
        "format": 0 if series else 1,
        "rawSql": "\n".join(line.strip() for line in text.strip().splitlines()),
    }


def prom(expr, legend="", instant=False):
    """A query of Prometheus."""
    return {
        "datasource": PROMETHEUS,
        "expr": expr,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
        "format": "table" if instant else "time_series",
    }


def panel(
    kind,
    title,
    targets,
    *,
    width=12,
    height=8,
    unit=None,
    about=None,
    names=None,
    links=None,
    units=None,
    custom=None,
    options=None,
    **defaults,
):
    """A panel. `names`, `units` and `links` are of single columns."""
    targets = targets if isinstance(targets, list) else [targets]
    overrides = []
    for column in dict.fromkeys([*(names or {}), *(units or {}), *(links or {})]):
        properties = []
        if names and column in names:
            properties.append({"id": "displayName", "value": names[column]})
        if units and column in units:
            properties.append({"id": "unit", "value": units[column]})
        if links and column in links:
            properties.append({"id": "links", "value": links[column]})
        overrides.append({"matcher": {"id": "byName", "options": column}, "properties": properties})
    field = {"custom": custom or {}, **({"unit": unit} if unit else {}), **defaults}
    made = {
        "type": kind,
        "title": title,
        "datasource": targets[0]["datasource"],
        "targets": [{**target, "refId": "ABCDEFGH"[i]} for i, target in enumerate(targets)],
        "fieldConfig": {"defaults": field, "overrides": overrides},
        "options": options or {},
        "gridPos": {"x": 0, "y": 0, "w": width, "h": height},
    }
    if about:
        made["description"] = about
    return made


def legend(calcs=()):
    return {"showLegend": True, "displayMode": "table" if calcs else "list", "placement": "bottom", "calcs": list(calcs)}


def lines(title, targets, stacked=False, bars=False, calcs=(), **rest):
    """Values over time."""
    custom = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 60 if bars or stacked else 10,
        "lineWidth": 1,
        "showPoints": "never",
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
    }
    options = {"legend": legend(calcs), "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, targets, custom=custom, options=options, **rest)


REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def numbers(title, targets, height=4, **rest):
    """Single values, one beside the other."""
    options = {
        "reduceOptions": REDUCE,
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }
    return panel("stat", title, targets, height=height, options=options, **rest)


def bars(title, target, **rest):
    """One bar a row: the first column names it."""
    options = {
        "reduceOptions": {**REDUCE, "values": True},
        "displayMode": "gradient",
        "orientation": "horizontal",
        "showUnfilled": True,
        "minVizWidth": 8,
        "minVizHeight": 16,
        "maxVizHeight": 300,
        "valueMode": "color",
        "namePlacement": "auto",
        "sizing": "auto",
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
    }
    return panel("bargauge", title, target, options=options, **rest)


def pie(title, target, **rest):
    """Shares of a whole: a row each."""
    options = {
        "reduceOptions": {**REDUCE, "values": True},
        "pieType": "donut",
        "displayLabels": ["percent"],
        "legend": {"showLegend": True, "displayMode": "list", "placement": "right", "calcs": [], "values": ["value"]},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("piechart", title, target, custom={"hideFrom": {"legend": False, "tooltip": False, "viz": False}}, options=options, **rest)


def table(title, target, coloured=False, **rest):
    """Rows as they are; coloured: the greater, the darker."""
    custom = {"align": "auto", "cellOptions": {"type": "color-background", "mode": "gradient"} if coloured else {"type": "auto"}}
    colour = {"color": {"mode": "continuous-GrYlRd"}} if coloured else {}
    options = {"showHeader": True, "cellHeight": "sm", "frameIndex": 0}
    return panel("table", title, target, custom=custom, options=options, **colour, **rest)
