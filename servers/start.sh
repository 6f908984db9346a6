#!/usr/bin/env bash
# start.sh NAME…                     starts servers on their fixed loopback ports, data under target/servers/data
# start.sh NAME --data DIR [option…] starts an instance of its own on DIR, at the first start on free ports, which it keeps
#   --port N          the clients' port (0: a free one)
#   --memory MB       the heap; by default the server's own
#   --set KEY=VALUE   a line of the server's configuration (for MinIO: an environment variable); may be repeated
# Returns when every server has answered a request. One line each on standard output, and in DIR/server.env:
#   name=kafka version=4.4.0 pid=4711 port=19092 … url=kafka://127.0.0.1:19092 dir=/…
# What runs stays. A server that ends while it starts is reported with the end of its log.
. "$(dirname "${BASH_SOURCE[0]}")/instance.sh"

names=() settings=() private='' port_wanted=0 memory_wanted=''
while (($#)); do
  case $1 in
    --data) private=${2:?--data wants a folder} ;;
    --port) port_wanted=${2:?--port wants a number} ;;
    --memory) memory_wanted=${2:?--memory wants megabytes} ;;
    --set) [[ ${2-} == *=* ]] || die "--set wants KEY=VALUE, not '${2-}'"; settings+=("$2") ;;
    -*) die "unknown option $1: --data, --port, --memory, --set" ;;
    *) names+=("$1"); shift; continue ;;
  esac
  shift 2
done
((${#names[@]})) || die "usage: start.sh NAME… [--data DIR], NAME of: ${known[*]}"
((${#names[@]} == 1)) || [ -z "$private" ] || die '--data is for one server'
[[ $port_wanted =~ ^[0-9]+$ ]] && ((port_wanted < 65536)) || die "--port $port_wanted is wrong: a number from 0 to 65535"

# The ports of an earlier start, those wanted, fixed ones, or free ones.
choose_ports() {
  local number
  if [ -e "$dir/instance" ]; then
    grep -qx "name=$name" "$dir/instance" || die "$dir belongs to another server ($(head -1 "$dir/instance")), not to $name"
    . "$dir/instance"
  elif [ -z "$private" ]; then
    for number in "${!ports[@]}"; do declare -g "${ports[number]}=${fixed_ports[number]}"; done
  else
    number=$("$here/ports.py" free "${#ports[@]}")
    read -r "${ports[@]}" <<<"$number"
  fi
  ((port_wanted == 0 || port_wanted == port)) || {
    ! running || die "$name runs on port $port already (process $pid): stop it first"
    port=$port_wanted
  }
}

values() { local each; for each; do echo "$each=${!each}"; done; }

# Starts the process and waits for its answer: 0 answered, 1 no answer in time, 2 it ended.
run() {
  (
    # Nothing of the caller stays open in the server: not its pipes, not the lock.
    for fd in /proc/"$BASHPID"/fd/*; do fd=${fd##*/}; ((fd <= 2)) || eval "exec $fd>&-"; done
    command_line
    exec setsid "${command[@]}"
  ) </dev/null >>"$dir/log" 2>&1 &
  pid=$!
  echo "$pid" >"$dir/pid"
  wait_for_answer
}

wait_for_answer() {
  local status=0
  "$here/probe.py" "$protocol" "$port" "$pid" "$START_SECONDS" || status=$?
  return $status
}

start_one() (
  load "$1"
  began=$EPOCHREALTIME
  dir=${private:-$home/data/$name}
  mkdir -p "$dir/conf"
  dir=$(cd "$dir" && pwd -P)
  memory=${memory_wanted:-$memory}
  [ -e "$installed/.recipe" ] || die "$name is not installed: $here/install.sh $name"
  exec 9>"$dir/.lock"
  flock -w "$START_SECONDS" 9 || die "$name: another start or stop holds $dir"

  choose_ports
  [ -z "$beneath" ] || start_beneath
  state=ready status=0
  if running; then
    wait_for_answer || status=$?
    case $status in
      0) state='runs, asked' ;;
      1) die "$name (process $pid) runs but does not answer on port $port; its log: $dir/log; to end it: stop.sh --data $dir" ;;
    esac
  fi
  if [ "$state" = ready ]; then launch_until_answered; fi
  umask 077
  { values name version pid "${ports[@]}"; echo "url=$(url)"; echo "dir=$dir"; answered; } >"$dir/server.env.new"
  mv "$dir/server.env.new" "$dir/server.env"
  say "$name $version $state after $(seconds_since "$began"), 127.0.0.1:$port"
  grep -v '_key=' "$dir/server.env" | paste -sd' '
)

launch_until_answered() {
  local status size taken each numbers=()
  rm -f "$dir/pid" "$dir/server.env"
  for each in "${ports[@]}"; do numbers+=("${!each}"); done
  taken=$("$here/ports.py" check "${numbers[@]}" 2>&1) ||
    die "$name cannot start: $taken"
  values name "${ports[@]}" >"$dir/instance"
  configure
  for _ in 1 2 3 4; do
    size=$(stat -c %s "$dir/log" 2>/dev/null || echo 0)
    status=0
    run || status=$?
    if ((status == 0)); then return; fi
    if ((status != 2)) || [ -z "$again_if" ] || ! grep -q "$again_if" <(tail -c "+$((size + 1))" "$dir/log"); then
      break
    fi
    sleep 1
  done
  case $status in
    2) say "$name ended while it started; the end of $dir/log:" ;;
    *) kill -9 "$pid" 2>/dev/null || true; say "$name did not answer on port $port within $START_SECONDS s and was killed; the end of $dir/log:" ;;
  esac
  rm -f "$dir/pid"
  tail -c "+$((size + 1))" "$dir/log" | tail -n 30 | sed 's/^/    /' >&2
  exit 1
}

# The server that this one stands on.
start_beneath() {
  local port_option=()
  [ -n "$private" ] || [ -e "$dir/$beneath/instance" ] || port_option=(--port "$(load "$beneath"; echo "${fixed_ports[0]}")")
  "$here/start.sh" "$beneath" --data "$dir/$beneath" "${port_option[@]}" >/dev/null
}

# Side by side; each tells its own failure.
jobs=() failed=0
for each in "${names[@]}"; do
  start_one "$each" &
  jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
# It has secrets.
[ -n "$private" ] || (umask 077 && "$here/environment.sh" >"$home/../servers.env")
exit $failed
