"""A host that sends traces to OpenTelemetry's own collector, which is away at first and is killed in the middle.

One event is one trace, from the request through the log, store, land and load; what several requests make is linked to each; nothing of
whom an event is about is in it; a collector that is gone holds nothing up."""

import os
import re
import signal
import subprocess
import threading
from collections import defaultdict

from collector import Collector
from sending import ABOVE, SECRET, beside_a_log, hold, send, until
from servers import call, service

SERVICE = "shop-clickstream"
# OTLP's numbers.
INTERNAL, SERVER, CONSUMER = 1, 2, 5


class Scene:
    """A host and the collector that it is told of."""

    def __init__(self, binary, folder, log):
        self.folder, self.collector = folder, Collector(folder)
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
            "OTEL_SERVICE_NAME": SERVICE,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "COMPACT_INTERVAL": "5",
            "TRUSTED_PROXIES": "127.0.0.0/8",
            "NO_PROXY": "127.0.0.1",
        }
        self.host, self.process = service(binary, folder / "data", ["up", "--listen", "127.0.0.1:0"], environment, log)

    def until(self, what, true):
        return until(what, true, seen=lambda: f"there are {sorted({span.name for span in self.collector.spans()})}")

    def of(self, trace):
        """The spans of a trace, by name."""
        named = defaultdict(list)
        for span in self.collector.spans():
            if span.trace == trace:
                named[span.name].append(span)
        return named


def away_at_first(scene):
    send(scene.host)
    until("the log says that nobody takes the spans", lambda: "BatchSpanProcessor.ExportError" in (scene.folder / "log").read_text())

    def all_the_way():
        metrics = call(f"{scene.host}/metrics").decode()
        return all(f'{{function="{function}",outcome="ok"}} 1' in metrics for function in ("store", "land", "load"))

    # And the next event is not of its batch.
    until("an event is stored, landed and loaded without a collector", all_the_way)
    scene.collector.start()


def one_event(scene):
    trace = send(scene.host, "4bf92f3577b34da6a3ce929d0e0e4736", user=SECRET[0])
    wanted = {"POST /v1/batch", "store", "land", "load"}
    scene.until("the event's trace has request, store, land and load", lambda: wanted <= scene.of(trace).keys())
    # Spans come when they end: what is below load and store came before it.
    named = scene.of(trace)
    names = sorted(named)
    [request], [collect], [store], [land], [load] = (named[name] for name in ("POST /v1/batch", "collect", "store", "land", "load"))
    hold(request.parent == ABOVE, "the request is below its caller")
    for below, above in ((collect, request), (store, collect), (land, collect), (load, land)):
        hold(below.parent == above.id, f"{below.name} is below {above.name}: {names}")
    for part, function in (("log append", collect), ("store put_events", store), ("objects put", land), ("warehouse insert", load)):
        hold(function.id in [span.parent for span in named[part]], f"{part} is below {function.name}: {names}")
    kinds = [span.kind for span in (request, collect, store, land, load)]
    hold(kinds == [SERVER, INTERNAL, CONSUMER, CONSUMER, CONSUMER], f"the kinds are {kinds}")
    said = request.attributes
    hold(said["http.route"] == "/v1/batch" and said["http.response.status_code"] == "200", f"the request says {said}")
    hold(land.attributes["messaging.destination.name"] == "events", f"land says {land.attributes}")
    hold(all(span.begins <= span.ends for spans in named.values() for span in spans), "spans begin before they end")
    print(f"        one trace: {', '.join(names)}")


def several_requests(scene):
    traces = set()
    threads = [threading.Thread(target=lambda: traces.add(send(scene.host))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hold(len(traces) == 12, "twelve events are taken")

    def gone_on_with():
        landed = [span for span in scene.collector.spans() if span.name == "land"]
        return {span.trace for span in landed} | {link for span in landed for link in span.links}

    scene.until("each of twelve requests is gone on with by land, below it or linked", lambda: traces <= gone_on_with())


def what_is_not_traced(scene):
    trace = send(scene.host, sampled=False)
    call(f"{scene.host}/health")
    compacted = lambda: any(span.name == "compact" and not span.parent for span in scene.collector.spans())  # noqa: E731
    scene.until("compaction by the clock is a trace of its own", compacted)
    hold(not scene.of(trace), "a caller that takes no trace has none taken")
    hold(not any("health" in span.name for span in scene.collector.spans()), "probes are no spans")


def what_it_says_of_itself(scene):
    resources = [span.resource for span in scene.collector.spans()]
    hold({said["service.name"] for said in resources} == {SERVICE}, "the service has the name it was given")
    hold({said["deployment.environment.name"] for said in resources} == {"test"}, "and what else is to be said of it")
    hold(len({said["service.instance.id"] for said in resources}) == 1, "and is one instance")
    text = scene.collector.text()
    for secret in SECRET:
        hold(secret not in text, f"{secret} is in no span")


def killed_in_the_middle(scene):
    """Its end comes between events that are sent all the time."""
    ended, answered = threading.Event(), []

    def traffic():
        while not ended.is_set():
            answered.append(send(scene.host))

    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        scene.until("the collector has spans of what is sent meanwhile", lambda: answered and scene.of(answered[0]))
        scene.collector.kill()
        before = len(answered)
        until("200 events are taken after the collector was killed", lambda: len(answered) >= before + 200 or not thread.is_alive())
    finally:
        ended.set()
        thread.join()
    hold(len(answered) >= before + 200, "each event is taken")
    scene.process.send_signal(signal.SIGTERM)
    hold(scene.process.wait(40) == 0, "the host ends well without a collector")


def run(binary, folder, log):
    wrong_settings(binary, folder)
    scene = Scene(binary, folder, log)
    try:
        away_at_first(scene)
        one_event(scene)
        several_requests(scene)
        what_is_not_traced(scene)
        what_it_says_of_itself(scene)
        killed_in_the_middle(scene)
    finally:
        scene.process.kill()
        scene.collector.kill()
    spans = scene.collector.spans()
    print(f"{len(spans)} spans of {len({span.trace for span in spans})} traces")


def wrong_settings(binary, folder):
    """A setting that makes no sense is said before anything is started."""
    for variables, said in (
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT.*http://HOST:4318"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL.*http/protobuf"),
    ):
        done = subprocess.run([binary, "--data", folder / "none", "up"], env={**os.environ, **variables}, capture_output=True, text=True, timeout=20)
        hold(done.returncode != 0 and re.search(said, done.stderr), f"{variables} is refused: {done.stderr}")


if __name__ == "__main__":
    beside_a_log(run)
