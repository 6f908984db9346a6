#!/usr/bin/env bash
# beside.sh start DIR   Kafka and ClickHouse for functions on LocalStack, with data in DIR; prints facts, NAME=VALUE a line
# beside.sh stop DIR    ends both
# beside.sh kafka start|stop DIR   Kafka alone, on the port and the data that it has
# Functions run in containers, for which loopback is their own: both servers listen on the address that this machine has on
# Docker's bridge, and Kafka on loopback too. Kafka must be installed: servers/install.sh kafka.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
clickstream=${CLICKSTREAM_BIN:-$root/target/release/clickstream}
password=password-on-localstack

die() { echo "$*" >&2; exit 1; }

# This machine's address on Docker's bridge.
bridge() {
  local device address
  device=$(docker network inspect bridge --format '{{index .Options "com.docker.network.bridge.name"}}')
  address=$(ip -4 -brief address show "$device" 2>/dev/null | grep -o '[0-9.]*/' | tr -d /)
  [ -n "$address" ] || die "this machine has no address on Docker's bridge ($device), where functions in containers would find Kafka and ClickHouse: a Docker engine on this machine, not in a virtual one, is needed"
  echo "$address"
}

# An instance keeps its ports in its file `instance`; here they are chosen before its first start, since the listeners name them.
kafka() {
  local data=$1/kafka address port controller_port functions_port
  if [ ! -e "$data/instance" ]; then
    read -r port controller_port functions_port <<<"$("$root/servers/ports.py" free 3)"
    mkdir -p "$data"
    echo "$functions_port" >"$data/functions_port"
    printf 'name=kafka\nport=%s\ncontroller_port=%s\n' "$port" "$controller_port" >"$data/instance"
  fi
  functions_port=$(<"$data/functions_port")
  . "$data/instance"
  address=$(bridge)
  "$root/servers/start.sh" kafka --data "$data" \
    --set "listeners=PLAINTEXT://127.0.0.1:$port,FUNCTIONS://$address:$functions_port,CONTROLLER://127.0.0.1:$controller_port" \
    --set "advertised.listeners=PLAINTEXT://127.0.0.1:$port,FUNCTIONS://$address:$functions_port" \
    --set 'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,FUNCTIONS:PLAINTEXT,CONTROLLER:PLAINTEXT' >/dev/null
  printf 'kafka_brokers=%s\nlog_url=%s\n' "$address:$functions_port" "kafka://127.0.0.1:$port"
}

# After a restart of the machine the pid file may name a stranger.
clickhouse_runs() { [ -s "$1/clickhouse/pid" ] && grep -qszF -- "$1/clickhouse" "/proc/$(<"$1/clickhouse/pid")/cmdline"; }

clickhouse() {
  local data=$1/clickhouse address
  address=$(bridge)
  if ! clickhouse_runs "$1"; then
    mkdir -p "$data"
    : >"$data/said"
    CLICKHOUSE_PASSWORD=$password setsid "$clickstream" --data "$data" clickhouse --listen "$address:0" </dev/null >"$data/said" 2>"$data/log" &
    echo $! >"$data/pid"
  fi
  for _ in $(seq 600); do
    grep -q '^ready ' "$data/said" && break
    kill -0 "$(<"$data/pid")" 2>/dev/null || { cat "$data/log" >&2; die 'ClickHouse does not start'; }
    sleep 0.1
  done
  echo "warehouse_url=http://default:$password@$(sed -n 's/^ready .*@//p' "$data/said")/clickstream?compress=0"
}

start() {
  local facts said
  # What has started does not stay behind one that does not.
  trap 'stop "$1" >&2' ERR
  facts=$(kafka "$1"; clickhouse "$1")
  fact() { sed -n "s/^$1=//p" <<<"$facts"; }
  said=$(LOG_URL=$(fact log_url) WAREHOUSE_URL=$(fact warehouse_url) "$clickstream" setup)
  printf '%s\nlog_id=%s\n' "$facts" "$(sed -n 's/.*the log is //p' <<<"$said")"
}

stop() {
  if clickhouse_runs "$1"; then kill "$(<"$1/clickhouse/pid")"; fi
  rm -f "$1/clickhouse/pid"
  [ ! -e "$1/kafka/instance" ] || "$root/servers/stop.sh" --data "$1/kafka"
}

case ${1-}-${2-} in
  start-?*) start "$2" ;;
  stop-?*) stop "$2" ;;
  kafka-start) kafka "${3:?DIR is missing}" >/dev/null ;;
  kafka-stop) "$root/servers/stop.sh" --data "${3:?DIR is missing}/kafka" ;;
  *) die "usage: $0 start|stop DIR, or kafka start|stop DIR" ;;
esac
