"""Payloads of the functions, as they read them: functions/compact/src/invocation.rs, functions/replay/src/request.rs.

No Airflow in here, so that payloads are tested by themselves and against a started service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

#: What a replay can play, and which parameters bound it. The payload's `source` takes each by the name to the right.
SOURCES: dict[str, dict[str, str]] = {
    "rejected": {"from_offset": "from", "to_offset": "to"},
    "topic": {"partition": "partition", "from_offset": "from", "to_offset": "to"},
    "raw": {"partition": "partition", "from_offset": "from", "to_offset": "to"},
    "days": {"from_day": "from_day", "to_day": "to_day"},
}
#: What one source alone takes beside `source`.
OPTIONS: dict[str, tuple[str, ...]] = {"days": ("user_agent",)}
ACTIONS = ("view", "click", "page", "identify", "custom")
FILTERS = ("site", "action", "received_from", "received_to")


class WrongRequest(ValueError):
    """A request that says what would be right."""


def shards(watermarks: Mapping[str, int], most: int) -> list[dict[str, list[int]]]:
    """The partitions of a compaction's `watermarks` (`{log_id}/{partition}` to the next offset) dealt to at most `most`
    invocations, neighbours apart: partitions that began together are about as far behind."""
    if most < 1:
        raise WrongRequest(f"clickstream_shards={most} is wrong: how many compactions run side by side, 1 or more")
    partitions = sorted({int(place.rsplit("/", 1)[1]) for place in watermarks})
    dealt = [partitions[shard::most] for shard in range(min(most, len(partitions)))]
    return [{"partitions": shard} for shard in dealt]


def replay(params: Mapping[str, Any], *, dry_run: bool) -> dict[str, Any]:
    """The request that the parameters of the DAG `clickstream_replay` describe; what is empty is left out."""
    given = {name: value for name, value in params.items() if value not in (None, "")}
    kind = given.get("source")
    if kind not in SOURCES:
        raise WrongRequest(f"source={kind!r} is wrong: one of {', '.join(SOURCES)}")
    bounds = SOURCES[kind]
    options = OPTIONS.get(kind, ())
    every = {name for names in (*SOURCES.values(), *OPTIONS.values()) for name in names}
    if foreign := sorted((every - bounds.keys() - set(options)) & given.keys()):
        raise WrongRequest(f"{', '.join(foreign)} is not for source {kind}: leave it empty")
    source = {bounds[name]: given[name] for name in bounds if name in given}
    if "from" in source and "to" in source and source["from"] >= source["to"]:
        raise WrongRequest(f"from_offset={source['from']} is not below to_offset={source['to']}, which is not played any more")
    if kind == "days" and not ("from_day" in source and "to_day" in source and source["from_day"] <= source["to_day"]):
        raise WrongRequest("source days takes from_day and to_day, the first and the last one, such as 2026-11-24")
    request: dict[str, Any] = {"source": {"kind": kind, **source}, "dry_run": dry_run}
    request.update({name: given[name] for name in (*FILTERS, *options) if name in given})
    for name in ("received_from", "received_to"):
        if name in request:
            request[name] = moment(name, request[name])
    if request.get("received_from", "") >= request.get("received_to", "~"):
        raise WrongRequest("received_from is not before received_to")
    return request


def moment(name: str, text: str) -> str:
    """A moment in RFC 3339, in UTC; without an offset it is UTC."""
    try:
        read = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
    except ValueError as error:
        raise WrongRequest(f"{name}={text!r} is wrong: a moment such as 2026-11-24T10:00:00Z") from error
    read = read.replace(tzinfo=timezone.utc) if read.tzinfo is None else read.astimezone(timezone.utc)
    return read.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
