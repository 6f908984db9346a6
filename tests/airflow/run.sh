#!/usr/bin/env bash
# run.sh: the DAGs as they stand, their payloads at a started host, and a compaction by the clock of a real Airflow.
# run.sh all: also every other DAG, deadlines, tasks and hosts killed in the middle, a backfill of three days.
# CLICKSTREAM names another binary.
set -euo pipefail
cd "$(dirname "$0")"
python=$PWD/../../target/airflow/bin/python
SCENE=$(mktemp -d)
export SCENE AIRFLOW_HOME=$SCENE/parsing AIRFLOW__CORE__LOAD_EXAMPLES=false NO_PROXY=127.0.0.1 PYTHONDONTWRITEBYTECODE=1
AIRFLOW__CORE__DAGS_FOLDER=$(cd ../../airflow/dags && pwd)
export AIRFLOW__CORE__DAGS_FOLDER
ended() {
  local rc=$?
  if [ $rc != 0 ]; then tail -n 12 "$SCENE"/airflow/*.log "$SCENE"/host/log 2>/dev/null | cut -c 1-300 >&2 || true; fi
  rm -rf "$SCENE"
}
trap ended EXIT
tests=(test_payloads test_dags test_invoke test_compact)
if [ "${1:-}" = all ]; then tests+=(test_functions test_deadline test_killed test_backfill); fi
"$python" -W ignore -m unittest -v "${tests[@]}"
