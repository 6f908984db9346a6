"""Who may do what."""

import copy
import re
import unittest

import policies
from stack import CRATES, FUNCTIONS, ROOT, STACK, listed, of_type


def changed(name, change):
    template = copy.deepcopy(STACK)
    change(template["Resources"][name])
    return template


class Policies(unittest.TestCase):
    def test_nothing_is_open_without_a_written_reason(self):
        self.assertEqual(policies.without_reason(STACK), [])

    def test_rights_are_to_prefixes_and_no_policy_is_foreign(self):
        self.assertEqual(policies.too_wide(STACK), [])

    def test_each_of_these_would_be_found(self):
        def statement(role, at=0):
            return role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][at]

        wide = [
            changed("FunctionBasics", lambda r: r["Metadata"]["Reasons"].pop("Traces")),
            changed("LoadRole", lambda r: statement(r).update(Resource="*")),
            changed("LoadRole", lambda r: statement(r, 1).update(Action=["s3:Get*"])),
            changed("BucketPolicy", lambda r: r.pop("Metadata")),
            changed("CollectUrlIsPublic", lambda r: r.pop("Metadata")),
            changed("LoadRole", lambda r: statement(r).update(NotAction="s3:PutObject")),
        ]
        for template in wide:
            self.assertEqual(len(policies.without_reason(template)), 1)
        everywhere = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${BucketName}/*"}
        for template in [
            changed("LoadRole", lambda r: statement(r, 1).update(Resource=everywhere)),
            changed("LoadRole", lambda r: statement(r, 3).pop("Condition")),
            changed("LoadRole", lambda r: r["Properties"]["ManagedPolicyArns"].append("arn:aws:iam::aws:policy/AdministratorAccess")),
        ]:
            self.assertEqual(len(policies.too_wide(template)), 1)

    def test_msk_by_iam_is_allowed_what_functions_do_and_on_our_topics_alone(self):
        topics = dict(re.findall(r'const ([A-Z_]+): &str = "([^"]+)"', (ROOT / "shared/log/src/lib.rs").read_text()))
        ours = {topics[name] for name in ("EVENTS", "REJECTED", "INBOUND")}
        identity = re.search(r'TOPIC: &str = "([^"]+)"', (ROOT / "shared/log/src/kafka/identity.rs").read_text()).group(1)
        groups = {t["Properties"]["SelfManagedKafkaEventSourceConfig"]["Fn::If"][2]["ConsumerGroupId"]
                  for t in of_type(STACK, "AWS::Lambda::EventSourceMapping").values()}
        places = {"KafkaAppends": ({topics["EVENTS"], topics["REJECTED"]}, set()), "KafkaLooks": (ours | {identity}, groups),
                  "KafkaTriggers": (ours, groups)}
        for key, wanted in places.items():
            found = {"topic": set(), "group": set()}
            for statement in listed(STACK["Resources"][key]["Properties"]["PolicyDocument"]["Statement"]):
                actions = [action for action in listed(statement["Action"]) if action.startswith("kafka-cluster:")]
                for resource in listed(statement["Resource"]) if actions else []:
                    address = resource.get("Fn::Sub", [""])[0]
                    kind, _, name = address.removeprefix("${Before}:").partition("/${Name}/")
                    if resource == {"Ref": "MskClusterArn"}:
                        continue
                    found[kind].add(name)
                    self.assertNotIn("*", name)
            self.assertEqual((found["topic"], found["group"]), wanted, key)
        # Who has a log appends to it or looks at it.
        for crate, name in CRATES.items():
            text = "".join(path.read_text() for path in (ROOT / "functions" / crate / "src").glob("**/*.rs"))
            attached = {p["Ref"] for p in listed(STACK["Resources"][f"{name}Role"]["Properties"]["ManagedPolicyArns"])}
            has_log = "clickstream_log::connect" in text
            self.assertEqual(bool(attached & {"KafkaAppends", "KafkaLooks"}), has_log, name)
            appends = has_log and (".append(" in text or "SpillingLog" in text or "self.log.append" in text)
            self.assertEqual("KafkaAppends" in attached, appends, name)

    def test_every_function_has_a_role_of_its_own(self):
        roles = [function["Properties"]["Role"]["Fn::GetAtt"][0] for function in FUNCTIONS.values()]
        self.assertEqual(sorted(roles), sorted(f"{name}Role" for name in CRATES.values()))
        for name in roles:
            trust = STACK["Resources"][name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual([s["Principal"] for s in trust], [{"Service": "lambda.amazonaws.com"}])

    def test_a_function_writes_to_its_own_logs_and_dead_letters_alone(self):
        for name in CRATES.values():
            statements = listed(STACK["Resources"][f"{name}Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"])
            own = {s["Sid"]: s["Resource"] for s in statements if s["Sid"] in ("Logs", "DeadLetters")}
            self.assertEqual(own["Logs"], {"Fn::GetAtt": [f"{name}Logs", "Arn"]})
            if "DeadLetters" in own:
                self.assertEqual(own["DeadLetters"], {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]})

    def test_rights_follow_the_code(self):
        """Each place in the bucket that a function's sources name, and no place that neither they nor what they use name."""
        named = re.compile(r'"(?:\{[a-z]+\})?((?:raw/events|lake/events|inbox|receipts|quarantine|spill|erasures|ledger|replays|retention)/)')
        # What crates besides the function's own write and read.
        used = {
            "clickstream_lake::": "lake/events/",
            "SpillingLog": "spill/",
            "collector_from_env": "spill/",
            "clickstream_spill::{PREFIX": "spill/",
            "Tombstones": "erasures/",
            "raw_key": "raw/events/",
            "raw_prefix": "raw/events/",
        }
        # Whoever writes events may look whose are forgotten, and compact which gaps were accepted.
        besides = {"erasures/", "ledger/"}
        for crate, name in CRATES.items():
            text = "".join(path.read_text().split("#[cfg(test)]")[0] for path in (ROOT / "functions" / crate / "src").glob("**/*.rs")
                           if path.name != "tests.rs")
            if "fn main() {}" in text:
                continue
            needs = set(named.findall(text)) | {place for word, place in used.items() if word in text}
            document = STACK["Resources"][f"{name}Role"]["Properties"]["Policies"][0]["PolicyDocument"]
            rights = set()
            for statement in listed(document["Statement"]):
                places = [policies.text(r).partition("${BucketName}/")[2] for r in listed(statement["Resource"])]
                places += statement.get("Condition", {}).get("StringLikeIfExists", {}).get("s3:prefix", [])
                for place in places:
                    rights |= {known for known in ("raw/events/", "lake/events/", "inbox/", "receipts/", "quarantine/", "spill/", "erasures/",
                                                   "ledger/", "replays/", "retention/") if place.startswith(known)}
            self.assertLessEqual(needs, rights, name)
            self.assertLessEqual(rights, needs | besides, name)


if __name__ == "__main__":
    unittest.main()
