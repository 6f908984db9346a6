"""Audience: who comes, how often, how long, from where."""

from .dashboard import COMPACTIONS, SITE, dashboard
from .panels import Text as T
from .panels import bars, lines, numbers, pie, sql, table

SITES = "e.site_id IN (${site:sqlstring})"
DAYS = f"$__dateFilter(e.day) AND {SITES}"
SEEN = f"$__timeFilter(e.occurred_at) AND {SITES} AND NOT e.bot"
# A person of a site as a number: groups of numbers are several times cheaper than groups of texts, and two of a billion people
# share one with a chance of 3 %. The marts have the same.
PERSON = "cityHash64(e.site_id, coalesce(e.user_id, e.anonymous_id, e.session_id))"

PEOPLE, SESSIONS, VIEWS = T("People", "Люди"), T("Sessions", "Сессии"), T("Views", "Просмотры")
EACH = T(
    "Each site counts its own people: someone on two sites is two.",
    "Каждый сайт считает своих людей: человек на двух сайтах — два человека.",
)
AVERAGE, MEDIAN = T("Average", "Среднее"), T("Median of the site with most sessions", "Медиана сайта с наибольшим числом сессий")

PANELS = [
    numbers(
        T("Totals", "Итоги"),
        sql(f"""
        SELECT (SELECT sum(mau) FROM (SELECT argMax(e.mau, e.day) AS mau FROM user_activity_daily AS e WHERE {DAYS} GROUP BY e.site_id)) AS people,
        (SELECT sum(e.sessions) FROM session_daily AS e WHERE {DAYS}) AS sessions,
        (SELECT sum(e.views) FROM page_daily AS e WHERE {DAYS}) AS views"""),
        width=24,
        about=EACH,
        names={"people": T("People in 30 days", "Людей за 30 дней"), "sessions": SESSIONS, "views": T("Page views", "Просмотры страниц")},
    ),
    lines(
        T("Active people: day, week, month", "Активные люди: день, неделя, месяц"),
        sql(
            f"""
        SELECT toDateTime(e.day) AS time, sum(e.dau) AS dau, sum(e.wau) AS wau, sum(e.mau) AS mau
        FROM user_activity_daily AS e WHERE {DAYS} GROUP BY time ORDER BY time""",
            series=True,
        ),
        about=EACH,
        names={
            "dau": T("In the day (DAU)", "За день (DAU)"),
            "wau": T("In 7 days (WAU)", "За 7 дней (WAU)"),
            "mau": T("In 30 days (MAU)", "За 30 дней (MAU)"),
        },
    ),
    lines(
        T("How often they come", "Как часто приходят"),
        sql(
            f"""
        SELECT toDateTime(e.day) AS time, sum(e.dau) / greatest(sum(e.wau), 1) AS week, sum(e.dau) / greatest(sum(e.mau), 1) AS month
        FROM user_activity_daily AS e WHERE {DAYS} GROUP BY time ORDER BY time""",
            series=True,
        ),
        unit="percentunit",
        names={"week": "DAU / WAU", "month": "DAU / MAU"},
    ),
    lines(
        T("Sessions by day", "Сессии по дням"),
        sql(
            f"""
        SELECT toDateTime(e.day) AS time, sum(e.sessions) AS sessions, sum(e.events) / greatest(sum(e.sessions), 1) AS events
        FROM session_daily AS e WHERE {DAYS} GROUP BY time ORDER BY time""",
            series=True,
        ),
        names={"sessions": SESSIONS, "events": T("Events per session", "Событий на сессию")},
    ),
    lines(
        T("Length of sessions", "Длительность сессий"),
        sql(
            f"""
        SELECT toDateTime(e.day) AS time, sum(e.avg_duration_s * e.sessions) / greatest(sum(e.sessions), 1) AS average,
        argMax(e.median_duration_s, e.sessions) AS median
        FROM session_daily AS e WHERE {DAYS} GROUP BY time ORDER BY time""",
            series=True,
        ),
        unit="s",
        names={"average": AVERAGE, "median": MEDIAN},
    ),
    lines(
        T("New and returning people", "Новые и вернувшиеся"),
        sql(
            f"""
        SELECT toDateTime(day) AS time, countIf(day = first) AS new, countIf(day > first) AS returning
        FROM (SELECT groupUniqArray(e.day) AS days, min(e.day) AS first FROM person_daily AS e
        WHERE e.day >= toDate($__fromTime) - 30 AND e.day <= toDate($__toTime) AND {SITES} GROUP BY e.person)
        ARRAY JOIN days AS day WHERE $__dateFilter(day) GROUP BY time ORDER BY time""",
            series=True,
        ),
        bars=True,
        stacked=True,
        about=T(
            "New: not seen since 30 days before the time shown.",
            "Новый: не был виден раньше, считая с 30 дней до выбранного времени.",
        ),
        names={"new": T("New", "Новые"), "returning": T("Returning", "Вернувшиеся")},
    ),
    pie(
        T("Devices", "Устройства"),
        sql(f"""
        SELECT toString(e.device_type) AS device, sum(e.sessions) AS sessions
        FROM device_daily AS e WHERE {DAYS} GROUP BY device ORDER BY sessions DESC"""),
        width=6,
        names={"sessions": SESSIONS},
    ),
    bars(
        T("Browsers", "Браузеры"),
        sql(f"""
        SELECT concat(ifNull(e.browser, '?'), ', ', ifNull(e.os, '?')) AS browser, sum(e.sessions) AS sessions
        FROM device_daily AS e WHERE {DAYS} GROUP BY browser ORDER BY sessions DESC LIMIT 10"""),
        width=6,
        names={"sessions": SESSIONS},
    ),
    table(
        T("Countries", "Страны"),
        sql(f"""
        SELECT if(e.country = '', '—', e.country) AS country, uniqExact(e.person) AS people
        FROM person_daily AS e WHERE {DAYS} GROUP BY country ORDER BY people DESC, country LIMIT 50"""),
        width=6,
        about=EACH,
        names={"country": T("Country", "Страна"), "people": PEOPLE},
    ),
    table(
        T("Top pages", "Популярные страницы"),
        sql(f"""
        SELECT e.site_id AS site, e.path AS page, sum(e.views) AS views
        FROM page_daily AS e WHERE {DAYS} GROUP BY site, page ORDER BY views DESC, page LIMIT 50"""),
        width=6,
        names={"site": T("Site", "Сайт"), "page": T("Page", "Страница"), "views": VIEWS},
    ),
    table(
        T("Where they come from", "Откуда приходят"),
        sql(f"""
        SELECT e.site_before AS source, uniqExact(e.person) AS people, uniqExact(e.session) AS sessions
        FROM source_daily AS e WHERE {DAYS} AND e.site_before != '' GROUP BY source ORDER BY sessions DESC, source LIMIT 50"""),
        about=EACH,
        names={"source": T("Site before", "Предыдущий сайт"), "people": PEOPLE, "sessions": SESSIONS},
    ),
    table(
        T("Campaigns (UTM)", "Кампании (UTM)"),
        sql(f"""
        SELECT e.utm_source AS source, e.utm_medium AS medium, e.utm_campaign AS campaign, uniqExact(e.person) AS people,
        uniqExact(e.session) AS sessions, sum(e.clicks) AS clicks FROM source_daily AS e
        WHERE {DAYS} AND e.utm_source != '' GROUP BY source, medium, campaign ORDER BY sessions DESC, source, medium, campaign LIMIT 50"""),
        about=EACH,
        names={
            "source": T("Source", "Источник"),
            "medium": T("Medium", "Канал"),
            "campaign": T("Campaign", "Кампания"),
            "people": PEOPLE,
            "sessions": SESSIONS,
            "clicks": T("Clicks", "Клики"),
        },
    ),
    bars(
        T("Funnel within a day: page, view of an element, click", "Воронка за сутки: страница, просмотр элемента, клик"),
        sql(f"""
        SELECT ['page', 'view', 'click'][step] AS level, countIf(reached >= step) AS people
        FROM (SELECT windowFunnel(86400)(toDateTime(e.occurred_at), e.action = 'page', e.action = 'view', e.action = 'click') AS reached
        FROM clicks AS e WHERE {SEEN} AND e.action IN ('page', 'view', 'click') AND e.occurred_at >= $__toTime - 7 * 86400
        GROUP BY {PERSON})
        ARRAY JOIN [1, 2, 3] AS step GROUP BY step ORDER BY step"""),
        about=T(
            "The last 7 days of the time shown: people who saw a page; of those, who then had an element in view; of those, who then clicked.",
            "Последние 7 дней выбранного времени: люди, увидевшие страницу; из них увидевшие затем элемент; из них кликнувшие.",
        ),
        names={"people": PEOPLE},
    ),
    table(
        T("Retention: who came back after N days", "Удержание: кто вернулся через N дней"),
        sql(
            "SELECT first AS day, count() AS people, "
            + ", ".join(f"countIf(has(days, first + {n})) / people AS `{n}`" for n in (1, 2, 3, 4, 5, 6, 7, 14))
            + f"""
        FROM (SELECT groupUniqArray(e.day) AS days, min(e.day) AS first FROM person_daily AS e WHERE {DAYS} GROUP BY e.person)
        GROUP BY day ORDER BY day"""
        ),
        coloured=True,
        width=24,
        height=12,
        unit="percentunit",
        units={"people": "none", "day": "none"},
        about=T(
            "First seen on that day of the time shown; days to come are 0.",
            "Впервые замечены в этот день выбранного времени; будущие дни — 0.",
        ),
        names={"day": T("First seen", "Впервые"), "people": PEOPLE},
    ),
]

BOARD = dashboard(
    "audience",
    T("Clickstream: audience", "Clickstream: аудитория"),
    PANELS,
    since="now-30d",
    variables=[SITE],
    annotations=[{**COMPACTIONS, "enable": False}],
    refresh="5m",
)
