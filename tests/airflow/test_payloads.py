"""Payloads, and settings of the environment, by themselves."""

import os
import sys
import unittest
from unittest import mock

from host import ROOT

sys.path.insert(0, str(ROOT / "airflow/dags"))
from clickstream import payloads, settings  # noqa: E402


class Shards(unittest.TestCase):
    def test_partitions_are_dealt_each_once(self):
        watermarks = {f"log/{n}": 10 * n for n in range(7)}
        dealt = payloads.shards(watermarks, 3)
        self.assertEqual(dealt, [{"partitions": [0, 3, 6]}, {"partitions": [1, 4]}, {"partitions": [2, 5]}])

    def test_there_are_no_more_shards_than_partitions(self):
        self.assertEqual(payloads.shards({"log/1": 5, "log/0": 5}, 4), [{"partitions": [0]}, {"partitions": [1]}])
        self.assertEqual(payloads.shards({}, 4), [])

    def test_a_log_before_this_one_adds_no_shard(self):
        self.assertEqual(payloads.shards({"old/0": 5, "new/0": 7}, 4), [{"partitions": [0]}])

    def test_no_shard_at_all_is_refused(self):
        with self.assertRaisesRegex(payloads.WrongRequest, "1 or more"):
            payloads.shards({"log/0": 1}, 0)


class Replay(unittest.TestCase):
    def test_what_is_empty_is_left_out(self):
        params = {"source": "topic", "partition": 0, "from_offset": None, "to_offset": 9, "site": "", "after_dry_run": "ask"}
        self.assertEqual(payloads.replay(params, dry_run=True), {"source": {"kind": "topic", "partition": 0, "to": 9}, "dry_run": True})

    def test_moments_are_in_utc(self):
        params = {"source": "rejected", "received_from": "2026-11-24T10:00:00+03:00", "received_to": "2026-11-24T10:00:00Z"}
        request = payloads.replay(params, dry_run=False)
        self.assertEqual(request["received_from"], "2026-11-24T07:00:00.000000Z")
        self.assertEqual(request["received_to"], "2026-11-24T10:00:00.000000Z")

    def test_a_wrong_request_says_what_would_be_right(self):
        for params, right in [
            ({"source": "tape"}, "one of rejected, topic, raw, days"),
            ({"source": "rejected", "partition": 1}, "partition is not for source rejected: leave it empty"),
            ({"source": "raw", "user_agent": "rules"}, "user_agent is not for source raw"),
            ({"source": "days", "from_day": "2026-11-24"}, "takes from_day and to_day"),
            ({"source": "days", "from_day": "2026-11-24", "to_day": "2026-11-23"}, "takes from_day and to_day"),
            ({"source": "raw", "from_offset": 5, "to_offset": 5}, "from_offset=5 is not below to_offset=5"),
            ({"source": "raw", "received_from": "yesterday"}, "a moment such as 2026-11-24T10:00:00Z"),
            ({"source": "raw", "received_from": "2026-11-24T10:00:00Z", "received_to": "2026-11-23T10:00:00Z"}, "not before received_to"),
        ]:
            with self.subTest(params), self.assertRaisesRegex(payloads.WrongRequest, right):
                payloads.replay(params, dry_run=True)


class Settings(unittest.TestCase):
    def test_a_wrong_setting_names_its_variable_and_what_would_be_right(self):
        for read, value, right in [
            (lambda: settings.seconds("X", 30, 60), "0", "X='0' is wrong: seconds from 1 to 60"),
            (lambda: settings.seconds("X", 30, 60), "61", "seconds from 1 to 60"),
            (lambda: settings.seconds("X", 30, 60), "½", "seconds from 1 to 60"),
            (lambda: settings.seconds("X", 30, 60, least=0), "-1", "seconds from 0 to 60"),
            (lambda: settings.cron("X", "0 * * * *"), "hourly", "a cron expression of five fields, such as 0"),
            (lambda: settings.alert("X"), "mail me", "http://… or https://…, or a function"),
        ]:
            with self.subTest(value), mock.patch.dict(os.environ, X=value), self.assertRaisesRegex(settings.Wrong, right):
                read()

    def test_an_empty_setting_is_none(self):
        with mock.patch.dict(os.environ, X=""):
            self.assertEqual(settings.seconds("X", 30, 60), 30)
            self.assertEqual(settings.alert("X"), "")
