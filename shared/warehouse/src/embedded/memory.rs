//! What keeps ClickHouse small beside everything else in this process. docs/performance.md says how far that goes.

use std::path::Path;

/// Server-level options, read by the connection that starts the engine. Sizes in bytes.
const SERVER: [(&str, &str); 19] = [
    // The engine counts the whole process's resident memory against this.
    ("max_server_memory_usage", "1000000000"),
    // Caches: on a laptop the page cache serves as well.
    ("mark_cache_size", "16777216"),
    ("primary_index_cache_size", "8388608"),
    ("index_mark_cache_size", "4194304"),
    ("query_condition_cache_size", "1048576"),
    ("parquet_metadata_cache_size", "1048576"),
    ("iceberg_metadata_files_cache_size", "1048576"),
    ("vector_similarity_index_cache_size", "0"),
    ("text_index_tokens_cache_size", "0"),
    ("text_index_header_cache_size", "0"),
    ("text_index_postings_cache_size", "0"),
    ("compiled_expression_cache_size", "4194304"),
    ("mmap_cache_size", "64"),
    // Freed pages go back to the system before they are a twentieth of the limit.
    ("memory_worker_purge_dirty_pages_threshold_ratio", "0.05"),
    ("memory_worker_purge_total_memory_threshold_ratio", "0.4"),
    // Idle threads.
    ("max_thread_pool_free_size", "8"),
    ("max_io_thread_pool_free_size", "0"),
    ("max_format_parsing_thread_pool_free_size", "0"),
    ("max_prefixes_deserialization_thread_pool_free_size", "0"),
];

/// Settings of every connection. A request may set others for itself.
const CONNECTION: [(&str, &str); 15] = [
    ("max_threads", "2"),
    ("max_insert_threads", "1"),
    // A query spills before it reaches its limit, and fails alone if that is not enough.
    ("max_memory_usage", "400000000"),
    ("max_bytes_before_external_group_by", "120000000"),
    ("max_bytes_before_external_sort", "120000000"),
    ("max_block_size", "16384"),
    // One object is one insert and at most a few parts.
    ("async_insert", "0"),
    ("min_insert_block_size_rows", "32768"),
    ("min_insert_block_size_bytes", "16777216"),
    ("max_insert_block_size", "32768"),
    ("input_format_parquet_max_block_size", "8192"),
    ("input_format_parquet_memory_high_watermark", "67108864"),
    ("max_parsing_threads", "1"),
    // Machine code for expressions costs memory and pays off on far larger tables.
    ("compile_expressions", "0"),
    ("compile_aggregate_expressions", "0"),
];

/// The arguments with which connections to `folder` are opened.
pub fn arguments(folder: &Path) -> Vec<String> {
    let mut arguments = vec![format!("--path={}", folder.display())];
    arguments.extend(SERVER.iter().chain(&CONNECTION).map(|(name, value)| format!("--{name}={value}")));
    arguments
}
