"""Elements: what of a page is seen and clicked."""

from .dashboard import COMPACTIONS, HOST, SITE, dashboard, query
from .panels import Text as T
from .panels import bars, lines, numbers, sql, table

SITES = "e.site_id IN (${site:sqlstring})"
CHOSEN = f"{SITES} AND $__conditionalAll(e.element_id IN (${{element:sqlstring}}), $element)"
DAYS = f"$__dateFilter(e.day) AND {CHOSEN}"
SEEN = f"$__timeFilter(e.occurred_at) AND {CHOSEN} AND NOT e.bot"

VIEWS, CLICKS, RATE = T("Views", "Просмотры"), T("Clicks", "Клики"), T("Click-through rate", "CTR")
SECONDS = T("Visible time", "Время видимости")
ONLY = [
    {
        "title": T("Only this element", "Только этот элемент"),
        "url": "/d/clickstream-elements-{language}?${__url_time_range}&${site:queryparam}&var-element=${__value.raw}&${host:queryparam}",
    }
]
TRACE = [{"title": T("Where this event is", "Где это событие"), "url": "${host}/v1/events/${__value.raw}/trace", "targetBlank": True}]
MARTS = T("Settled events: seconds to minutes old.", "Закреплённые события: возраст от секунд до минут.")
LIVE = T("Seconds old: fresh and settled events.", "Возраст — секунды: свежие и закреплённые события.")

PANELS = [
    numbers(
        T("Totals", "Итоги"),
        sql(f"""
        SELECT sum(e.views) AS views, sum(e.clicks) AS clicks, if(views = 0, 0, clicks / views) AS rate,
        if(views = 0, 0, sum(e.visible_ms) / 1000 / views) AS seconds, uniqExact(e.element_id) AS elements
        FROM element_daily AS e WHERE {DAYS}"""),
        width=24,
        about=MARTS,
        units={"rate": "percentunit", "seconds": "s"},
        names={
            "views": VIEWS,
            "clicks": CLICKS,
            "rate": RATE,
            "seconds": T("Visible per view", "Видимость за просмотр"),
            "elements": T("Elements", "Элементы"),
        },
    ),
    lines(
        T("Views and clicks by day", "Просмотры и клики по дням"),
        sql(
            f"""
        SELECT toDateTime(e.day) AS time, sum(e.views) AS views, sum(e.clicks) AS clicks
        FROM element_daily AS e WHERE {DAYS} GROUP BY time ORDER BY time""",
            series=True,
        ),
        about=MARTS,
        names={"views": VIEWS, "clicks": CLICKS},
    ),
    lines(
        T("Click-through rate of the most viewed", "CTR самых просматриваемых"),
        sql(
            f"""
        SELECT toDateTime(e.day) AS time, e.element_id AS element, sum(e.clicks) / greatest(sum(e.views), 1) AS rate
        FROM element_daily AS e WHERE {DAYS} AND (e.site_id, e.element_id) IN
        (SELECT e.site_id, e.element_id FROM element_daily AS e WHERE {DAYS} GROUP BY e.site_id, e.element_id ORDER BY sum(e.views) DESC LIMIT 8)
        GROUP BY time, element ORDER BY time, element""",
            series=True,
        ),
        unit="percentunit",
        about=MARTS,
    ),
    table(
        T("Elements", "Элементы"),
        sql(f"""
        SELECT e.site_id AS site, e.element_id AS element, any(e.element_kind) AS kind, any(e.element_text) AS text,
        sum(e.views) AS views, sum(e.clicks) AS clicks, if(views = 0, 0, clicks / views) AS rate,
        if(views = 0, 0, sum(e.visible_ms) / 1000 / views) AS seconds, max(e.people) AS people
        FROM element_daily AS e WHERE {DAYS} GROUP BY site, element ORDER BY views DESC, clicks DESC, element LIMIT 500"""),
        width=16,
        height=10,
        about=MARTS,
        units={"rate": "percentunit", "seconds": "s"},
        links={"element": ONLY},
        names={
            "site": T("Site", "Сайт"),
            "element": T("Element", "Элемент"),
            "kind": T("Kind", "Вид"),
            "text": T("Text", "Текст"),
            "views": VIEWS,
            "clicks": CLICKS,
            "rate": RATE,
            "seconds": T("Visible per view", "Видимость за просмотр"),
            "people": T("People on the best day", "Людей в лучший день"),
        },
    ),
    bars(
        T("Visible time by element", "Время видимости по элементам"),
        sql(f"""
        SELECT e.element_id AS element, sum(e.visible_ms) / 1000 AS seconds
        FROM element_daily AS e WHERE {DAYS} GROUP BY element ORDER BY seconds DESC LIMIT 15"""),
        width=8,
        height=10,
        unit="s",
        about=MARTS,
        names={"seconds": SECONDS},
    ),
    lines(
        T("Now: views and clicks", "Сейчас: просмотры и клики"),
        sql(
            f"""
        SELECT $__timeInterval(e.occurred_at) AS time, countIf(e.action = 'view') AS views, countIf(e.action = 'click') AS clicks
        FROM clicks AS e WHERE {SEEN} AND e.action IN ('view', 'click') AND e.occurred_at >= $__toTime - 86400
        GROUP BY time ORDER BY time""",
            series=True,
        ),
        bars=True,
        about=T(
            "The last day of the time shown. Seconds old: fresh and settled events.",
            "Последние сутки выбранного времени. Возраст — секунды: свежие и закреплённые события.",
        ),
        names={"views": VIEWS, "clicks": CLICKS},
    ),
    bars(
        T("Clicks per view by position in a list", "Клики на просмотр по позиции в списке"),
        sql(f"""
        SELECT toString(e.position) AS place, countIf(e.action = 'click') / greatest(countIf(e.action = 'view'), 1) AS rate
        FROM clicks AS e WHERE {SEEN} AND e.action IN ('view', 'click') AND e.position IS NOT NULL
        GROUP BY e.position ORDER BY e.position LIMIT 20"""),
        unit="percentunit",
        about=LIVE,
        names={"rate": RATE},
    ),
    table(
        T("Heat map: where $page is clicked", "Тепловая карта: где кликают на $page"),
        sql(
            """
        SELECT p.y * 50 AS y, """
            + ", ".join(f"countIf(p.x = {i}) AS `{i * 5}`" for i in range(20))
            + """
        FROM (SELECT least(19, greatest(0, intDiv(e.x * 20, e.viewport_width))) AS x, intDiv(greatest(e.y, 0), 50) AS y
        FROM clicks AS e WHERE """
            + SEEN
            + """ AND e.action = 'click' AND e.x IS NOT NULL AND e.y IS NOT NULL
        AND e.viewport_width > 0 AND ifNull(e.path, '') = ${page:sqlstring}) AS p
        GROUP BY p.y ORDER BY p.y LIMIT 60"""
        ),
        coloured=True,
        width=24,
        height=12,
        names={"y": "px"},
        about=T(
            "Across: % of the viewport's width, in steps of 5. Down: CSS pixels, in steps of 50.",
            "По горизонтали: % ширины окна с шагом 5. По вертикали: CSS-пиксели с шагом 50.",
        ),
    ),
    table(
        T("Latest clicks", "Последние клики"),
        sql(f"""
        SELECT e.occurred_at AS time, toString(e.event_id) AS event, e.site_id AS site, e.element_id AS element, e.path AS page,
        coalesce(e.user_id, e.anonymous_id, e.session_id) AS person, e.device_type AS device, e.verdict AS verdict
        FROM clicks AS e WHERE {SEEN} AND e.action = 'click' AND e.occurred_at >= $__toTime - 86400
        ORDER BY e.occurred_at DESC LIMIT 50"""),
        width=24,
        height=9,
        links={"event": TRACE, "element": ONLY},
        about=T(
            "An event's id leads to its trace on a host; where ADMIN_TOKEN is set, ask `clickstream trace` instead.",
            "Идентификатор события ведёт к его трассировке на хосте; если задан ADMIN_TOKEN, спросите `clickstream trace`.",
        ),
        names={
            "time": T("Time", "Время"),
            "event": T("Event", "Событие"),
            "site": T("Site", "Сайт"),
            "element": T("Element", "Элемент"),
            "page": T("Page", "Страница"),
            "person": T("Person", "Человек"),
            "device": T("Device", "Устройство"),
            "verdict": T("Verdict", "Вердикт"),
        },
    ),
]

ELEMENT = query(
    "element",
    T("Element", "Элемент"),
    "SELECT element_id FROM element_daily WHERE $__dateFilter(day) AND site_id IN (${site:sqlstring}) GROUP BY element_id ORDER BY sum(views) DESC LIMIT 1000",
)
PAGE = query(
    "page",
    T("Page", "Страница"),
    "SELECT path FROM page_daily WHERE $__dateFilter(day) AND site_id IN (${site:sqlstring}) GROUP BY path ORDER BY sum(views) DESC LIMIT 1000",
    everything=False,
)

BOARD = dashboard(
    "elements",
    T("Clickstream: elements", "Clickstream: элементы"),
    PANELS,
    since="now-7d",
    variables=[SITE, ELEMENT, PAGE, HOST],
    annotations=[COMPACTIONS],
)
