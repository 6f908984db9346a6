"""A backfill of three days while events of these days come: each counts once, on its own day."""

import datetime
import unittest

import scene
from airflow_processes import OVER
from waiting import eventually

DAG = "clickstream_compact"
MIDNIGHT = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = [MIDNIGHT - datetime.timedelta(days=n) for n in (3, 2, 1)]
RUNS = 3 * 24 // scene.COMPACT_HOURS


class Backfill(unittest.TestCase):
    def test_three_days(self):
        airflow, host = scene.airflow(), scene.host()
        airflow.ready(DAG)
        sent = {day: host.send("backfilled", views=100, clicks=10, at=day + datetime.timedelta(hours=9)) for day in DAYS}
        host.landed()
        last = MIDNIGHT - datetime.timedelta(hours=1)
        airflow.command(
            "backfill", "create", "--dag-id", DAG, "--max-active-runs", "3", "--from-date", DAYS[0].isoformat(), "--to-date", last.isoformat()
        )

        def runs():
            return [run for run in airflow.runs(DAG) if run["run_type"] == "backfill"]

        eventually("a third of the runs is over", lambda: sum(run["state"] == "success" for run in runs()) >= RUNS // 3, 600)
        for day in DAYS:
            sent[day] += host.send("backfilled", views=50, clicks=5, at=day + datetime.timedelta(hours=21))
        host.landed()
        eventually("every run is over", lambda: len(done := [r for r in runs() if r["state"] in OVER]) == RUNS and done, 1200)
        self.assertEqual({run["state"] for run in runs()}, {"success"})
        intervals = sorted(run["data_interval_start"] for run in runs())
        self.assertEqual(intervals[0][:10], DAYS[0].date().isoformat())
        self.assertEqual(len(set(intervals)), RUNS)
        for day in DAYS:
            self.assertEqual(host.sums("backfilled", day.date().isoformat()), (150, 15))
            self.assertTrue(all(host.settled(event) for event in sent[day][::30]))
        self.assertTrue(host.ledger()["balanced"])
        # Those intervals once more: nothing counts again.
        airflow.command(
            "backfill", "create", "--dag-id", DAG, "--reprocess-behavior", "completed",
            "--from-date", DAYS[2].isoformat(), "--to-date", DAYS[2].isoformat(),
        )  # fmt: skip
        eventually("it is over too", lambda: {run["state"] for run in runs()} == {"success"} and any(r["start_date"] and r["end_date"] for r in runs()), 300)
        self.assertEqual(host.sums("backfilled", DAYS[2].date().isoformat()), (150, 15))
