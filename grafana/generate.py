#!/usr/bin/env python3
"""Writes grafana/dashboards from grafana/boards, one set in English and one in Russian; --check says whether they are current."""

import json
import pathlib
import sys

from boards import audience, elements, infrastructure, pipeline
from boards.panels import LANGUAGES, spoken

HERE = pathlib.Path(__file__).resolve().parent
BOARDS = {"elements": elements, "audience": audience, "pipeline": pipeline, "infrastructure": infrastructure}


def files():
    """Every dashboard's path and text."""
    for name, board in BOARDS.items():
        for language in LANGUAGES:
            text = json.dumps(spoken(board.BOARD, language), ensure_ascii=False, indent=1)
            yield HERE / "dashboards" / language / f"{name}.json", text + "\n"


def main():
    wanted = dict(files())
    if "--check" in sys.argv:
        there = {path: path.read_text() for path in (HERE / "dashboards").rglob("*.json")}
        stale = [str(path.relative_to(HERE)) for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path)]
        if stale:
            sys.exit(f"not what grafana/boards says: {', '.join(sorted(stale))}: grafana/generate.py")
        return
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
