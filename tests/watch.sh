#!/usr/bin/env bash
# watch.sh: the commands of docs/localstack.md on `cargo lambda watch`, as they stand there, and an event of Kafka for land. Needs
# MinIO (`make servers`) and port 9000.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
watch=
trap '[ -z "$watch" ] || kill -- -"$watch"; rm -rf "$work" target/lambda-log' EXIT

awk -v work="$work" '/^## /{on = /cargo lambda watch/} !on{next} /^```sh/{file = work "/" ++n; next} /^```/{file = ""} file{print >file}' docs/localstack.md
rm -rf target/lambda-log
set -a
. target/servers.env
set +a
LOG_ID=watched setsid bash -eu "$work/1" >"$work/watch" 2>&1 &
watch=$!
for _ in $(seq 600); do
  ! curl -s -o "$work/up" http://127.0.0.1:9000/ || break
  kill -0 "$watch" || { cat "$work/watch"; exit 1; }
  sleep 0.1
done

export PATH=$PWD/target/package/bin:$PATH
bash -eu "$work/2" 2>/dev/null | tee "$work/answers"
taken=$(grep -o '\\\?"result\\\?":\\\?"accepted' "$work/answers" | wc -l)
((taken == 3)) || { tail -n 40 "$work/watch"; echo "3 requests were sent, $taken events were taken" >&2; exit 1; }

said=$(cargo lambda invoke clickstream-land --invoke-address 127.0.0.1 --data-file shared/triggers/fixtures/msk.json)
[ "$said" = null ] || { tail -n 40 "$work/watch"; echo "land said: $said" >&2; exit 1; }
echo 'cargo lambda watch: collect took 3 events, land a batch of Kafka'
