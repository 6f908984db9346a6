"""Statements of a file of SQL or CQL, each with the comment right before it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|;|[^-;'\"]+|-", re.DOTALL)


@dataclass
class Statement:
    comment: str
    text: str
    file: Path


def of(file: Path) -> Iterator[Statement]:
    text = ""
    for token in TOKEN.findall(file.read_text()):
        if token == ";":
            yield statement(text, file)
            text = ""
        else:
            text += token
    if statement(text, file).text:
        raise SystemExit(f"{file}: its last statement does not end with ;")


def statement(text: str, file: Path) -> Statement:
    """The comment is the last block of `--` before the statement: what stands right before it, or at the file's head."""
    lines = text.strip().splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("--")), len(lines))
    comment: list[str] = []
    for line in reversed(lines[:first]):
        if line.startswith("--"):
            comment.insert(0, line.removeprefix("--").strip())
        elif comment:
            break
    return Statement("\n".join(comment).strip(), "\n".join(lines[first:]).strip(), file)


def in_folder(folder: Path, pattern: str) -> Iterator[Statement]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise SystemExit(f"{folder} has no {pattern}")
    for file in files:
        yield from of(file)


def ledger(source: Path) -> str:
    """The statement in Rust that makes the table `migrations`, which stands in no file of schema/."""
    found = re.search(r'"(CREATE TABLE IF NOT EXISTS migrations\b[^"]*)"', source.read_text())
    if not found:
        raise SystemExit(f"{source} makes no table migrations any more: say in docs/dbml/generate where it is made")
    return found[1]
