-- `settled`: what the lake holds, each event once. Of several loads of one version the smallest counts.
CREATE VIEW IF NOT EXISTS settled AS
WITH (SELECT max(version) FROM commits) AS newest
SELECT
    event_id, site_id, action, name, original_at, occurred_at, sent_at, received_at, session_id, anonymous_id,
    user_id, url, path, referrer, page_title, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
    element_id, element_kind, element_text, element_class, x, y, position, visible_ms, viewport_width,
    viewport_height, scroll_position, device_type, os, browser, country, bot, bot_reasons, ip, user_agent,
    locale, library, source, verdict, warnings, properties, log_id, log_partition, log_offset,
    lake_version
FROM events
WHERE load_id IN (SELECT min(load_id) FROM commits WHERE rows > 0 AND version <= newest GROUP BY version);

-- `clicks`: settled events and, of `fresh`, what lies at or past the newest watermarks.
--
-- `newest` is one scalar, read once per query, before any table is: a commit written meanwhile changes nothing.
-- The rows of `events` come from loads up to its version, the offsets of `fresh` from its watermarks. Partitions of
-- `fresh` wholly below their watermark are not opened; the exact filter on offsets comes after FINAL.
-- Last, ids settled within the hours of what is fresh are left out: a repeat of a settled event counts once.
-- Events without a time of their own (`time_assigned`) may differ by up to 48 h between two sendings.
CREATE VIEW IF NOT EXISTS clicks AS
WITH
    (SELECT (max(version), argMax(watermarks, version)) FROM commits) AS newest,
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
