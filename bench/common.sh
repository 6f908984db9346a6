# Sourced by the scripts beside it: programs and servers on a folder of the script's own, and rows of a table.
# All that was started ends with the script, and the folder goes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SERVICE=target/release/clickstream
BENCH=target/release/clickstream-bench

mkdir -p target
# On the disk that the build is on: /tmp may be memory.
work=$(mktemp -d "$PWD/target/bench.XXXXXX")
# Process ids of programs and names of servers, in the order of their start.
programs=() servers=()

finish() {
  local status=$? each
  trap - EXIT
  while ((${#programs[@]})); do stop "${programs[-1]}"; done
  for ((each = ${#servers[@]} - 1; each >= 0; each--)); do stop_server "${servers[each]}" || true; done
  if [ $status != 0 ]; then tail -n 20 "$work"/*.log >&2 || true; fi
  rm -rf "$work"
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# launch NAME COMMAND…: a program whose first line is `ready URL`. Sets pid, url and took (milliseconds until that line).
launch() {
  local name=$1 began ready said
  shift
  began=$(date +%s%N)
  mkfifo "$work/ready"
  "$@" >"$work/ready" 2>>"$work/$name.log" &
  pid=$!
  programs+=("$pid")
  # Stays open: a program may say more.
  exec {said}<"$work/ready"
  rm "$work/ready"
  read -r ready url <&"$said"
  [ "$ready" = ready ]
  took=$((($(date +%s%N) - began) / 1000000))
}

# start NAME [ADDRESS]: the service on a data folder of that name and a free port; sets what launch sets.
start() { launch "$1" "$SERVICE" --data "$work/$1" up --listen "${2:-127.0.0.1:0}"; }

# stop PID: ends a program and waits for it.
stop() {
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  forget "$1"
}
forget() {
  local each left=()
  for each in "${programs[@]}"; do [ "$each" = "$1" ] || left+=("$each"); done
  programs=("${left[@]}")
}

# server NAME [option…]: an instance of servers/ with data of its own.
server() {
  local name=$1
  shift
  servers+=("$name")
  servers/start.sh "$name" --data "$work/$name" "$@" >/dev/null
}
stop_server() { [ ! -e "$work/$1/instance" ] || servers/stop.sh --data "$work/$1"; }
# fact SERVER NAME: what it said of itself at its start.
fact() { sed -n "s/^$2=//p" "$work/$1/server.env"; }
free_port() { servers/ports.py free 1; }

heading() { printf '| **%s** | |\n' "$1"; }
row() { printf '| %s | %s |\n' "$1" "$2"; }
say() { echo "== $*" >&2; }

# bench COMMAND [option…]: on what was started last. Beside the script, so that a signal ends both at once.
bench() {
  local command=$1 generator status=0
  shift
  "$BENCH" "$command" --url "$url" --pid "$pid" "$@" &
  generator=$!
  programs+=("$generator")
  wait "$generator" || status=$?
  forget "$generator"
  return $status
}

machine_rows() {
  local cores memory kernel revision
  cores="$(nproc) cores ($(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1))"
  memory="$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1000000)) GB"
  kernel="$(uname -sr | sed 's/-.*//')"
  revision="$(git rev-parse --short HEAD)$(git diff --quiet HEAD -- . ':!docs' 2>/dev/null || echo ' with changes')"
  row 'machine' "$cores, $memory, $kernel; ${1:-load generator and service share it}"
  row 'revision' "$revision"
}
