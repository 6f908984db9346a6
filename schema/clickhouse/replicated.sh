#!/usr/bin/env bash
# replicated.sh CLUSTER [DATABASE]: prints the tables for a cluster of ClickHouse with replicas, as one script for
# clickhouse-client. An example: it is checked to parse, and no cluster has run it. Afterwards `clickstream setup` finds its
# migrations applied. On a cluster set also insert_quorum = 'auto' and select_sequential_consistency = 1 for our user, so that
# who reads `commits` sees the rows that it makes visible.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
cluster=${1:?usage: replicated.sh CLUSTER [DATABASE]}
database=${2:-clickstream}

# What stands only once in a cluster becomes what stands on every replica. Null keeps nothing to replicate.
on_cluster() {
  sed -E "s/^(CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS [a-z_]+)/\1 ON CLUSTER '$cluster'/
    s/^(CREATE OR REPLACE VIEW [a-z_]+)/\1 ON CLUSTER '$cluster'/
    s/^(ALTER TABLE [a-z_]+)/\1 ON CLUSTER '$cluster'/
    s/^ENGINE = (Replacing)?MergeTree/ENGINE = Replicated\1MergeTree/
    s/^( *)non_replicated_deduplication_window/\1replicated_deduplication_window/"
}

echo "CREATE DATABASE IF NOT EXISTS $database ON CLUSTER '$cluster';"
echo "USE $database;"
on_cluster <<'LEDGER'
CREATE TABLE IF NOT EXISTS migrations
(number UInt32, name String, checksum String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC'))
ENGINE = MergeTree ORDER BY number;
LEDGER
for file in 0*.sql; do
  name=${file%.sql}
  on_cluster <"$file"
  echo "INSERT INTO migrations (number, name, checksum) SELECT $((10#${name%%_*})), '$name', '$(sha256sum "$file" | cut -d' ' -f1)';"
done
