#!/usr/bin/env python3
"""Writes the table of parameters into docs/aws.md, out of template.yaml: parameters.py [--check]."""

import sys

from stack import ROOT, STACK

DOC = ROOT / "docs" / "aws.md"
BEGIN, END = "<!-- parameters: made by `make aws-docs` -->\n", "<!-- parameters end -->\n"


def table():
    rows = ["| parameter | without it | |", "|---|---|---|"]
    for name, parameter in STACK["Parameters"].items():
        default = parameter.get("Default")
        shown = "**needed**" if default is None else "" if default == "" else f"`{default}`"
        rows.append(f"| `{name}` | {shown} | {parameter['Description'].replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"


def written(text):
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    text = DOC.read_text()
    if text == written(text):
        sys.exit()
    if "--check" in sys.argv:
        sys.exit("docs/aws.md is not what template.yaml says: make aws-docs")
    DOC.write_text(written(text))
