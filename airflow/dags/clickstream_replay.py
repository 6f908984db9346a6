"""Rejected records, the log, raw objects or days played again: by hand, first without changing anything.

Trigger it with parameters; the form says what each means. Then:

| task | invokes | does |
|---|---|---|
| `request` | nothing | reads the parameters; a wrong one fails the run with what would be right |
| `dry_run` | `replay {…, "dry_run": true}` | says what would change, in its log and as its result |
| `decide` | nothing | goes on as `after_dry_run` says: `ask`, `stop` or `go on` |
| `approval` | nothing | shows the result and waits a day for *Approve*; *Reject*, or nothing, ends the run |
| `replay` | `replay {…}` | plays |

A replay obeys erasures and counts nothing twice, however often it is done. What it did is kept under `replays/` of the bucket; what
it logged is landed, loaded and compacted like anything new. docs/replay.md says what each kind plays, and what days change.
"""

from datetime import timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, task

from clickstream import payloads
from clickstream.dags import dag
from clickstream.functions import Replay

OPTIONAL_MOMENT = {"type": ["null", "string"], "format": "date-time"}
OPTIONAL_DAY = {"type": ["null", "string"], "format": "date"}
OPTIONAL_COUNT = {"type": ["null", "integer"], "minimum": 0}

PARAMS = {
    "source": Param(
        "rejected",
        type="string",
        enum=list(payloads.SOURCES),
        title="What",
        description="rejected: rejected records, through today's validation; topic: records of the log, once more as they are; "
        "raw: raw objects, into ClickHouse; days: days of the lake, what is derived of each event by the rules of this version",
    ),
    "partition": Param(None, **OPTIONAL_COUNT, title="Partition", description="Only this one, of topic or raw"),
    "from_offset": Param(None, **OPTIONAL_COUNT, title="First offset", description="Empty: the first that is kept"),
    "to_offset": Param(None, **OPTIONAL_COUNT, title="Offset to stop before", description="Empty: the end"),
    "from_day": Param(None, **OPTIONAL_DAY, title="First day", description="Of days, UTC"),
    "to_day": Param(None, **OPTIONAL_DAY, title="Last day", description="Of days, UTC"),
    "user_agent": Param(
        None,
        type=["null", "string"],
        enum=[None, "fills", "rules"],
        title="User agent",
        description="Of days. fills: it tells what an event lacks; rules: it goes before what the event says",
    ),
    "site": Param(None, type=["null", "string"], maxLength=100, title="Site", description="Only records of this site"),
    "action": Param(
        None, type=["null", "string"], enum=[None, *payloads.ACTIONS], title="Action", description="Only events of this action"
    ),
    "received_from": Param(None, **OPTIONAL_MOMENT, title="Received from", description="Only records received then or later"),
    "received_to": Param(None, **OPTIONAL_MOMENT, title="Received before", description="Only records received before then"),
    "after_dry_run": Param("ask", type="string", enum=["ask", "stop", "go on"], title="After the dry run"),
}

SHOWN = """The dry run says:

```json
{{ ti.xcom_pull('dry_run') | tojson(indent=2) }}
```

of

```json
{{ ti.xcom_pull('request')['replay'] }}
```
"""

with dag("replay", __doc__, schedule=None, pool="clickstream_replay", params=PARAMS, tags=["by hand"]):

    @task(pool="clickstream_light", doc_md="Reads the parameters.")
    def request(params: dict) -> dict[str, str]:
        """Both payloads, so that the real run is of the very request that was shown."""
        import json

        from airflow.sdk.exceptions import AirflowFailException

        try:
            return {name: json.dumps(payloads.replay(params, dry_run=name == "dry_run")) for name in ("dry_run", "replay")}
        except payloads.WrongRequest as error:
            raise AirflowFailException(str(error)) from error

    @task.branch(pool="clickstream_light", doc_md="Goes on as after_dry_run says.")
    def decide(params: dict) -> list[str]:
        return {"ask": ["approval"], "stop": [], "go on": ["replay"]}[params["after_dry_run"]]

    asked = request()
    dry_run = Replay(task_id="dry_run", payload=asked["dry_run"], doc_md="Says what would change.")
    approval = ApprovalOperator(
        task_id="approval",
        pool="clickstream_light",
        subject="Play {{ params.source }} again?",
        body=SHOWN,
        defaults=ApprovalOperator.REJECT,
        response_timeout=timedelta(days=1),
        doc_md="Shows what would change and waits for a word.",
    )
    replay = Replay(
        task_id="replay",
        payload=asked["replay"],
        trigger_rule="none_failed_min_one_success",
        doc_md="Plays what the dry run showed.",
    )
    way = decide()
    asked >> dry_run >> way >> [approval, replay]
    approval >> replay
