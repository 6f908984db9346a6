# Sourced after common.sh: Kafka, Cassandra and MinIO of the script's own, and hosts on them.

listen=127.0.0.1:$(free_port)
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# MinIO announces what is written to the host that listens on $listen.
start_servers() {
  say 'servers'
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
  set_up
}
set_up() { "$SERVICE" --data "$work/setup" setup >&2; }

# serve_clickhouse FOLDER: as a program of its own; sets clickhouse to its address.
serve_clickhouse() {
  CLICKHOUSE_PASSWORD=$token launch clickhouse "$SERVICE" --data "$1" clickhouse --listen 127.0.0.1:0
  clickhouse=${url##*@} clickhouse_pid=$pid
}
stop_clickhouse() {
  stop "$clickhouse_pid"
  clickhouse=
}

# start_collector NAME: a host that takes events and does nothing else. It would share ClickHouse with those that work.
start_collector() {
  [ -n "${clickhouse:-}" ] || { serve_clickhouse "$work/clickhouse"; WAREHOUSE_URL=http://default:$token@$clickhouse/clickstream set_up; }
  WORK=off WAREHOUSE_URL=http://default:$token@$clickhouse/clickstream start "$1"
}

# collect NAME SECONDS BATCH CONNECTIONS PATH TOPIC: a row of the collector that was started last.
collect() {
  bench collector --name "$1" --path "$5" --log "$LOG_URL" --topic "$6" --broker "$(fact kafka pid)" \
    --rate 0 --seconds "$2" --batch "$3" --connections "$4"
}
OURS=('/v1/batch?writeKey=demo' events)
