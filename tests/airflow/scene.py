"""The service, Airflow and who is told alerts: started when first asked for, one of each for all tests, ended with them."""

import atexit
import datetime
import functools
import json
import os
import pathlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import host as hosts
from airflow_processes import Airflow, settings

#: run.sh made it, shows the logs in it where a test fails, and removes it.
FOLDER = pathlib.Path(os.environ["SCENE"])
TOLD = []
#: Hours between compactions: three days are twelve runs, and none is due while a test runs.
COMPACT_HOURS = 6
FIRST_HOUR = (datetime.datetime.now(datetime.timezone.utc).hour + COMPACT_HOURS // 2) % COMPACT_HOURS


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        TOLD.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@functools.cache
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


@functools.cache
def host():
    started = hosts.Host(FOLDER / "host")
    started.key, started.secret = hosts.KEY, hosts.SECRET
    atexit.register(started.end)
    return started


def environment():
    """What Airflow's processes are started with."""
    more = {
        "CLICKSTREAM_ALERT": receiver(),
        "CLICKSTREAM_COMPACT_CRON": f"0 {FIRST_HOUR}-23/{COMPACT_HOURS} * * *",
        # It can be waited for.
        "CLICKSTREAM_COMPACT_DEADLINE_SECONDS": "40",
    }
    return settings(FOLDER / "airflow", host(), more)


@functools.cache
def airflow():
    started = Airflow(FOLDER / "airflow", host(), environment())
    atexit.register(started.end)
    return started
