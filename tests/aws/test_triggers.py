"""What invokes functions is what they decode."""

import re
import unittest

from stack import CRATES, ROOT, STACK, of_type


def source(path):
    return (ROOT / path).read_text()


def constants(path):
    return dict(re.findall(r'const ([A-Z_]+): &str = "([^"]+)"', source(path)))


TRIGGERS = of_type(STACK, "AWS::Lambda::EventSourceMapping")


class Triggers(unittest.TestCase):
    def test_kafka_triggers_read_the_topics_that_functions_take(self):
        topics = constants("shared/log/src/lib.rs")
        read = {key: (t["Properties"]["FunctionName"]["Ref"], t["Properties"]["Topics"]) for key, t in TRIGGERS.items()}
        self.assertEqual(read, {
            "StoreEventsTrigger": ("StoreFunction", [topics["EVENTS"]]),
            "StoreRejectedTrigger": ("StoreFunction", [topics["REJECTED"]]),
            "LandTrigger": ("LandFunction", [topics["EVENTS"]]),
            "IntakeTopicTrigger": ("IntakeTopicFunction", [topics["INBOUND"]]),
        })

    def test_consumer_groups_are_those_of_the_host(self):
        """So that a host and the functions can take over from each other, and lag is looked for where it is."""
        groups = constants("host/src/up/polled.rs")
        for key, name in (("StoreEventsTrigger", "STORE"), ("LandTrigger", "LAND"), ("IntakeTopicTrigger", "INTAKE_TOPIC")):
            for kind in ("AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"):
                self.assertIn({"ConsumerGroupId": groups[name]}, TRIGGERS[key]["Properties"][kind]["Fn::If"])
        used = [str(t["Properties"]["AmazonManagedKafkaEventSourceConfig"]) for t in TRIGGERS.values()]
        self.assertEqual(len(set(used)), len(used))

    def test_no_batch_of_kafka_is_given_up(self):
        for key, trigger in TRIGGERS.items():
            properties = trigger["Properties"]
            for setting in ("DestinationConfig", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "FilterCriteria"):
                self.assertNotIn(setting, properties, key)
            self.assertEqual(properties["StartingPosition"], "TRIM_HORIZON")
            self.assertEqual(trigger["Condition"], "WithTriggers")

    def test_what_fails_in_part_is_reported_to_whoever_reads_it(self):
        """Without ReportBatchItemFailures Lambda takes an answer that names failures for success, and goes on behind them."""
        reports = ["ReportBatchItemFailures"]
        for key, trigger in TRIGGERS.items():
            # Lambda takes it of Kafka in provisioned mode alone.
            properties, absent = trigger["Properties"], {"Ref": "AWS::NoValue"}
            self.assertEqual(properties["FunctionResponseTypes"], {"Fn::If": ["WithPollers", reports, absent]}, key)
            self.assertEqual(properties["ProvisionedPollerConfig"]["Fn::If"][0], "WithPollers")
            function = STACK["Resources"][properties["FunctionName"]["Ref"]]
            told = function["Properties"]["Environment"]["Variables"]["REPORT_BATCH_ITEM_FAILURES"]
            self.assertEqual(told, {"Fn::If": ["WithPollers", "true", "false"]}, key)
        for name in ("Load", "IntakeFiles", "Unspill"):
            told = STACK["Resources"][f"{name}Function"]["Properties"]["Environment"]["Variables"]["REPORT_BATCH_ITEM_FAILURES"]
            self.assertEqual(told, "false", f"the bucket invokes {name} itself")

    def test_reconcile_looks_at_the_group_that_stores_rejections(self):
        group = STACK["Resources"]["ReconcileFunction"]["Properties"]["Environment"]["Variables"]["STORE_REJECTED_GROUP"]
        for kind in ("AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"):
            self.assertIn({"ConsumerGroupId": group}, TRIGGERS["StoreRejectedTrigger"]["Properties"][kind]["Fn::If"])

    def test_kafka_triggers_are_watched(self):
        for name in {t["Properties"]["FunctionName"]["Ref"].removesuffix("Function") for t in TRIGGERS.values()}:
            self.assertEqual(STACK["Resources"][f"{name}Lag"]["Properties"]["MetricName"], "OffsetLag")
            self.assertIn({"Ref": "KafkaTriggers"}, STACK["Resources"][f"{name}Role"]["Properties"]["ManagedPolicyArns"])

    def test_the_bucket_announces_what_functions_wait_for(self):
        told = re.search(r"ANNOUNCED: \[&str; \d+\] = \[([^\]]+)\]", source("shared/objects/src/embedded/outbox.rs"))
        prefixes = re.findall(r'"([^"]+)"', told.group(1))
        rules = STACK["Resources"]["Bucket"]["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
        announced = {rule["Filter"]["S3Key"]["Rules"][0]["Value"]: rule["Function"]["Fn::GetAtt"][0] for rule in rules}
        self.assertEqual(announced, {"raw/events/": "LoadFunction", "inbox/": "IntakeFilesFunction", "spill/": "UnspillFunction"})
        self.assertEqual(sorted(prefixes), sorted(prefix.split("/")[0] + "/" for prefix in announced))
        for function in announced.values():
            permission = STACK["Resources"][function.removesuffix("Function") + "MayBeAnnounced"]["Properties"]
            self.assertEqual(permission["SourceAccount"], {"Ref": "AWS::AccountId"})

    def test_reads_go_to_query_and_the_rest_to_collect(self):
        text = source("functions/query/src/handler.rs")
        asked = re.search(r"parts\.as_slice\(\),\n(.*?)\n\s*\);", text, re.DOTALL).group(1)
        patterns = set()
        for parts in re.findall(r"\[([^\]]+)\]", asked):
            for last in parts.split(",")[-1].split("|"):
                steps = [step.strip().strip('"') for step in parts.split(",")[:-1]] + [last.strip().strip('"')]
                patterns.add("/" + "/".join("*" if step == "_" else step for step in steps))
        events = STACK["Resources"]["QueryFunction"]["Properties"]["Events"].values()
        routes = {re.sub(r"\{[a-z]+\}", "*", event["Properties"]["Path"]) for event in events}
        self.assertEqual(routes, patterns)
        everything = STACK["Resources"]["CollectFunction"]["Properties"]["Events"]["Everything"]["Properties"]
        self.assertNotIn("Path", everything)

    def test_the_clock_runs_what_takes_an_empty_payload(self):
        schedules = of_type(STACK, "AWS::Scheduler::Schedule")
        self.assertEqual({key.removesuffix("Schedule") for key in schedules}, {"Compact", "Settle", "Unspill", "Reconcile", "Erase", "Retention"})
        allowed = STACK["Resources"]["ScheduleRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"]
        for key, schedule in schedules.items():
            target = schedule["Properties"]["Target"]
            self.assertEqual(target["Input"], "{}")
            self.assertIn(target["Arn"], allowed)
            self.assertEqual(schedule["Properties"]["State"], {"Ref": "Schedules"})

    def test_every_function_is_invoked_by_something_or_by_hand(self):
        by_hand = {"Replay"}
        invoked = {t["Properties"]["FunctionName"]["Ref"] for t in TRIGGERS.values()}
        invoked |= {s["Properties"]["Target"]["Arn"]["Fn::GetAtt"][0] for s in of_type(STACK, "AWS::Scheduler::Schedule").values()}
        invoked |= {f"{name}Function" for name in CRATES.values() if "Events" in STACK["Resources"][f"{name}Function"]["Properties"]}
        invoked |= {f"{name}Function" for name in CRATES.values() if f"{name}MayBeAnnounced" in STACK["Resources"]}
        self.assertEqual({f"{name}Function" for name in CRATES.values()} - invoked, {f"{name}Function" for name in by_hand})


if __name__ == "__main__":
    unittest.main()
