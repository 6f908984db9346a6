-- Days that a lake version brought anew (a replay): of the rows whose original_at lies in `day`, those of lower versions no
-- longer count once `version` is settled by `load_id`. Noted before the row in `commits`, which hides the old rows and
-- shows the new ones at once. Rows that are hidden so are deleted a day later, and then the note.
CREATE TABLE IF NOT EXISTS replaced
(
    version UInt64,
    load_id UUID,
    day Date32,
    noted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (version, load_id, day);

-- As before, and without rows of days that a higher version brought anew. `days` pairs each such day (since 1970) with the
-- newest version that brought it. Where no day was brought anew, `replacements` is 0 and nothing more is read.
CREATE OR REPLACE VIEW settled AS
WITH
    (SELECT max(version) FROM commits) AS newest,
    (SELECT count() FROM replaced WHERE version <= newest) AS replacements,
    (
        SELECT (groupArray(toInt64(toInt32(day))), groupArray(since))
        FROM
        (
            SELECT day, max(version) AS since FROM replaced
            WHERE version <= newest AND load_id IN (SELECT min(load_id) FROM commits WHERE version <= newest GROUP BY version)
            GROUP BY day
        )
    ) AS days
SELECT
    event_id, site_id, action, name, original_at, occurred_at, sent_at, received_at, session_id, anonymous_id,
    user_id, url, path, referrer, page_title, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
    element_id, element_kind, element_text, element_class, x, y, position, visible_ms, viewport_width,
    viewport_height, scroll_position, device_type, os, browser, country, bot, bot_reasons, ip, user_agent,
    locale, library, source, verdict, warnings, properties, log_id, log_partition, log_offset,
    lake_version
FROM events
WHERE load_id IN (SELECT min(load_id) FROM commits WHERE rows > 0 AND version <= newest GROUP BY version)
  AND (replacements = 0 OR lake_version >= transform(intDiv(toUnixTimestamp64Micro(original_at), 86400000000), days.1, days.2, toUInt64(0)));

-- As before, and without rows of days that a higher version brought anew. What is noted of versions up to `newest` was noted
-- before the row in `commits` that `newest` read.
CREATE OR REPLACE VIEW clicks AS
WITH
    (SELECT (max(version), argMax(watermarks, version)) FROM commits) AS newest,
    (SELECT count() FROM replaced WHERE version <= newest.1) AS replacements,
    (
        SELECT (groupArray(toInt64(toInt32(day))), groupArray(since))
        FROM
        (
            SELECT day, max(version) AS since FROM replaced
            WHERE version <= newest.1 AND load_id IN (SELECT min(load_id) FROM commits WHERE version <= newest.1 GROUP BY version)
            GROUP BY day
        )
    ) AS days,
    (
        SELECT (min(original_at) - toIntervalHour(1 + 47 * max(has(warnings, 'time_assigned'))),
                max(original_at) + toIntervalHour(1 + 47 * max(has(warnings, 'time_assigned'))))
        FROM fresh
        WHERE (_partition_value.3 + 1) * 500000 > newest.2[concat(_partition_value.1, '/', toString(_partition_value.2))]
          AND log_offset >= newest.2[place]
    ) AS hours
SELECT * FROM
(
    SELECT
        event_id, site_id, action, name, original_at, occurred_at, sent_at, received_at, session_id, anonymous_id,
        user_id, url, path, referrer, page_title, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
        element_id, element_kind, element_text, element_class, x, y, position, visible_ms, viewport_width,
        viewport_height, scroll_position, device_type, os, browser, country, bot, bot_reasons, ip, user_agent,
        locale, library, source, verdict, warnings, properties, log_id, log_partition, log_offset
    FROM events
    WHERE load_id IN (SELECT min(load_id) FROM commits WHERE rows > 0 AND version <= newest.1 GROUP BY version)
      AND (replacements = 0 OR lake_version >= transform(intDiv(toUnixTimestamp64Micro(original_at), 86400000000), days.1, days.2, toUInt64(0)))
    UNION ALL
    SELECT
        event_id, site_id, action, name, original_at, occurred_at, sent_at, received_at, session_id, anonymous_id,
        user_id, url, path, referrer, page_title, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
        element_id, element_kind, element_text, element_class, x, y, position, visible_ms, viewport_width,
        viewport_height, scroll_position, device_type, os, browser, country, bot, bot_reasons, ip, user_agent,
        locale, library, source, verdict, warnings, properties, log_id, log_partition, log_offset
    FROM fresh FINAL
    WHERE (_partition_value.3 + 1) * 500000 > newest.2[concat(_partition_value.1, '/', toString(_partition_value.2))]
      AND log_offset >= newest.2[place]
      AND (site_id, event_id) NOT IN
      (
          SELECT site_id, event_id
          FROM events
          WHERE load_id IN (SELECT min(load_id) FROM commits WHERE rows > 0 AND version <= newest.1 GROUP BY version)
            AND original_at >= hours.1 AND original_at <= hours.2
            AND event_id IN
            (
                SELECT event_id
                FROM fresh
                WHERE (_partition_value.3 + 1) * 500000 > newest.2[concat(_partition_value.1, '/', toString(_partition_value.2))]
                  AND log_offset >= newest.2[place]
            )
      )
);
