"""A host that takes traces, and a collector that takes them as OTLP: what it is sent is decoded with OpenTelemetry's own classes.

One event is one trace, from the request through the log, store, land and load; what several requests make is linked to each; nothing of
whom an event is about is in it; a collector that is gone holds nothing up."""

import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from servers import call, service

# Of the person, the client and the site: nothing of it may be in a span.
SECRET = ("ann@example.org", "a-visitor-of-the-shop", "Secret/1.0 (browser)", "203.0.113.7", "buy-now-element", "demo:")
SERVICE = "shop-clickstream"


class Collector(BaseHTTPRequestHandler):
    """Takes spans, as a collector does on its port 4318."""

    spans, bodies, wrong = [], [], []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/x-protobuf":
            self.wrong.append((self.path, self.headers["Content-Type"]))
        request = ExportTraceServiceRequest.FromString(body)
        self.bodies.append(body)
        for resource in request.resource_spans:
            said = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.spans.extend((said, span) for scope in resource.scope_spans for span in scope.spans)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def until(what, true, seconds=40):
    began = time.monotonic()
    while not (found := true()):
        if time.monotonic() - began > seconds:
            sys.exit(f"after {seconds} s still not: {what}; there are {sorted({span.name for _, span in Collector.spans})}")
        time.sleep(0.1)
    print(f"{time.monotonic() - began:5.1f} s  {what}", flush=True)
    return found


def hold(true, what):
    if not true:
        sys.exit(f"not so: {what}")


def send(host, trace, sampled=True, user=None):
    event = {
        "type": "track",
        "event": "element_clicked",
        "messageId": str(uuid.uuid4()),
        "anonymousId": SECRET[1],
        **({"userId": user} if user else {}),
        "properties": {"element_id": SECRET[4]},
    }
    request = urllib.request.Request(f"{host}/v1/batch?writeKey=demo", data=json.dumps({"batch": [event]}).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("User-Agent", SECRET[2])
    request.add_header("X-Forwarded-For", SECRET[3])
    request.add_header("traceparent", f"00-{trace}-00f067aa0ba902b7-0{int(sampled)}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        hold(answer.status == 200, "the event is taken")


def of(trace):
    """The spans of a trace, by name."""
    named = defaultdict(list)
    for _, span in list(Collector.spans):
        if span.trace_id.hex() == trace:
            named[span.name].append(span)
    return named


def one_event(host):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    send(host, trace, user=SECRET[0])
    until("the event's trace has request, store, land and load", lambda: {"POST /v1/batch", "store", "land", "load"} <= of(trace).keys())
    # Spans come when they end: what is below load and store came before it.
    named = of(trace)
    names = sorted(named)
    [request], [collect], [store], [land], [load] = (named[name] for name in ("POST /v1/batch", "collect", "store", "land", "load"))
    hold(request.parent_span_id.hex() == "00f067aa0ba902b7", "the request is below its caller")
    for below, above in ((collect, request), (store, collect), (land, collect), (load, land)):
        hold(below.parent_span_id == above.span_id, f"{below.name} is below {above.name}: {names}")
    for part, function in (("log append", collect), ("store put_events", store), ("objects put", land), ("warehouse insert", load)):
        hold(function.span_id in [span.parent_span_id for span in named[part]], f"{part} is below {function.name}: {names}")
    kinds = [span.kind for span in (request, collect, store, land, load)]
    hold(kinds == [Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL, *[Span.SPAN_KIND_CONSUMER] * 3], f"the kinds are {kinds}")
    said = {one.key: one.value for one in request.attributes}
    hold(said["http.route"].string_value == "/v1/batch" and said["http.response.status_code"].int_value == 200, f"the request says {said}")
    said = {one.key: one.value for one in land.attributes}
    hold(said["messaging.destination.name"].string_value == "events", f"land says {said}")
    hold(all(span.start_time_unix_nano <= span.end_time_unix_nano for spans in named.values() for span in spans), "spans begin before they end")
    hold({resource["service.name"] for resource, _ in Collector.spans} == {SERVICE}, "the service has the name it was given")
    print(f"        one trace: {', '.join(names)}")


def several_requests(host):
    traces = [uuid.uuid4().hex for _ in range(12)]
    threads = [threading.Thread(target=send, args=(host, trace)) for trace in traces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def gone_on_with():
        landed = [span for _, span in list(Collector.spans) if span.name == "land"]
        return {span.trace_id.hex() for span in landed} | {link.trace_id.hex() for span in landed for link in span.links}

    until("each of twelve requests is gone on with by land, below it or linked", lambda: set(traces) <= gone_on_with())


def what_is_not_traced(host):
    trace = uuid.uuid4().hex
    send(host, trace, sampled=False)
    call(f"{host}/health")
    until("compaction by the clock is a trace of its own", lambda: any(span.name == "compact" and not span.parent_span_id for _, span in Collector.spans))
    hold(not of(trace), "a caller that takes no trace has none taken")
    hold(not any("health" in span.name for _, span in Collector.spans), "probes are no spans")


def run(binary, folder, log):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "OTEL_SERVICE_NAME": SERVICE,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "COMPACT_INTERVAL": "5",
        "TRUSTED_PROXIES": "127.0.0.0/8",
        "NO_PROXY": "127.0.0.1",
    }
    host, process = service(binary, folder / "data", ["up", "--listen", "127.0.0.1:0"], environment, log)
    try:
        one_event(host)
        several_requests(host)
        what_is_not_traced(host)
        hold(not Collector.wrong, f"OTLP over HTTP: {Collector.wrong}")
        everything = b"".join(Collector.bodies)
        for secret in SECRET:
            hold(secret.encode() not in everything, f"{secret} is in no span")
        server.shutdown()
        server.server_close()
        for _ in range(20):
            send(host, uuid.uuid4().hex)
        print("        without a collector events are taken as before")
        process.send_signal(signal.SIGTERM)
        hold(process.wait(40) == 0, "the host ends well without a collector")
    finally:
        process.kill()
    print(f"{len(Collector.spans)} spans of {len({span.trace_id for _, span in Collector.spans})} traces")


def wrong_settings(binary, folder):
    """A setting that makes no sense is said before anything is started."""
    import subprocess

    for variables, said in (
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT.*http://HOST:4318"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL.*http/protobuf"),
    ):
        done = subprocess.run([binary, "--data", folder / "none", "up"], env={**os.environ, **variables}, capture_output=True, text=True, timeout=20)
        hold(done.returncode != 0 and re.search(said, done.stderr), f"{variables} is refused: {done.stderr}")


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        wrong_settings(binary, folder)
        with open(folder / "log", "w") as log:
            try:
                run(binary, folder, log)
            except BaseException:
                log.flush()
                print((folder / "log").read_text()[-3000:], file=sys.stderr)
                raise


if __name__ == "__main__":
    main()
