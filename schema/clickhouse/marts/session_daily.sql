-- Sessions by the day on which they began. A session is the client's, else a run of one person's events without a
-- gap of more than 30 minutes. A day more on either side is read, so that sessions across midnight are whole.
-- Sums are of whole µs and exact: the same sessions give the same numbers in whatever order they are read.
SELECT
    toDate(fromUnixTimestamp64Micro(session.1, 'UTC')) AS day,
    site_id,
    count() AS sessions,
    avg(session.2 - session.1) / 1e6 AS avg_duration_s,
    quantileExactInclusive(0.5)((session.2 - session.1) / 1e6) AS median_duration_s,
    sqrt(toFloat64(
        toInt256(count()) * sum(toInt256(session.2 - session.1) * toInt256(session.2 - session.1))
            - sum(toInt256(session.2 - session.1)) * sum(toInt256(session.2 - session.1))
    )) / count() / 1e6 AS std_duration_s,
    sum(session.3) AS events
FROM
(
    SELECT
        site_id,
        arrayJoin(if(
            named,
            [(began, ended, number)],
            arrayMap(run -> (run[1], run[-1], toUInt64(length(run))), arraySplit((at, gap) -> gap > 1800000000, times, arrayDifference(times)))
        )) AS session
    FROM
    (
        SELECT
            e.site_id AS site_id,
            e.session_id IS NOT NULL AS named,
            ifNull(e.session_id, coalesce(e.user_id, e.anonymous_id, '')) AS whose,
            min(toUnixTimestamp64Micro(e.occurred_at)) AS began,
            max(toUnixTimestamp64Micro(e.occurred_at)) AS ended,
            count() AS number,
            arraySort(groupArrayIf(toUnixTimestamp64Micro(e.occurred_at), e.session_id IS NULL)) AS times
        FROM $source AS e
        WHERE $site
          AND e.occurred_at >= toDateTime64({from:Date} - 1, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 2, 6, 'UTC')
          AND NOT e.bot
        GROUP BY e.site_id, named, whose
    )
)
WHERE day >= {from:Date} AND day <= {to:Date}
GROUP BY day, site_id
ORDER BY day, site_id
