"""Panels that count people over several days, held against a count of the events themselves: no marts, no hashes."""

from boards import board, interval, span
from macros import expand
from panels import ALL

# Every settled event of a human, with whose it is.
EVENTS = "(SELECT *, (site_id, coalesce(user_id, anonymous_id, session_id)) AS person, toDate(occurred_at) AS day FROM settled WHERE NOT bot)"
FIRST = f"(SELECT person, min(day) AS first FROM {EVENTS} GROUP BY person)"
PLAIN = {
    "Countries": f"SELECT ifNull(country, '—'), uniqExact(person) FROM {EVENTS} GROUP BY country",
    "Where they come from": f"""
        SELECT domainWithoutWWW(referrer) AS before, uniqExact(person), uniqExact(site_id, session_id) FROM {EVENTS}
        WHERE action = 'page' AND referrer != '' AND before != domainWithoutWWW(url) GROUP BY before""",
    "Campaigns (UTM)": f"""
        SELECT utm_source, utm_medium, utm_campaign, uniqExact(person), uniqExact(site_id, session_id), countIf(action = 'click') FROM {EVENTS}
        WHERE action IN ('page', 'click') AND utm_source IS NOT NULL GROUP BY ALL""",
    "New and returning people": f"""
        SELECT toDateTime(day), uniqExactIf(person, day = first), uniqExactIf(person, day > first) FROM {EVENTS}
        AS e JOIN {FIRST} AS f USING person GROUP BY day""",
    "Retention: who came back after N days": f"""
        SELECT first, uniqExact(person) AS people, {", ".join(f"uniqExactIf(person, day = first + {n}) / people" for n in (1, 2, 3, 4, 5, 6, 7, 14))}
        FROM {EVENTS} AS e JOIN {FIRST} AS f USING person GROUP BY first""",
}


def check(clickhouse):
    """Which panels of *Audience* answer otherwise than the plain count, and which of them there is no more."""
    dashboard = board("audience")
    since, until = span(dashboard)
    asked = {panel["title"]: panel["targets"][0]["rawSql"] for panel in dashboard["panels"]}
    wrong = [f"audience has no panel {title}" for title in PLAIN.keys() - asked.keys()]
    for title in PLAIN.keys() & asked.keys():
        sql = expand(asked[title], since, until, ALL, ("site",), interval(since, until))
        panel, plain = (sorted(map(str, clickhouse.rows(text)[1])) for text in (sql, PLAIN[title]))
        if panel != plain:
            first = next(((a, b) for a, b in zip(panel, plain) if a != b), (panel[-1:], plain[-1:]))
            wrong.append(f"audience: {title} says {first[0]} where the events say {first[1]}")
    return wrong
