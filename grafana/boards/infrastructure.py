"""Infrastructure: the machines and servers below, each by its exporter; prometheus/prometheus.yml names them."""

from .dashboard import RESTARTS, dashboard
from .panels import Text as T
from .panels import lines, prom

RATE = "rate({0}[$__rate_interval])"
HOST = T("The hosts' own metrics.", "Метрики самих хостов.")
NODE = T("By node_exporter.", "Из node_exporter.")
KAFKA = T("By kafka_exporter.", "Из kafka_exporter.")
MINIO = T("MinIO's own metrics.", "Метрики самого MinIO.")
CLICKHOUSE = T("ClickHouse's own metrics.", "Метрики самого ClickHouse.")
SCYLLA = T(
    "ScyllaDB's own metrics. Cassandra has none: with prometheus-jmx-exporter its names depend on that one's rules.",
    "Метрики самой ScyllaDB. У Cassandra своих нет: с prometheus-jmx-exporter имена зависят от его правил.",
)
DISKS = 'fstype!~"tmpfs|ramfs|overlay|squashfs"'
READ, WRITTEN = T("{{instance}} read", "{{instance}} чтение"), T("{{instance}} written", "{{instance}} запись")

PANELS = [
    lines(
        T("Functions: answers per second", "Функции: ответов в секунду"),
        prom("sum by (function) (clickstream:requests:rate5m)", "{{function}}"),
        width=8,
        unit="reqps",
    ),
    lines(
        T("Functions: errors", "Функции: ошибки"), prom("clickstream:request_errors:ratio5m", "{{function}}"), width=8, unit="percentunit"
    ),
    lines(T("Hosts: do they answer", "Хосты: отвечают ли"), prom('up{job="clickstream"}', "{{instance}}"), width=8, max=1, min=0),
    lines(
        T("Sites and their file", "Сайты и их файл"),
        [prom("max(clickstream_sites)", T("sites", "сайтов")), prom("min(clickstream_sites_file_ok)", T("file is well", "файл исправен"))],
        width=8,
    ),
    lines(
        T("Events over quota", "События сверх квоты"),
        prom(f"sum by (site, quota) ({RATE.format('clickstream_over_quota_events_total')})", "{{site}} {{quota}}"),
        width=8,
        unit="cps",
    ),
    lines(
        T("Live stream: events that watchers missed", "Живой поток: пропущено смотрящими"),
        prom(f"sum({RATE.format('clickstream_live_missed_total')})", T("missed", "пропущено")),
        width=8,
        unit="cps",
    ),
    lines(
        T("Requests to parts per second", "Запросов к частям в секунду"),
        prom("sum by (client) (clickstream:client_requests:rate5m)", "{{client}}"),
        about=HOST,
        width=8,
        unit="reqps",
    ),
    lines(
        T("Requests to parts: failures", "Запросы к частям: ошибки"),
        prom("clickstream:client_errors:ratio5m", "{{client}}"),
        about=HOST,
        width=8,
        unit="percentunit",
    ),
    lines(
        T("Time of a request to a part, p99", "Время запроса к части, p99"),
        prom("clickstream:client_seconds:p99_5m", "{{client}}"),
        about=HOST,
        width=8,
        unit="s",
    ),
    lines(
        T("Memory of the process", "Память процесса"),
        [
            prom('process_resident_memory_bytes{job="clickstream"}', T("{{instance}} in use", "{{instance}} занято")),
            prom("clickstream_memory_limit_bytes", T("{{instance}} limit", "{{instance}} предел")),
        ],
        about=HOST,
        width=8,
        unit="bytes",
        min=0,
    ),
    lines(
        T("Processor time of the process", "Процессорное время процесса"),
        prom('rate(process_cpu_seconds_total{job="clickstream"}[$__rate_interval])', T("{{instance}}, cores", "{{instance}}, ядер")),
        about=HOST,
        width=8,
        min=0,
    ),
    lines(
        T("Open files and threads of the process", "Открытые файлы и потоки процесса"),
        [
            prom('process_open_fds{job="clickstream"}', T("{{instance}} files", "{{instance}} файлов")),
            prom('process_threads{job="clickstream"}', T("{{instance}} threads", "{{instance}} потоков")),
        ],
        about=HOST,
        width=8,
        min=0,
    ),
    lines(
        T("Disk of the data folder: free", "Диск папки данных: свободно"),
        prom("clickstream_data_disk_free_bytes / clickstream_data_disk_size_bytes", "{{instance}}"),
        about=HOST,
        width=8,
        unit="percentunit",
        max=1,
        min=0,
    ),
    lines(
        T("The lake: size", "Озеро: размер"),
        prom("max(clickstream_lake_bytes)", T("of the newest version", "новейшей версии")),
        about=HOST,
        width=8,
        unit="bytes",
    ),
    lines(
        T("The lake: files", "Озеро: файлов"),
        prom("max(clickstream_lake_files)", T("of the newest version", "новейшей версии")),
        about=HOST,
        width=8,
    ),
    lines(
        T("Processor", "Процессор"),
        prom('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "{{instance}}"),
        about=NODE,
        unit="percentunit",
        width=8,
        max=1,
        min=0,
    ),
    lines(
        T("Memory in use", "Занятая память"),
        prom("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"),
        about=NODE,
        unit="percentunit",
        width=8,
        max=1,
        min=0,
    ),
    lines(
        T("Disk space free", "Свободно на диске"),
        prom(f"node_filesystem_avail_bytes{{{DISKS}}} / node_filesystem_size_bytes", "{{instance}} {{mountpoint}}"),
        about=NODE,
        unit="percentunit",
        width=8,
        max=1,
        min=0,
    ),
    lines(
        T("Disk traffic", "Обмен с диском"),
        [
            prom(f"sum by (instance) ({RATE.format('node_disk_read_bytes_total')})", READ),
            prom(f"sum by (instance) ({RATE.format('node_disk_written_bytes_total')})", WRITTEN),
        ],
        about=NODE,
        unit="Bps",
        width=8,
    ),
    lines(
        T("Disk: share of time busy", "Диск: доля занятого времени"),
        prom(RATE.format("node_disk_io_time_seconds_total"), "{{instance}} {{device}}"),
        about=NODE,
        unit="percentunit",
        width=8,
    ),
    lines(
        T("Network", "Сеть"),
        [
            prom(
                'sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[$__rate_interval]))',
                T("{{instance}} in", "{{instance}} вход"),
            ),
            prom(
                'sum by (instance) (rate(node_network_transmit_bytes_total{device!="lo"}[$__rate_interval]))',
                T("{{instance}} out", "{{instance}} выход"),
            ),
        ],
        about=NODE,
        unit="Bps",
        width=8,
    ),
    lines(
        T("Kafka: lag of each group", "Kafka: отставание групп"),
        prom("sum by (consumergroup, topic) (kafka_consumergroup_lag)", "{{consumergroup}} {{topic}}"),
        about=KAFKA,
    ),
    lines(
        T("Kafka: records per second", "Kafka: записей в секунду"),
        prom(f"sum by (topic) ({RATE.format('kafka_topic_partition_current_offset')})", "{{topic}}"),
        about=KAFKA,
        unit="cps",
    ),
    lines(
        T("MinIO: free space", "MinIO: свободное место"),
        prom("minio_cluster_capacity_usable_free_bytes / minio_cluster_capacity_usable_total_bytes", T("free", "свободно")),
        about=MINIO,
        unit="percentunit",
        width=8,
        max=1,
        min=0,
    ),
    lines(
        T("MinIO: requests per second", "MinIO: запросов в секунду"),
        prom(f"sum by (api) ({RATE.format('minio_s3_requests_total')})", "{{api}}"),
        about=MINIO,
        unit="reqps",
        width=8,
    ),
    lines(
        T("MinIO: refused and failed", "MinIO: отказы и ошибки"),
        prom(f"sum by (api) ({RATE.format('minio_s3_requests_errors_total')})", "{{api}}"),
        about=MINIO,
        unit="reqps",
        width=8,
    ),
    lines(
        T("ClickHouse: queries", "ClickHouse: запросы"),
        [
            prom("ClickHouseMetrics_Query", T("running", "выполняется")),
            prom(RATE.format("ClickHouseProfileEvents_Query"), T("per second", "в секунду")),
            prom(RATE.format("ClickHouseProfileEvents_FailedQuery"), T("failed per second", "ошибок в секунду")),
        ],
        about=CLICKHOUSE,
        width=8,
    ),
    lines(
        T("ClickHouse: memory", "ClickHouse: память"),
        prom("ClickHouseMetrics_MemoryTracking", "{{instance}}"),
        about=CLICKHOUSE,
        unit="bytes",
        width=8,
    ),
    lines(
        T("ClickHouse: rows inserted, merges", "ClickHouse: вставка, слияния"),
        [
            prom(RATE.format("ClickHouseProfileEvents_InsertedRows"), T("rows per second", "строк в секунду")),
            prom("ClickHouseMetrics_Merge", T("merges running", "слияний идёт")),
        ],
        about=CLICKHOUSE,
        width=8,
    ),
    lines(
        T("Event store: writes and reads per second", "Хранилище событий: записи и чтения в секунду"),
        [
            prom("sum(rate(scylla_storage_proxy_coordinator_write_latency_count[$__rate_interval]))", T("writes", "записи")),
            prom("sum(rate(scylla_storage_proxy_coordinator_read_latency_count[$__rate_interval]))", T("reads", "чтения")),
        ],
        about=SCYLLA,
        unit="reqps",
    ),
    lines(
        T("Certificates: days left", "Сертификаты: осталось дней"),
        prom("(probe_ssl_earliest_cert_expiry - time()) / 86400", "{{instance}}"),
        about=T("By blackbox_exporter.", "Из blackbox_exporter."),
        unit="d",
    ),
]

BOARD = dashboard(
    "infrastructure",
    T("Clickstream: infrastructure", "Clickstream: инфраструктура"),
    PANELS,
    since="now-6h",
    annotations=[RESTARTS],
    refresh="30s",
)
