"""What the scripts say when something is wrong, and that they end only what is theirs."""

import socket
import subprocess
import unittest

from instance import Instance, new_folder, processes_of, script


class ScriptsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = new_folder(self) / "server"

    def test_a_port_in_use_is_named_with_its_owner(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = script("start.sh", "kafka", "--data", self.folder, "--port", port)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"port {port} is in use by process", done.stderr)

    def test_a_server_that_ends_at_start_is_reported_with_its_log(self) -> None:
        done = script("start.sh", "kafka", "--data", self.folder, "--set", "authorizer.class.name=no.such.Authorizer")
        self.assertEqual(done.returncode, 1)
        self.assertIn("kafka ended while it started", done.stderr)
        self.assertIn("no.such.Authorizer", done.stderr)
        self.assertFalse((self.folder / "server.env").exists())
        self.assertEqual(processes_of(self.folder), [])

    def test_a_wrong_setting_is_named(self) -> None:
        done = script("start.sh", "kafka", "--data", self.folder, "--set", "num.network.threads=0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("num.network.threads: Value must be at least 1", done.stderr)

    def test_a_folder_is_one_servers(self) -> None:
        self.folder.mkdir()
        (self.folder / "instance").write_text("name=cassandra\nport=20000\n")
        done = script("start.sh", "kafka", "--data", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("belongs to another server (name=cassandra)", done.stderr)

    def test_unknown_names_and_options_are_refused(self) -> None:
        for arguments, said in [
            (["oracle"], "no server is called 'oracle'"),
            (["kafka", "--prot", "1"], "unknown option --prot"),
            (["kafka", "--port", "x"], "--port x is wrong"),
            (["kafka", "--set", "x"], "--set wants KEY=VALUE"),
            (["kafka", "minio", "--data", "/tmp/x"], "--data is for one server"),
        ]:
            with self.subTest(arguments):
                done = script("start.sh", *arguments)
                self.assertEqual(done.returncode, 1)
                self.assertIn(said, done.stderr)

    def test_a_stale_pid_file_harms_nobody(self) -> None:
        """After a restart of the machine the number may be another's."""
        with subprocess.Popen(["sleep", "600"]) as stranger:
            try:
                self.folder.mkdir()
                (self.folder / "pid").write_text(f"{stranger.pid}\n")
                (self.folder / "server.env").write_text("name=kafka\n")
                with Instance("kafka", self.folder) as broker:
                    self.assertNotEqual(broker.pid, stranger.pid)
                (self.folder / "pid").write_text(f"{stranger.pid}\n")
                self.assertEqual(script("stop.sh", "--data", self.folder).returncode, 0)
                self.assertIsNone(stranger.poll())
            finally:
                stranger.kill()

    def test_what_runs_stays(self) -> None:
        with Instance("kafka", self.folder) as broker:
            pid = broker.pid
            broker.start()
            self.assertEqual(broker.pid, pid)
            self.assertLess(broker.took, 5)


if __name__ == "__main__":
    unittest.main()
