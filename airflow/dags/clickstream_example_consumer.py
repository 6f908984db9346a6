"""An example: runs whenever the marts are new, and says which days to read again. Copy it, and do there what you need.

An event of the asset `clickstream_marts` has `version`, `rows` and `days` in its `extra`; several events may start one run.
"""

from airflow.sdk import task

from clickstream.assets import MARTS
from clickstream.dags import dag

with dag("example_consumer", __doc__, schedule=[MARTS], pool="clickstream_light", tags=["example"]):

    @task(inlets=[MARTS], doc_md="The days whose marts changed since the last run.")
    def days(triggering_asset_events: dict) -> list[str]:
        changed = {day for event in triggering_asset_events[MARTS] for day in event.extra.get("days", [])}
        print(f"marts are new of: {', '.join(sorted(changed)) or 'no day'}")
        return sorted(changed)

    days()
