"""The table of bench/sizing.py with Russian heads."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "bench" / "sizing.py"
HEADS = {
    "events/s": "событий/с",
    "brokers": "брокеров Kafka",
    "partitions": "разделов",
    "Kafka disk": "диск Kafka",
    "Scylla nodes": "узлов ScyllaDB",
    "Scylla disk": "диск ScyllaDB",
    "MinIO disk": "диск MinIO",
    "ClickHouse disk": "диск ClickHouse",
    "functions: collect": "ядер: collect",
    "functions: the rest": "ядер: остальные функции",
    "cores in all": "ядер всего",
    "memory": "память",
    "$ a month": "$ в месяц",
}
UNITS = {" GB": " ГБ", " TB": " ТБ", " PB": " ПБ"}


def table() -> str:
    made = subprocess.run([sys.executable, SCRIPT], check=True, capture_output=True, text=True).stdout
    heads, *rows = made.strip().split("\n")
    cells = [HEADS.get(cell.strip(), cell.strip()) for cell in heads.strip("|").split("|")]
    text = re.sub(r"(\d)\.(\d)", r"\1,\2", "\n".join(rows).replace(",", " "))
    for english, russian in UNITS.items():
        text = text.replace(english, russian)
    return f"| {' | '.join(cells)} |\n{text}"
