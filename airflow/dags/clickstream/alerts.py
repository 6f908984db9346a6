"""Failures and missed deadlines, in Airflow's log and told to whom the setting CLICKSTREAM_ALERT names."""

from __future__ import annotations

import importlib
import json
import logging
import urllib.request
from typing import Any

from clickstream import settings

log = logging.getLogger(__name__)
#: The receiver answers within this many seconds, or is not told.
PATIENCE = 10


def failed(context: Any) -> None:
    """A task failed for the last time."""
    instance = context["ti"]
    tell(
        {
            "alert": "task_failed",
            "dag_id": instance.dag_id,
            "run_id": instance.run_id,
            "task_id": instance.task_id,
            "map_index": instance.map_index,
            "tries": instance.try_number,
            "sentence": str(context.get("exception") or "the task ended without a word"),
        }
    )


def late(context: Any, promise: str) -> None:
    """A run is not done by its deadline. It goes on."""
    run = context["dag_run"]
    tell(
        {
            "alert": "deadline_missed",
            "dag_id": run["dag_id"],
            "run_id": run["dag_run_id"],
            "deadline": str(context["deadline"]["deadline_time"]),
            "sentence": promise,
        }
    )


def tell(what: dict[str, Any]) -> None:
    """Posts `what` as JSON to an address, or calls a function with it. That it cannot be told fails nothing."""
    log.error("%s: %s", what["alert"], json.dumps(what))
    if not settings.ALERT:
        return
    try:
        if settings.ALERT.startswith(("http://", "https://")):
            body = json.dumps(what).encode()
            request = urllib.request.Request(settings.ALERT, data=body, headers={"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=PATIENCE):
                pass
        else:
            module, function = settings.ALERT.rsplit(".", 1)
            getattr(importlib.import_module(module), function)(what)
    except Exception as error:
        log.error("CLICKSTREAM_ALERT cannot be told: %s", type(error).__name__)
