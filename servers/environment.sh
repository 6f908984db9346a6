#!/usr/bin/env bash
# environment.sh: what `clickstream up` needs to know of the servers that run, for target/servers.env.
# No quotes: so the shell, make and docker read the same.
. "$(dirname "${BASH_SOURCE[0]}")/instance.sh"

# fact SERVER NAME
fact() { sed -n "s/^$2=//p" "$home/data/$1/server.env"; }
runs() { dir=$home/data/$1; [ -e "$dir/server.env" ] && dir=$(cd "$dir" && pwd -P) && running; }

echo '# Written by make servers. Use: set -a; . target/servers.env; target/release/clickstream up'
echo 'SETUP=on'
if runs kafka; then echo "LOG_URL=$(fact kafka url)"; fi
if runs kafka39; then echo "KAFKA39_URL=$(fact kafka39 url)"; fi
if runs cassandra; then echo "STORE_URL=$(fact cassandra url)/clickstream"; fi
if runs minio; then
  echo "OBJECTS_URL=s3://$(fact minio bucket)?endpoint=$(fact minio url)"
  echo "AWS_REGION=us-east-1"
  echo "AWS_ACCESS_KEY_ID=$(fact minio access_key)"
  echo "AWS_SECRET_ACCESS_KEY=$(fact minio secret_key)"
  echo "NOTIFICATIONS_ARN=arn:minio:sqs::H1:webhook"
  echo "NOTIFICATIONS_TOKEN=$(fact minio notify_key)"
fi
