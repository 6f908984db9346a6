"""What `make servers` does, beside those that may run already: other ports, another home."""

import os
import pathlib
import subprocess
import unittest

from instance import ROOT, new_folder, processes_of, script
from test_minio import S3


class AllTest(unittest.TestCase):
    def setUp(self) -> None:
        self.home = new_folder(self) / "servers"
        self.home.mkdir()
        for installed in (ROOT / "target" / "servers").glob("*-*[0-9]*"):
            if installed.is_dir():
                (self.home / installed.name).symlink_to(installed)
        ports = subprocess.check_output([ROOT / "servers" / "ports.py", "free", "2"], text=True).split()
        self.environment = {"SERVERS_HOME": str(self.home), "KAFKA_PORT": ports[0], "MINIO_PORT": ports[1]}
        self.addCleanup(script, "stop.sh", **self.environment)

    def start(self) -> list[dict[str, str]]:
        done = script("start.sh", "kafka", "minio", **self.environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [dict(word.split("=", 1) for word in line.split()) for line in sorted(done.stdout.splitlines())]

    def test_start_again_keeps_all_and_stop_leaves_nothing(self) -> None:
        first = self.start()
        self.assertEqual(self.start(), first)
        status = script("status.sh", **self.environment)
        self.assertEqual(status.returncode, 0)
        self.assertEqual(status.stdout.count(" answers "), 2, status.stdout)

        told = self.home.parent / "servers.env"
        self.assertEqual(told.stat().st_mode & 0o077, 0, "it has secrets")
        self.assert_read_alike(told)

        self.assertEqual(script("stop.sh", **self.environment).returncode, 0)
        self.assertEqual(processes_of(self.home / "data"), [])
        self.assertFalse(told.exists(), "nothing runs any more")

    def assert_read_alike(self, told: pathlib.Path) -> None:
        """The shell and make read the same values, and these reach the servers."""
        names = ["LOG_URL", "OBJECTS_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "NOTIFICATIONS_TOKEN"]
        show = f"env | grep -E '^({'|'.join(names)})=' | sort"
        shell = subprocess.check_output(["bash", "-c", f"set -a; . {told}; {show}"], text=True)
        makefile = self.home / "Makefile"
        makefile.write_text(f"include {told}\nexport\nall:\n\t@{show.replace('$', '$$')}\n")
        clean = {name: value for name, value in os.environ.items() if name not in names}
        self.assertEqual(subprocess.check_output(["make", "-s", "-f", makefile], text=True, env=clean), shell)
        values = dict(line.split("=", 1) for line in shell.splitlines())
        self.assertEqual(sorted(values), sorted(names))
        self.assertEqual(values["LOG_URL"], f"kafka://127.0.0.1:{self.environment['KAFKA_PORT']}")
        endpoint = f"http://127.0.0.1:{self.environment['MINIO_PORT']}"
        self.assertEqual(values["OBJECTS_URL"], f"s3://clickstream?endpoint={endpoint}")
        s3 = S3(endpoint, values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"])
        self.assertEqual(s3.request("PUT", "/clickstream/a", "a")[0], 200)


if __name__ == "__main__":
    unittest.main()
