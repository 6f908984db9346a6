"""What the DAGs have in common."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG, DeadlineAlert, DeadlineReference, SyncCallback

from clickstream import alerts, settings

#: The first interval of a backfill is not before this.
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)

TASKS: dict[str, Any] = {
    "owner": "clickstream",
    # Half a minute, one, two, four, eight: with a host that is started anew or servers that come back it goes on by itself.
    "retries": 5,
    "retry_delay": timedelta(seconds=settings.RETRY_SECONDS),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=15),
    # Of a function that is invoked several times; once takes 15 minutes at most.
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": alerts.failed,
}


def dag(name: str, doc: str, *, schedule: Any, pool: str, deadline: tuple[int, str] = (0, ""), **kwargs: Any) -> DAG:
    """A DAG `clickstream_{name}`, described by the first line of `doc`, one run at a time.

    :param deadline: seconds from when a run is queued, 0 for none, and what is told when it is not done by then
    """
    seconds, promise = deadline
    if seconds:
        kwargs["deadline"] = DeadlineAlert(
            name=f"clickstream_{name}",
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(seconds=seconds),
            callback=SyncCallback(alerts.late, kwargs={"promise": promise}),
        )
    return DAG(
        f"clickstream_{name}",
        description=doc.strip().split("\n")[0],
        doc_md=doc,
        schedule=schedule,
        start_date=BEGIN,
        catchup=False,
        max_active_runs=1,
        default_args={**TASKS, "pool": pool},
        tags={"clickstream", *kwargs.pop("tags", ())},
        **kwargs,
    )
