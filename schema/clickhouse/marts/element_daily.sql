-- Views and clicks of each element. The rate is 0 where nothing was viewed. A view is sent while the element is still
-- seen; the custom event `element_left` brings the time that was left, and counts as neither.
SELECT
    toDate(e.occurred_at) AS day,
    e.site_id AS site_id,
    e.element_id AS element_id,
    max(e.element_kind) AS element_kind,
    max(e.element_text) AS element_text,
    countIf(e.action = 'view') AS views,
    countIf(e.action = 'click') AS clicks,
    uniqExactIf(coalesce(e.user_id, e.anonymous_id, e.session_id), e.action != 'custom') AS people,
    if(views = 0, 0., clicks / views) AS click_through_rate,
    avgIf(e.x, e.action != 'custom') AS avg_x,
    avgIf(e.y, e.action != 'custom') AS avg_y,
    sum(ifNull(e.visible_ms, 0)) AS visible_ms
FROM $source AS e
WHERE $site
  AND e.occurred_at >= toDateTime64({from:Date}, 6, 'UTC') AND e.occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')
  AND NOT e.bot AND (e.action IN ('view', 'click') OR (e.action = 'custom' AND e.name = 'element_left')) AND e.element_id IS NOT NULL
GROUP BY day, e.site_id, e.element_id
ORDER BY day, site_id, views DESC, clicks DESC, element_id
