-- Daily numbers of settled events, one partition a day so that a day is swapped whole.
-- How each is computed stands in marts/{name}.sql, which live reports use too.
CREATE TABLE IF NOT EXISTS element_daily
(
    day Date,
    site_id LowCardinality(String),
    element_id String,
    element_kind Nullable(String),
    element_text Nullable(String),
    views UInt64,
    clicks UInt64,
    people UInt64,
    click_through_rate Float64,
    avg_x Nullable(Float64),
    avg_y Nullable(Float64),
    visible_ms Int64
)
ENGINE = MergeTree PARTITION BY day ORDER BY (site_id, element_id);

CREATE TABLE IF NOT EXISTS user_activity_daily
(
    day Date,
    site_id LowCardinality(String),
    dau UInt64,
    wau UInt64,
    mau UInt64,
    dau_wau Float64,
    dau_mau Float64
)
ENGINE = MergeTree PARTITION BY day ORDER BY site_id;

CREATE TABLE IF NOT EXISTS session_daily
(
    day Date,
    site_id LowCardinality(String),
    sessions UInt64,
    avg_duration_s Float64,
    median_duration_s Float64,
    std_duration_s Float64,
    events UInt64
)
ENGINE = MergeTree PARTITION BY day ORDER BY site_id;

CREATE TABLE IF NOT EXISTS device_daily
(
    day Date,
    site_id LowCardinality(String),
    device_type LowCardinality(String),
    os Nullable(String),
    browser Nullable(String),
    events UInt64,
    people UInt64,
    sessions UInt64
)
ENGINE = MergeTree PARTITION BY day ORDER BY (site_id, device_type);

CREATE TABLE IF NOT EXISTS page_daily
(
    day Date,
    site_id LowCardinality(String),
    path String,
    views UInt64,
    people UInt64,
    rank UInt64
)
ENGINE = MergeTree PARTITION BY day ORDER BY (site_id, rank);

-- Up to which version the marts are rebuilt: what a run that died left undone is found again.
CREATE TABLE IF NOT EXISTS rebuilt
(
    version UInt64,
    rebuilt_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY version;
