#!/usr/bin/env bash
# Measures the service on Kafka, Cassandra and MinIO of its own, with ClickHouse in its process, and prints one Markdown
# table for docs/performance.md on standard output. What waits after a run is worked off, however long that takes.
#   SERVERS_DURATION   seconds of the constant load (60)
#   SERVERS_RATE       its events per second (RATE, or 10000)
#   SERVERS_FASTEST    seconds of each run as fast as it goes (15)
. "$(dirname "$0")/common.sh"
. bench/on_servers.sh

DURATION=${SERVERS_DURATION:-60}
RATE=${SERVERS_RATE:-${RATE:-10000}}
FASTEST=${SERVERS_FASTEST:-15}

with_servers() {
  local command=$1
  shift
  bench "$command" --server "Kafka=$(fact kafka pid)" --server "Cassandra=$(fact cassandra pid)" --server "MinIO=$(fact minio pid)" "$@"
}

# Takes events without working on them, so that all of them wait at once.
pile_up() {
  local name rate each_core p50 p99 memory broker
  start_collector collector
  collect waits "$FASTEST" 20 64 "${OURS[@]}" >"$work/row"
  IFS='|' read -r _ name rate each_core p50 p99 memory broker _ <"$work/row"
  row 'taken before, by a host with WORK=off' \
    "**${rate:1:-1} a second**, ${each_core:1:-1} per core-second, p50 ${p50:1:-1}, p99 ${p99:1:-1}; Kafka ${broker:1:-1} an event"
  stop "$pid"
  stop_clickhouse
}

# each WHAT PATH…: a row of how many bytes of disk the folders take for each of $events.
each() {
  local what=$1 bytes
  shift
  bytes=$(du -s --block-size=1 --total "$@" | tail -n 1 | cut -f1)
  row "$what" "$((bytes / events)) bytes an event ($((bytes >> 20)) MiB)"
}

# The tables of ClickHouse, by what it says of its parts: their folder also holds parts that were merged away.
clickhouse_rows() {
  local query
  serve_clickhouse "$work/host"
  query="SELECT table, intDiv(sum(bytes_on_disk), $events), intDiv(sum(bytes_on_disk), 1048576), sum(rows)
    FROM system.parts WHERE active AND database NOT LIKE '%system' GROUP BY table HAVING sum(bytes_on_disk) > $events ORDER BY table
    FORMAT TSV"
  curl -sSf --noproxy '*' --user "default:$token" --data-binary "$query" "http://$clickhouse/" |
    while IFS=$'\t' read -r table bytes total rows; do
      row "ClickHouse, table $table" "$bytes bytes an event ($total MiB, $rows rows)"
    done
  stop_clickhouse
}

start_servers
echo '| what | figure |'
echo '|---|---|'
machine_rows 'load generator, service, Kafka, Cassandra and MinIO share it'
start host "$listen"
heading 'Start'
row 'an empty data folder until ready' "$took ms"
bench idle

say "$RATE events a second for $DURATION s"
heading "$RATE events a second for $DURATION s"
with_servers load --steps --rate "$RATE" --seconds "$DURATION"
stop "$pid"

export COMPACT_INTERVAL=86400
say "batches of 20 as fast as they go, $FASTEST s"
start host "$listen"
heading "Batches of 20 as fast as they go, $FASTEST s"
with_servers load --steps --rate 0 --seconds "$FASTEST" --watch-every 0
stop "$pid"

say 'what waits is worked off'
heading "What batches of 20 pile up in $FASTEST s, worked off by a host that takes no others"
pile_up
start host "$listen"
with_servers drain

say 'compaction'
heading 'Compaction of what those two left'
bench compact
events=$(curl -sSf --noproxy '*' "$url/v1/status" | sed -n 's/.*"logged":\([0-9]*\).*/\1/p')
stop "$pid"

say 'disk'
for each in minio cassandra kafka; do stop_server "$each"; done
heading "Disk for each of $events events, one copy"
each 'Kafka, topic events' "$work"/kafka/data/events-*
each 'Cassandra, without its commit log' "$work"/cassandra/data/data/clickstream
each 'MinIO, raw objects' "$work"/minio/data/clickstream/raw
each 'MinIO, lake' "$work"/minio/data/clickstream/lake
clickhouse_rows
