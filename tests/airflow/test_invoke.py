"""The operator and its payloads at a started host, without a scheduler."""

import itertools
import json
import os
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

import scene
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.exceptions import BotoCoreError, ClientError
from host import ROOT

sys.path.insert(0, str(ROOT / "airflow/dags"))
from clickstream import alerts, payloads, settings  # noqa: E402
from clickstream.functions import Compact, Reconcile, Replay, Retention, Settle  # noqa: E402
from clickstream.invoke import InvokeFunction  # noqa: E402


def invoke(operator, name=None):
    """Runs an operator as a task would, with its name rendered."""
    operator.function_name = name or operator.function_name.rsplit("}}", 1)[1]
    with mock.patch.dict(os.environ, AIRFLOW_CONN_CLICKSTREAM=scene.environment()["AIRFLOW_CONN_CLICKSTREAM"]):
        return operator.execute({})


class Payloads(unittest.TestCase):
    """What the DAGs send is what the functions read: they refuse a field that they do not know."""

    def accepted(self, function, payload):
        answer, failed = scene.host().invoke(function, payload)
        self.assertFalse(failed, f"{function} {payload}: {answer}")
        return answer

    def test_of_compact(self):
        for payload in [{"partitions": []}, *payloads.shards({"log/0": 1, "log/1": 1, "log/9": 1}, 2), {}]:
            self.accepted("compact", payload)
        answer = self.accepted("compact", {"partitions": []})
        read = {"version", "commits", "rows", "duplicates", "dead_letters", "erased", "watermarks", "gaps", "more"}
        self.assertLessEqual(read, set(answer))

    def test_of_a_vacuum(self):
        for version in (None, 0):
            answer = self.accepted("compact", {"vacuum": {"settled_version": version}})
            self.assertLessEqual({"version", "files", "bytes", "log_files"}, set(answer))

    def test_of_every_replay(self):
        bounds = {"partition": 0, "from_offset": 0, "to_offset": 5, "from_day": "2026-11-24", "to_day": "2026-11-25"}
        filters = {"site": "demo", "action": "click", "received_from": "2026-11-24T10:00:00", "received_to": "2026-11-25T10:00:00Z"}
        for kind, names in payloads.SOURCES.items():
            # Days are not without their bounds.
            for count in range(len(names) if kind == "days" else 0, len(names) + 1):
                for some in itertools.combinations(names, count):
                    params = {"source": kind, **{name: bounds.get(name) for name in some}}
                    self.accepted("replay", payloads.replay(params, dry_run=True))
            for name, value in filters.items():
                least = {name: bounds[name] for name in names} if kind == "days" else {}
                self.accepted("replay", payloads.replay({"source": kind, **least, name: value}, dry_run=True))
        for option in ("fills", "rules"):
            params = {"source": "days", "from_day": "2026-11-24", "to_day": "2026-11-24", "user_agent": option}
            self.accepted("replay", payloads.replay(params, dry_run=True))

    def test_of_the_others(self):
        for function in ("settle", "unspill", "reconcile", "erase", "retention"):
            self.accepted(function, {})


class Invocations(unittest.TestCase):
    def test_an_answer_is_returned(self):
        self.assertIn("versions", invoke(Settle(task_id="settle")))
        self.assertEqual(set(invoke(Reconcile(task_id="reconcile"))), {"repairs", "groups", "spilled_objects"})

    def test_an_error_of_a_function_fails_the_task_with_its_sentence(self):
        with self.assertRaisesRegex(AirflowException, "^replay failed: .*nonsense") as raised:
            invoke(InvokeFunction(task_id="t", function="replay", payload={"source": {"kind": "nonsense"}}))
        self.assertNotIsInstance(raised.exception, AirflowFailException)

    def test_a_function_that_is_not_there_is_not_asked_for_again(self):
        with self.assertRaisesRegex(AirflowFailException, "is the Variable clickstream_function_prefix right?"):
            invoke(InvokeFunction(task_id="t", function="settle"), name="production-settle")

    def test_a_key_that_is_wrong_is_named(self):
        wrong = mock.patch.object(scene.host(), "secret", "another secret, as long")
        with wrong, self.assertRaisesRegex(AirflowFailException, "INVOKE_ACCESS_KEY_ID"):
            invoke(InvokeFunction(task_id="t", function="settle"))

    def test_whose_stores_are_not_in_balance_is_tried_again(self):
        answer = {"failed": [], "gaps": [{"log_partition": 1, "from": 3, "to": 9}], "partitions": [], "balanced": False}
        with self.assertRaisesRegex(AirflowException, "offsets 3 to 9 of partition 1 are in no raw object.*docs/ledger.md"):
            Reconcile(task_id="reconcile").outcome(answer, {})

    def test_days_for_which_time_ran_out_are_asked_for_until_none_is_left(self):
        answers = [{"read": 2, "taken": 1, "days": [1], "next_day": "2026-11-25"}, {"read": 3, "taken": 0, "days": [2], "next_day": None}]
        asked = []
        operator = Replay(task_id="t", payload={"source": {"kind": "days", "from_day": "2026-11-24", "to_day": "2026-11-25"}})

        def answer(_):
            asked.append(json.loads(operator.payload)["source"]["from_day"])
            return answers.pop(0)

        with mock.patch.object(operator, "answer", answer):
            done = operator.execute({})
        self.assertEqual(asked, ["2026-11-24", "2026-11-25"])
        self.assertEqual((done["read"], done["taken"], done["days"]), (5, 1, [1, 2]))

    def test_a_compaction_that_ran_out_of_time_goes_on(self):
        answers = [{"version": 1, "commits": 1, "rows": 5, "more": True}, {"version": 2, "commits": 2, "rows": 7, "more": False}]
        operator = Compact(task_id="t")
        with mock.patch.object(operator, "answer", lambda _: answers.pop(0)):
            done = operator.execute({})
        self.assertEqual((done["version"], done["commits"], done["rows"]), (2, 3, 12))

    def test_a_rule_of_retention_that_ran_out_of_time_is_gone_on_with(self):
        answers = [{"rules": [{"rule": "raw objects", "more": True}]}, {"rules": [{"rule": "raw objects"}]}]
        operator = Retention(task_id="t")
        with mock.patch.object(operator, "answer", lambda _: answers.pop(0)):
            self.assertEqual(operator.execute({}), [{"rule": "raw objects"}])

    def test_a_gap_fails_a_compaction_at_once(self):
        answer = {"version": 1, "rows": 0, "gaps": [{"partition": 3, "at": 120}]}
        with self.assertRaisesRegex(AirflowFailException, "partition 3 from offset 120; reconcile lands them again"):
            Compact(task_id="t").outcome(answer, {})

    def test_a_settle_that_waits_is_tried_again(self):
        with self.assertRaisesRegex(AirflowException, "is being restored"):
            Settle(task_id="settle").outcome({"waits": True}, {})


class Once(unittest.TestCase):
    def test_the_client_sends_an_invocation_once_whatever_comes_back(self):
        asked = []

        class Broken(BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(self.path)
                self.rfile.read(int(self.headers["Content-Length"]))
                # What is closed without an answer, and 500, botocore would send again.
                if len(asked) > 1:
                    self.send_error(500)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with mock.patch.object(scene.host(), "url", f"http://127.0.0.1:{server.server_port}"):
            for count in (1, 2):
                with self.assertRaises((ClientError, BotoCoreError)):
                    invoke(InvokeFunction(task_id="t", function="settle"))
                self.assertEqual(asked, ["/2015-03-31/functions/settle/invocations"] * count)
        server.shutdown()

    def test_it_waits_longer_than_a_function_may_take(self):
        config = InvokeFunction(task_id="t", function="settle").hook.config
        self.assertGreater(config.read_timeout, 900)
        self.assertEqual(config.retries["total_max_attempts"], 1)


class Alerts(unittest.TestCase):
    def test_who_cannot_be_told_fails_nothing(self):
        with mock.patch.object(settings, "ALERT", "http://127.0.0.1:1/secret"), self.assertLogs(level="ERROR") as logs:
            alerts.tell({"alert": "task_failed"})
        self.assertIn("CLICKSTREAM_ALERT cannot be told", logs.output[-1])
        self.assertNotIn("secret", "".join(logs.output))

    def test_a_function_is_called(self):
        told = []
        with mock.patch.dict(sys.modules, someones=mock.Mock(hook=told.append)), mock.patch.object(settings, "ALERT", "someones.hook"):
            alerts.tell({"alert": "task_failed"})
        self.assertEqual(told, [{"alert": "task_failed"}])
