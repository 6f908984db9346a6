#!/usr/bin/env bash
# engine.sh        finds a Docker engine; in a container, or with CI=true, starts one of our own where there is none
# engine.sh stop   ends the one of our own
# Prints DOCKER_HOST=… for `eval`. An engine that is there is used as it is: DOCKER_HOST names it, else it is Docker's usual one.
# Our own listens on a socket alone, leaves the firewall as it is, and publishes ports on loopback.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
home=${LOCALSTACK_HOME:-$(dirname "$here")/target/localstack}/engine
# A socket's path has 107 characters at most, and the folder of a checkout may be long.
run=/run/clickstream-docker
own=unix://$run/docker.sock

say() { echo "$*" >&2; }
die() { say "$@"; exit 1; }

answers() {
  [ "$(curl -s --max-time 10 --unix-socket "${1#unix://}" http://docker/_ping 2>/dev/null)" = OK ]
}

in_container() { [ -e /.dockerenv ] || [ -e /run/.containerenv ] || systemd-detect-virt -cq 2>/dev/null; }

install() {
  command -v dockerd >/dev/null && command -v docker >/dev/null && return
  say 'installing docker.io …'
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io; } >/dev/null 2>&1 ||
    die 'docker.io cannot be installed (apt-get install docker.io says why); or start a Docker engine yourself'
  command -v docker >/dev/null || apt-get install -y -qq --no-install-recommends docker-cli >/dev/null
}

start() {
  mkdir -p "$run" "$home"
  setsid dockerd --host "$own" --data-root "$home/data" --exec-root "$run/exec" --pidfile "$run/pid" --ip 127.0.0.1 \
    --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false </dev/null >"$home/log" 2>&1 &
  local process=$!
  for _ in $(seq 300); do
    if answers "$own"; then
      say "a Docker engine runs (process $process, data in $home)"
      return
    fi
    kill -0 "$process" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$home/log" | sed 's/^/    /' >&2
  kill "$process" 2>/dev/null || true
  die "the Docker engine does not start: the end of $home/log is above. LocalStack needs Docker: start an engine yourself, and name it by DOCKER_HOST=unix://… where it is not the usual one"
}

stop() {
  [ -s "$run/pid" ] || { say 'no Docker engine of our own runs'; return; }
  local process
  process=$(<"$run/pid")
  if grep -qszF -- "$own" "/proc/$process/cmdline"; then
    kill "$process"
    while kill -0 "$process" 2>/dev/null; do sleep 0.2; done
    # Its bridge would stay.
    ip link delete docker0 2>/dev/null || true
    say 'the Docker engine of our own has ended'
  fi
  rm -f "$run/pid"
}

[ "${1-}" != stop ] || { stop; exit; }

if [ -n "${DOCKER_HOST-}" ]; then
  [[ $DOCKER_HOST == unix://* ]] || die "DOCKER_HOST=$DOCKER_HOST is wrong: LocalStack is handed the engine's socket, so it must be unix:///PATH"
  answers "$DOCKER_HOST" || die "no Docker engine answers on DOCKER_HOST=$DOCKER_HOST: start it, or unset the variable"
  found=$DOCKER_HOST
elif answers unix:///var/run/docker.sock; then
  found=unix:///var/run/docker.sock
elif answers "$own"; then
  found=$own
elif { [ "${CI-}" = true ] || in_container; } && [ "$(id -u)" = 0 ]; then
  install
  start
  found=$own
else
  die 'no Docker engine answers on /var/run/docker.sock, and LocalStack needs one: start Docker (or be in its group), or name its socket by DOCKER_HOST=unix:///PATH. One of our own is started only as root in a container, or with CI=true'
fi
command -v docker >/dev/null || die 'the command docker is missing: install docker-cli or docker.io'
echo "export DOCKER_HOST=$found"
[ "$found" = "$own" ] && echo 'export OWN_ENGINE=1' || echo 'export OWN_ENGINE='
