-- What a trace tells beside the kept copy.

-- Copies that came after the kept one, by their place in the log. They go with it.
CREATE TABLE repeats (
    event_id BLOB NOT NULL,
    site_id INTEGER NOT NULL REFERENCES sites (id),
    received_at INTEGER NOT NULL,
    log_partition INTEGER NOT NULL,
    log_offset INTEGER NOT NULL,
    PRIMARY KEY (event_id, site_id, received_at, log_partition, log_offset)
) WITHOUT ROWID;

-- Events that were erased, and the moment (µs UTC) up to which their person is. Names nobody. Kept as long as rejections.
CREATE TABLE erased (
    event_id BLOB NOT NULL,
    site TEXT NOT NULL,
    erased_at INTEGER NOT NULL,
    PRIMARY KEY (event_id, site)
) WITHOUT ROWID;
CREATE INDEX erased_by_age ON erased (erased_at);
