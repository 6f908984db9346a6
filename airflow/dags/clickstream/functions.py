"""The functions that need more than being invoked: answers that ask for another try, and what of them is an event."""

from __future__ import annotations

import json
from typing import Any

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from clickstream import payloads
from clickstream.assets import LAKE, MARTS
from clickstream.invoke import InvokeFunction

#: Compactions side by side, where the Variable `clickstream_shards` is not set.
SHARDS = 4


class Shards(InvokeFunction):
    """Which compactions run side by side: a payload each. A compaction of no partition changes nothing and answers the
    lake's watermarks, and so its partitions. Those that never were compacted yet are the last compaction's."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(function="compact", payload={"partitions": []}, **kwargs)

    def outcome(self, answer: dict[str, Any], context: Any) -> list[str]:
        most = Variable.get("clickstream_shards", default=SHARDS)
        try:
            return [json.dumps(shard) for shard in payloads.shards(answer["watermarks"], int(most))]
        except ValueError as error:
            raise AirflowFailException(f"the Variable clickstream_shards={most!r} is wrong: a number, 1 or more") from error


class Compact(InvokeFunction):
    """Compacts until the function says that there is no more. What a killed one left is the next one's."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(function="compact", **kwargs)

    def execute(self, context: Any) -> dict[str, Any]:
        done = {"commits": 0, "rows": 0, "duplicates": 0, "dead_letters": 0, "erased": 0}
        more = True
        while more:
            answer = self.answer(context)
            done = {name: count + answer.get(name, 0) for name, count in done.items()}
            more = answer.get("more", False)
        return self.outcome({**answer, **done}, context)

    def outcome(self, answer: dict[str, Any], context: Any) -> dict[str, Any]:
        if LAKE in self.outlets:
            context["outlet_events"][LAKE].extra = {"version": answer["version"], "rows": answer["rows"]}
        if gaps := answer.get("gaps"):
            missing = ", ".join(f"partition {gap['partition']} from offset {gap['at']}" for gap in gaps)
            # What comes before a gap is compacted, and settled by the next task.
            mend = "reconcile lands them again where the log still has them (docs/ledger.md)"
            raise AirflowFailException(f"raw objects are missing, and compaction waits for them: {missing}; {mend}")
        return {name: answer[name] for name in ("version", "commits", "rows", "duplicates", "dead_letters", "erased")}


class Settle(InvokeFunction):
    """Brings new lake versions into ClickHouse and rebuilds the marts of the days touched."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(function="settle", **kwargs)

    def outcome(self, answer: dict[str, Any], context: Any) -> dict[str, Any]:
        if answer.get("waits"):
            raise AirflowException("settle waits: ClickHouse is being restored from the lake")
        if MARTS in self.outlets:
            context["outlet_events"][MARTS].extra = {name: answer[name] for name in ("version", "rows", "days")}
        return answer


class Reconcile(InvokeFunction):
    """Compares every store with every other and mends. What is not well afterwards is tried again, then told."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(function="reconcile", **kwargs)

    def outcome(self, answer: dict[str, Any], context: Any) -> dict[str, Any]:
        ill = [f"cannot be looked at or mended: {what}" for what in answer["failed"]]
        ill += [f"offsets {gap['from']} to {gap['to']} of partition {gap['log_partition']} are in no raw object" for gap in answer["gaps"]]
        ill += [
            f"{row['unaccounted']} records of partition {row['log_partition']} of {row['topic']} are not accounted for"
            for row in answer["partitions"]
            if row["unaccounted"]
        ]
        if ill or not answer["balanced"]:
            raise AirflowException(f"{'; '.join(ill) or 'the ledger does not add up'}: docs/ledger.md says how to mend it")
        return {"repairs": answer["repairs"], "groups": answer["groups"], "spilled_objects": answer["spilled_objects"]}


class Replay(InvokeFunction):
    """Plays again. Days for which time ran out are asked for until there are none left."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(function="replay", **kwargs)

    def execute(self, context: Any) -> dict[str, Any]:
        done: dict[str, Any] = {"read": 0, "taken": 0, "erased": 0, "days": []}
        while True:
            answer = self.answer(context)
            done = {name: before + answer.get(name, type(before)()) for name, before in done.items()}
            next_day = answer.pop("next_day", None)
            if next_day is None:
                return self.outcome({**answer, **done}, context)
            request = json.loads(self.payload)
            request["source"]["from_day"] = next_day
            self.payload = json.dumps(request)


class Retention(InvokeFunction):
    """Applies the rules of each store. A rule for which time ran out is gone on with."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(function="retention", **kwargs)

    def execute(self, context: Any) -> list[dict[str, Any]]:
        while True:
            rules = self.answer(context)["rules"]
            if not any(rule.get("more") for rule in rules):
                return rules


class Vacuum(InvokeFunction):
    """Removes files that no version of the lake needs any more, of versions that ClickHouse is done with."""

    def __init__(self, *, settle: str, **kwargs: Any) -> None:
        settled = f"{{{{ ti.xcom_pull('{settle}')['version'] | tojson }}}}"
        super().__init__(function="compact", payload=f'{{"vacuum": {{"settled_version": {settled}}}}}', **kwargs)

    def outcome(self, answer: dict[str, Any], context: Any) -> dict[str, Any]:
        counts = {name: len(answer[name]) for name in ("files", "log_files")}
        return {"version": answer["version"], "bytes": answer["bytes"], **counts}
