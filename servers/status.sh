#!/usr/bin/env bash
# status.sh: a line for each server that `make servers` started. Fails if one of them runs and does not answer.
. "$(dirname "${BASH_SOURCE[0]}")/instance.sh"

failed=0
row() { printf '%-10s %-9s %-12s %-7s %-6s %-11s %s\n' "$@"; }

line() {
  local state=stopped memory_now=''
  dir=$1
  load "$(sed -n 's/^name=//p' "$dir/instance")"
  . "$dir/instance"
  if running; then
    state=answers
    "$here/probe.py" "$protocol" "$port" || { state='no answer'; failed=1; }
    memory_now="$(($(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status") / 1024)) MB"
  fi
  row "$name" "${version:0:8}" "$state" "$pid" "$port" "${memory_now:--}" "$(du -sm "$dir" | cut -f1) MB"
  for dir in "$dir"/*/instance; do
    [ ! -e "$dir" ] || line "$(dirname "$dir")"
  done
}

row server version state process port memory folder
for each in "$home"/data/*/instance; do
  [ ! -e "$each" ] || line "$(dirname "$each")"
done
exit $failed
