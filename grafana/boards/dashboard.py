"""A dashboard around its panels: place on the grid, variables, links, annotations."""

from .panels import CLICKHOUSE, PROMETHEUS, Text

SITES = "SELECT DISTINCT site_id FROM (SELECT site_id FROM user_activity_daily UNION ALL SELECT site_id FROM fresh) ORDER BY site_id"


def query(name, label, text, everything=True):
    """A variable whose values ClickHouse gives."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": CLICKHOUSE,
        "query": text,
        "refresh": 2,
        "sort": 0,
        "multi": everything,
        "includeAll": everything,
        "current": {"text": "All", "value": "$__all"} if everything else {"text": "/", "value": "/"},
        "options": [],
        "hide": 0,
        "skipUrlSync": False,
    }


SITE = query("site", Text("Site", "Сайт"), SITES)

# Where a click on an event id leads: the address of a host, as the reader's browser reaches it.
HOST = {
    "type": "textbox",
    "name": "host",
    "label": Text("Address of a host", "Адрес хоста"),
    "query": "http://127.0.0.1:8080",
    "current": {"text": "http://127.0.0.1:8080", "value": "http://127.0.0.1:8080"},
    "options": [],
    "hide": 0,
    "skipUrlSync": False,
}

# Every lake version that reports show.
COMPACTIONS = {
    "name": Text("Compactions", "Компактизации"),
    "enable": True,
    "hide": False,
    "iconColor": "green",
    "datasource": CLICKHOUSE,
    "target": {
        "refId": "Compactions",
        "editorType": "sql",
        "queryType": "table",
        "format": 1,
        "rawSql": "SELECT committed_at AS time, concat('lake version ', toString(version), ': ', toString(rows), ' rows') AS text, 'compaction' AS tags\n"
        "FROM commits WHERE rows > 0 AND $__timeFilter(committed_at) ORDER BY time",
    },
}

# A host that starts anew, as after a deployment: its counters begin at nothing.
RESTARTS = {
    "name": Text("Restarts of hosts", "Перезапуски хостов"),
    "enable": True,
    "hide": False,
    "iconColor": "purple",
    "datasource": PROMETHEUS,
    "target": {
        "refId": "Restarts",
        "expr": 'sum by (instance) (resets(clickstream_request_seconds_count{function="collect"}[1m])) > 0',
        "interval": "60s",
    },
    "titleFormat": "{{instance}}",
}


def placed(panels):
    """The panels in rows of 24, as they come, numbered."""
    x = y = row = 0
    for number, panel in enumerate(panels, 1):
        place = panel["gridPos"]
        if x + place["w"] > 24:
            x, y, row = 0, y + row, 0
        panel = {"id": number, **panel, "gridPos": {**place, "x": x, "y": y}}
        x, row = x + place["w"], max(row, place["h"])
        yield panel


def dashboard(name, title, panels, *, since, variables=(), annotations=(), refresh="1m"):
    """A dashboard; `since` is the time that it shows when it is opened."""
    return {
        "uid": f"clickstream-{name}-{{language}}",
        "title": title,
        "tags": ["clickstream", "clickstream-{language}"],
        "schemaVersion": 41,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": refresh,
        "time": {"from": since, "to": "now"},
        "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)},
        "links": [
            {
                "type": "dashboards",
                "title": Text("Dashboards", "Панели"),
                "tags": ["clickstream-{language}"],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "",
            }
        ],
        "panels": list(placed(panels)),
    }
