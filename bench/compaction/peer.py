"""One compaction by a peer: NDJSON objects (zstd) to one sorted, deduplicated Parquet file, zstd level 1, on two threads.

    peer.py {duckdb|chdb|polars} FOLDER OUTPUT

Of copies of an event the one with the lowest (received_at, log_partition, log_offset) stays. A resend never changes
original_at, so for chdb and Polars the sort that the file needs also brings copies together: they sort once.
"""

import json
import os
import pathlib
import sys

GROUP_ROWS = 128 * 1024
ORDER = ["site_id", "original_at", "event_id", "received_at", "log_partition", "log_offset"]
IDENTITY = ["site_id", "event_id"]


def with_duckdb(inputs: str, columns: list[dict], output: str) -> None:
    import duckdb

    kinds = {"text": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "bool": "BOOLEAN", "moment": "TIMESTAMP", "list": "VARCHAR[]"}
    types = ", ".join(f"{c['name']}: '{kinds[c['kind']]}'" for c in columns)
    names = ", ".join(c["name"] for c in columns)
    # The quickest of three forms that were tried: DISTINCT ON and a window carry all columns through, and take more.
    db = duckdb.connect(config={"threads": 2, "preserve_insertion_order": False, "temp_directory": f"{output}.tmp"})
    db.execute(f"""
        CREATE TEMP TABLE events AS
        SELECT {names} FROM read_json('{inputs}', format = 'newline_delimited', compression = 'zstd', columns = {{{types}}})""")
    db.execute(f"""
        COPY (
            WITH repeated AS (
                SELECT site_id, event_id, min((received_at, log_partition, log_offset)) AS first
                FROM events GROUP BY ALL HAVING count(*) > 1)
            SELECT {names} FROM events e
            WHERE NOT EXISTS (
                FROM repeated r
                WHERE r.site_id = e.site_id AND r.event_id = e.event_id
                    AND r.first <> (e.received_at, e.log_partition, e.log_offset))
            ORDER BY site_id, original_at, event_id
        ) TO '{output}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {GROUP_ROWS})""")


def with_chdb(inputs: str, columns: list[dict], output: str) -> None:
    import chdb

    kinds = {
        "text": "Nullable(String)",
        "int32": "Nullable(Int32)",
        "int64": "Nullable(Int64)",
        "bool": "Nullable(Bool)",
        "moment": "DateTime64(6, \\'UTC\\')",
        "list": "Array(String)",
    }
    required = {"event_id", "site_id"}
    types = ", ".join(f"{c['name']} {'String' if c['name'] in required else kinds[c['kind']]}" for c in columns)
    chdb.query(f"""
        INSERT INTO FUNCTION file('{output}', 'Parquet')
        SELECT * FROM file('{inputs}', 'JSONEachRow', '{types}', 'zstd')
        ORDER BY {", ".join(ORDER)}
        LIMIT 1 BY {", ".join(IDENTITY)}
        SETTINGS max_threads = 2, date_time_input_format = 'best_effort', input_format_parallel_parsing = 1,
            output_format_parquet_compression_method = 'zstd', output_format_compression_level = 1,
            output_format_parquet_row_group_size = {GROUP_ROWS}, engine_file_truncate_on_insert = 1""")


def with_polars(inputs: str, columns: list[dict], output: str) -> None:
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    # Moments are read as text and then cast: the reader takes no time zone.
    kinds = {"text": pl.String, "int32": pl.Int32, "int64": pl.Int64, "bool": pl.Boolean, "moment": pl.String, "list": pl.List(pl.String)}
    moments = [c["name"] for c in columns if c["kind"] == "moment"]
    (
        pl.scan_ndjson(inputs, schema={c["name"]: kinds[c["kind"]] for c in columns})
        .with_columns(pl.col(moments).str.strptime(pl.Datetime("us"), "%Y-%m-%dT%H:%M:%S%.fZ"))
        .sort(ORDER)
        .unique(IDENTITY, keep="first", maintain_order=True)
        .sink_parquet(output, compression="zstd", compression_level=1, row_group_size=GROUP_ROWS)
    )


if __name__ == "__main__":
    peer, folder, output = sys.argv[1:]
    columns = json.loads(pathlib.Path(folder, "columns.json").read_text())
    {"duckdb": with_duckdb, "chdb": with_chdb, "polars": with_polars}[peer](f"{folder}/ndjson/*.ndjson.zst", columns, output)
