-- Who came on a day, and from which country: people of several days cannot be added up from numbers of single days, so
-- dashboards count them here. A person is a hash of 64 bits of the site and whose the event is: nobody is the same person on
-- two sites, and two of a billion share a hash with a chance of 3 %. Country is empty where it is not known.
SELECT
    toDate(e.occurred_at) AS day,
    e.site_id AS site_id,
    cityHash64(e.site_id, coalesce(e.user_id, e.anonymous_id, e.session_id)) AS person,
    ifNull(e.country, '') AS country
FROM $source AS e
WHERE $site
  AND e.occurred_at >= toDateTime64({from:Date}, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')
  AND NOT e.bot
GROUP BY day, e.site_id, person, country
