#!/usr/bin/env bash
# airflow.sh: invokes functions of the service at AIRFLOW_URL by Airflow's operator, with an Airflow of its own in AIRFLOW_HOME.
set -euo pipefail
cd "$(dirname "$0")/../.."
export AIRFLOW__CORE__LOAD_EXAMPLES=false AIRFLOW__CORE__DAGS_FOLDER=$PWD/tests/contract NO_PROXY=127.0.0.1
export AIRFLOW_CONN_AWS_DEFAULT='{"conn_type": "aws", "login": "'$INVOKE_ACCESS_KEY_ID'", "password": "'$INVOKE_SECRET_ACCESS_KEY'",
  "extra": {"endpoint_url": "'$AIRFLOW_URL'", "region_name": "eu-central-1"}}'
mkdir -p "$AIRFLOW_HOME"
if ! { target/airflow/bin/airflow db migrate && target/airflow/bin/python tests/contract/airflow_dag.py; } >"$AIRFLOW_HOME/log" 2>&1; then
  tail -n 60 "$AIRFLOW_HOME/log" >&2
  exit 1
fi
tail -n 1 "$AIRFLOW_HOME/log"
