"""Tables of ClickHouse: its files are run on an empty libchdb, which is asked."""

import atexit
import ctypes
import json
import os
import re
from pathlib import Path

import statements
from dbml import Column, Database, Index, Table

NOTE = "The warehouse: schema/clickhouse. A sorting key is no unique key: rows may be equal in it."
LIBRARY = "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"


class Server:
    """An empty ClickHouse in this process, by the C interface of libchdb."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SystemExit(f"{path} is missing: `make deps` fetches ClickHouse as a library; or name another libchdb.so in CHDB_LIB")
        self.library = library = ctypes.CDLL(str(path))
        library.chdb_connect.restype = ctypes.POINTER(ctypes.c_void_p)
        library.chdb_query.restype = ctypes.c_void_p
        library.chdb_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
        library.chdb_destroy_query_result.argtypes = [ctypes.c_void_p]
        for name, kind in (("buffer", ctypes.c_void_p), ("length", ctypes.c_size_t), ("error", ctypes.c_char_p)):
            function = getattr(library, f"chdb_result_{name}")
            function.restype, function.argtypes = kind, [ctypes.c_void_p]
        library.chdb_close_conn.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
        self.connection = library.chdb_connect(1, (ctypes.c_char_p * 1)(b"clickhouse"))
        # A process that ends beside its threads crashes.
        atexit.register(library.chdb_close_conn, self.connection)

    def rows(self, sql: str) -> list[dict]:
        result = self.library.chdb_query(self.connection[0], sql.encode(), b"JSONEachRow")
        error = self.library.chdb_result_error(result)
        if error:
            raise SystemExit(f"ClickHouse refuses {sql}\n{error.decode()}")
        length = self.library.chdb_result_length(result)
        answer = ctypes.string_at(self.library.chdb_result_buffer(result), length).decode() if length else ""
        self.library.chdb_destroy_query_result(result)
        return [json.loads(line) for line in answer.splitlines()]


def read(folder: Path, ledger: Path, deps: Path) -> Database:
    server = Server(Path(os.environ.get("CHDB_LIB") or deps / LIBRARY))
    server.rows("CREATE DATABASE clickstream")
    server.rows("USE clickstream")
    server.rows(statements.ledger(ledger))
    comments = {"migrations": "What was applied to this database."}
    for statement in statements.in_folder(folder, "0*.sql"):
        server.rows(statement.text)
        made = re.match(r"CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) (?:IF NOT EXISTS )?(\w+)", statement.text)
        if made:
            comments[made[1]] = statement.comment
    listed = server.rows("SELECT name, engine, engine_full, sorting_key FROM system.tables WHERE database = 'clickstream' ORDER BY name")
    tables = [table(server, row, comments.get(row["name"], "")) for row in listed]
    return Database("clickhouse", "ClickHouse", NOTE, tables)


def table(server: Server, row: dict, comment: str) -> Table:
    name, engine = row["name"], row["engine"]
    columns = [
        column(c)
        for c in server.rows(
            "SELECT name, type, default_kind, default_expression FROM system.columns"
            f" WHERE database = 'clickstream' AND table = '{name}' ORDER BY position"
        )
    ]
    indexes = [Index(row["sorting_key"].split(", "), "sorting key")] if row["sorting_key"] else []
    indexes += [
        Index([i["expr"]], i["name"], note=f"{i['type_full']} GRANULARITY {i['granularity']}")
        for i in server.rows(
            "SELECT name, expr, type_full, granularity FROM system.data_skipping_indices"
            f" WHERE database = 'clickstream' AND table = '{name}' ORDER BY name"
        )
    ]
    kind = {"View": "A view.", "MaterializedView": "A materialized view: what it selects goes into another table."}
    return Table(name, columns, indexes, "\n".join(filter(None, [comment, kind.get(engine, f"Engine: {row['engine_full']}")])))


def column(row: dict) -> Column:
    kind, expression = row["default_kind"], row["default_expression"]
    nullable = "Nullable(" in row["type"]
    default = expression if kind == "DEFAULT" else None
    note = f"{kind} {expression}" if kind and kind != "DEFAULT" else ""
    return Column(row["name"], row["type"], not_null=not nullable, default=default, note=note)
