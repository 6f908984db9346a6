#!/usr/bin/env bash
# Compares collectors that append to the same Kafka: ours (`clickstream up` with WORK=off) and Bento. Same events, same
# batches, same durability. Prints Markdown tables for docs/performance.md on standard output.
#   PEERS_DURATION   seconds of each run (30)
#   PEERS_ROUNDS     runs of each collector, in turn (2); 0 compares nothing
#   PROFILE=1        says also where our collector's time goes, by function in target/profile.txt (perf)
. "$(dirname "$0")/common.sh"
. bench/on_servers.sh

DURATION=${PEERS_DURATION:-30}
ROUNDS=${PEERS_ROUNDS:-2}
BENTO=target/peers/bento
# Warms up the broker and the disk; not counted.
WARMUP=5

[ -x "$BENTO" ] || { say "$BENTO is missing: make $BENTO"; exit 1; }

start_bento() {
  url=http://127.0.0.1:$(free_port)
  ADDRESS=${url#http://} BROKERS=${LOG_URL#kafka://} TOPIC=peer "$BENTO" -c bench/peers/bento/collect.yaml >>"$work/bento.log" 2>&1 &
  pid=$!
  programs+=("$pid")
  until curl -s -o /dev/null --noproxy '*' "$url/post"; do kill -0 "$pid" && sleep 0.1; done
}

# measure NAME SECONDS BATCH CONNECTIONS: a row of a collector that is started for it.
measure() {
  case $1 in
    ours) start_collector ours; collect "$@" "${OURS[@]}" ;;
    Bento) start_bento; collect "$@" /post peer ;;
  esac
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
    for name in ours Bento; do
      measure "$name" "$DURATION" "$2" "$3" >>"$work/rows"
      tail -n 1 "$work/rows"
    done
  done
  printf '\nOurs takes %s times as many events per core-second.\n' "$(ratio)"
}

# Where our collector's time goes while it takes batches of 20.
profile() {
  local shares=(perf report -i "$work/perf.data" --no-children --stdio) recorder
  say 'profile'
  start_collector ours
  perf record -F 199 -o "$work/perf.data" -p "$pid" -- sleep "$DURATION" >&2 &
  recorder=$!
  collect profiled "$((DURATION + 1))" 20 64 "${OURS[@]}" >&2
  wait "$recorder"
  stop "$pid"
  echo
  "${shares[@]}" -t ';' --sort comm,dso,symbol 2>/dev/null | awk -f bench/profile.awk
  for by in comm dso comm,dso,symbol; do "${shares[@]}" --sort "$by" 2>/dev/null | grep -v '^#' | sed -n 1,80p; done >target/profile.txt
  say 'target/profile.txt says it by function'
}

start_servers
echo '| what | figure |'
echo '|---|---|'
machine_rows 'load generator, collector and Kafka share it'
if ((ROUNDS > 0)); then
  compare 'Batches of 20' 20 64
  compare 'Single events' 1 256
fi
if [ -n "${PROFILE:-}" ]; then profile; fi
