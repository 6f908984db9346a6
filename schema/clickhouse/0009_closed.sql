-- Days that are closed: the lake let their events go, and `events` with it. Marts of days before the greatest of these stay
-- as they were built last, but person_daily and source_daily, whose rows are single people.
CREATE TABLE IF NOT EXISTS closed
(
    before Date,
    version UInt64,
    closed_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY before;

-- logged = settled + duplicates + erased + dead_letters + missing + expired + pending + unaccounted.
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS expired UInt64 DEFAULT 0 AFTER missing;
