-- Merging was the greatest part of ClickHouse's work and memory. Rows of `fresh` live for hours: parts of some
-- 8 MB (about 80,000 rows) are merged no further. At most ten parts at a time keep a merge's buffers small.
ALTER TABLE fresh MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 8388608, max_parts_to_merge_at_once = 10;
ALTER TABLE events MODIFY SETTING max_parts_to_merge_at_once = 10;
