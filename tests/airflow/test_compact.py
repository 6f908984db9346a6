"""A real scheduler compacts by the clock, at a host whose own clock is off."""

import datetime
import unittest

import scene
from waiting import eventually

TODAY = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
DAG = "clickstream_compact"


class Compact(unittest.TestCase):
    def test_the_scheduled_run_brings_what_was_sent_into_lake_and_marts_once(self):
        host = scene.host()
        ids = host.send("scheduled", views=300, clicks=40)
        host.landed()
        # Freshness does not wait for Airflow; settling does.
        eventually("reports have it", lambda: host.sums("scheduled", TODAY) == (300, 40))
        airflow = scene.airflow()
        self.assertFalse(host.settled(ids[0]))
        airflow.unpause(DAG)
        run = eventually("the scheduler makes a run", lambda: [r for r in airflow.runs(DAG) if r["run_type"] == "scheduled"])[0]
        self.assertEqual(airflow.over(DAG, run["dag_run_id"]), "success", airflow.tasks(DAG, run["dag_run_id"]))
        self.assertEqual(host.sums("scheduled", TODAY), (300, 40))
        self.assertTrue(all(host.settled(event) for event in (ids[0], ids[150], ids[-1])))
        ledger = host.ledger()
        self.assertTrue(ledger["balanced"], ledger)
        self.assertEqual((ledger["settled"], ledger["pending"], ledger["unaccounted"]), (340, 0, 0))
        # A run of a lake that has met its partitions compacts them side by side.
        ids = host.send("by-hand", views=50)
        host.landed()
        run = airflow.trigger(DAG)
        self.assertEqual(airflow.over(DAG, run), "success")
        tasks = airflow.tasks(DAG, run)
        self.assertLessEqual({"compact[0]", "compact[1]"}, set(tasks))
        self.assertTrue(all(host.settled(event) for event in ids))
        extras = {event["name"]: event["extra"] for event in airflow.api("/assets/events?order_by=timestamp&limit=100")["asset_events"]}
        self.assertIn(TODAY, extras["clickstream_marts"]["days"])
        self.assertIn("version", extras["clickstream_lake"])

