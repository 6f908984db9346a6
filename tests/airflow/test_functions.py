"""Every other DAG once, by a real scheduler: reconcile, retention, replay with its dry run, the example."""

import datetime
import json
import time
import unittest

import scene
from waiting import eventually

TODAY = datetime.datetime.now(datetime.timezone.utc).date().isoformat()


class Others(unittest.TestCase):
    def run_of(self, dag, **params):
        airflow = scene.airflow()
        airflow.ready(dag)
        run = airflow.trigger(dag, **params)
        self.assertEqual(airflow.over(dag, run), "success", airflow.tasks(dag, run))
        return run

    def states(self, dag, run):
        return {name: instance["state"] for name, instance in scene.airflow().tasks(dag, run).items()}

    def test_reconcile(self):
        run = self.run_of("clickstream_reconcile")
        self.assertEqual(scene.airflow().xcom("clickstream_reconcile", run, "reconcile")["spilled_objects"], 0)

    def test_retention(self):
        run = self.run_of("clickstream_retention")
        self.assertEqual(set(self.states("clickstream_retention", run).values()), {"success"})
        self.assertEqual(scene.airflow().xcom("clickstream_retention", run, "erase"), {"finished": 0})
        rules = scene.airflow().xcom("clickstream_retention", run, "retention")
        self.assertIn("raw objects", [rule["rule"] for rule in rules])
        self.assertIn("files", scene.airflow().xcom("clickstream_retention", run, "vacuum"))

    def test_the_example_says_which_days_are_new(self):
        airflow, host = scene.airflow(), scene.host()
        airflow.unpause("clickstream_example_consumer")
        host.send("consumed", views=5)
        host.landed()
        before = {run["dag_run_id"] for run in airflow.runs("clickstream_example_consumer")}
        self.run_of("clickstream_compact")

        def told():
            runs = [run for run in airflow.runs("clickstream_example_consumer") if run["dag_run_id"] not in before]
            return [run["dag_run_id"] for run in runs if run["state"] == "success"]

        run = eventually("the marts' new version starts it", told)[0]
        self.assertIn(TODAY, airflow.xcom("clickstream_example_consumer", run, "days"))


class Replay(unittest.TestCase):
    DAG = "clickstream_replay"

    def begun(self, **params):
        """Triggers a replay, waits for its dry run, and answers the run and what the dry run said."""
        airflow = scene.airflow()
        airflow.unpause(self.DAG)
        run = airflow.trigger(self.DAG, **params)
        eventually("the dry run is done", lambda: airflow.tasks(self.DAG, run)["dry_run"]["state"] == "success")
        return run, airflow.xcom(self.DAG, run, "dry_run")

    def answered(self, run, option):
        """Gives the word that the run waits for."""
        airflow = scene.airflow()
        path = f"/dags/{self.DAG}/dagRuns/{run}/taskInstances/approval/-1/hitlDetails"
        # Airflow 3.3.2 does not see a word that comes after it is asked for and before the task waits, and takes one that comes
        # before its scheduler has heard that the task's process ended for a task that was changed from outside: it asks again.
        eventually("the task waits", lambda: self.state(run, "approval") == "awaiting_input")
        time.sleep(5)
        detail = airflow.api(path)
        airflow.api(path, {"chosen_options": [option], "params_input": {}}, "PATCH")
        self.assertEqual(airflow.over(self.DAG, run), "success")
        return detail

    def state(self, run, task="replay"):
        return scene.airflow().tasks(self.DAG, run)[task]["state"]

    def test_what_is_approved_is_played_and_counts_nothing_twice(self):
        host = scene.host()
        ids = host.send("replayed", views=60, clicks=6)
        host.landed()
        run, said = self.begun(source="topic", site="demo")
        self.assertTrue(said["dry_run"])
        self.assertGreaterEqual(said["taken"], 66)
        self.assertIsNone(self.state(run))
        detail = self.answered(run, "Approve")
        self.assertIn('"dry_run": true', detail["body"])
        self.assertEqual(self.state(run), "success")
        played = scene.airflow().xcom(self.DAG, run, "replay")
        self.assertEqual((played["dry_run"], played["taken"] >= 66), (False, True))
        host.landed()
        scene.airflow().ready("clickstream_compact")
        compacted = scene.airflow().trigger("clickstream_compact")
        self.assertEqual(scene.airflow().over("clickstream_compact", compacted), "success")
        self.assertEqual(host.sums("replayed", TODAY), (60, 6))
        self.assertTrue(host.settled(ids[0]))
        self.assertTrue(host.ledger()["balanced"])

    def test_what_is_rejected_is_not_played(self):
        run, _ = self.begun(source="rejected")
        self.answered(run, "Reject")
        self.assertEqual(self.state(run), "skipped")

    def test_a_dry_run_may_be_all_and_a_word_may_be_spared(self):
        run, _ = self.begun(source="rejected", after_dry_run="stop")
        self.assertEqual(scene.airflow().over(self.DAG, run), "success")
        self.assertEqual((self.state(run), self.state(run, "approval")), ("skipped", "skipped"))
        run, _ = self.begun(source="raw", after_dry_run="go on")
        self.assertEqual(scene.airflow().over(self.DAG, run), "success")
        self.assertEqual((self.state(run), self.state(run, "approval")), ("success", "skipped"))

    def test_days_computed_anew_by_the_same_rules_change_nothing(self):
        host = scene.host()
        ids = host.send("anew", views=30)
        host.landed()
        scene.airflow().ready("clickstream_compact")
        compacted = scene.airflow().trigger("clickstream_compact")
        self.assertEqual(scene.airflow().over("clickstream_compact", compacted), "success")
        run, said = self.begun(source="days", from_day=TODAY, to_day=TODAY, site="demo", after_dry_run="go on")
        self.assertEqual((said["taken"], said["read"] >= 30), (0, True))
        self.assertEqual(scene.airflow().over(self.DAG, run), "success")
        self.assertEqual(host.sums("anew", TODAY), (30, 0))
        self.assertTrue(host.settled(ids[0]))

    def test_a_wrong_parameter_fails_at_once_and_whoever_is_to_know_is_told(self):
        airflow = scene.airflow()
        airflow.unpause(self.DAG)
        run = airflow.trigger(self.DAG, source="rejected", partition=1)
        self.assertEqual(airflow.over(self.DAG, run), "failed")
        told = [what for what in scene.TOLD if what.get("run_id") == run]
        self.assertEqual([(what["alert"], what["task_id"], what["tries"]) for what in told], [("task_failed", "request", 1)])
        self.assertIn("partition is not for source rejected: leave it empty", json.dumps(told))

    def test_a_parameter_of_another_type_starts_no_run(self):
        with self.assertRaisesRegex(OSError, "40[0-9]|422"):
            scene.airflow().trigger(self.DAG, source="tape")
