"""Every function is whole: code, limits, logs, dead letters, alarms."""

import re
import subprocess
import tomllib
import unittest

from stack import CRATES, FUNCTIONS, ROOT, STACK, function_crates, of_type


def properties(name):
    return STACK["Resources"][name]["Properties"]


class Functions(unittest.TestCase):
    def test_every_crate_is_a_function(self):
        self.assertEqual(sorted(CRATES), function_crates())

    def test_code_is_the_crates_program(self):
        for crate, name in CRATES.items():
            program = tomllib.loads((ROOT / "functions" / crate / "Cargo.toml").read_text())["bin"][0]["name"]
            self.assertEqual(properties(f"{name}Function")["CodeUri"], f"target/lambda/{program}/bootstrap.zip")
        runs_on = STACK["Globals"]["Function"]
        self.assertEqual((runs_on["Runtime"], runs_on["Handler"]), ("provided.al2023", "bootstrap"))
        self.assertEqual(STACK["Parameters"]["Architecture"]["Default"], "arm64")

    def test_package_builds_what_the_template_deploys(self):
        for processor, flag in (("arm64", "--arm64"), ("x86_64", "--x86-64")):
            said = subprocess.run(["make", "-n", "package", f"ARCH={processor}"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
            words = said.split("lambda build")[1].split()
            self.assertIn(flag, words)
            # Its own --release ends a function that panics.
            self.assertEqual(words[words.index("--profile") + 1], "lambda")
            self.assertEqual(words[words.index("--output-format") + 1], "zip")
            folder = words[words.index("--lambda-dir") + 1]
            built = {f"{folder}/{name}/bootstrap.zip" for flag, name in zip(words, words[1:]) if flag == "--bin"}
            self.assertEqual(built, {function["Properties"]["CodeUri"] for function in FUNCTIONS.values()})

    def test_every_function_has_limits_with_a_reason(self):
        """The line above each row says what the figures are for."""
        lines = (ROOT / "template.yaml").read_text().splitlines()
        for name in CRATES.values():
            limits = STACK["Mappings"]["Functions"][name]
            self.assertTrue(128 <= limits["Memory"] <= 10_240 and 1 <= limits["Timeout"] <= 900, name)
            at = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{name}: {{Name:"))
            self.assertRegex(lines[at - 1].strip(), r"^# .{15,}")
            self.assertEqual(properties(f"{name}Function")["Timeout"], {"Fn::FindInMap": ["Functions", name, "Timeout"]})
            if name != "Compact":
                self.assertEqual(properties(f"{name}Function")["MemorySize"], {"Fn::FindInMap": ["Functions", name, "Memory"]})
        # What the HTTP API waits for.
        self.assertTrue(all(STACK["Mappings"]["Functions"][name]["Timeout"] < 30 for name in ("Collect", "Query")))

    def test_every_function_logs_to_a_group_that_ends(self):
        for name in CRATES.values():
            self.assertEqual(properties(f"{name}Function")["LoggingConfig"]["LogGroup"], {"Ref": f"{name}Logs"})
            self.assertEqual(properties(f"{name}Logs")["RetentionInDays"], {"Ref": "LogRetentionDays"})

    def test_every_function_has_alarms_that_reach_somebody(self):
        alarms = of_type(STACK, "AWS::CloudWatch::Alarm")
        for alarm in alarms.values():
            self.assertEqual(alarm["Properties"]["AlarmActions"], [{"Ref": "AlarmTopic"}])
        for name in CRATES.values():
            for kind in ("Errors", "Throttles"):
                alarm = alarms[f"{name}{kind}"]["Properties"]
                self.assertEqual(alarm["MetricName"], kind)
                self.assertEqual(alarm["Dimensions"][0]["Value"], {"Ref": f"{name}Function"})
        self.assertIn("Freshness", alarms)

    def test_alarms_on_our_own_metrics_name_what_functions_print(self):
        """The namespace, the dimension, and metrics that the function, or what it uses, counts."""
        emf = (ROOT / "shared/telemetry/src/emf.rs").read_text()
        namespace = re.search(r'NAMESPACE: &str = "(\w+)"', emf).group(1)
        self.assertIn('"Dimensions": [["function"]]', emf)
        names = {}
        for path in (ROOT / "shared/telemetry/src").glob("**/*.rs"):
            names |= {name: constant for constant, name in re.findall(r'const ([A-Z_]+): &str = "(clickstream_\w+)"', path.read_text())}
        crates = {name: crate for crate, name in CRATES.items()}
        watched = set()
        for key, alarm in of_type(STACK, "AWS::CloudWatch::Alarm").items():
            properties = alarm["Properties"]
            metrics = [m["MetricStat"]["Metric"] for m in properties.get("Metrics", []) if "MetricStat" in m] or [properties]
            for metric in metrics:
                if metric["Namespace"].startswith("AWS/"):
                    continue
                watched.add(key)
                self.assertEqual(metric["Namespace"], namespace)
                self.assertEqual([d["Name"] for d in metric["Dimensions"]], ["function"])
                crate = crates[metric["Dimensions"][0]["Value"]["Ref"].removesuffix("Function")]
                sources = [*(ROOT / "functions" / crate / "src").glob("**/*.rs"), *(ROOT / "shared/triggers/src").glob("*.rs")]
                text = "".join(path.read_text() for path in sources)
                if "freshness::" in text:
                    text += (ROOT / "shared/telemetry/src/freshness.rs").read_text()
                self.assertIn(f"metric::{names[metric['MetricName']]}", text, key)
        self.assertEqual(watched, {"Freshness", "Undecodable", "BatchFailures", "LedgerUnaccounted", "LedgerGaps", "GroupLate"})

    def test_what_fails_for_good_is_kept_or_there_is_a_reason(self):
        for key, function in FUNCTIONS.items():
            name = key.removesuffix("Function")
            reason = function.get("Metadata", {}).get("NoDeadLetters", "")
            invoked = function["Properties"].get("EventInvokeConfig")
            self.assertNotEqual(bool(invoked), len(reason) > 40, name)
            if not invoked:
                continue
            queue = {"Type": "SQS", "Destination": {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]}}
            self.assertEqual(invoked["DestinationConfig"]["OnFailure"], queue)
            self.assertTrue(properties(f"{name}DeadLetters")["SqsManagedSseEnabled"])
            alarm = properties(f"{name}DeadLettersAlarm")
            self.assertEqual((alarm["MetricName"], alarm["Threshold"]), ("ApproximateNumberOfMessagesVisible", 0))
        # Who is invoked asynchronously, by the bucket or the clock, is among them.
        asynchronous = {re.sub("(Schedule|MayBeAnnounced)$", "", key) for key in STACK["Resources"] if re.search("(Schedule|MayBeAnnounced)$", key)}
        kept = {key.removesuffix("Function") for key, f in FUNCTIONS.items() if "EventInvokeConfig" in f["Properties"]}
        self.assertLessEqual(asynchronous, kept)

    def test_settle_runs_once_at_a_time(self):
        for name in ("Settle", "Unspill", "Reconcile", "Erase", "Retention"):
            reserved = properties(f"{name}Function")["ReservedConcurrentExecutions"]
            self.assertEqual(reserved, {"Fn::If": ["Reserved", 1, {"Ref": "AWS::NoValue"}]})

    def test_everything_that_takes_tags_is_tagged(self):
        tagged = ("AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket")
        for kind in tagged:
            for name, resource in of_type(STACK, kind).items():
                self.assertEqual({tag["Key"] for tag in resource["Properties"]["Tags"]}, {"Project", "Stage"}, name)
        self.assertEqual(set(STACK["Globals"]["Function"]["Tags"]), {"Project", "Stage"})


if __name__ == "__main__":
    unittest.main()
