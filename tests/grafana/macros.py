"""What Grafana and its ClickHouse plugin make of a query before ClickHouse sees it: macros and variables.

Source: https://github.com/grafana/clickhouse-datasource (pkg/macros, README), version 4."""

import re


def quoted(values):
    """The format `sqlstring` of a variable."""
    return ",".join("'" + value.replace("'", "''") + "'" for value in values)


def expand(sql, since, until, variables, everything=(), seconds=60):
    """`sql` for the time from `since` to `until`; variables in `everything` stand at All."""

    def conditional(match):
        return "1=1" if match[2] in everything else match[1]

    def stamp(moment):
        return f"toDateTime({int(moment.timestamp())})"

    def filtered(match):
        return f"{match[1]} >= {stamp(since)} AND {match[1]} <= {stamp(until)}"

    def days(match):
        return f"{match[1]} >= toDate('{since:%Y-%m-%d}') AND {match[1]} <= toDate('{until:%Y-%m-%d}')"

    sql = re.sub(r"\$__conditionalAll\((.*?),\s*\$(\w+)\)", conditional, sql)
    sql = re.sub(r"\$\{(\w+):sqlstring\}", lambda m: quoted(variables[m[1]]), sql)
    sql = re.sub(r"\$__timeFilter\(([^)]*)\)", filtered, sql)
    sql = re.sub(r"\$__dateFilter\(([^)]*)\)", days, sql)
    sql = re.sub(r"\$__timeInterval\(([^)]*)\)", rf"toStartOfInterval(toDateTime(\1), INTERVAL {seconds} second)", sql)
    sql = sql.replace("$__fromTime", stamp(since)).replace("$__toTime", stamp(until)).replace("$__interval_s", str(seconds))
    left = re.search(r"\$\w+|\$\{", sql)
    if left:
        raise ValueError(f"{left[0]} is no macro of the plugin and no variable of the dashboard")
    return sql
