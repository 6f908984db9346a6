#!/usr/bin/env bash
# run.sh: the dashboards are current, of Grafana's types, and every question that they ask is answered.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=target/ops/bin/python
grafana/generate.py --check
node tests/grafana/types/check.mjs target/grafana
$python tests/grafana/words.py
$python tests/grafana/check.py
