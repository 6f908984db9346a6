"""A run that is not done in time: whoever is to know is told, and the run goes on."""

import signal
import unittest

import scene
from waiting import eventually

DAG = "clickstream_compact"


class Deadline(unittest.TestCase):
    def test_a_run_that_hangs_is_told_and_ends_well_all_the_same(self):
        airflow, host = scene.airflow(), scene.host()
        airflow.ready(DAG)
        host.signal(signal.SIGSTOP)
        try:
            run = airflow.trigger(DAG)
            late = eventually(
                "the deadline is told",
                lambda: [what for what in scene.TOLD if what.get("run_id") == run and what["alert"] == "deadline_missed"],
                150,
            )
        finally:
            host.signal(signal.SIGCONT)
        self.assertEqual(late[0]["dag_id"], DAG)
        self.assertIn("settled numbers are older", late[0]["sentence"])
        self.assertEqual(airflow.over(DAG, run), "success")
