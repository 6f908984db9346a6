"""What is new in raw/ goes into the lake, exactly once; then ClickHouse's events and marts follow.

| task | invokes | does |
|---|---|---|
| `shards` | `compact {"partitions": []}` | changes nothing; the lake's partitions, dealt to `clickstream_shards` compactions |
| `compact` | `compact {"partitions": […]}`, one for each shard, side by side | appends what is new of these partitions |
| `rest` | `compact {}` | partitions that the lake has not met yet, what came meanwhile; then merges small files |
| `settle` | `settle {}` | new lake versions into ClickHouse in order, and the marts of the days touched |
| `end` | nothing | the run failed if a task did |

**A run takes everything that is there, whatever its data interval.** The interval names the run; the data's own days decide which
marts are rebuilt. So a run that was missed is made good by the next one, and runs in any order, several at once, again, or of
days long past (`airflow backfill create --dag-id clickstream_compact --from-date … --to-date …`) change no number twice. Catch-up is
off because it would only repeat.

**When it fails**: the log of the task ends with the function's sentence. `settle` runs also after a failed compaction: what came
into the lake is shown. Raw objects that are missing fail `rest` at once; `clickstream_reconcile` lands them again where the log
still has them. To run it again: clear the failed task, or wait for the next hour.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronDataIntervalTimetable

from clickstream import settings
from clickstream.assets import LAKE, MARTS
from clickstream.dags import dag
from clickstream.functions import Compact, Settle, Shards

with dag(
    "compact",
    __doc__,
    schedule=CronDataIntervalTimetable(settings.COMPACT_CRON, timezone="UTC"),
    pool="clickstream_compact",
    deadline=(settings.COMPACT_DEADLINE, "settled numbers are older than they should be; fresh ones are in the reports all the same"),
    tags=["lake", "marts"],
):
    shards = Shards(task_id="shards", doc_md="Which partitions are compacted side by side.")
    compact = Compact.partial(
        task_id="compact", map_index_template="{{ task.payload }}", doc_md="Appends what is new of a shard's partitions to the lake."
    ).expand(payload=shards.output)
    rest = Compact(
        task_id="rest",
        # In a lake without a version there is no shard.
        trigger_rule="none_failed",
        outlets=[LAKE],
        doc_md="Appends what no shard has, and merges small files of the lake.",
    )
    settle = Settle(
        task_id="settle",
        pool="clickstream_settle",
        trigger_rule="all_done",
        inlets=[LAKE],
        outlets=[MARTS],
        doc_md="Shows new lake versions in ClickHouse and rebuilds the marts of the days touched.",
    )
    end = EmptyOperator(task_id="end", trigger_rule="none_failed", doc_md="Fails with any task before it, so that the run does.")
    shards >> compact >> rest >> settle
    [shards, compact, rest, settle] >> end
