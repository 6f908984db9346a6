# MinIO, one node on one folder, built from source: there is no binary in any package registry.
version=20260212201848-7aac2a2c5b7c
protocol=minio
ports=(port)
fixed_ports=("${MINIO_PORT:-19000}")
# MB that the Go runtime tries to stay below.
memory=${MINIO_MEMORY:-384}
# Of `make servers`: where the host takes notifications.
default_webhook=http://127.0.0.1:8080/v1/notifications

recipe() { echo "github.com/minio/minio@v0.0.0-$version"; }

# 5 CPU minutes on one core at low priority; 2 GB of module and build caches of Go.
install_server() {
  command -v go >/dev/null || die 'minio is built from source: install Go 1.24 or later (https://go.dev/dl)'
  command -v curl >/dev/null || apt_install curl
  GOTOOLCHAIN=local GOFLAGS='' GOBIN=$installed nice -n 10 \
    go install -trimpath -ldflags '-s -w' "github.com/minio/minio@v0.0.0-$version" 2> >(grep -v '^go: downloading ' >&2)
}

configure() {
  local each
  for each in secret token; do
    [ -e "$dir/$each" ] || (umask 077 && python3 -c 'import secrets; print(secrets.token_hex(20))' >"$dir/$each")
  done
  mkdir -p "$dir/conf/certs" "$dir/queue/webhook" "$dir/queue/kafka"
}

# Who may do everything; a private instance may be given other names.
credentials() {
  access_key=${MINIO_ROOT_USER:-clickstream}
  secret_key=${MINIO_ROOT_PASSWORD:-$(<"$dir/secret")}
}

command_line() {
  local setting
  credentials
  export MINIO_ROOT_USER=$access_key MINIO_ROOT_PASSWORD=$secret_key
  export MINIO_BROWSER=off MINIO_UPDATE=off MINIO_PROMETHEUS_AUTH_TYPE=public
  # An object's bytes are synced in any case; with this its name in the folder too, before the answer.
  export MINIO_FS_OSYNC=on
  export GOMEMLIMIT=${memory}MiB
  targets
  for setting in "${settings[@]}"; do export "${setting?}"; done
  command=("$installed/minio" server --quiet --certs-dir "$dir/conf/certs" --address "127.0.0.1:$port" "$dir/data")
}

# Where buckets may send their notifications: arn:minio:sqs::H1:webhook and arn:minio:sqs::K1:kafka.
# With a queue folder an event is kept until it is delivered; without one it is sent once, and lost if that fails.
targets() {
  local queue=${NOTIFY_QUEUE:-on}
  if [ -z "$private" ]; then
    NOTIFY_WEBHOOK=${NOTIFY_WEBHOOK-$default_webhook} NOTIFY_TOKEN=${NOTIFY_TOKEN-$(<"$dir/token")}
    NOTIFY_KAFKA=${NOTIFY_KAFKA-127.0.0.1:${KAFKA_PORT:-19092}}
  fi
  if [ -n "${NOTIFY_WEBHOOK-}" ]; then
    export MINIO_NOTIFY_WEBHOOK_ENABLE_H1=on MINIO_NOTIFY_WEBHOOK_ENDPOINT_H1=$NOTIFY_WEBHOOK
    [ -z "${NOTIFY_TOKEN-}" ] || export MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_H1="Bearer $NOTIFY_TOKEN"
    [ "$queue" = off ] || export MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_H1=$dir/queue/webhook MINIO_NOTIFY_WEBHOOK_QUEUE_LIMIT_H1=100000
  fi
  if [ -n "${NOTIFY_KAFKA-}" ]; then
    # No BATCH_SIZE: with it a lone event is sent again and again.
    export MINIO_NOTIFY_KAFKA_ENABLE_K1=on MINIO_NOTIFY_KAFKA_BROKERS_K1=$NOTIFY_KAFKA
    export MINIO_NOTIFY_KAFKA_TOPIC_K1=${NOTIFY_TOPIC:-notifications}
    [ "$queue" = off ] || export MINIO_NOTIFY_KAFKA_QUEUE_DIR_K1=$dir/queue/kafka MINIO_NOTIFY_KAFKA_QUEUE_LIMIT_K1=100000
  fi
}

url() { echo "http://127.0.0.1:$port"; }

# The bucket, and the credentials for clients.
answered() {
  local bucket=${BUCKET:-clickstream} status
  credentials
  # It says that it is ready a moment before it takes requests.
  for _ in {1..60}; do
    status=$(curl -sS --noproxy '*' -o "$dir/conf/bucket.xml" -w '%{http_code}' -X PUT "$(url)/$bucket" \
      --aws-sigv4 aws:amz:us-east-1:s3 --config - <<<"user = \"$access_key:$secret_key\"")
    [[ $status == 503 ]] || break
    sleep 0.5
  done
  # 409: it is there.
  [[ $status == 200 || $status == 409 ]] || die "bucket $bucket cannot be made: HTTP $status $(<"$dir/conf/bucket.xml")"
  printf '%s\n' "bucket=$bucket" "access_key=$access_key" "secret_key=$secret_key" "notify_key=${NOTIFY_TOKEN-$(<"$dir/token")}"
}
