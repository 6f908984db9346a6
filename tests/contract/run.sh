#!/usr/bin/env bash
# run.sh [EXAMPLES]: holds a started service to its own description: no 5xx, no status, type or body that it does not name;
# and to the API of Lambda as AWS's own client speaks it.
set -euo pipefail
cd "$(dirname "$0")/../.."
examples=${1:-25}
export ADMIN_TOKEN=contract-$RANDOM$RANDOM$RANDOM
export INVOKE_ACCESS_KEY_ID=airflow INVOKE_SECRET_ACCESS_KEY=signing-$RANDOM$RANDOM$RANDOM
work=$(mktemp -d)
target/release/clickstream openapi >"$work/openapi.json"
cmp "$work/openapi.json" docs/api/openapi.json || { echo 'docs/api/openapi.json is not what the code says: make openapi' >&2; exit 1; }

mkfifo "$work/ready"
target/release/clickstream --data "$work/data" up --listen 127.0.0.1:0 >"$work/ready" 2>"$work/log" &
pid=$!
trap 'kill -TERM $pid 2>/dev/null || true; wait $pid || true; rm -rf "$work"' EXIT
exec 3<"$work/ready"
read -r _ url <&3 || { cat "$work/log" >&2; exit 1; }
target/venv/bin/python tests/contract/invoke.py "$url" "$INVOKE_ACCESS_KEY_ID" "$INVOKE_SECRET_ACCESS_KEY" || { tail -n 20 "$work/log" >&2; exit 1; }
target/venv/bin/st --config-file tests/contract/schemathesis.toml run "$work/openapi.json" \
  --url "$url" --max-examples "$examples" --suppress-health-check all || { tail -n 20 "$work/log" >&2; exit 1; }
