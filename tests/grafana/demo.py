"""Believable events in the service's own tables, the same at every run: the schema of schema/clickhouse, three sites, people
who come again, sessions of pages, views and clicks, the newest hour still fresh, marts as the service computes them."""

import datetime
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "schema/clickhouse"
NOW = datetime.datetime(2026, 11, 24, 18, 0, tzinfo=datetime.timezone.utc)
DAYS = 30
VERSIONS = 12

# A session is 10 events: a page, views, clicks. `n` is the event's number, `s` its session's, `p` its person's.
EVENTS = """
SELECT
    reinterpretAsUUID(sipHash128(n)) AS event_id,
    ['demo', 'demo', 'demo', 'demo-news', 'demo-docs'][1 + p % 5] AS site_id,
    multiIf(k = 0, 'page', k IN (3, 6) AND h % 3 = 0, 'click', k = 9, 'custom', k = 5, 'page', 'view') AS action,
    if(action = 'custom', 'element_left', NULL) AS name,
    occurred_at AS original_at,
    began + toIntervalSecond(k * (3 + s % 40)) AS occurred_at,
    occurred_at AS sent_at,
    occurred_at + toIntervalMillisecond(200) AS received_at,
    concat('s-', toString(s)) AS session_id,
    concat('a-', toString(p)) AS anonymous_id,
    if(p % 7 = 0, concat('u-', toString(p)), NULL) AS user_id,
    concat('https://', site_id, '.example', path) AS url,
    ['/', '/catalogue', '/product/1', '/product/2', '/cart', '/about'][1 + (s + intDiv(k, 5)) % 6] AS path,
    if(k = 0 AND s % 3 = 0, ['https://www.google.com/', 'https://news.example.org/a', 'https://ya.ru/'][1 + s % 7 % 3], NULL) AS referrer,
    if(s % 4 = 0, ['google', 'newsletter', 'vk'][1 + s % 3], NULL) AS utm_source,
    if(s % 4 = 0, ['cpc', 'email', 'social'][1 + s % 3], NULL) AS utm_medium,
    if(s % 4 = 0, ['autumn', 'black-friday'][1 + s % 2], NULL) AS utm_campaign,
    if(action IN ('view', 'click', 'custom'), e, NULL) AS element_id,
    if(element_id IS NULL, NULL, if(e LIKE 'banner%', 'block', 'button')) AS element_kind,
    if(element_id IS NULL, NULL, upperUTF8(e)) AS element_text,
    if(action = 'click', toInt32(cityHash64(e) % 900 + h % 120), NULL) AS x,
    if(action = 'click', toInt32(cityHash64(e, 1) % 1500 + h % 60), NULL) AS y,
    if(element_id IS NULL, NULL, toInt32(1 + cityHash64(e) % 10)) AS position,
    if(action IN ('view', 'custom'), toInt64(500 + h % 6000), NULL) AS visible_ms,
    toNullable(toInt32(1280)) AS viewport_width,
    ['desktop', 'desktop', 'mobile', 'tablet'][1 + p % 4] AS device_type,
    ['Windows', 'macOS', 'Android', 'iPadOS'][1 + p % 4] AS os,
    ['Chrome', 'Safari', 'Firefox'][1 + p % 3] AS browser,
    ['RU', 'DE', 'KZ', NULL, 'US'][1 + p % 11 % 5] AS country,
    p % 97 = 0 AS bot,
    'http' AS source,
    if(h % 50 = 0, 'suspicious', 'valid') AS verdict,
    '{{}}' AS properties,
    'demo-log' AS log_id,
    toUInt32(n % 2) AS log_partition,
    toUInt64(intDiv(n, 2)) AS log_offset
FROM
(
    SELECT
        number AS n, intDiv(number, 10) AS s, number % 10 AS k, cityHash64(number) AS h,
        toDateTime64('{start}', 6, 'UTC') + toIntervalMillisecond(toInt64(s * {step})) AS began,
        toUInt64(pow(cityHash64(s) % 1000000 / 1e6, 2) * {people}) AS p,
        ['buy-now', 'add-to-cart', 'subscribe', 'banner-top', 'banner-side', 'share', 'menu', 'search', 'video-play', 'footer-link']
            [1 + toUInt64(pow(h % 1000 / 1e3, 2) * 10)] AS e
    FROM numbers({first}, {count})
)
"""
MARTS = ("element_daily", "user_activity_daily", "session_daily", "device_daily", "page_daily", "person_daily", "source_daily")


def statements(text):
    """The statements of a migration; the service splits them the same way, at semicolons that end a line."""
    return [part for part in text.split(";\n") if part.strip()]


def select(count, first, number):
    seconds = DAYS * 86400
    start = NOW - datetime.timedelta(seconds=seconds)
    return EVENTS.format(
        start=f"{start:%Y-%m-%d %H:%M:%S}", step=seconds * 1000 * 10 / count, people=max(50, count // 100), first=first, count=number
    )


def load(clickhouse, count):
    """`count` events over the days before NOW; all but the newest 1/500 are settled, in versions of equal size."""
    for path in sorted(SCHEMA.glob("0*.sql")):
        for statement in statements(path.read_text()):
            clickhouse.run(statement)
    settled = count - count // 500
    columns = names(clickhouse, select(count, 0, count))
    for version in range(VERSIONS):
        first, last = settled * version // VERSIONS, settled * (version + 1) // VERSIONS
        load_id = f"toUUID('00000000-0000-4000-8000-{version:012}')"
        at = NOW - datetime.timedelta(minutes=3) - datetime.timedelta(minutes=60) * (VERSIONS - 1 - version)
        body = select(count, first, last - first)
        clickhouse.run(f"INSERT INTO events ({columns}, load_id, lake_version) SELECT *, {load_id}, {version} FROM ({body})")
        clickhouse.run(
            f"INSERT INTO commits SELECT {version}, {load_id}, map('demo-log/0', {(last + 1) // 2}, 'demo-log/1', {last // 2}), {last - first}, "
            f"toDateTime64('{at:%Y-%m-%d %H:%M:%S}', 6, 'UTC')"
        )
    body = select(count, settled, count - settled)
    clickhouse.run(f"INSERT INTO fresh ({columns}) {body}")
    start, end = NOW - datetime.timedelta(days=DAYS), NOW
    for mart in MARTS:
        text = (SCHEMA / f"marts/{mart}.sql").read_text().replace("$source", "settled").replace("$site", "true")
        text = text.replace("{from:Date}", f"toDate('{start:%Y-%m-%d}')").replace("{to:Date}", f"toDate('{end:%Y-%m-%d}')")
        clickhouse.run(f"INSERT INTO {mart} {text}")
    clickhouse.run(
        "INSERT INTO ledger (at, topic, log_id, log_partition, logged, settled, duplicates, pending) SELECT "
        f"toDateTime64('{NOW:%Y-%m-%d %H:%M:%S}', 6, 'UTC') - toIntervalMinute(10 * intDiv(number, 2)), 'events', 'demo-log', number % 2, "
        f"toUInt64({count} / 2 * (1 - number / 400)) AS records, records - 20 - waiting, 20, 50 + number % 17 AS waiting FROM numbers(72)"
    )
    clickhouse.run(f"INSERT INTO rebuilt (version) VALUES ({VERSIONS - 1})")


def names(clickhouse, body):
    """The columns that a SELECT gives, in order."""
    return ", ".join(row[0] for row in clickhouse.rows(f"DESCRIBE ({body})")[1])
