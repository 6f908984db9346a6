-- Where people click on a page: across in steps of 5 % of the viewport where its width is known (0 to 19), down in
-- steps of 50 CSS pixels.
SELECT
    ifNull(e.path, '') AS path,
    if(e.viewport_width > 0, toInt32(least(19, greatest(0, intDiv(e.x * 20, e.viewport_width)))), NULL) AS x_bucket,
    intDiv(greatest(e.y, 0), 50) AS y_bucket,
    count() AS clicks
FROM $source AS e
WHERE $site
  AND e.occurred_at >= toDateTime64({from:Date}, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')
  AND NOT e.bot AND e.action = 'click' AND e.x IS NOT NULL AND e.y IS NOT NULL
  AND ({path:Nullable(String)} IS NULL OR ifNull(e.path, '') = {path:Nullable(String)})
GROUP BY ifNull(e.path, ''), x_bucket, y_bucket
ORDER BY path, y_bucket, x_bucket
