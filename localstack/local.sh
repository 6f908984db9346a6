#!/usr/bin/env bash
# local.sh up      the stack of template.yaml on LocalStack, with what it stands on, and one event sent through it
# local.sh stop    ends all of it; its data goes
# Settings: LOCALSTACK_PORT (4566), PACKAGES (zips of the functions), LOCALSTACK_IMAGE and RUNTIME_IMAGE (image.sh), DOCKER_HOST.
# Again, it deploys what has changed, and sends another event.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
home=${LOCALSTACK_HOME:-$root/target/localstack}/local
clickstream=${CLICKSTREAM_BIN:-$root/target/release/clickstream}
python=$root/target/aws/bin/python
name=clickstream-localstack
export AWS_ENDPOINT_URL=http://127.0.0.1:${LOCALSTACK_PORT:=4566}
bucket=clickstream

say() { echo "$*" >&2; }
die() { say "$@"; exit 1; }
# fact NAME FILE
fact() { sed -n "s/^$1=//p" "$home/$2"; }

host_runs() { [ -s "$home/host.pid" ] && grep -qszF -- "$home/host" "/proc/$(<"$home/host.pid")/cmdline"; }

stop_host() {
  if host_runs; then
    kill "$(<"$home/host.pid")"
    while host_runs; do sleep 0.1; done
  fi
  rm -f "$home/host.pid"
}

stop() {
  stop_host
  [ ! -d "$home" ] || "$here/beside.sh" stop "$home"
  # As it stops, LocalStack removes the containers of its functions.
  if docker stop "$name" >/dev/null 2>&1; then docker rm "$name" >/dev/null; fi
  rm -rf "$home"
  say 'LocalStack and what stood beside it have ended'
}

localstack() {
  [ -z "$(docker ps --quiet --filter "name=^$name\$")" ] || return 0
  docker rm -f "$name" >/dev/null 2>&1 || true
  # A stack of an earlier LocalStack is gone with it.
  docker run --detach --name "$name" --publish "127.0.0.1:$LOCALSTACK_PORT:4566" --env-file "$here/environment" \
    --env "LAMBDA_RUNTIME_IMAGE_MAPPING={\"provided.al2023\":\"$RUNTIME_IMAGE\"}" \
    --volume "${DOCKER_HOST#unix://}:/var/run/docker.sock" --volume "$here/start.d:/etc/localstack/init/start.d:ro" \
    "$LOCALSTACK_IMAGE" >/dev/null
  for _ in $(seq 600); do
    if docker logs "$name" 2>&1 | grep -q '^Ready\.'; then return; fi
    [ -n "$(docker ps --quiet --filter "name=^$name\$")" ] || { docker logs --tail 20 "$name" >&2; die "LocalStack ended while it started"; }
    sleep 0.2
  done
  die "LocalStack is not ready within two minutes: docker logs $name"
}

start_host() {
  stop_host
  : >"$home/host.said"
  LOG_URL=$(fact log_url beside) WAREHOUSE_URL=$(fact warehouse_url beside) OBJECTS_URL="s3://$bucket?endpoint=$AWS_ENDPOINT_URL" \
    AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test SITES=demo:demo ERASURE_KEY=localstack-erasure-key-of-32-characters \
    setsid "$clickstream" --data "$home/host" up --listen 127.0.0.1:0 </dev/null >"$home/host.said" 2>"$home/host.log" &
  echo $! >"$home/host.pid"
  for _ in $(seq 600); do
    grep -q '^ready ' "$home/host.said" && return
    kill -0 "$(<"$home/host.pid")" 2>/dev/null || { tail -n 20 "$home/host.log" >&2; die 'the host does not start'; }
    sleep 0.1
  done
  die "the host is not ready within a minute: $home/host.log"
}

# Sends an event and waits until ClickHouse has it.
send() {
  local message answer event
  message=m-$(date +%s%N)
  answer=$(curl --silent --show-error --user demo: --header 'Content-Type: application/json' "$1/v1/batch" --data '{"batch":[{
    "type":"track","event":"element_clicked","messageId":"'"$message"'","anonymousId":"a-1",
    "context":{"device":{"type":"desktop"}},"properties":{"element_id":"buy-now"}}]}')
  event=$(sed -n 's/.*"event_id":"\([^"]*\)".*/\1/p' <<<"$answer")
  [ -n "$event" ] || die "the event was not accepted: $answer"
  echo "$message was answered 200; where it is now:"
  for _ in $(seq 100); do
    "$clickstream" --data "$home/host" trace "$event" --site demo >"$home/trace" 2>/dev/null || true
    if grep -q '^warehouse  *[^ n]' "$home/trace"; then break; fi
    sleep 0.3
  done
  sed 's/^/  /' "$home/trace"
}

up() {
  mkdir -p "$home"
  localstack
  "$here/beside.sh" start "$home" >"$home/beside"
  WAREHOUSE_URL=$(fact warehouse_url beside) "$python" "$here/deploy.py" "$PACKAGES" "BucketName=$bucket" \
    "KafkaBrokers=$(fact kafka_brokers beside)" "LogId=$(fact log_id beside)" >"$home/stack"
  start_host
  local api
  api=$(fact rest_api stack)
  cat <<END

LocalStack   $AWS_ENDPOINT_URL   (docker logs $name)
functions    $(grep -c '^function_' "$home/stack"), from $PACKAGES
REST API     $api
bucket       $bucket
host         $(sed -n 's/^ready //p' "$home/host.said")   (reads Kafka for the functions: LocalStack does not)

END
  send "$api"
  cat <<END

Send more:   curl -u demo: $api/v1/batch -H 'Content-Type: application/json' -d '{"batch":[…]}'
A file:      curl -T events.ndjson $AWS_ENDPOINT_URL/$bucket/inbox/demo/events.ndjson
Ask:         target/release/clickstream --data ${home#"$root/"}/host report elements
End it:      make deploy-local-stop
END
}

case ${1-} in
  up) up ;;
  stop) stop ;;
  *) die "usage: $0 up|stop" ;;
esac
