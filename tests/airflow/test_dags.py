"""The DAGs as Airflow reads them, without a scheduler: each is whole, described and bounded."""

import json
import os
import pathlib
import re
import socket
import unittest
from datetime import timedelta
from unittest import mock

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk import CronDataIntervalTimetable
from host import ROOT

DAGS = pathlib.Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
SCHEDULES = {
    "clickstream_compact": "0 * * * *",
    "clickstream_reconcile": "*/10 * * * *",
    "clickstream_retention": "40 2 * * *",
    "clickstream_replay": None,
    "clickstream_example_consumer": None,
}


def refuse(*_):
    raise AssertionError("a DAG talks to something while it is parsed")


class Dags(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with mock.patch.object(socket.socket, "connect", refuse):
            cls.bag = BundleDagBag(DAGS, bundle_path=DAGS, bundle_name="dags-folder")
        cls.tasks = [task for dag in cls.bag.dags.values() for task in dag.tasks]

    def test_all_of_them_can_be_read_and_none_goes_in_circles(self):
        self.assertEqual(self.bag.import_errors, {})
        self.assertEqual(set(self.bag.dags), set(SCHEDULES))

    def test_each_is_described_owned_tagged_and_runs_one_at_a_time(self):
        for dag in self.bag.dags.values():
            with self.subTest(dag.dag_id):
                self.assertGreater(len(dag.doc_md), 200)
                self.assertTrue(dag.doc_md.startswith(dag.description))
                self.assertIn("clickstream", dag.tags)
                self.assertEqual((dag.max_active_runs, dag.catchup), (1, False))
                self.assertEqual({task.owner for task in dag.tasks}, {"clickstream"})

    def test_a_dag_describes_each_of_its_tasks(self):
        for name in SCHEDULES.keys() - {"clickstream_example_consumer"}:
            for task in self.bag.dags[name].tasks:
                if task.task_id != "end":
                    self.assertIn(f"| `{task.task_id}` |", self.bag.dags[name].doc_md)

    def test_schedules_have_data_intervals_and_deadlines(self):
        for name, cron in SCHEDULES.items():
            dag = self.bag.dags[name]
            if cron:
                with self.subTest(name):
                    self.assertIsInstance(dag.timetable, CronDataIntervalTimetable)
                    self.assertEqual(dag.timetable.expression, cron)
                    self.assertEqual([alert.callback.path for alert in dag.deadline], ["clickstream.alerts.late"])

    def test_every_task_is_retried_with_pauses_that_grow_has_an_end_a_pool_a_word_and_tells_when_it_failed(self):
        pools = json.loads((ROOT / "airflow/pools.json").read_text())
        for task in self.tasks:
            with self.subTest(task.dag.dag_id + "." + task.task_id):
                self.assertGreaterEqual(task.retries, 2)
                self.assertEqual((task.retry_delay, task.retry_exponential_backoff), (timedelta(seconds=30), 2))
                self.assertLessEqual(task.max_retry_delay, timedelta(minutes=15))
                self.assertLessEqual(task.execution_timeout, timedelta(hours=1))
                self.assertIn(task.pool, pools)
                self.assertGreater(len(task.doc_md), 10)
                self.assertTrue(task.on_failure_callback)

    def test_whatever_invokes_does_it_by_the_operator_that_invokes_once(self):
        invoking = {f"{task.dag.dag_id}.{task.task_id}": task for task in self.tasks if "function_name" in task.template_fields}
        self.assertEqual(len(invoking), 12, invoking.keys())
        for name, task in invoking.items():
            with self.subTest(name):
                # bases: of what a package of the DAGs defines there is one class by its name in each process that reads them.
                bases = {base.__name__ for base in getattr(task, "operator_class", type(task)).__mro__}
                self.assertLessEqual({"InvokeFunction", "LambdaInvokeFunctionOperator"}, bases)

    def test_pools_are_described_and_one_at_a_time_where_the_function_is(self):
        pools = json.loads((ROOT / "airflow/pools.json").read_text())
        self.assertEqual({pool["slots"] for name, pool in pools.items() if name not in ("clickstream_compact", "clickstream_light")}, {1})
        self.assertTrue(all(pool["description"] for pool in pools.values()))

    def test_the_constraints_have_what_is_required(self):
        constraints = (ROOT / "airflow/constraints.txt").read_text().splitlines()
        for line in (ROOT / "airflow/requirements.txt").read_text().splitlines():
            if not line.startswith("#"):
                self.assertIn(line, constraints)

    def test_the_guide_has_every_dag_setting_and_pool(self):
        guide = (ROOT / "docs/airflow.md").read_text()
        settings = set(re.findall(r'"(CLICKSTREAM_[A-Z_]+)"', (DAGS / "clickstream/settings.py").read_text()))
        names = set(SCHEDULES) | settings | set(json.loads((ROOT / "airflow/pools.json").read_text()))
        self.assertEqual({name for name in names if f"`{name}`" not in guide}, set())
