-- Events that were landed, seconds old, until some time after they are settled.
-- A repeat of (site_id, event_id) is replaced: the lowest received_at stays, then the lowest place in the log;
-- `precedence` is greater for the one that stays. A partition covers 500,000 offsets of one log partition, so
-- that queries open only what the watermarks leave and expiry drops whole partitions.
CREATE TABLE IF NOT EXISTS fresh
(
    event_id UUID,
    site_id LowCardinality(String),
    action LowCardinality(String),
    name Nullable(String),
    original_at DateTime64(6, 'UTC'),
    occurred_at DateTime64(6, 'UTC'),
    sent_at Nullable(DateTime64(6, 'UTC')),
    received_at DateTime64(6, 'UTC'),
    session_id Nullable(String),
    anonymous_id Nullable(String),
    user_id Nullable(String),
    url Nullable(String),
    path Nullable(String),
    referrer Nullable(String),
    page_title Nullable(String),
    utm_source Nullable(String),
    utm_medium Nullable(String),
    utm_campaign Nullable(String),
    utm_term Nullable(String),
    utm_content Nullable(String),
    element_id Nullable(String),
    element_kind Nullable(String),
    element_text Nullable(String),
    element_class Nullable(String),
    x Nullable(Int32),
    y Nullable(Int32),
    position Nullable(Int32),
    visible_ms Nullable(Int64),
    viewport_width Nullable(Int32),
    viewport_height Nullable(Int32),
    scroll_position Nullable(Int32),
    device_type LowCardinality(String),
    os Nullable(String),
    browser Nullable(String),
    country Nullable(String),
    bot Bool,
    bot_reasons Array(String),
    ip Nullable(String),
    user_agent Nullable(String),
    locale Nullable(String),
    library Nullable(String),
    source LowCardinality(String),
    verdict LowCardinality(String),
    warnings Array(LowCardinality(String)),
    properties String,
    log_id LowCardinality(String),
    log_partition UInt32,
    log_offset UInt64,
    place LowCardinality(String) MATERIALIZED concat(log_id, '/', toString(log_partition)),
    precedence UInt128 MATERIALIZED bitNot(bitOr(
        bitShiftLeft(toUInt128(toUInt64(toUnixTimestamp64Micro(received_at))), 64),
        bitOr(bitShiftLeft(toUInt128(log_partition), 48), toUInt128(log_offset)))),
    INDEX by_offset log_offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY (log_id, log_partition, intDiv(log_offset, 500000))
ORDER BY (site_id, event_id)
SETTINGS max_compress_block_size = 65536, min_compress_block_size = 16384, min_bytes_for_wide_part = 1073741824;

-- Where raw objects are inserted. It keeps nothing: its view drops dead letters and passes the rest on.
CREATE TABLE IF NOT EXISTS landing
(
    event_id Nullable(String),
    site_id LowCardinality(Nullable(String)),
    action LowCardinality(Nullable(String)),
    name Nullable(String),
    original_at Nullable(DateTime64(6, 'UTC')),
    occurred_at Nullable(DateTime64(6, 'UTC')),
    sent_at Nullable(DateTime64(6, 'UTC')),
    received_at Nullable(DateTime64(6, 'UTC')),
    session_id Nullable(String),
    anonymous_id Nullable(String),
    user_id Nullable(String),
    url Nullable(String),
    path Nullable(String),
    referrer Nullable(String),
    page_title Nullable(String),
    utm_source Nullable(String),
    utm_medium Nullable(String),
    utm_campaign Nullable(String),
    utm_term Nullable(String),
    utm_content Nullable(String),
    element_id Nullable(String),
    element_kind Nullable(String),
    element_text Nullable(String),
    element_class Nullable(String),
    x Nullable(Int32),
    y Nullable(Int32),
    position Nullable(Int32),
    visible_ms Nullable(Int64),
    viewport_width Nullable(Int32),
    viewport_height Nullable(Int32),
    scroll_position Nullable(Int32),
    device_type LowCardinality(Nullable(String)),
    os Nullable(String),
    browser Nullable(String),
    country Nullable(String),
    bot Nullable(Bool),
    bot_reasons Array(String),
    ip Nullable(String),
    user_agent Nullable(String),
    locale Nullable(String),
    library Nullable(String),
    source LowCardinality(Nullable(String)),
    verdict LowCardinality(Nullable(String)),
    warnings Array(LowCardinality(String)),
    properties Nullable(String),
    log_id LowCardinality(String),
    log_partition UInt32,
    log_offset UInt64,
    dead_letter Nullable(String)
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS landing_to_fresh TO fresh AS
SELECT
    toUUID(assumeNotNull(event_id)) AS event_id, site_id, action, name, original_at, occurred_at, sent_at, received_at, session_id, anonymous_id,
    user_id, url, path, referrer, page_title, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
    element_id, element_kind, element_text, element_class, x, y, position, visible_ms, viewport_width,
    viewport_height, scroll_position, device_type, os, browser, country, bot, bot_reasons, ip, user_agent,
    locale, library, source, verdict, warnings, properties, log_id, log_partition, log_offset
FROM landing
WHERE dead_letter IS NULL;
