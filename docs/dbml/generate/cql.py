"""Tables of ScyllaDB or Cassandra, read from CQL. What is not understood is an error, so that nothing goes missing."""

import re
from pathlib import Path

import statements
from dbml import Column, Database, Index, Table

CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)\s*\((.*?)\n\)\s*(?:WITH\s+(.*))?", re.DOTALL | re.IGNORECASE)
ADD = re.compile(r"ALTER TABLE (\w+)\s+ADD\s+\(?([\w\s<>,]+?)\)?", re.DOTALL | re.IGNORECASE)
# Which tables `setup` compresses, and how: no migration can say it (see there), and the first, whose text never changes, says the
# opposite.
COMPRESSION = (Path(__file__).resolve().parents[3] / "shared/store/src/scylla/compression.rs").read_text()
OUTDATED = "The compression is the server's own: ScyllaDB and Cassandra have no option of it in common."
NOTE = "The event store on ScyllaDB or Apache Cassandra: schema/scylla. Keys that are no unique row by themselves stand in notes."


def read(folder: Path) -> Database:
    tables: dict[str, Table] = {}
    for statement in statements.in_folder(folder, "*.cql"):
        created, added = CREATE.fullmatch(statement.text), ADD.fullmatch(statement.text)
        if created:
            tables[created[1]] = table(statement, *created.groups())
        elif added and added[1] in tables:
            tables[added[1]].columns += [column(part) for part in split(added[2])]
        else:
            raise SystemExit(f"{statement.file}: docs/dbml/generate/cql.py does not know what this makes: {statement.text}")
    # The ledger of migrations is described like every other table.
    return Database("scylla", "ScyllaDB, Apache Cassandra", NOTE, [tables[name] for name in sorted(tables)])


def table(statement: statements.Statement, name: str, body: str, options: str | None) -> Table:
    columns, key = [], ""
    for part in split(body):
        whole = re.fullmatch(r"PRIMARY KEY\s*\((.*)\)", part, re.DOTALL | re.IGNORECASE)
        if whole:
            key = whole[1]
        elif part.upper().endswith("PRIMARY KEY"):
            key = part.split()[0]
            columns.append(column(part[: -len("PRIMARY KEY")]))
        else:
            columns.append(column(part))
    first, *clustering = split(key)
    partition = split(first.strip("()"))
    notes = [statement.comment.replace(OUTDATED, "").strip(), f"Partition key: {', '.join(partition)}."]
    if clustering:
        notes.append(f"Clustering: {order(clustering, options or '')}.")
    notes += [re.sub(r"\s+", " ", option).strip() for option in re.split(r"\bAND\b", options or "") if "CLUSTERING ORDER" not in option.upper()]
    notes.append(compression(name))
    return Table(name, columns, [Index([*partition, *clustering], pk=True)], "\n".join(filter(None, notes)))


def compression(name: str) -> str:
    """What `setup` makes of the table's compression, if anything."""
    tables = re.search(r"const TABLES: .* = \[(.*?)\];", COMPRESSION)[1]
    if f'"{name}"' not in tables:
        return ""
    compressor, kib = re.search(r'const WANTED: .* = \("(\w+)", (\d+)\);', COMPRESSION).groups()
    return f"Compression: {compressor} in chunks of {kib} KiB, set by clickstream setup where the server's default stood."


def column(text: str) -> Column:
    name, type_ = text.strip().split(None, 1)
    return Column(name, type_.strip())


def order(clustering: list[str], options: str) -> str:
    """The clustering columns in the order of the disk."""
    said = re.search(r"CLUSTERING ORDER BY\s*\(([^)]*)\)", options, re.IGNORECASE)
    directions = dict(part.split() for part in split(said[1])) if said else {}
    return ", ".join(f"{name} {directions.get(name, 'ASC')}" for name in clustering)


def split(text: str) -> list[str]:
    """Parts between commas that stand in no brackets."""
    parts, depth, part = [], 0, ""
    for character in text:
        depth += (character in "(<") - (character in ")>")
        if character == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += character
    return [p for p in [*parts, part.strip()] if p]
