"""Events that the documentation has newcomers send: whole, and of functions that there are."""

import json
import re
import unittest

from stack import ROOT


class Examples(unittest.TestCase):
    def test_documents_name_events_that_are_there(self):
        text = (ROOT / "docs/localstack.md").read_text()
        named = re.findall(r"--data-file (\S+)", text)
        self.assertGreaterEqual(len(named), 2)
        self.assertEqual(sorted(named), sorted(str(f.relative_to(ROOT)) for f in ROOT.glob("functions/*/examples/*.json")))

    def test_events_are_those_of_a_gateway_with_a_request_that_is_taken(self):
        for file in ROOT.glob("functions/collect/examples/*.json"):
            event = json.loads(file.read_text())
            self.assertIn("requestContext", event, file.name)
            batch = json.loads(event["body"])["batch"]
            self.assertTrue(all(each["messageId"] and each["type"] for each in batch), file.name)
        versions = {json.loads(f.read_text()).get("version", "1.0") for f in ROOT.glob("functions/collect/examples/*.json")}
        self.assertEqual(versions, {"1.0", "2.0"})


if __name__ == "__main__":
    unittest.main()
