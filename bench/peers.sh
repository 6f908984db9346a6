#!/usr/bin/env bash
# Compares collectors that append to the same Kafka: ours (`clickstream up` with WORK=off) and Bento. Same events, same
# batches, same durability. Prints Markdown tables for docs/performance.md on standard output.
#   PEERS_DURATION   seconds of each run (30)
#   PEERS_ROUNDS     runs of each collector, in turn (2)
#   PROFILE=1        writes where our collector's time goes to target/profile.txt (perf)
. "$(dirname "$0")/common.sh"

DURATION=${PEERS_DURATION:-30}
ROUNDS=${PEERS_ROUNDS:-2}
BENTO=target/peers/bento
# Warms up the broker and the disk; not counted.
WARMUP=5

[ -x "$BENTO" ] || { say "$BENTO is missing: make $BENTO"; exit 1; }
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

start_servers() {
  servers/install.sh kafka cassandra minio
  server kafka
  server cassandra
  server minio
  CLICKHOUSE_PASSWORD=$password launch clickhouse "$SERVICE" --data "$work/clickhouse" clickhouse --listen 127.0.0.1:0
  export LOG_URL STORE_URL OBJECTS_URL WAREHOUSE_URL AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
  LOG_URL=$(fact kafka url)
  STORE_URL=$(fact cassandra url)/clickstream
  OBJECTS_URL="s3://$(fact minio bucket)?endpoint=$(fact minio url)"
  WAREHOUSE_URL="http://default:$password@${url##*@}/clickstream"
  AWS_ACCESS_KEY_ID=$(fact minio access_key)
  AWS_SECRET_ACCESS_KEY=$(fact minio secret_key)
  "$SERVICE" --data "$work/setup" setup >&2
}

start_ours() { WORK=off start ours; }
start_bento() {
  url=http://127.0.0.1:$(free_port)
  ADDRESS=${url#http://} BROKERS=${LOG_URL#kafka://} TOPIC=peer "$BENTO" -c bench/peers/bento/collect.yaml >>"$work/bento.log" 2>&1 &
  pid=$!
  programs+=("$pid")
  until curl -s -o /dev/null --noproxy '*' "$url/post"; do kill -0 "$pid" && sleep 0.1; done
}

# measure NAME SECONDS BATCH CONNECTIONS: a row of a collector that is started for it.
measure() {
  local name=$1 seconds=$2 batch=$3 connections=$4 path topic
  case $name in
    ours) start_ours; path='/v1/batch?writeKey=demo' topic=events ;;
    Bento) start_bento; path=/post topic=peer ;;
  esac
  bench collector --name "$name" --path "$path" --log "$LOG_URL" --topic "$topic" --broker "$(fact kafka pid)" \
    --rate 0 --seconds "$seconds" --batch "$batch" --connections "$connections"
  stop "$pid"
}

# How many times as many events a core-second ours takes, by the means of the runs.
ratio() {
  awk -F' *[|] *' '{ gsub(",", "", $4); sum[$2] += $4 } END { printf "%.1f", sum["ours"] / sum["Bento"] }' "$work/rows"
}

# compare TITLE BATCH CONNECTIONS
compare() {
  local round name
  say "$1"
  for name in ours Bento; do measure "$name" "$WARMUP" "$2" "$3" >/dev/null; done
  printf '\n**%s, %s connections, %s s each**\n\n' "$1" "$3" "$DURATION"
  echo '| collector | events/s | events per core-second | p50 | p99 | memory at the peak | broker, an event | acknowledged and in the topic | requests failed |'
  echo '|---|---|---|---|---|---|---|---|---|'
  : >"$work/rows"
  for ((round = 0; round < ROUNDS; round++)); do
    for name in ours Bento; do measure "$name" "$DURATION" "$2" "$3" | tee -a "$work/rows"; done
  done
  printf '\nOurs takes %s times as many events per core-second.\n' "$(ratio)"
}

# Where our collector's time goes while it takes batches of 20.
profile() {
  local shares=(perf report -i "$work/perf.data" --no-children -g none --stdio)
  say 'profile'
  start_ours
  perf record -F 199 -g -o "$work/perf.data" -p "$pid" -- sleep "$DURATION" >&2 &
  local recorder=$!
  bench collector --name profiled --path '/v1/batch?writeKey=demo' --log "$LOG_URL" --topic events \
    --broker "$(fact kafka pid)" --rate 0 --seconds "$((DURATION + 1))" >&2
  wait "$recorder"
  stop "$pid"
  for by in comm dso comm,dso,symbol; do "${shares[@]}" --sort "$by" 2>/dev/null | grep -v '^#' | head -n 60; done >target/profile.txt
  say 'target/profile.txt says where the time went'
}

say 'servers'
start_servers
echo '| what | figure |'
echo '|---|---|'
machine_rows 'load generator, collector and Kafka share it'
compare 'Batches of 20' 20 64
compare 'Single events' 1 256
if [ -n "${PROFILE:-}" ]; then profile; fi
