"""What a database has, and how DBML spells it (https://dbml.dbdiagram.io/docs)."""

import re
from dataclasses import dataclass, field


@dataclass
class Column:
    name: str
    type: str
    not_null: bool = False
    pk: bool = False
    default: str | None = None
    note: str = ""


@dataclass
class Index:
    """Columns, or expressions, and what they are for: a key, an index."""

    parts: list[str]
    name: str = ""
    pk: bool = False
    unique: bool = False
    note: str = ""


@dataclass
class Table:
    name: str
    columns: list[Column]
    indexes: list[Index] = field(default_factory=list)
    note: str = ""


@dataclass
class Relation:
    """Columns of one table that name rows of another; `>` many to one, `-` one to one."""

    table: str
    columns: list[str]
    kind: str
    other: str
    others: list[str]


@dataclass
class Database:
    file: str
    type: str
    note: str
    tables: list[Table]
    relations: list[Relation] = field(default_factory=list)


def name(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z_]\w*", text) else f'"{text}"'


def text(value: str) -> str:
    """A text between quotes: three of them where it has several lines."""
    value = value.replace("\\", "\\\\")
    if "\n" in value:
        return "'''\n" + value.replace("'''", "\\'''") + "\n'''"
    return "'" + value.replace("'", "\\'") + "'"


def settings(items: list[str]) -> str:
    return f" [{', '.join(items)}]" if items else ""


def column(c: Column) -> str:
    items = ["pk"] if c.pk else []
    items += ["not null"] if c.not_null and not c.pk else []
    items += [f"default: `{c.default}`"] if c.default is not None else []
    items += [f"note: {text(c.note)}"] if c.note else []
    return f'  {name(c.name)} "{c.type}"{settings(items)}'


def index(i: Index, columns: set[str]) -> str:
    parts = [name(p) if p in columns else f"`{p}`" for p in i.parts]
    items = ["pk"] if i.pk else []
    items += ["unique"] if i.unique and not i.pk else []
    items += [f"name: {text(i.name)}"] if i.name else []
    items += [f"note: {text(i.note)}"] if i.note else []
    return f"    ({', '.join(parts)}){settings(items)}"


def table(t: Table) -> str:
    lines = [f"Table {name(t.name)} {{", *(column(c) for c in t.columns)]
    if t.indexes:
        names = {c.name for c in t.columns}
        lines += ["", "  indexes {", *(index(i, names) for i in t.indexes), "  }"]
    if t.note:
        lines += ["", f"  Note: {text(t.note)}"]
    return "\n".join([*lines, "}"])


def relation(r: Relation) -> str:
    def side(table: str, columns: list[str]) -> str:
        joined = ", ".join(map(name, columns))
        return f"{name(table)}.{joined if len(columns) == 1 else f'({joined})'}"

    return f"Ref: {side(r.table, r.columns)} {r.kind} {side(r.other, r.others)}"


def render(database: Database, logical: list[Relation]) -> str:
    parts = [
        "// Made by docs/dbml/generate from schema/**; `make report-files` makes it anew, `make report` checks it.",
        f"Project {database.file.replace('-', '_')} {{\n  database_type: {text(database.type)}\n  Note: {text(database.note)}\n}}",
        *map(table, database.tables),
    ]
    if database.relations:
        parts.append("// Foreign keys.\n" + "\n".join(map(relation, database.relations)))
    if logical:
        parts.append("// Not enforced by the database (docs/dbml/relations.txt).\n" + "\n".join(map(relation, logical)))
    return "\n\n".join(parts) + "\n"
