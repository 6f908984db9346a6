-- Pages by views; rank 1 has most within its day and site, equal ones by path.
SELECT
    day, site_id, path, views, people,
    row_number() OVER (PARTITION BY day, site_id ORDER BY views DESC, path ASC) AS rank
FROM
(
    SELECT
        toDate(e.occurred_at) AS day,
        e.site_id AS site_id,
        ifNull(e.path, '') AS path,
        count() AS views,
        uniqExact(coalesce(e.user_id, e.anonymous_id, e.session_id)) AS people
    FROM $source AS e
    WHERE $site
      AND e.occurred_at >= toDateTime64({from:Date}, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')
      AND NOT e.bot AND e.action = 'page'
    GROUP BY day, e.site_id, ifNull(e.path, '')
)
ORDER BY day, site_id, rank
