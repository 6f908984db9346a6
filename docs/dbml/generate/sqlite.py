"""Tables of an embedded part: its files are run on an empty SQLite, which is asked."""

import re
import sqlite3
from pathlib import Path

import statements
from dbml import Column, Database, Index, Relation, Table

NOTES = {
    "log": "The embedded log, log.sqlite: schema/sqlite/log.",
    "store": "The embedded event store, store.sqlite: schema/sqlite/store.",
    "objects": "The index of the embedded S3 server: schema/sqlite/objects.",
}


def read(part: str, folder: Path, ledger: Path) -> Database:
    base = sqlite3.connect(":memory:")
    base.execute(statements.ledger(ledger))
    comments = {"migrations": "What was applied to this database."}
    for statement in statements.in_folder(folder, "*.sql"):
        base.execute(statement.text)
        made = re.match(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", statement.text)
        if made:
            comments[made[1]] = statement.comment
    tables, relations = [], []
    listed = base.execute("SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'")
    for name, without_rowid, strict in sorted(listed):
        kinds = [k for k, has in (("WITHOUT ROWID", without_rowid), ("STRICT", strict)) if has]
        note = "\n".join(filter(None, [comments.get(name, ""), ", ".join(kinds)]))
        tables.append(Table(name, columns(base, name), indexes(base, name), note))
        relations += foreign_keys(base, name)
    return Database(f"sqlite-{part}", "SQLite", NOTES[part], tables, relations)


def columns(base: sqlite3.Connection, table: str) -> list[Column]:
    rows = base.execute("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?)", [table]).fetchall()
    alone = sum(1 for row in rows if row[4]) == 1
    (sql,) = base.execute("SELECT sql FROM sqlite_schema WHERE name = ?", [table]).fetchone()
    return [
        Column(name, type_, bool(not_null), bool(pk) and alone, default, beside(sql, name)) for name, type_, not_null, default, pk in rows
    ]


def beside(sql: str, column: str) -> str:
    """The comment on a column's own line."""
    found = re.search(rf"^\s*{column}\s[^\n]*?--\s*(.+)$", sql, re.MULTILINE)
    return found[1].strip() if found else ""


def indexes(base: sqlite3.Connection, table: str) -> list[Index]:
    found = []
    keys = [n for n, _ in sorted(base.execute("SELECT name, pk FROM pragma_table_info(?) WHERE pk > 0", [table]), key=lambda r: r[1])]
    if len(keys) > 1:
        found.append(Index(keys, pk=True))
    for name, unique, origin in base.execute('SELECT name, "unique", origin FROM pragma_index_list(?) ORDER BY name', [table]):
        if origin == "pk":
            continue
        parts = [row[0] for row in base.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", [name])]
        (sql,) = base.execute("SELECT sql FROM sqlite_schema WHERE name = ?", [name]).fetchone()
        where = re.search(r"\bWHERE\b.*", sql or "", re.DOTALL)
        found.append(Index(parts, "" if origin == "u" else name, unique=bool(unique), note=where[0] if where else ""))
    return found


def foreign_keys(base: sqlite3.Connection, table: str) -> list[Relation]:
    rows = base.execute('SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq', [table]).fetchall()
    by_id: dict[int, Relation] = {}
    for number, other, here, there in rows:
        relation = by_id.setdefault(number, Relation(table, [], ">", other, []))
        relation.columns.append(here)
        relation.others.append(there)
    return [by_id[number] for number in sorted(by_id, reverse=True)]
