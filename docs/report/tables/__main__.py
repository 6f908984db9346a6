"""The tables of docs/report/*.md that are made from elsewhere.

    python3 docs/report/tables            writes them between their marks
    python3 docs/report/tables --check    changes nothing; status 1 if one is not current
"""

import sys
from pathlib import Path

import coverage
import rest
import sizing

PAGES = Path(__file__).resolve().parents[1]
BEGIN = "<!-- таблица: {name}; её делает docs/report/tables, `make report-files` -->"
END = "<!-- конец таблицы: {name} -->"
TABLES = {
    "rest": ("api.md", rest.table),
    "sizing": ("load.md", sizing.table),
    "coverage": ("testing.md", coverage.table),
}


def put(page: str, name: str, table: str) -> str:
    begin, end = BEGIN.format(name=name), END.format(name=name)
    head, began, rest_of_page = page.partition(begin)
    _, ended, tail = rest_of_page.partition(end)
    if not began or not ended:
        raise SystemExit(f"the page of the table {name} has lost the marks between which it stands:\n{begin}\n{end}")
    return f"{head}{begin}\n\n{table}\n\n{end}{tail}"


def main() -> int:
    stale = []
    for name, (file, table) in TABLES.items():
        path = PAGES / file
        page = path.read_text()
        made = put(page, name, table())
        if made != page:
            stale.append(f"{file} ({name})")
            if "--check" not in sys.argv[1:]:
                path.write_text(made)
    if "--check" in sys.argv[1:] and stale:
        print(f"docs/report: not current: {', '.join(stale)}; `make report-files` makes them anew", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
