"""Parameters say what they are for, and the documentation says the same."""

import json
import unittest

import parameters
from stack import STACK


class Parameters(unittest.TestCase):
    def test_every_parameter_is_described_in_sentences(self):
        for name, parameter in STACK["Parameters"].items():
            self.assertRegex(parameter.get("Description", ""), r"^(?=.{25,4000}$)[A-Z].*[a-z0-9).]\.?$", name)

    def test_every_parameter_is_used(self):
        text = json.dumps({key: part for key, part in STACK.items() if key != "Parameters"})
        for name in STACK["Parameters"]:
            self.assertTrue(f'{{"Ref": "{name}"}}' in text or f"${{{name}}}" in text, name)

    def test_every_condition_is_used(self):
        text = json.dumps({key: part for key, part in STACK.items() if key != "Parameters"})
        for name in STACK["Conditions"]:
            used = (f'"Fn::If": ["{name}"', f'"Condition": "{name}"')
            self.assertTrue(any(use in text for use in used), name)

    def test_no_secret_is_a_parameter(self):
        """Secrets are named by their ARN and read when the stack is deployed."""
        for name in STACK["Parameters"]:
            self.assertNotRegex(name.lower(), "password|token|secret$")

    def test_the_table_in_the_documentation_is_current(self):
        text = parameters.DOC.read_text()
        self.assertEqual(text, parameters.written(text), "make aws-docs")


if __name__ == "__main__":
    unittest.main()
