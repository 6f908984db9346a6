-- The embedded event store: events by id, timelines of persons, rejections.

CREATE TABLE sites (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- How many rows `events` holds, one row, so that counting needs no scan.
CREATE TABLE tally (events INTEGER NOT NULL);
INSERT INTO tally (events) VALUES (0);

-- Events as JSON, some dozens packed and compressed together, appended only.
-- oldest_received_at: of the events in it, µs UTC. checksum: CRC-32 over id and data.
CREATE TABLE payloads (
    id INTEGER PRIMARY KEY,
    oldest_received_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX payloads_by_age ON payloads (oldest_received_at);

-- Where an event's kept copy lies: the slot-th event of a payload. Times are µs UTC.
CREATE TABLE events (
    event_id BLOB NOT NULL,
    site_id INTEGER NOT NULL REFERENCES sites (id),
    received_at INTEGER NOT NULL,
    log_partition INTEGER NOT NULL,
    log_offset INTEGER NOT NULL,
    payload_id INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (event_id, site_id)
) WITHOUT ROWID;

-- person: first 8 bytes of SHA-256 over kind, site and id of the person (see person.rs).
CREATE TABLE timelines (
    person INTEGER NOT NULL,
    original_at INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    payload_id INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (person, original_at, event_id)
) WITHOUT ROWID;

CREATE TABLE rejections (
    id INTEGER PRIMARY KEY,
    log_partition INTEGER NOT NULL,
    log_offset INTEGER NOT NULL,
    site TEXT,
    event_id BLOB,
    received_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (log_partition, log_offset)
);
CREATE INDEX rejections_by_event ON rejections (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX rejections_by_age ON rejections (received_at, log_partition, log_offset);
CREATE INDEX rejections_by_site ON rejections (site, received_at, log_partition, log_offset);
