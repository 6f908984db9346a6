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
    def create(self, first, *more):
        """Begins a backfill up to yesterday's end."""
        span = ("--from-date", first.isoformat(), "--to-date", (MIDNIGHT - datetime.timedelta(hours=1)).isoformat())
        scene.airflow().alone("backfill", "create", "--dag-id", DAG, "--max-active-runs", "3", *span, *more)

    def runs(self):
        return [run for run in scene.airflow().runs(DAG) if run["run_type"] == "backfill"]

    def over(self):
        """Waits until the backfills that were begun are over, and all of their runs ended well."""

        def look():
            backfills = scene.airflow().api(f"/backfills?dag_id={DAG}")["backfills"]
            return all(backfill["completed_at"] for backfill in backfills) and all(run["state"] in OVER for run in self.runs())

        eventually("the backfill is over", look, 1200)
        self.assertEqual([run["state"] for run in self.runs()], ["success"] * RUNS)

    def test_three_days(self):
        airflow, host = scene.airflow(), scene.host()
        airflow.ready(DAG)
        sent = {day: host.send("backfilled", views=100, clicks=10, at=day + datetime.timedelta(hours=9)) for day in DAYS}
        host.landed()
        self.create(DAYS[0])
        eventually("a third of the runs is over", lambda: sum(run["state"] in OVER for run in self.runs()) >= RUNS // 3, 600)
        for day in DAYS:
            sent[day] += host.send("backfilled", views=50, clicks=5, at=day + datetime.timedelta(hours=21))
        host.landed()
        self.over()
        intervals = sorted(run["data_interval_start"] for run in self.runs())
        self.assertEqual((len(set(intervals)), intervals[0][:10]), (RUNS, DAYS[0].date().isoformat()))
        for day in DAYS:
            self.assertEqual(host.sums("backfilled", day.date().isoformat()), (150, 15))
            self.assertTrue(all(host.settled(event) for event in sent[day][::30]))
        self.assertTrue(host.ledger()["balanced"])

        # A day once more: its runs are done again, and nothing counts again.
        ended = {run["dag_run_id"]: run["end_date"] for run in self.runs()}
        self.create(DAYS[2], "--reprocess-behavior", "completed")
        self.over()
        again = [run for run in self.runs() if run["end_date"] != ended[run["dag_run_id"]]]
        self.assertEqual(len(again), RUNS // 3)
        for day in DAYS:
            self.assertEqual(host.sums("backfilled", day.date().isoformat()), (150, 15))
