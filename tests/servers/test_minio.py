"""MinIO: conditional writes, objects after kill -9, and notifications by webhook and over Kafka."""

import http.server
import json
import subprocess
import threading
import unittest
from hashlib import sha256

from confluent_kafka.admin import AdminClient

from instance import Instance, eventually, new_folder, processes_of
from test_kafka import consume, make_topic


class S3:
    """A few requests signed by curl, which shares no code with the clients under test elsewhere."""

    def __init__(self, url: str, access_key: str, secret_key: str):
        self.url, self.user = url, f"{access_key}:{secret_key}"

    @classmethod
    def of(cls, server: Instance) -> "S3":
        return cls(server.facts["url"], server.facts["access_key"], server.facts["secret_key"])

    def request(self, method: str, path: str, body: str = "", *headers: str) -> tuple[int, str]:
        """The status and the body of the answer."""
        command = ["curl", "-sS", "--noproxy", "*", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", self.user]
        command += ["-X", method, "-w", "\n%{http_code}", "-H", f"x-amz-content-sha256: {sha256(body.encode()).hexdigest()}"]
        for header in headers:
            command += ["-H", header]
        if body:
            command += ["--data-binary", body]
        answer = subprocess.run([*command, self.url + path], capture_output=True, text=True, check=True).stdout
        text, _, status = answer.rpartition("\n")
        return int(status), text

    def notify(self, bucket: str, arn: str) -> int:
        rule = f"<QueueConfiguration><Queue>{arn}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
        body = f"<NotificationConfiguration>{rule}</NotificationConfiguration>"
        return self.request("PUT", f"/{bucket}?notification=", body)[0]


class Receiver(http.server.BaseHTTPRequestHandler):
    received: list[tuple[str, dict]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.headers["Authorization"], json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class MinioTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = new_folder(self)

    def test_an_object_is_made_once_and_outlives_kill(self) -> None:
        with Instance("minio", self.folder / "minio") as server:
            s3 = S3.of(server)
            self.assertEqual(s3.request("PUT", "/clickstream/a/b", "first", "If-None-Match: *")[0], 200)
            self.assertEqual(s3.request("PUT", "/clickstream/a/b", "second", "If-None-Match: *")[0], 412)
            server.kill()
            server.start()
            self.assertEqual(s3.request("GET", "/clickstream/a/b"), (200, "first"))
        self.assertEqual(processes_of(self.folder), [])

    def test_a_webhook_is_told_with_the_token(self) -> None:
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        hook = f"http://127.0.0.1:{receiver.server_port}/told"
        with Instance("minio", self.folder / "minio", NOTIFY_WEBHOOK=hook, NOTIFY_TOKEN="t0ken") as server:
            s3 = S3.of(server)
            self.assertEqual(s3.notify("clickstream", "arn:minio:sqs::H1:webhook"), 200)
            self.assertEqual(s3.request("PUT", "/clickstream/raw/x", "x")[0], 200)
            authorization, body = eventually("the webhook is told", lambda: Receiver.received)[0]
            self.assertEqual((authorization, body["Key"]), ("Bearer t0ken", "clickstream/raw/x"))

    def test_a_topic_is_told(self) -> None:
        with Instance("kafka", self.folder / "kafka") as broker:
            make_topic(broker.address, "notifications")
            with Instance("minio", self.folder / "minio", NOTIFY_KAFKA=broker.address) as server:
                s3 = S3.of(server)
                self.assertEqual(s3.notify("clickstream", "arn:minio:sqs::K1:kafka"), 200)
                for key in ("one", "two"):
                    self.assertEqual(s3.request("PUT", f"/clickstream/{key}", key)[0], 200)
                told = [json.loads(value)["Key"] for value in consume(broker.address, "notifications", 2)]
                self.assertEqual(told, ["clickstream/one", "clickstream/two"])
                self.assertIn("notifications", AdminClient({"bootstrap.servers": broker.address}).list_topics(timeout=30).topics)


if __name__ == "__main__":
    unittest.main()
