"""What receipts and reports must say of files in the shape of the clicks CSV, computed by DuckDB.

Written from the definitions in docs, not from the service's SQL, so that a mistake in one is not in the other.

    independent.py --from 2026-11-20 --to 2026-11-24 --ids IDS.txt FILE...

Prints one JSON object: receipts per file, the number of distinct events, and the rows of each report. Writes the ids of
the distinct events to IDS.txt, one a line.
"""

import argparse
import json
import pathlib

import duckdb

COLUMNS = ["id", "type", "createdAt", "sessionId", "userId", "ip", "url", "deviceType", "userAgent"]
PAYLOAD = ["elementId", "x", "y", "elementText", "viewportWidth", "metadata"]


def load(db, files):
    """Every line of every file into the table `lines`, all cells as text."""
    names = COLUMNS + [f'p_{name}' for name in PAYLOAD]
    db.execute(f"CREATE TABLE lines (file VARCHAR, line BIGINT, {', '.join(f'{name} VARCHAR' for name in names)})")
    for file in files:
        name = pathlib.Path(file).name
        # No cell holds a line break, so a record is a line; in CSV the first one is the header.
        first = 2 if ".csv" in name else 1
        if ".csv" in name:
            cells = COLUMNS + [f'"payload.{column}"' for column in PAYLOAD]
            source = "read_csv(?, header = true, all_varchar = true, nullstr = 'null', quote = '\"', escape = '\"')"
        else:
            cells = COLUMNS + [f"payload.{column}" for column in PAYLOAD]
            fields = ", ".join(f"{column} VARCHAR" for column in PAYLOAD)
            types = ", ".join([f"{column}: 'VARCHAR'" for column in COLUMNS] + [f"payload: 'STRUCT({fields})'"])
            source = f"read_json(?, format = 'newline_delimited', columns = {{{types}}})"
        db.execute(f"INSERT INTO lines SELECT ?, row_number() OVER () + {first - 1}, {', '.join(cells)} FROM {source}", [name, file])


def judge(db):
    """The table `judged`: each line, whether it is invalid, and whether something about it is suspicious."""
    db.execute("""
        CREATE TABLE judged AS
        SELECT
            *,
            lower(type) AS action,
            try_cast(createdAt AS TIMESTAMP) AS moment,
            id IS NULL
                OR type IS NULL OR lower(type) NOT IN ('view', 'click', 'page', 'identify', 'custom')
                OR (lower(type) IN ('view', 'click') AND p_elementId IS NULL)
                OR (userId IS NULL AND sessionId IS NULL)
                OR try_cast(createdAt AS TIMESTAMP) IS NULL
                OR try_cast(createdAt AS TIMESTAMP) > (now() AT TIME ZONE 'UTC') + INTERVAL 24 HOUR AS invalid,
            (ip IS NOT NULL AND NOT regexp_full_match(ip, '(\\d{1,3}\\.){3}\\d{1,3}'))
                OR ip LIKE '10.%' OR ip LIKE '192.168.%' OR ip LIKE '127.%'
                OR (p_viewportWidth IS NOT NULL AND try_cast(p_viewportWidth AS DOUBLE) IS NULL)
                OR (p_metadata IS NOT NULL AND json_type(try_cast(p_metadata AS JSON)) IS DISTINCT FROM 'OBJECT') AS suspicious
        FROM lines
    """)
    # A repeat is the same line again: which of them stays makes no difference.
    db.execute("""
        CREATE TABLE events AS
        SELECT
            any_value(action) AS action,
            any_value(moment) AS moment,
            CAST(any_value(moment) AS DATE) AS day,
            any_value(sessionId) AS session,
            coalesce(any_value(userId), any_value(sessionId)) AS person,
            coalesce(regexp_extract(any_value(url), '^https?://[^/]+(/[^?#]*)', 1), '') AS path,
            any_value(deviceType) AS declared,
            any_value(userAgent) AS agent,
            any_value(p_elementId) AS element,
            any_value(p_elementText) AS text,
            try_cast(any_value(p_x) AS DOUBLE) AS x,
            try_cast(any_value(p_y) AS DOUBLE) AS y,
            contains(any_value(userAgent), 'Googlebot') AS bot,
            id
        FROM judged
        WHERE NOT invalid
        GROUP BY id
    """)
    db.execute("CREATE VIEW people_events AS SELECT * FROM events WHERE NOT bot")


RECEIPTS = """
    SELECT
        file,
        count(*) AS lines,
        count(*) FILTER (NOT invalid AND NOT suspicious) AS accepted,
        count(*) FILTER (NOT invalid AND suspicious) AS suspicious,
        count(*) FILTER (invalid) AS rejected,
        list(line ORDER BY line) FILTER (invalid) AS rejected_lines
    FROM judged
    GROUP BY file
"""

REPORTS = {
    "elements": """
        SELECT
            day, element AS element_id, NULL AS element_kind, max(text) AS element_text,
            count(*) FILTER (action = 'view') AS views,
            count(*) FILTER (action = 'click') AS clicks,
            count(DISTINCT person) AS people,
            coalesce(count(*) FILTER (action = 'click') / nullif(count(*) FILTER (action = 'view'), 0), 0) AS click_through_rate,
            avg(x) AS avg_x, avg(y) AS avg_y, 0 AS visible_ms
        FROM people_events
        WHERE action IN ('view', 'click') AND day BETWEEN $first AND $last
        GROUP BY day, element
    """,
    "pages": """
        SELECT
            day, path, count(*) AS views, count(DISTINCT person) AS people,
            rank() OVER (PARTITION BY day ORDER BY count(*) DESC, path) AS rank
        FROM people_events
        WHERE action = 'page' AND day BETWEEN $first AND $last
        GROUP BY day, path
    """,
    "sessions": """
        WITH steps AS (
            SELECT person, moment, moment - lag(moment) OVER (PARTITION BY person ORDER BY moment) > INTERVAL 30 MINUTE AS pause
            FROM people_events WHERE session IS NULL
        ), numbered AS (
            SELECT person, moment, count(*) FILTER (pause) OVER (PARTITION BY person ORDER BY moment RANGE UNBOUNDED PRECEDING) AS number
            FROM steps
        ), sessions AS (
            SELECT min(moment) AS began, epoch(max(moment)) - epoch(min(moment)) AS seconds, count(*) AS events
            FROM people_events WHERE session IS NOT NULL GROUP BY session
            UNION ALL
            SELECT min(moment), epoch(max(moment)) - epoch(min(moment)), count(*) FROM numbered GROUP BY person, number
        )
        SELECT
            CAST(began AS DATE) AS day, count(*) AS sessions, avg(seconds) AS avg_duration_s,
            median(seconds) AS median_duration_s, stddev_pop(seconds) AS std_duration_s, CAST(sum(events) AS BIGINT) AS events
        FROM sessions
        WHERE CAST(began AS DATE) BETWEEN $first AND $last
        GROUP BY CAST(began AS DATE)
    """,
    "devices": """
        SELECT
            day,
            CASE declared
                WHEN 'DESKTOP' THEN 'desktop' WHEN 'TABLET' THEN 'tablet' ELSE 'mobile' END AS device_type,
            CASE
                WHEN agent LIKE '%iPhone%' OR agent LIKE '%iPad%' THEN 'iOS'
                WHEN agent LIKE '%Android%' THEN 'Android'
                WHEN agent LIKE '%Windows NT%' THEN 'Windows'
                WHEN agent LIKE '%Macintosh%' THEN 'Mac OS X' END AS os,
            CASE
                WHEN agent LIKE '%Firefox/%' THEN 'Firefox'
                WHEN agent LIKE '%Chrome/% Mobile %' THEN 'Chrome Mobile'
                WHEN agent LIKE '%Chrome/%' THEN 'Chrome'
                WHEN agent LIKE '%Mobile/%' THEN 'Mobile Safari' END AS browser,
            count(*) AS events, count(DISTINCT person) AS people, count(DISTINCT session) AS sessions
        FROM people_events
        WHERE day BETWEEN $first AND $last
        GROUP BY ALL
    """,
    "activity": """
        WITH days AS (
            SELECT CAST(unnest(generate_series(CAST($first AS DATE), CAST($last AS DATE), INTERVAL 1 DAY)) AS DATE) AS d
        ), active AS (SELECT DISTINCT person, day FROM people_events)
        SELECT
            d AS day,
            count(DISTINCT person) FILTER (day = d) AS dau,
            count(DISTINCT person) FILTER (day > d - 7) AS wau,
            count(DISTINCT person) AS mau,
            coalesce(count(DISTINCT person) FILTER (day = d) / nullif(count(DISTINCT person) FILTER (day > d - 7), 0), 0) AS dau_wau,
            count(DISTINCT person) FILTER (day = d) / count(DISTINCT person) AS dau_mau
        FROM days JOIN active ON day > d - 30 AND day <= d
        GROUP BY d
    """,
}


def rows(db, sql, parameters=None):
    """The rows of a query as objects."""
    result = db.execute(sql, parameters or {})
    names = [column[0] for column in result.description]
    return [dict(zip(names, row)) for row in result.fetchall()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="first", required=True)
    parser.add_argument("--to", dest="last", required=True)
    parser.add_argument("--ids", required=True)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    load(db, options.files)
    judge(db)
    ids = [row[0] for row in db.execute("SELECT id FROM events ORDER BY id").fetchall()]
    pathlib.Path(options.ids).write_text("".join(f"{event_id}\n" for event_id in ids))
    span = {"first": options.first, "last": options.last}
    answer = {
        "receipts": {row.pop("file"): row for row in rows(db, RECEIPTS)},
        "events": len(ids),
        "reports": {name: rows(db, sql, span) for name, sql in REPORTS.items()},
    }
    print(json.dumps(answer, default=str))


if __name__ == "__main__":
    main()
