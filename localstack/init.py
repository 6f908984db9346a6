#!/usr/bin/env python3
"""The first process in a function's container: LocalStack hands it invocations, and it hands them to the function.

LocalStack downloads a program of its own for this, which no registry of packages has; the image that localstack/image.sh
builds has this one in its place. To the function it is Lambda's Runtime API
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). To LocalStack it answers POST /invoke on port 9563, and
posts to LOCALSTACK_RUNTIME_ENDPOINT that the function is ready, what it logged, and its answer or its error.

A function that does not answer within its timeout is killed, and one that ends is reported; each is started anew for the
next invocation, as on Lambda.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INVOKE_PORT = 9563
RUNTIME_PORT = 9001
PREFIX = "/2018-06-01/runtime/"
ENDPOINT = os.environ["LOCALSTACK_RUNTIME_ENDPOINT"]
IDENTITY = os.environ["LOCALSTACK_RUNTIME_ID"]
# Seconds.
TIMEOUT = int(os.environ.get("AWS_LAMBDA_FUNCTION_TIMEOUT") or 3)
PROGRAM = "/var/task/bootstrap"


def tell(path: str, body: bytes) -> None:
    """Posts to LocalStack, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{ENDPOINT}{path}", body, {"Content-Type": "application/json"})
    opener.open(request, timeout=30).close()


def error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


class Function:
    """The function's process, the invocation that it has in hand, and what it logs."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: queue.Queue[dict] = queue.Queue()
        self.in_hand: dict | None = None
        self.logged: list[str] = []
        self.ready = False
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCALSTACK_")}
        environment["AWS_LAMBDA_RUNTIME_API"] = f"127.0.0.1:{RUNTIME_PORT}"
        self.process = subprocess.Popen(
            [PROGRAM], cwd="/var/task", env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        threading.Thread(target=self.watch, args=(self.process,), daemon=True).start()

    def watch(self, process: subprocess.Popen) -> None:
        """Keeps what the process says, and reports its end."""
        for line in process.stdout:
            print(line, end="", flush=True)
            self.logged.append(line)
        status = process.wait()
        ended = error("Runtime.ExitError", f"Runtime exited with status {status}: {''.join(self.logged[-5:]).strip()}")
        with self.lock:
            if self.process is process:
                self.process = None
        if self.ready:
            self.answer("error", ended)
        else:
            self.never_ready(ended)

    def never_ready(self, reason: bytes) -> None:
        tell(f"/status/{IDENTITY}/error", reason)
        os._exit(1)

    def invoke(self, invocation: dict) -> None:
        invocation["deadline"] = time.time() + TIMEOUT
        with self.lock:
            self.logged.clear()
            self.in_hand = invocation
            if self.process is None:
                self.start()
        self.waiting.put(invocation)
        threading.Timer(TIMEOUT, self.timed_out, (invocation,)).start()

    def timed_out(self, invocation: dict) -> None:
        with self.lock:
            if self.in_hand is not invocation:
                return
            process, self.process = self.process, None
        self.answer("error", error("Sandbox.Timedout", f"{invocation['invoke-id']} Error: Task timed out after {TIMEOUT:.2f} seconds"))
        if process:
            process.kill()

    def answer(self, kind: str, body: bytes) -> None:
        """Posts the answer to the invocation in hand, if there still is one."""
        with self.lock:
            invocation, self.in_hand = self.in_hand, None
        if invocation is None:
            return
        identity = invocation["invoke-id"]
        logs = f"START RequestId: {identity}\n{''.join(self.logged)}END RequestId: {identity}\n"
        tell(f"/invocations/{identity}/logs", json.dumps({"logs": logs}).encode())
        tell(f"/invocations/{identity}/{kind}", body)

    def next(self) -> dict:
        """The next invocation; the first question says that the function is ready."""
        if not self.ready:
            self.ready = True
            tell(f"/status/{IDENTITY}/ready", b"")
        while True:
            invocation = self.waiting.get()
            # One that was given up while nobody asked for it is nobody's.
            if invocation is self.in_hand:
                return invocation


FUNCTION = Function()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class ForLocalStack(Handler):
    def do_POST(self) -> None:
        FUNCTION.invoke(json.loads(self.body()))
        self.reply(200)


class ForFunction(Handler):
    def do_GET(self) -> None:
        invocation = FUNCTION.next()
        try:
            self.reply(
                200,
                invocation["payload"].encode(),
                {
                    "Lambda-Runtime-Aws-Request-Id": invocation["invoke-id"],
                    "Lambda-Runtime-Deadline-Ms": str(int(invocation["deadline"] * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation["invoked-function-arn"],
                    "Lambda-Runtime-Trace-Id": invocation.get("trace-id") or "",
                },
            )
        except OSError:
            # Whoever asked has ended; the process that comes after it asks anew.
            FUNCTION.waiting.put(invocation)

    def do_POST(self) -> None:
        body, path = self.body(), self.path.removeprefix(PREFIX)
        self.reply(202, b"{}")
        if path == "init/error":
            FUNCTION.never_ready(body)
        elif path.endswith(("/response", "/error")):
            FUNCTION.answer(path.rsplit("/", 1)[1], body)


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main() -> None:
    if not os.access(PROGRAM, os.X_OK):
        FUNCTION.never_ready(error("Runtime.InvalidEntrypoint", f"{PROGRAM} is not there or cannot be executed"))
    runtime = Server(("127.0.0.1", RUNTIME_PORT), ForFunction)
    threading.Thread(target=runtime.serve_forever, daemon=True).start()
    server = Server(("0.0.0.0", INVOKE_PORT), ForLocalStack)
    FUNCTION.start()
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
