"""What the environment of Airflow's processes sets, read where DAGs are parsed. docs/airflow.md has the table."""

from __future__ import annotations

import os
import re


class Wrong(ValueError):
    """A variable with a value that cannot be used; Airflow shows it as the DAG's import error."""

    def __init__(self, name: str, value: str, right: str) -> None:
        super().__init__(f"{name}={value!r} is wrong: {right}")


def seconds(name: str, default: int, most: int, least: int = 1) -> int:
    """Seconds from `least` to `most`."""
    value = os.environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise Wrong(name, value, f"seconds from {least} to {most}")
    return int(value)


def cron(name: str, default: str) -> str:
    """A cron expression of five fields."""
    value = os.environ.get(name) or default
    if len(value.split()) != 5:
        raise Wrong(name, value, f"a cron expression of five fields, such as {default}")
    return value


def alert(name: str) -> str:
    """Whom failures and missed deadlines are told: an address, a Python function, or nobody."""
    value = os.environ.get(name) or ""
    if value and not re.fullmatch(r"https?://\S+|\w+(\.\w+)+", value):
        # An address may hold a secret: it is not shown.
        raise Wrong(name, "(not shown)", "http://… or https://…, or a function as package.module.function")
    return value


#: Pause before the first retry of a task; each further one is twice as long.
RETRY_SECONDS = seconds("CLICKSTREAM_RETRY_SECONDS", 30, 3600)
#: When compaction runs.
COMPACT_CRON = cron("CLICKSTREAM_COMPACT_CRON", "0 * * * *")
WEEK = 7 * 86_400
#: By when a run is to be done, from when it was queued; 0: nobody waits for it.
COMPACT_DEADLINE = seconds("CLICKSTREAM_COMPACT_DEADLINE_SECONDS", 45 * 60, WEEK, least=0)
RECONCILE_DEADLINE = seconds("CLICKSTREAM_RECONCILE_DEADLINE_SECONDS", 30 * 60, WEEK, least=0)
RETENTION_DEADLINE = seconds("CLICKSTREAM_RETENTION_DEADLINE_SECONDS", 6 * 3600, WEEK, least=0)
#: Whom failures are told.
ALERT = alert("CLICKSTREAM_ALERT")
