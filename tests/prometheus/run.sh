#!/usr/bin/env bash
# run.sh: the rules and what is written about them, a host, Prometheus and Alertmanager with a fault, and traces.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$PWD/target/prometheus/usr/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r prometheus/. "$work"
echo none >"$work/admin-token"
"$bin/promtool" check config "$work/prometheus.yml"
"$bin/amtool" check-config "$work/alertmanager.yml"
# Meanwhile: most of what follows is waiting.
(cd prometheus && "$bin/promtool" test rules tests/*.yml) >"$work/unit" 2>&1 &
tests=$!
target/ops/bin/python tests/prometheus/check.py
target/ops/bin/python tests/prometheus/traces.py "${CLICKSTREAM:-target/release/clickstream}"
target/ops/bin/python tests/prometheus/answers.py "${CLICKSTREAM:-target/release/clickstream}"
target/ops/bin/python tests/prometheus/scrape.py "${CLICKSTREAM:-target/release/clickstream}"
wait "$tests" || {
    cat "$work/unit" >&2
    exit 1
}
echo "$(grep -c SUCCESS "$work/unit") files of unit tests pass"
