#!/usr/bin/env bash
# run.sh: starts a host on an empty folder and runs the Postman collection against it, twice: a repeat changes no report.
# run.sh --examples: keeps what came back as the collection's saved answers.
# CLICKSTREAM names another binary.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${CLICKSTREAM:-target/release/clickstream}
newman=tests/report/node_modules/.bin/newman
export ADMIN_TOKEN=postman-$RANDOM$RANDOM$RANDOM
work=$(mktemp -d)
mkfifo "$work/ready"
"$binary" --data "$work/data" up --listen 127.0.0.1:0 >"$work/ready" 2>"$work/log" &
pid=$!
trap 'kill -TERM $pid 2>/dev/null || true; wait $pid || true; rm -rf "$work"' EXIT
exec 3<"$work/ready"
read -r _ url <&3 || { cat "$work/log" >&2; exit 1; }
"$newman" run docs/api/clickstream.postman_collection.json --working-dir . --iteration-count 2 \
  --env-var "url=$url" --env-var "adminToken=$ADMIN_TOKEN" --timeout-request 60000 --suppress-exit-code \
  --reporters cli,json --reporter-json-export "$work/report.json" --reporter-cli-no-success-assertions --reporter-cli-no-banner --color off >"$work/said"
failed=$(node -e 'const { run } = JSON.parse(fs.readFileSync(process.argv[1], "utf8")); console.log(run.failures.length)' "$work/report.json")
if [ "$failed" != 0 ]; then
  cat "$work/said" >&2
  tail -n 20 "$work/log" >&2
  exit 1
fi
# The table of totals.
sed -n '/^┌/,$p' "$work/said"
if [ "${1:-}" = --examples ]; then python3 tests/postman/collection.py --examples "$work/report.json"; fi
