"""ClickHouse in this process: libchdb, the same library as the service's, by its C interface."""

import ctypes
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "target/deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"


class ClickHouse:
    """One connection on a folder; one folder a process."""

    def __init__(self, folder):
        self.api = ctypes.CDLL(str(LIBRARY))
        self.api.chdb_connect.restype = ctypes.POINTER(ctypes.c_void_p)
        self.api.chdb_query_n.restype = ctypes.c_void_p
        self.api.chdb_query_n.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
        self.api.chdb_result_buffer.restype = ctypes.c_void_p
        self.api.chdb_result_error.restype = ctypes.c_char_p
        self.api.chdb_result_length.restype = ctypes.c_size_t
        for function in ("buffer", "error", "length"):
            getattr(self.api, f"chdb_result_{function}").argtypes = [ctypes.c_void_p]
        self.api.chdb_close_conn.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
        self.api.chdb_destroy_query_result.argtypes = [ctypes.c_void_p]
        arguments = [b"clickhouse", f"--path={folder}".encode()]
        self.connection = self.api.chdb_connect(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
        if not self.connection:
            raise RuntimeError("libchdb does not open its folder")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.api.chdb_close_conn(self.connection)

    def run(self, sql, form="Null"):
        """The answer's bytes in a format."""
        text, form = sql.encode(), form.encode()
        result = self.api.chdb_query_n(self.connection[0], text, len(text), form, len(form))
        try:
            error = self.api.chdb_result_error(result)
            if error:
                raise ValueError(error.decode())
            length = self.api.chdb_result_length(result)
            return ctypes.string_at(self.api.chdb_result_buffer(result), length) if length else b""
        finally:
            self.api.chdb_destroy_query_result(result)

    def rows(self, sql):
        """Columns' names and types, and the rows."""
        answer = json.loads(self.run(sql, "JSONCompact"))
        return [(c["name"], c["type"]) for c in answer["meta"]], answer["data"]
