"""What the DAGs bring forth. An event of an asset says in `extra` what changed."""

from airflow.sdk import Asset

#: The Delta table under lake/ of the bucket: `version`, and `rows` that were appended.
LAKE = Asset("clickstream_lake", uri="clickstream://lake", group="clickstream")
#: ClickHouse's settled events and marts: `version` that reports show, `rows` settled, `days` whose marts were rebuilt.
MARTS = Asset("clickstream_marts", uri="clickstream://marts", group="clickstream")
