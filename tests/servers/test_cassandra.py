"""Cassandra: what is acknowledged is there after kill -9."""

import unittest

from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT, Session
from cassandra.policies import WhiteListRoundRobinPolicy

from instance import Instance, new_folder, processes_of

ROWS = 200


def connect(port: int) -> tuple[Cluster, Session]:
    profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy(["127.0.0.1"]), request_timeout=60)
    cluster = Cluster(["127.0.0.1"], port=port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, connect_timeout=60)
    return cluster, cluster.connect()


class CassandraTest(unittest.TestCase):
    def test_rows_outlive_kill(self) -> None:
        folder = new_folder(self) / "cassandra"
        with Instance("cassandra", folder, "--memory", 256) as server:
            cluster, session = connect(server.port)
            session.execute("CREATE KEYSPACE t WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
            session.execute("CREATE TABLE t.numbers (id int PRIMARY KEY, text text)")
            insert = session.prepare("INSERT INTO t.numbers (id, text) VALUES (?, ?)")
            for number in range(ROWS):
                session.execute(insert, (number, str(number)))
            server.kill()
            cluster.shutdown()
            server.start()
            print(f"cassandra answered {server.took:.1f} s after kill -9")
            cluster, session = connect(server.port)
            found = sorted((row.id, row.text) for row in session.execute("SELECT id, text FROM t.numbers"))
            cluster.shutdown()
            self.assertEqual(found, [(number, str(number)) for number in range(ROWS)])
        self.assertEqual(processes_of(folder), [])


if __name__ == "__main__":
    unittest.main()
