"""Writes docs/dbml/*.dbml from what creates the tables, schema/**, or says which files are not current.

    python3 docs/dbml/generate            writes them
    python3 docs/dbml/generate --check    changes nothing; status 1 if a file is not what schema/** makes

ClickHouse and SQLite are asked: the files are run on empty databases, which then say what tables they have. So libchdb is
needed (`make deps`, or CHDB_LIB). CQL is read.
"""

import argparse
import sys
from pathlib import Path

import clickhouse
import cql
import relations
import sqlite
from dbml import Database, render

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "schema"
OUT = ROOT / "docs" / "dbml"


def databases() -> list[Database]:
    return [
        clickhouse.read(SCHEMA / "clickhouse", ROOT / "shared/warehouse/src/migrations.rs", ROOT / "target/deps"),
        cql.read(SCHEMA / "scylla"),
        *(sqlite.read(name, SCHEMA / "sqlite" / name, ROOT / "shared/sqlite/src/migration.rs") for name in ("log", "store", "objects")),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, and fail if a file is not current")
    check = parser.parse_args().check
    stale = []
    for database in databases():
        path = OUT / f"{database.file}.dbml"
        text = render(database, relations.of(OUT / "relations.txt", database))
        if not path.is_file() or path.read_text() != text:
            stale.append(path.relative_to(ROOT))
            if not check:
                path.write_text(text)
    if check and stale:
        print(f"not what schema/ makes: {', '.join(map(str, stale))}; `make report-files` makes them anew", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
