"""Believable metrics of a host and of exporters, as OpenMetrics: what Prometheus would have scraped in the 7 hours before NOW."""

import math

import demo

STEP = 60
HOURS = 7
HOST = {"job": "clickstream", "instance": "127.0.0.1:8080"}
BUCKETS = ("0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")


def counter(name, per_second, **labels):
    return name, labels, lambda t: per_second * wave(t, integral=True)


def gauge(name, value, swing=0.0, **labels):
    return name, labels, lambda t: value * (1 + swing * math.sin(t / 3000))


def wave(t, integral=False):
    """Load over time: around 1, never 0; its integral is what a counter shows."""
    return t - 1500 * 0.4 * math.cos(t / 1500) + 600 if integral else 1 + 0.4 * math.sin(t / 1500)


def everything():
    for function, rate in (("collect", 40), ("query", 2)):
        yield counter("clickstream_requests_total", rate, function=function, status="200", **HOST)
        yield counter("clickstream_requests_total", rate / 200, function=function, status="503", **HOST)
        for i, bound in enumerate(BUCKETS):
            yield counter("clickstream_request_seconds_bucket", rate * min(1, (i + 1) / 8), function=function, le=bound, **HOST)
        yield counter("clickstream_request_seconds_count", rate, function=function, **HOST)
    for source, rate in (("http", 400), ("topic", 80), ("file", 20)):
        for verdict, share in (("valid", 0.96), ("suspicious", 0.03), ("rejected", 0.01)):
            yield counter("clickstream_events_total", rate * share, source=source, verdict=verdict, **HOST)
    for name, rate in (
        ("landed_rows", 495),
        ("compacted_rows", 490),
        ("settled_rows", 490),
        ("duplicate_rows", 5),
        ("landed_objects", 1),
        ("spilled_records", 0.1),
        ("live_missed", 0.1),
    ):
        yield counter(f"clickstream_{name}_total", rate, **HOST)
    for outcome, rate in (("loaded", 1), ("settled", 0.01)):
        yield counter("clickstream_loaded_objects_total", rate, outcome=outcome, **HOST)
    yield counter("clickstream_spilled_objects_total", 0.001, **HOST)
    yield counter("clickstream_unspilled_objects_total", 0.001, outcome="returned", **HOST)
    yield counter("clickstream_unspilled_objects_total", 0.0001, outcome="quarantined", **HOST)
    yield counter("clickstream_batch_failures_total", 0.002, group="store", **HOST)
    yield counter("clickstream_undecodable_total", 0.001, function="land", **HOST)
    yield counter("clickstream_files_total", 0.001, outcome="failed", **HOST)
    yield counter("clickstream_over_quota_events_total", 0.5, site="demo", quota="key", **HOST)
    for group in ("store", "land"):
        yield gauge("clickstream_group_lag_age_seconds", 1, 0.5, group=group, topic="events", **HOST)
    yield counter("clickstream_repairs_total", 0.0005, kind="object", **HOST)
    for partition in ("0", "1"):
        yield gauge("clickstream_ledger_gap_records", 0, partition=partition, **HOST)
    yield from measured()
    yield gauge("clickstream_sites", 3, **HOST)
    yield gauge("clickstream_sites_file_ok", 1, **HOST)
    yield gauge("clickstream_log_reachable", 1, **HOST)
    yield gauge("up", 1, **HOST)
    yield gauge("ALERTS", 1, alertname="ClickstreamUndecodable", alertstate="firing", severity="warning", promise="loss")
    yield from exporters()


def measured():
    """Functions, what waits, and what the host sees of its parts and of itself."""
    for function, rate in (("collect", 40), ("store", 3), ("land", 2), ("load", 2), ("compact", 0.008), ("settle", 0.008), ("reconcile", 0.0017)):
        yield counter("clickstream_function_invocations_total", rate, function=function, outcome="ok", **HOST)
        yield counter("clickstream_function_invocations_total", rate / 500, function=function, outcome="failed", **HOST)
        for i, bound in enumerate(("0.005", "0.1", "0.5", "2.5", "15", "60", "+Inf")):
            yield counter("clickstream_function_seconds_bucket", rate * min(1, (i + 1) / 5), function=function, le=bound, **HOST)
    for function in ("compact", "settle", "reconcile", "vacuum", "retention"):
        name = "clickstream_last_success_timestamp_seconds"
        yield name, {"function": function, **HOST}, lambda t: demo.NOW.timestamp() - HOURS * 3600 + t - t % 600
    yield gauge("process_start_time_seconds", demo.NOW.timestamp() - 86400, **HOST)
    for i, bound in enumerate(("1", "2", "3", "5", "10", "30", "+Inf")):
        yield counter("clickstream_freshness_seconds_bucket", 2 * min(1, (i + 1) / 4), le=bound, **HOST)
    for group in ("store", "land"):
        yield gauge("clickstream_group_lag_records", 300, 0.9, group=group, topic="events", **HOST)
    for prefix in ("raw/", "inbox/"):
        yield gauge("clickstream_notifications_pending", 2, 0.9, prefix=prefix, **HOST)
    yield counter("clickstream_notification_retries_total", 0.002, function="load", **HOST)
    yield gauge("clickstream_lake_version", 900, **HOST)
    yield gauge("clickstream_settled_version", 899, **HOST)
    yield gauge("clickstream_lake_files", 40, 0.3, **HOST)
    yield gauge("clickstream_lake_bytes", 3 << 30, 0.1, **HOST)
    for client, operation, rate in (("log", "append", 60), ("store", "put_events", 3), ("objects", "put", 2), ("warehouse", "insert", 2)):
        yield counter("clickstream_client_requests_total", rate, client=client, operation=operation, outcome="ok", **HOST)
        yield counter("clickstream_client_requests_total", rate / 900, client=client, operation=operation, outcome="failed", **HOST)
        for i, bound in enumerate(("0.001", "0.005", "0.025", "0.1", "0.5", "+Inf")):
            yield counter("clickstream_client_seconds_bucket", rate * min(1, (i + 1) / 5), client=client, operation=operation, le=bound, **HOST)
    yield gauge("process_resident_memory_bytes", 700 << 20, 0.1, **HOST)
    yield gauge("clickstream_memory_limit_bytes", 2 << 30, **HOST)
    yield counter("process_cpu_seconds_total", 0.4, **HOST)
    yield gauge("process_open_fds", 180, 0.2, **HOST)
    yield gauge("process_threads", 40, 0.1, **HOST)
    yield gauge("clickstream_data_disk_free_bytes", 55 << 30, 0.05, **HOST)
    yield gauge("clickstream_data_disk_size_bytes", 100 << 30, **HOST)


def exporters():
    node = {"job": "node", "instance": "127.0.0.1:9100"}
    yield counter("node_cpu_seconds_total", 0.7, cpu="0", mode="idle", **node)
    yield counter("node_cpu_seconds_total", 0.6, cpu="1", mode="idle", **node)
    yield gauge("node_memory_MemTotal_bytes", 24 << 30, **node)
    yield gauge("node_memory_MemAvailable_bytes", 15 << 30, 0.1, **node)
    disk = {"device": "vda", **node}
    files = {"mountpoint": "/", "fstype": "ext4", **disk}
    yield gauge("node_filesystem_size_bytes", 100 << 30, **files)
    yield gauge("node_filesystem_avail_bytes", 55 << 30, 0.05, **files)
    yield counter("node_disk_read_bytes_total", 2e6, **disk)
    yield counter("node_disk_written_bytes_total", 9e6, **disk)
    yield counter("node_disk_io_time_seconds_total", 0.2, **disk)
    yield counter("node_network_receive_bytes_total", 3e6, **{**node, "device": "eth0"})
    yield counter("node_network_transmit_bytes_total", 1e6, **{**node, "device": "eth0"})
    for group in ("store", "land"):
        yield gauge("kafka_consumergroup_lag", 300, 0.9, consumergroup=group, topic="events", partition="0", job="kafka")
    yield counter("kafka_topic_partition_current_offset", 500, topic="events", partition="0", job="kafka")
    yield gauge("minio_cluster_capacity_usable_free_bytes", 40 << 30, 0.02, job="minio")
    yield gauge("minio_cluster_capacity_usable_total_bytes", 100 << 30, job="minio")
    for api, rate in (("putobject", 2), ("getobject", 4), ("listobjectsv2", 0.2)):
        yield counter("minio_s3_requests_total", rate, api=api, job="minio")
        yield counter("minio_s3_requests_errors_total", rate / 500, api=api, job="minio")
    clickhouse = {"job": "clickhouse", "instance": "127.0.0.1:9363"}
    yield gauge("ClickHouseMetrics_Query", 2, 0.5, **clickhouse)
    yield gauge("ClickHouseMetrics_Merge", 1, 0.9, **clickhouse)
    yield gauge("ClickHouseMetrics_MemoryTracking", 600 << 20, 0.2, **clickhouse)
    for name, rate in (("Query", 3), ("FailedQuery", 0.01), ("InsertedRows", 900)):
        yield counter(f"ClickHouseProfileEvents_{name}", rate, **clickhouse)
    for kind, rate in (("write", 900), ("read", 20)):
        yield counter(f"scylla_storage_proxy_coordinator_{kind}_latency_count", rate, job="scylla")
    yield gauge(
        "probe_ssl_earliest_cert_expiry", demo.NOW.timestamp() + 60 * 86400, job="https", instance="https://clickstream.example.org/ready"
    )


def openmetrics():
    """The text that `promtool tsdb create-blocks-from openmetrics` reads; names ordered, each once."""
    until = int(demo.NOW.timestamp())
    lines = []
    for name, labels, value in sorted(everything(), key=lambda series: series[0]):
        inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
        for at in range(until - HOURS * 3600, until + 1, STEP):
            lines.append(f"{name}{{{inside}}} {value(at - until + HOURS * 3600 + 1):.12g} {at}")
    return "\n".join([*lines, "# EOF", ""])
