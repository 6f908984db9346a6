"""Every record is accounted for: spilled events return to the log, stores are compared, what is missing is mended.

| task | invokes | does |
|---|---|---|
| `unspill` | `unspill {}` | events that were written to the bucket while the log was away go back to the log |
| `reconcile` | `reconcile {}` | writes the ledger; loads raw objects that nobody announced, lands gaps again, restores what ClickHouse or the event store lacks |
| `end` | nothing | the run failed if a task did |

**When it fails**: `reconcile` fails where something is not well afterwards, and tries again first: most of what it finds is in
motion. The end of its log names partitions and offsets; docs/ledger.md says what each means and how to mend it.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronDataIntervalTimetable

from clickstream import settings
from clickstream.dags import dag
from clickstream.functions import Reconcile
from clickstream.invoke import InvokeFunction

with dag(
    "reconcile",
    __doc__,
    schedule=CronDataIntervalTimetable("*/10 * * * *", timezone="UTC"),
    pool="clickstream_reconcile",
    deadline=(settings.RECONCILE_DEADLINE, "nobody knows whether every record is accounted for"),
    tags=["ledger"],
):
    unspill = InvokeFunction(task_id="unspill", function="unspill", retries=2, doc_md="Returns spilled events to the log.")
    reconcile = Reconcile(
        task_id="reconcile",
        # The stores can be compared while the log is away.
        trigger_rule="all_done",
        doc_md="Writes the ledger, compares every store with every other, and mends.",
    )
    end = EmptyOperator(task_id="end", doc_md="Fails with any task before it, so that the run does.")
    unspill >> reconcile
    [unspill, reconcile] >> end
