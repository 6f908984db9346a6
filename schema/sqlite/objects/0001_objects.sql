-- The embedded object store's index: an object stands if and only if it has a row here.
CREATE TABLE objects (
    key TEXT PRIMARY KEY,
    file TEXT NOT NULL,          -- where its bytes are, relative to the store's folder
    size INTEGER NOT NULL,       -- bytes
    etag TEXT NOT NULL,          -- without quotes
    modified_at INTEGER NOT NULL,-- µs since 1970, UTC
    content_type TEXT,
    metadata TEXT NOT NULL       -- JSON object of user metadata
) WITHOUT ROWID, STRICT;

-- "An object was written", until somebody has acknowledged it. Written in the transaction of the object's row.
CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0 -- µs since 1970, UTC: not handed out before
) STRICT;
CREATE INDEX notifications_by_key ON notifications (key, id);

-- Multipart uploads that are not complete.
CREATE TABLE uploads (
    upload_id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    content_type TEXT,
    metadata TEXT NOT NULL
) WITHOUT ROWID, STRICT;
