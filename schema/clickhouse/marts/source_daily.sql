-- Where people came from on a day: the site before (of pages alone, and only where it is another site) and the campaign that
-- the address named, with the session; empty where there was none. Clicks are those on pages of the campaign. Person and
-- session are hashes as in person_daily; an event without a session has none.
SELECT
    toDate(e.occurred_at) AS day,
    e.site_id AS site_id,
    if(e.action = 'page' AND domainWithoutWWW(ifNull(e.referrer, '')) != domainWithoutWWW(ifNull(e.url, '')),
       domainWithoutWWW(ifNull(e.referrer, '')), '') AS site_before,
    ifNull(e.utm_source, '') AS utm_source,
    ifNull(e.utm_medium, '') AS utm_medium,
    ifNull(e.utm_campaign, '') AS utm_campaign,
    cityHash64(e.site_id, coalesce(e.user_id, e.anonymous_id, e.session_id)) AS person,
    cityHash64(e.site_id, e.session_id) AS session,
    countIf(e.action = 'click') AS clicks
FROM $source AS e
WHERE $site
  AND e.occurred_at >= toDateTime64({from:Date}, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')
  AND NOT e.bot AND e.action IN ('page', 'click') AND (site_before != '' OR e.utm_source != '')
GROUP BY day, e.site_id, site_before, utm_source, utm_medium, utm_campaign, person, session
