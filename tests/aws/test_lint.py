"""What the tools say that AWS and the community made for templates."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

from cfnlint import ManualArgs
from cfnlint.api import lint, lint_file
from stack import ROOT, STACK, TEMPLATE, of_type, translated

TOOLS = pathlib.Path(sys.executable).parent
QUIET = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
REGION = ManualArgs(regions=["us-east-1"])


def run(*command):
    return subprocess.run(command, cwd=ROOT, env=QUIET, capture_output=True, text=True, check=False)


class Lint(unittest.TestCase):
    def test_sam_validates_and_lints_the_template(self):
        """`sam validate --lint` runs cfn-lint of its own, with the checks for SAM."""
        done = run(TOOLS / "sam", "validate", "--lint", "--template", TEMPLATE, "--region", "us-east-1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_cfn_lint_finds_nothing(self):
        self.assertEqual([str(match) for match in lint_file(TEMPLATE, config=REGION)], [])

    def test_a_wrong_property_would_be_found(self):
        queue = {"Type": "AWS::SQS::Queue", "Properties": {**STACK["Resources"]["LoadDeadLetters"]["Properties"], "SqsManagedSse": True}}
        found = lint(json.dumps({"Resources": {"LoadDeadLetters": queue}, "Parameters": {"Stage": STACK["Parameters"]["Stage"]}}), config=REGION)
        self.assertEqual([match.rule.id for match in found], ["E3002"])

    def test_what_sam_makes_of_it_is_whole(self):
        """Names that the template uses of what SAM makes, and that SAM adds no role or policy of its own."""
        resources = translated(STACK)["Resources"]
        self.assertIn("ApiApiGatewayDefaultStage", resources)
        body = resources["Api"]["Properties"]["Body"]
        self.assertTrue(body["paths"]["/$default"]["x-amazon-apigateway-any-method"]["isDefaultRoute"])
        self.assertIn("disableExecuteApiEndpoint", str(body["servers"]))
        self.assertEqual(len(of_type({"Resources": resources}, "AWS::Lambda::Function")), 14)
        roles = set(of_type({"Resources": resources}, "AWS::IAM::Role"))
        self.assertEqual(roles, set(of_type(STACK, "AWS::IAM::Role")))
        self.assertLess(len(resources), 500, "CloudFormation takes 500 resources")


if __name__ == "__main__":
    unittest.main()
