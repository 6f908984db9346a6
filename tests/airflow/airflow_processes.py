"""A real Airflow: api-server, scheduler with its workers, dag-processor, on SQLite in a folder; its REST API."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import psutil
from waiting import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
AIRFLOW = pathlib.Path(sys.executable).parent / "airflow"
PARTS = ("api-server", "scheduler", "dag-processor")
OVER = ("success", "failed")


def settings(home, host, extra=()):
    """The environment of an Airflow whose connection is `host`."""
    connection = {
        "conn_type": "aws",
        "login": host.key,
        "password": host.secret,
        "extra": {"endpoint_url": host.url, "region_name": "eu-central-1"},
    }
    return {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow/dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__PARALLELISM": "4",
        # Who finds the file locked waits.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=60",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
        "AIRFLOW__API_AUTH__JWT_SECRET": uuid.uuid4().hex * 2,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW_CONN_CLICKSTREAM": json.dumps(connection),
        "CLICKSTREAM_RETRY_SECONDS": "2",
        "NO_PROXY": "127.0.0.1",
        **dict(extra),
    }


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Airflow:
    def __init__(self, folder, host, extra=()):
        self.folder, self.host = pathlib.Path(folder), host
        self.folder.mkdir(parents=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = settings(self.folder, host, extra) | {
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
        }
        self.processes, self.token = [], None
        self.command("db", "migrate")
        self.command("pools", "import", str(ROOT / "airflow/pools.json"))
        for part in PARTS:
            more = ["--host", "127.0.0.1", "--port", str(port)] if part == "api-server" else []
            with open(self.folder / f"{part}.log", "w") as log:
                self.processes.append(
                    subprocess.Popen([AIRFLOW, part, *more], stdout=log, stderr=log, env=self.environment, start_new_session=True)
                )
        eventually("Airflow's API answers", self.sign_in, 180)

    def command(self, *arguments):
        ended = subprocess.run([AIRFLOW, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if ended.returncode:
            raise RuntimeError(f"airflow {' '.join(arguments)}: {ended.stdout[-3000:]}")
        return ended.stdout

    def alone(self, *arguments):
        """A command that writes while nobody else does: a long transaction of SQLite ends when another writes in between, and a
        scheduler that saw what is taken back then would end too."""
        others = [process for process, part in zip(self.processes, PARTS) if part != "api-server"]
        for attempt in range(5):
            for process in others:
                process.send_signal(signal.SIGSTOP)
            try:
                return self.command(*arguments)
            except RuntimeError as error:
                # One of them stands in the middle of writing.
                if attempt == 4 or "database is locked" not in str(error):
                    raise
            finally:
                for process in others:
                    process.send_signal(signal.SIGCONT)
            time.sleep(1)

    def sign_in(self):
        with urllib.request.urlopen(f"{self.url}/auth/token", timeout=10) as answer:
            self.token = json.load(answer)["access_token"]
        return True

    def api(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v2{path}", data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise OSError(f"{path}: {error.code} {error.read().decode()[:500]}") from error

    def unpause(self, dag):
        eventually(f"{dag} is parsed", lambda: self.api(f"/dags/{dag}"), 180)
        self.api(f"/dags/{dag}", {"is_paused": False}, "PATCH")

    def ready(self, dag):
        """Unpauses a DAG with a schedule, and waits until the run that this starts is over: it runs one at a time."""
        self.unpause(dag)
        eventually(f"{dag} rests", lambda: (runs := self.runs(dag)) and all(run["state"] in OVER for run in runs), 300)

    def trigger(self, dag, **params):
        run = self.api(f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": params}, "POST")
        return run["dag_run_id"]

    def runs(self, dag):
        return self.api(f"/dags/{dag}/dagRuns?limit=1000")["dag_runs"]

    def tasks(self, dag, run):
        """Task instances of a run, by `task_id`, or `task_id[map_index]` for mapped ones."""
        instances = self.api(f"/dags/{dag}/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
        return {i["task_id"] + (f"[{i['map_index']}]" if i["map_index"] >= 0 else ""): i for i in instances}

    def over(self, dag, run, seconds=300):
        """Waits until a run has ended, and answers its state."""
        return eventually(
            f"{dag} {run} is over",
            lambda: (state := self.api(f"/dags/{dag}/dagRuns/{run}")["state"]) in OVER and state,
            seconds,
        )

    def xcom(self, dag, run, task):
        return self.api(f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value?deserialize=true")["value"]

    def log(self, dag, run, task, attempt=1):
        path = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{attempt}?full_content=true"
        return "\n".join(str(line.get("event", line)) + " " + json.dumps(line) for line in self.api(path)["content"])

    def runner(self, instance):
        """The process in which a task instance runs, one of ours; its parent watches it."""
        ours = {child.pid: child for parent in self.processes for child in psutil.Process(parent.pid).children(recursive=True)}
        return ours.get(instance["pid"])

    def end(self):
        for process in self.processes:
            descendants = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            for which in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, which)
                    process.wait(20)
                    break
                except ProcessLookupError:
                    break
                except subprocess.TimeoutExpired:
                    continue
            # A task has a session of its own.
            for left in descendants:
                try:
                    left.kill()
                except psutil.NoSuchProcess:
                    pass
