"""What other engines read of the lake: delta-rs and Polars, which share no code of ours.

    engines.py s3://BUCKET/lake/events

AWS_ENDPOINT_URL, AWS_REGION and AWS's keys are read from the environment. Prints one JSON object: the version, and per
engine the number of rows, their ids, the sum of their offsets, rows per site, and the first and last `original_at`.
"""

import json
import os
import sys

import deltalake
import polars

COLUMNS = ["event_id", "site_id", "original_at", "log_offset", "warnings"]


def summary(rows):
    """The rows of a frame with COLUMNS as comparable values."""
    moments = rows["original_at"].dt.epoch("us")
    sites = rows.group_by("site_id").len().sort("site_id")
    return {
        "rows": rows.height,
        "ids": rows["event_id"].sort().to_list(),
        "offsets": int(rows["log_offset"].sum()),
        "sites": dict(zip(sites["site_id"].to_list(), sites["len"].to_list())),
        "warnings": int(rows["warnings"].list.len().sum()),
        "first": moments.min(),
        "last": moments.max(),
    }


def by_delta_rs(table):
    """delta-rs reads with DataFusion."""
    batches = deltalake.QueryBuilder().register("events", table).execute(f"SELECT {', '.join(COLUMNS)} FROM events")
    return summary(polars.DataFrame(batches))


def by_polars(uri, options):
    """Polars takes the files from delta-rs and reads Parquet by itself."""
    return summary(polars.scan_delta(uri, storage_options=options).select(COLUMNS).collect())


def pruned(uri, options):
    """Rows of the last hour, for which engines pass over files by their statistics."""
    frame = polars.scan_delta(uri, storage_options=options)
    last = frame.select(polars.col("original_at").max()).collect().item()
    return frame.filter(polars.col("original_at") > last - polars.duration(hours=1)).select(polars.len()).collect().item()


def main():
    uri = sys.argv[1]
    options = {"AWS_ALLOW_HTTP": "true", **{name: value for name, value in os.environ.items() if name.startswith("AWS_")}}
    table = deltalake.DeltaTable(uri, storage_options=options)
    actions = polars.DataFrame(table.get_add_actions(flatten=True))
    print(json.dumps({
        "version": table.version(),
        "files": actions.height,
        "rows_by_statistics": int(actions["num_records"].sum()),
        "last_hour": pruned(uri, options),
        "engines": {"delta-rs": by_delta_rs(table), "polars": by_polars(uri, options)},
    }))


if __name__ == "__main__":
    main()
