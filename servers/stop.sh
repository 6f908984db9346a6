#!/usr/bin/env bash
# stop.sh [NAME…]      stops what start.sh NAME started, by default all; clients of a server before it
# stop.sh --data DIR   stops the instance on DIR
# A process is ended only if its command line says that it is the instance's. SIGTERM; after STOP_SECONDS (60) SIGKILL.
. "$(dirname "${BASH_SOURCE[0]}")/instance.sh"

stop_folder() (
  dir=$(cd "$1" && pwd -P)
  exec 9>"$dir/.lock"
  flock -w "$STOP_SECONDS" 9 || die "another start or stop holds $dir"
  name=$(sed -n 's/^name=//p' "$dir/instance" 2>/dev/null || true)
  began=$EPOCHREALTIME
  rm -f "$dir/server.env"
  if running; then
    # It may end by itself meanwhile.
    kill -TERM "$pid" 2>/dev/null || true
    # One that is held still (SIGSTOP) would not hear it.
    kill -CONT "$pid" 2>/dev/null || true
    if gone; then
      say "$name stopped in $(seconds_since "$began")"
    else
      say "$name (process $pid) did not end within $STOP_SECONDS s and is killed"
      kill -9 "$pid" 2>/dev/null || true
      gone || die "$name (process $pid) cannot be ended"
    fi
  fi
  rm -f "$dir/pid"
  # What it stood on.
  for beneath in "$dir"/*/instance; do
    [ ! -e "$beneath" ] || stop_folder "$(dirname "$beneath")"
  done
)

gone() {
  local deadline=$((SECONDS + STOP_SECONDS))
  while belongs "$pid"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

if [ "${1-}" = --data ]; then
  [ -e "${2:?--data wants a folder}/instance" ] || die "no server was started on $2"
  stop_folder "$2"
  exit
fi
# MinIO tells Kafka of its objects, so it goes first; the others have nothing to do with each other.
wanted=" ${*:-${known[*]}} "
jobs=() failed=0
for each in "${known[@]}"; do
  [[ $wanted == *" $each "* && -e $home/data/$each/instance ]] || continue
  stop_folder "$home/data/$each" &
  if [ "$each" = minio ]; then wait $! || failed=1; else jobs+=($!); fi
done
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
# It tells of those that are left.
if compgen -G "$home/data/*/server.env" >/dev/null; then
  (umask 077 && "$here/environment.sh" >"$home/../servers.env")
else
  rm -f "$home/../servers.env"
fi
exit $failed
