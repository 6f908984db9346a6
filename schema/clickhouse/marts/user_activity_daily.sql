-- People active on a day, within the 7 and within the 30 days that end with it. Each person's days are gathered once,
-- then looked at from every day asked for.
SELECT
    day,
    site_id,
    countIf(has(days, day)) AS dau,
    countIf(arrayExists(d -> d > day - 7 AND d <= day, days)) AS wau,
    count() AS mau,
    if(wau = 0, 0., dau / wau) AS dau_wau,
    if(mau = 0, 0., dau / mau) AS dau_mau
FROM
(
    SELECT
        site_id,
        days,
        arrayJoin(arrayMap(i -> {from:Date} + i, range(toUInt32({to:Date} - {from:Date} + 1)))) AS day
    FROM
    (
        SELECT
            e.site_id AS site_id,
            coalesce(e.user_id, e.anonymous_id, e.session_id) AS person,
            groupUniqArray(toDate(e.occurred_at)) AS days
        FROM $source AS e
        WHERE $site
          AND e.occurred_at >= toDateTime64({from:Date} - 29, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')
          AND NOT e.bot
        GROUP BY e.site_id, person
    )
)
WHERE arrayExists(d -> d > day - 30 AND d <= day, days)
GROUP BY day, site_id
ORDER BY day, site_id
