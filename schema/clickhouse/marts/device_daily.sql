-- What people use. Sessions are those the client named.
SELECT
    toDate(e.occurred_at) AS day,
    e.site_id AS site_id,
    e.device_type AS device_type,
    e.os AS os,
    e.browser AS browser,
    count() AS events,
    uniqExact(coalesce(e.user_id, e.anonymous_id, e.session_id)) AS people,
    uniqExact(e.session_id) AS sessions
FROM $source AS e
WHERE $site
  AND e.occurred_at >= toDateTime64({from:Date}, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')
  AND NOT e.bot
GROUP BY day, e.site_id, e.device_type, e.os, e.browser
ORDER BY day, site_id, events DESC, device_type, os, browser
