"""Events that a test of traces sends, what it waits for and holds to be so, and where it runs."""

import json
import pathlib
import sys
import tempfile
import time
import urllib.request
import uuid

# Of the person, the client and the site: nothing of it may be in a span.
SECRET = ("ann@example.org", "a-visitor-of-the-shop", "Secret/1.0 (browser)", "203.0.113.7", "buy-now-element", "demo:")
# The span of the caller.
ABOVE = "00f067aa0ba902b7"


def until(what, true, seconds=40, seen=lambda: ""):
    began = time.monotonic()
    while not (found := true()):
        if time.monotonic() - began > seconds:
            sys.exit(f"after {seconds} s still not: {what}; {seen()}")
        time.sleep(0.1)
    print(f"{time.monotonic() - began:5.1f} s  {what}", flush=True)
    return found


def hold(true, what):
    if not true:
        sys.exit(f"not so: {what}")


def beside_a_log(run):
    """run(binary, folder, log), of the program that the command line names; shows the end of folder/log where it fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with open(folder / "log", "w") as log:
            try:
                run(pathlib.Path(sys.argv[1]).resolve(), folder, log)
            except BaseException:
                log.flush()
                print((folder / "log").read_text()[-3000:], file=sys.stderr)
                raise


def send(host, trace=None, sampled=True, user=None):
    """An event in a trace, of its own unless one is given; the trace."""
    trace = trace or uuid.uuid4().hex
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
    request.add_header("traceparent", f"00-{trace}-{ABOVE}-0{int(sampled)}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        said = json.load(answer)["results"][0]
        hold(answer.status == 200 and said["result"] != "rejected", f"the event is taken: {said}")
    return trace
