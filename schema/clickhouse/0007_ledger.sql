-- Rebuilds of marts: noted with their days before the first swap, and once more when they ended. A run that was begun and
-- never ended may have left a mart short; who settles later rebuilds its days.
CREATE TABLE IF NOT EXISTS rebuilds
(
    run UUID,
    days Array(Date),
    ended Bool,
    at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY run
TTL toDateTime(at) + toIntervalDay(30);

-- Restorations from the lake, noted again with each file: while one goes on, nothing is settled.
CREATE TABLE IF NOT EXISTS restorations
(
    run UUID,
    ended Bool,
    at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY run
TTL toDateTime(at) + toIntervalDay(30);

-- The ledger: what each step had of each partition, whenever reconcile looked. Counts begin with the log.
-- logged = settled + duplicates + erased + dead_letters + missing + pending + unaccounted.
CREATE TABLE IF NOT EXISTS ledger
(
    at DateTime64(6, 'UTC'),
    topic LowCardinality(String),
    log_id LowCardinality(String),
    log_partition UInt32,
    logged UInt64,
    stored UInt64,
    landed UInt64,
    loaded UInt64,
    settled UInt64,
    duplicates UInt64,
    erased UInt64,
    dead_letters UInt64,
    missing UInt64,
    pending UInt64,
    rejected UInt64,
    unaccounted Int64
)
ENGINE = MergeTree
ORDER BY (log_id, topic, log_partition, at)
TTL toDateTime(at) + toIntervalDay(400);

-- What reconcile repaired, and gaps that were accepted; kept for ever.
CREATE TABLE IF NOT EXISTS repairs
(
    at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC'),
    kind LowCardinality(String),
    what String,
    count UInt64
)
ENGINE = MergeTree
ORDER BY at;
