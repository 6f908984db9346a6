#!/usr/bin/env bash
# Measures the service on Kafka, Cassandra and MinIO of its own, with ClickHouse in its process, and prints one Markdown
# table for docs/performance.md on standard output.
#   SERVERS_DURATION   seconds of the constant load (DURATION, or 300)
#   SERVERS_RATE       its events per second (RATE, or 10000)
#   SERVERS_FASTEST    seconds of the run as fast as it goes (FASTEST, or 30)
. "$(dirname "$0")/common.sh"

DURATION=${SERVERS_DURATION:-${DURATION:-300}}
RATE=${SERVERS_RATE:-${RATE:-10000}}
FASTEST=${SERVERS_FASTEST:-${FASTEST:-30}}

listen=127.0.0.1:$(free_port)
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

start_servers() {
  servers/install.sh kafka cassandra minio
  server kafka
  server cassandra
  NOTIFY_WEBHOOK="http://$listen/v1/notifications" NOTIFY_TOKEN=$token server minio
  export LOG_URL STORE_URL OBJECTS_URL AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
  LOG_URL=$(fact kafka url)
  STORE_URL=$(fact cassandra url)/clickstream
  OBJECTS_URL="s3://$(fact minio bucket)?endpoint=$(fact minio url)"
  AWS_ACCESS_KEY_ID=$(fact minio access_key)
  AWS_SECRET_ACCESS_KEY=$(fact minio secret_key)
  export NOTIFICATIONS_ARN=arn:minio:sqs::H1:webhook NOTIFICATIONS_TOKEN=$token
  "$SERVICE" --data "$work/host" setup >&2
}

load() {
  bench load --steps --server "Kafka=$(fact kafka pid)" --server "Cassandra=$(fact cassandra pid)" \
    --server "MinIO=$(fact minio pid)" "$@"
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
  local password address query
  password=$token
  CLICKHOUSE_PASSWORD=$password launch clickhouse "$SERVICE" --data "$work/host" clickhouse --listen 127.0.0.1:0
  address=${url##*@}
  query="SELECT table, intDiv(sum(bytes_on_disk), $events), intDiv(sum(bytes_on_disk), 1048576), sum(rows)
    FROM system.parts WHERE active AND database NOT LIKE '%system' GROUP BY table HAVING sum(bytes_on_disk) > $events ORDER BY table
    FORMAT TSV"
  curl -sSf --noproxy '*' --user "default:$password" --data-binary "$query" "http://$address/" |
    while IFS=$'\t' read -r table bytes total rows; do
      row "ClickHouse, table $table" "$bytes bytes an event ($total MiB, $rows rows)"
    done
  stop "$pid"
}

say 'servers'
start_servers
echo '| what | figure |'
echo '|---|---|'
machine_rows 'load generator, service, Kafka, Cassandra and MinIO share it'

say "$RATE events a second for $DURATION s"
start host --listen "$listen"
bench idle
heading "$RATE events a second for $DURATION s; compaction every 2 minutes runs beside it"
load --rate "$RATE" --seconds "$DURATION"
stop "$pid"

export COMPACT_INTERVAL=86400
say "batches of 20 as fast as they go, $FASTEST s"
start host --listen "$listen"
heading "Batches of 20 as fast as they go, $FASTEST s"
load --rate 0 --seconds "$FASTEST" --watch-every 0
say 'compaction'
heading 'Compaction of what that left'
bench compact
events=$(curl -sSf --noproxy '*' "$url/v1/status" | sed -n 's/.*"logged":\([0-9]*\).*/\1/p')
stop "$pid"

say 'disk'
for each in minio cassandra kafka; do stop_server "$each"; done
heading "Disk for each of $events events, of ${AWS_REGION:+}682 bytes as they were sent; one copy of each"
each 'Kafka, topic events' "$work"/kafka/data/events-*
each 'Cassandra, without its commit log' "$work"/cassandra/data/data/clickstream
each 'MinIO, raw objects' "$work"/minio/data/clickstream/raw
each 'MinIO, lake' "$work"/minio/data/clickstream/lake
clickhouse_rows
