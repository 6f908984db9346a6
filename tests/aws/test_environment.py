"""Every function has the variables that its sources read, and no secret besides."""

import unittest

import environment
from stack import CRATES, STACK, branches

# Read, and rightly not set.
LEFT_OUT = {
    "KAFKA_SSL_KEY_PASSWORD": "clients with certificates of their own need files, which the functions do not have",
    "AWS_LAMBDA_FUNCTION_NAME": "Lambda sets it",
}
SECRETS = {"KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD", "SCYLLA_USERNAME", "SCYLLA_PASSWORD", "WAREHOUSE_URL", "ADMIN_TOKEN",
           "COOKIELESS_SECRET", "ERASURE_KEY"}


def set_for(name):
    shared = STACK["Globals"]["Function"]["Environment"]["Variables"]
    own = STACK["Resources"][f"{name}Function"]["Properties"].get("Environment", {}).get("Variables", {})
    return {**shared, **own}


class Environment(unittest.TestCase):
    def test_what_is_read_is_set(self):
        for crate, name in CRATES.items():
            missing = environment.read_by(crate) - set(set_for(name)) - set(LEFT_OUT)
            self.assertEqual(missing, set(), crate)

    def test_a_function_has_no_secret_that_it_does_not_read(self):
        for crate, name in CRATES.items():
            text = "".join(environment.sources(f"functions/{crate}/src").values())
            if "fn main() {}" in text:
                continue
            # Whoever may read erasures/ needs the key to tell whose they are.
            forgets = {"ERASURE_KEY"} if "erasures/" in str(STACK["Resources"][f"{name}Role"]) else set()
            spare = (set(set_for(name)) & SECRETS) - environment.read_by(crate) - forgets
            self.assertEqual(spare, set(), crate)

    def test_secrets_come_from_secrets_manager(self):
        for name in CRATES.values():
            for variable, value in set_for(name).items():
                for branch in branches(value):
                    resolved = "{{resolve:secretsmanager:" in str(branch)
                    self.assertEqual(resolved, variable in SECRETS, f"{name}: {variable}")

    def test_every_source_that_reads_the_environment_is_known(self):
        self.assertEqual(environment.unknown(), [])

    def test_the_reading_finds_what_is_there(self):
        self.assertEqual(environment.read_by("compact") & {"OBJECTS_URL", "LOG_ID"}, {"OBJECTS_URL", "LOG_ID"})
        self.assertLessEqual({"LOG_URL", "KAFKA_SASL_PASSWORD", "SITES", "SITES_FILE", "COOKIELESS_SECRET", "TRUSTED_PROXIES"},
                             environment.read_by("collect"))
        self.assertLessEqual({"METRICS_SECONDS", "REPORT_BATCH_ITEM_FAILURES", "STORE_REJECTED_GROUP"},
                             environment.read_by("land") | environment.read_by("reconcile"))
        self.assertLessEqual({"ADMIN_TOKEN", "SCYLLA_PASSWORD", "EVENT_RETENTION_DAYS"}, environment.read_by("query"))


if __name__ == "__main__":
    unittest.main()
