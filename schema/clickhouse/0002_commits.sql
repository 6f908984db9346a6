-- One row per settled lake version; written last, it makes the version's rows visible. A row holds the
-- watermarks of all partitions as of its version ({log_id}/{partition} -> next offset), so the newest rules.
CREATE TABLE IF NOT EXISTS commits
(
    version UInt64,
    load_id UUID,
    watermarks Map(String, UInt64),
    rows UInt64,
    committed_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (version, load_id);
