-- Who came on each day, and from where: what is counted over several days without counting anybody twice.
-- How each is computed stands in marts/{name}.sql. People and sessions are hashes, no ids.
CREATE TABLE IF NOT EXISTS person_daily
(
    day Date,
    site_id LowCardinality(String),
    person UInt64,
    country LowCardinality(String)
)
ENGINE = MergeTree PARTITION BY day ORDER BY (site_id, person);

CREATE TABLE IF NOT EXISTS source_daily
(
    day Date,
    site_id LowCardinality(String),
    site_before String,
    utm_source String,
    utm_medium String,
    utm_campaign String,
    person UInt64,
    session Nullable(UInt64),
    clicks UInt64
)
ENGINE = MergeTree PARTITION BY day ORDER BY (site_id, site_before, utm_source, utm_medium, utm_campaign, person);
