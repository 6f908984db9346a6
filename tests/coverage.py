"""coverage.py SUMMARY: what `cargo llvm-cov report --json --summary-only` counted, summed up by crate, as JSON.

    {"revision": "…", "crates": {"shared/event": {"lines": 2000, "run": 1900}, …}}
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def crate(file: str) -> str:
    """Its folder, shared/NAME or functions/NAME."""
    return "/".join(Path(file).relative_to(ROOT).parts[:2])


def main() -> None:
    lines, run = Counter(), Counter()
    for file in json.loads(Path(sys.argv[1]).read_text())["data"][0]["files"]:
        counted = file["summary"]["lines"]
        lines[crate(file["filename"])] += counted["count"]
        run[crate(file["filename"])] += counted["covered"]
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    print(json.dumps({"revision": revision, "crates": {name: {"lines": lines[name], "run": run[name]} for name in sorted(lines)}}, indent=1))


main()
