"""template.yaml as it is written, and as SAM translates it."""

import json
import os
import pathlib

from cfnlint.decode import decode

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


def written(path=TEMPLATE):
    """The template, short forms of functions (!Ref) written out."""
    template, wrong = decode(str(path))
    if wrong:
        raise ValueError(wrong)
    return json.loads(json.dumps(template))


def translated(template):
    """A template with SAM's resources turned into CloudFormation's."""
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = json.loads(json.dumps(template))
    template["Transform"] = ["AWS::Serverless-2016-10-31"]
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return Translator(managed_policy_map={}, sam_parser=Parser()).translate(template, {})


def branches(value):
    """A value, and where it depends on a condition, each that it may be; nothing for what is left out."""
    if isinstance(value, dict) and list(value) == ["Fn::If"]:
        _, first, second = value["Fn::If"]
        return branches(first) + branches(second)
    return [] if value == {"Ref": "AWS::NoValue"} else [value]


def listed(value):
    """As a list, with both branches of each condition."""
    items = value if isinstance(value, list) else [value]
    return [branch for item in items for branch in branches(item)]


def of_type(template, name):
    return {key: resource for key, resource in template["Resources"].items() if resource["Type"] == name}


def function_crates():
    return sorted(path.parent.name for path in ROOT.glob("functions/*/Cargo.toml"))


STACK = written()
FUNCTIONS = of_type(STACK, "AWS::Serverless::Function")
# `Collect` of `CollectFunction`, by the name of its crate.
CRATES = {STACK["Mappings"]["Functions"][key.removesuffix("Function")]["Name"]: key.removesuffix("Function") for key in FUNCTIONS}
