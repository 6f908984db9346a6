"""A task and a host killed while a compaction is in hand: the retry brings it right, each event once."""

import datetime
import signal
import unittest

import scene
from waiting import eventually

TODAY = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
DAG = "clickstream_compact"


class Killed(unittest.TestCase):
    def files(self):
        """Files of the lake, those of its log apart."""
        found = (scene.host().folder / "data/objects").rglob("*.parquet")
        return {path for path in found if "lake" in path.parts and "_delta_log" not in path.parts}

    def in_the_middle(self, element):
        """Sends events, triggers a run, and stops the host where a compaction has written a file of the lake."""
        airflow, host = scene.airflow(), scene.host()
        airflow.ready(DAG)
        ids = host.send(element, views=4000, clicks=400)
        host.landed()
        before = self.files()
        run = airflow.trigger(DAG)
        eventually("a compaction writes", lambda: self.files() - before, pause=0.002)
        host.signal(signal.SIGSTOP)
        return run, ids

    def right(self, run, element, ids):
        """The run ends well, one of its compactions at the second try or later; reports are exact and settled."""
        airflow, host = scene.airflow(), scene.host()
        self.assertEqual(airflow.over(DAG, run), "success", airflow.tasks(DAG, run))
        tries = {name: instance["try_number"] for name, instance in airflow.tasks(DAG, run).items()}
        self.assertGreater(max(tries[name] for name in tries if name.startswith(("compact", "rest"))), 1, tries)
        self.assertEqual(host.sums(element, TODAY), (4000, 400))
        self.assertTrue(all(host.settled(event) for event in ids[::400]))
        ledger = host.ledger()
        self.assertTrue(ledger["balanced"], ledger)
        self.assertEqual((ledger["pending"], ledger["unaccounted"]), (0, 0), ledger)
        self.assertEqual(ledger["logged"], ledger["settled"] + ledger["duplicates"], ledger)

    def test_the_process_of_a_task(self):
        airflow, host = scene.airflow(), scene.host()
        run, ids = self.in_the_middle("task-killed")
        runners = [
            runner
            for name, instance in airflow.tasks(DAG, run).items()
            if name.startswith(("compact", "rest")) and instance["state"] == "running" and (runner := airflow.runner(instance))
        ]
        self.assertTrue(runners, "a compaction runs")
        for runner in runners:
            runner.kill()
        host.signal(signal.SIGCONT)
        self.right(run, "task-killed", ids)

    def test_the_host(self):
        host = scene.host()
        run, ids = self.in_the_middle("host-killed")
        host.kill()
        host.start()
        self.right(run, "host-killed", ids)
