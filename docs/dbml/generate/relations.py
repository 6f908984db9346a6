"""Relations that no database enforces: lines `DATABASE TABLE.COLUMN KIND TABLE.COLUMN`; columns by commas, `#` for remarks."""

import re
from pathlib import Path

from dbml import Database, Relation

LINE = re.compile(r"(\S+)\s+(\w+)\.([\w,]+)\s+([<>-])\s+(\w+)\.([\w,]+)")


def of(file: Path, database: Database) -> list[Relation]:
    found = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        match = LINE.fullmatch(line)
        if not match:
            raise SystemExit(f"{file}:{number}: {line!r} is no `DATABASE TABLE.COLUMN > TABLE.COLUMN`")
        where, table, columns, kind, other, others = match.groups()
        if where == database.file:
            found.append(checked(Relation(table, columns.split(","), kind, other, others.split(",")), database, f"{file}:{number}"))
    return found


def checked(relation: Relation, database: Database, where: str) -> Relation:
    for table, columns in ((relation.table, relation.columns), (relation.other, relation.others)):
        known = next((t for t in database.tables if t.name == table), None)
        missing = columns if known is None else [c for c in columns if c not in {k.name for k in known.columns}]
        if missing:
            raise SystemExit(f"{where}: {database.file} has no {table}.{missing[0]}")
    return relation
