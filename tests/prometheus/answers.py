"""A host whose collector answers what OpenTelemetry's own does not when it is asked to: refusals, nonsense, and nothing at all."""

import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sending import beside_a_log, hold, send, until
from servers import service

# The status and the body of each request's answer; every further one is well.
ANSWERS = [(503, b""), (400, b"no"), (200, b"\xff<html>")]


class Collector(BaseHTTPRequestHandler):
    """Answers as ANSWERS say, and holds answers back while it is told to."""

    bodies, free = [], threading.Event()

    def do_POST(self):
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        status, body = ANSWERS.pop(0) if ANSWERS else (200, b"")
        self.free.wait()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def wrong(host, log):
    send(host)
    until("a request that was refused for the moment is sent again", lambda: len(Collector.bodies) > 1)
    hold(Collector.bodies[0] == Collector.bodies[1], "it is the same")
    until("the log says that spans were refused", lambda: "status code: 400" in log.read_text())
    send(host)
    until("an answer that makes no sense comes", lambda: not ANSWERS)
    trace = bytes.fromhex(send(host))
    until("spans come after wrong answers", lambda: any(trace in body for body in Collector.bodies))


def held(host):
    Collector.free.clear()
    send(host)
    before = len(Collector.bodies)
    until("an answer is held back", lambda: len(Collector.bodies) > before)
    began = time.monotonic()
    for _ in range(100):
        send(host)
    print(f"{time.monotonic() - began:5.1f} s  100 events are taken meanwhile")
    trace = bytes.fromhex(send(host))
    until("what is not answered in time is given up, and later spans come", lambda: any(trace in body for body in Collector.bodies))


def run(binary, folder, log):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "TRUSTED_PROXIES": "127.0.0.0/8",
        "NO_PROXY": "127.0.0.1",
    }
    Collector.free.set()
    host, process = service(binary, folder / "data", ["up", "--listen", "127.0.0.1:0"], environment, log)
    try:
        wrong(host, folder / "log")
        held(host)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        hold(process.wait(40) == 0, "the host ends well")
        print(f"{time.monotonic() - began:5.1f} s  the host ends though no answer comes")
    finally:
        process.kill()


if __name__ == "__main__":
    beside_a_log(run)
