"""What `make coverage` counted (docs/report/coverage.json), as a table."""

import json
from pathlib import Path

COUNTED = Path(__file__).resolve().parents[1] / "coverage.json"


def number(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def row(name: str, lines: int, run: int) -> str:
    return f"| {name} | {number(lines)} | {number(run)} | {100 * run / lines:.1f} % |".replace(".", ",")


def table() -> str:
    if not COUNTED.is_file():
        return "Прогон `make coverage` ещё не записан: он создаёт `docs/report/coverage.json`, и здесь появляется таблица."
    counted = json.loads(COUNTED.read_text())
    crates = counted["crates"]
    every = [sum(crate[what] for crate in crates.values()) for what in ("lines", "run")]
    lines = [f"Измерено на ревизии {counted['revision']}.", "", "| крейт | строк | исполнено | доля |", "|---|---|---|---|"]
    lines += [row(f"`{name}`", crate["lines"], crate["run"]) for name, crate in crates.items()]
    return "\n".join([*lines, row("**всего**", *every)])
