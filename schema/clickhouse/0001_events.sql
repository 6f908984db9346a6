-- Settled events: every row came out of one lake version by one load (an attempt to settle it).
-- Rows of a load count only once `commits` names it; see the view `settled`.
-- A lake file is inserted as it is; the inserting statement says `{load_id}/{lake_version}` in its setting log_comment.
CREATE TABLE IF NOT EXISTS events
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
    load_id UUID DEFAULT toUUIDOrZero(splitByChar('/', getSetting('log_comment'))[1]),
    lake_version UInt64 DEFAULT toUInt64OrZero(splitByChar('/', getSetting('log_comment'))[2]),
    CONSTRAINT has_load CHECK load_id != toUUID('00000000-0000-0000-0000-000000000000'),
    INDEX by_event_id event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_original_at original_at TYPE minmax GRANULARITY 1,
    INDEX by_load load_id TYPE set(16) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (site_id, occurred_at, event_id)
-- Small write buffers and one file for small parts: with a megabyte for each of a hundred streams, an insert of a few
-- thousand rows takes 600 MB.
SETTINGS max_compress_block_size = 65536, min_compress_block_size = 16384, min_bytes_for_wide_part = 67108864,
    non_replicated_deduplication_window = 1000;

-- Every load that was begun, so that what never got its commit can be found and deleted.
CREATE TABLE IF NOT EXISTS loads
(
    load_id UUID,
    version UInt64,
    started_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY load_id;
