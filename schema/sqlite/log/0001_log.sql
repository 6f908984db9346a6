-- The embedded log: topics of partitions of blocks of records.

-- The identity of this log's epoch, one row, made once.
CREATE TABLE log (log_id TEXT NOT NULL);

CREATE TABLE topics (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- start_offset: the first offset still kept. end_offset: at least this is the next offset, also
-- where every block was expired; else the next_offset of the last block is.
CREATE TABLE partitions (
    id INTEGER PRIMARY KEY,
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    number INTEGER NOT NULL,
    start_offset INTEGER NOT NULL DEFAULT 0,
    end_offset INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic_id, number)
);

-- What one group commit appended to one partition: offsets [first_offset, next_offset).
-- codec: 0 = as it is, 1 = zstd. checksum: CRC-32 over place, time and data.
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    partition_id INTEGER NOT NULL REFERENCES partitions (id),
    first_offset INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    appended_at INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX blocks_by_offset ON blocks (partition_id, next_offset);

-- The next offset that a consumer group reads.
CREATE TABLE committed (
    group_name TEXT NOT NULL,
    partition_id INTEGER NOT NULL REFERENCES partitions (id),
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (group_name, partition_id)
) WITHOUT ROWID;
