"""docker-compose.yml as Compose itself reads it. No image is pulled and no container started."""

import importlib.util
import json
import os
import pathlib
import subprocess
import unittest

from instance import ROOT

COMPOSE = pathlib.Path(importlib.util.find_spec("compose").origin).parent / "docker-compose"
SECRETS = {"ADMIN_TOKEN": "0123456789abcdef", "MINIO_SECRET": "12345678", "CLICKHOUSE_SECRET": "secret"}
# Run once and end.
JOBS = {"topic", "setup"}


def compose(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in SECRETS}
    command = [str(COMPOSE), "-f", str(ROOT / "docker-compose.yml"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=clean | environment)


class ComposeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        done = compose("--profile", "*", "config", "--format", "json", **SECRETS)
        assert done.returncode == 0, done.stderr
        cls.services = json.loads(done.stdout)["services"]

    def test_secrets_have_no_default(self) -> None:
        for missing in SECRETS:
            done = compose("config", "-q", **{name: value for name, value in SECRETS.items() if name != missing})
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(missing, done.stderr)

    def test_every_service_is_pinned_bounded_and_checked(self) -> None:
        self.assertEqual(len(self.services), 12)
        for name, service in self.services.items():
            with self.subTest(name):
                _, _, tag = service["image"].partition(":")
                self.assertRegex(tag, r"\d|^local$", "a tag that stays")
                self.assertIn("mem_limit", service)
                # The host's check is in its Dockerfile.
                self.assertTrue("healthcheck" in service or name in JOBS | {"host"})
                for port in service.get("ports", []):
                    self.assertEqual(port["host_ip"], "127.0.0.1")

    def test_the_host_starts_on_servers_that_are_set_up_and_hears_of_objects(self) -> None:
        host, setup = self.services["host"], self.services["setup"]
        self.assertEqual(host["depends_on"]["setup"]["condition"], "service_completed_successfully")
        self.assertEqual((setup["command"], setup["image"]), (["setup"], host["image"]))
        shared = {name: value for name, value in host["environment"].items() if name != "ADMIN_TOKEN"}
        self.assertEqual(setup["environment"], shared)
        minio = self.services["minio"]["environment"]
        self.assertEqual(shared["NOTIFICATIONS_TOPIC"], minio["MINIO_NOTIFY_KAFKA_TOPIC_K1"])
        self.assertIn(f"--topic {shared['NOTIFICATIONS_TOPIC']} ", " ".join(self.services["topic"]["command"]) + " ")

    def test_minio_is_the_version_of_the_scripts(self) -> None:
        version = next(
            line.removeprefix("version=")
            for line in (ROOT / "servers/minio/server.sh").read_text().splitlines()
            if line.startswith("version=")
        )
        self.assertIn(f"minio@v0.0.0-{version}", (ROOT / "servers/minio/Dockerfile").read_text())
        self.assertEqual(self.services["minio"]["image"], f"clickstream-minio:{version.partition('-')[0]}")


if __name__ == "__main__":
    unittest.main()
