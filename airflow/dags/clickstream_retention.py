"""What is kept long enough goes: raw objects, log, event store, old files of the lake; erasures that were begun are finished.

| task | invokes | does |
|---|---|---|
| `settle` | `settle {}` | says which version of the lake ClickHouse is done with |
| `vacuum` | `compact {"vacuum": {"settled_version": …}}` | files of the lake that no version needs any more, after `LAKE_RETENTION_DAYS`, never of a version that is not settled |
| `retention` | `retention {}` | what is older than the settings of the service say, of each store; raw objects only once they are settled |
| `erase` | `erase {}` | goes on with erasures that were begun and are not done |

Each is safe to repeat: what is gone is gone. How long a thing is kept is a setting of the service, not of Airflow
(docs/retention.md).
"""

from airflow.sdk import CronDataIntervalTimetable

from clickstream import settings
from clickstream.dags import dag
from clickstream.functions import Retention, Settle, Vacuum
from clickstream.invoke import InvokeFunction

with dag(
    "retention",
    __doc__,
    schedule=CronDataIntervalTimetable("40 2 * * *", timezone="UTC"),
    pool="clickstream_retention",
    deadline=(settings.RETENTION_DEADLINE, "what is to be gone may still be there"),
    tags=["lake", "erasure"],
):
    settle = Settle(task_id="settle", pool="clickstream_settle", doc_md="Says which version of the lake ClickHouse is done with.")
    vacuum = Vacuum(task_id="vacuum", settle="settle", pool="clickstream_compact", doc_md="Removes old files of the lake.")
    retention = Retention(task_id="retention", doc_md="Applies the rules of each store.")
    erase = InvokeFunction(task_id="erase", function="erase", doc_md="Goes on with erasures that are not done.")
    settle >> [vacuum, retention]
