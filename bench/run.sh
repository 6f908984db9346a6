#!/usr/bin/env bash
# Measures the embedded service and prints one Markdown table for docs/performance.md on standard output.
#   DURATION   seconds of the constant load (300)
#   RATE       its events per second (10000)
#   FASTEST    seconds of each run as fast as it goes (30)
. "$(dirname "$0")/common.sh"

DURATION=${DURATION:-300}
RATE=${RATE:-10000}
FASTEST=${FASTEST:-30}

echo '| what | figure |'
echo '|---|---|'
machine_rows

say 'start'
start steady
heading 'Start'
row 'an empty data folder until ready' "$took ms"
bench idle

say "$RATE events a second for $DURATION s"
heading "$RATE events a second for $DURATION s; compaction every 2 minutes runs beside it"
bench load --rate "$RATE" --seconds "$DURATION"
row 'data folder' "$(du -sm "$work/steady" | cut -f1) MiB"
stop "$pid"
start steady
row 'this data folder until ready' "$took ms"
stop "$pid"
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
