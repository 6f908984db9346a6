"""A started service with an embedded everything, whose clock is Airflow: SCHEDULE=off."""

import base64
import datetime
import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request
import uuid

from waiting import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("CLICKSTREAM") or ROOT / "target/release/clickstream").resolve()
KEY, SECRET, TOKEN = "airflow", "signing-" + uuid.uuid4().hex, "admin-" + uuid.uuid4().hex
#: The most that a request takes.
BATCH = 500


class Host:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.listen = "127.0.0.1:0"
        self.start()

    def start(self):
        """Starts it, the second time at the same address."""
        environment = {
            **os.environ,
            "SCHEDULE": "off",
            # Were the clock on, it would compact all the time.
            "COMPACT_INTERVAL": "5",
            "ADMIN_TOKEN": TOKEN,
            "INVOKE_ACCESS_KEY_ID": KEY,
            "INVOKE_SECRET_ACCESS_KEY": SECRET,
            "LAND_WINDOW_MS": "200",
        }
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                [BINARY, "--data", self.folder / "data", "up", "--listen", self.listen],
                stdout=subprocess.PIPE, stderr=log, env=environment, text=True, start_new_session=True,
            )  # fmt: skip
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the service does not start: {(self.folder / 'log').read_text()[-3000:]}")
        self.url = line.split()[1]
        self.listen = self.url.removeprefix("http://")

    def signal(self, which):
        self.process.send_signal(which)

    def kill(self):
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(60)

    def call(self, path, body=None, user=None):
        request = urllib.request.Request(self.url + path, data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        login = f"Bearer {TOKEN}" if user is None else "Basic " + base64.b64encode(f"{user}:".encode()).decode()
        request.add_header("Authorization", login)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer), answer.headers

    def invoke(self, function, payload):
        """What a function answers, and whether it is an error."""
        answer, headers = self.call(f"/2015-03-31/functions/{function}/invocations", payload)
        return answer, headers.get("X-Amz-Function-Error") is not None

    def send(self, element, views=0, clicks=0, at=None):
        """Sends events of an element, some of them twice, and answers their ids."""
        now = datetime.datetime.now(datetime.timezone.utc)
        at = at or now
        events = [
            {
                "type": "track",
                "event": f"element_{action}",
                "messageId": str(uuid.uuid4()),
                "anonymousId": f"a-{n % 50}",
                "timestamp": (at + datetime.timedelta(milliseconds=n)).isoformat(),
                "sentAt": now.isoformat(),
                "properties": {"element_id": element},
            }
            for action, count in (("viewed", views), ("clicked", clicks))
            for n in range(count)
        ]
        sent = events + events[::10]
        ids = []
        for first in range(0, len(sent), BATCH):
            answer, _ = self.call("/v1/batch", {"batch": sent[first : first + BATCH]}, user="demo")
            unaccepted = [result for result in answer["results"] if result["result"] == "rejected"]
            assert not unaccepted, unaccepted[0]
            ids += [result["event_id"] for result in answer["results"]]
        return ids[: len(events)]

    def landed(self):
        """Waits until all that was sent is in raw objects, so that the next compaction takes it."""

        def look():
            ledger, failed = self.invoke("reconcile", {"dry_run": True})
            rows = [row for row in ledger["partitions"] if row["topic"] == "events"]
            return not failed and rows and all(row["landed"] == row["logged"] for row in rows)

        eventually("what was sent is landed", look)

    def sums(self, element, day):
        """Views and clicks of an element on a day."""
        report, _ = self.call(f"/v1/reports/elements?site=demo&from={day}&to={day}")
        rows = [row for row in report["rows"] if row["element_id"] == element]
        return sum(row["views"] for row in rows), sum(row["clicks"] for row in rows)

    def trace(self, event_id):
        return self.call(f"/v1/events/{event_id}/trace")[0]

    def settled(self, event_id):
        """True if reports take the event from the settled table."""
        return bool((self.trace(event_id)["warehouse"] or {}).get("settled"))

    def ledger(self):
        """Sums of all partitions of topic events, and whether every record is accounted for."""
        report, failed = self.invoke("reconcile", {"dry_run": True})
        assert not failed, report
        rows = [row for row in report["partitions"] if row["topic"] == "events"]
        names = ("logged", "settled", "duplicates", "erased", "dead_letters", "pending", "unaccounted")
        return {name: sum(row[name] for row in rows) for name in names} | {"balanced": report["balanced"]}
