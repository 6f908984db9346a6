#!/usr/bin/env bash
# Measures the embedded service and prints one Markdown table for docs/performance.md on standard output.
#   DURATION   seconds of the constant load (300)
#   RATE       its events per second (10000)
#   FASTEST    seconds of each run as fast as it goes (30)
set -euo pipefail
cd "$(dirname "$0")/.."

DURATION=${DURATION:-300}
RATE=${RATE:-10000}
FASTEST=${FASTEST:-30}
SERVICE=target/release/clickstream
BENCH=target/release/clickstream-bench

work=$(mktemp -d)
pid=
stop() {
  if [ -n "$pid" ]; then
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" || true
    pid=
  fi
}
trap 'status=$?; stop; if [ $status != 0 ]; then tail -n 20 "$work"/*.log >&2 || true; fi; rm -rf "$work"' EXIT

# start NAME: on a data folder of that name and a free port; sets pid, url and took (milliseconds until ready).
start() {
  local began ready
  began=$(date +%s%N)
  mkfifo "$work/ready"
  "$SERVICE" --data "$work/$1" up --listen 127.0.0.1:0 >"$work/ready" 2>>"$work/$1.log" &
  pid=$!
  exec 3<"$work/ready"
  rm "$work/ready"
  read -r ready url <&3
  [ "$ready" = ready ]
  took=$((($(date +%s%N) - began) / 1000000))
}
heading() { printf '| **%s** | |\n' "$1"; }
row() { printf '| %s | %s |\n' "$1" "$2"; }
bench() { local command=$1; shift; "$BENCH" "$command" --url "$url" --pid "$pid" "$@"; }
say() { echo "== $*" >&2; }
size() { du -sm "$1" | cut -f1; }

cores="$(nproc) cores ($(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1))"
memory="$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1000000)) GB"
kernel="$(uname -sr | sed 's/-.*//')"
revision="$(git rev-parse --short HEAD)$(git diff --quiet HEAD -- . ':!docs' 2>/dev/null || echo ' with changes')"

echo '| what | figure |'
echo '|---|---|'
row 'machine' "$cores, $memory, $kernel; load generator and service share it"
row 'revision' "$revision"

say 'start'
start steady
heading 'Start'
row 'an empty data folder until ready' "$took ms"
bench idle

say "$RATE events a second for $DURATION s"
heading "$RATE events a second for $DURATION s; compaction every 2 minutes runs beside it"
bench load --rate "$RATE" --seconds "$DURATION"
row 'data folder' "$(size "$work/steady") MiB"
stop
start steady
row 'this data folder until ready' "$took ms"
stop
rm -rf "${work:?}/steady"

export COMPACT_INTERVAL=86400
say "batches of 20 as fast as they go, $FASTEST s"
start fastest
heading "Batches of 20 as fast as they go, $FASTEST s"
bench load --rate 0 --seconds "$FASTEST" --watch-every 0
say "single events as fast as they go, $FASTEST s"
heading "Single events as fast as they go, $FASTEST s"
bench load --rate 0 --batch 1 --connections 256 --seconds "$FASTEST" --watch-every 0
say 'compaction'
heading 'Compaction of all that'
bench compact
stop
