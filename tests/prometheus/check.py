"""Rules, pages and tables held to the sources: an alert reads metrics that exist, has a page and a test that sees it fire and
clear; a page's commands exist; the tables of docs/operations.md are current (`--write` brings them up to date)."""

import re
import shlex
import sys

import yaml

import tables
from sources import OTHERS, ROOT, commands, metrics, names_in, rules

wrong = []


def hold(true, message):
    if not true:
        wrong.append(message)


def check_rules():
    host = metrics()
    known = set(host) | {f"{n}_{s}" for n, (kind, _, _) in host.items() if kind == "histogram" for s in ("bucket", "sum", "count")}
    recorded = {rule["record"] for _, rule in rules() if "record" in rule}
    for path, rule in rules():
        name = rule.get("alert") or rule["record"]
        for series in names_in(rule["expr"]):
            hold(series in known | recorded or OTHERS.match(series), f"{path.name}: {name} reads {series}, which nothing records")
    used = set().union(*(names_in(rule["expr"]) for _, rule in rules()))
    board = "".join(p.read_text() for p in (ROOT / "grafana/dashboards").rglob("*.json"))
    for name in recorded:
        hold(name in used or name in board, f"{name} is recorded and read by no alert and no dashboard")


def check_pages():
    alerts = {rule["alert"]: rule for _, rule in rules() if "alert" in rule}
    for name, rule in alerts.items():
        page = f"docs/runbooks/{name}.md"
        hold(rule["annotations"].get("runbook") == page and (ROOT / page).is_file(), f"{name} has no page {page}")
        hold(set(rule["labels"]) == {"severity", "promise"}, f"{name} has not the labels severity and promise")
        hold({"summary", "description"} <= set(rule["annotations"]), f"{name} has no summary or no description")
    known = commands()
    for page in sorted((ROOT / "docs/runbooks").glob("*.md")):
        text = page.read_text()
        hold(page.stem in alerts, f"{page.name} is of no alert")
        hold(
            text.startswith(f"# {page.stem}\n") and "\n## How to look\n" in text and "\n## How to mend\n" in text,
            f"{page.name} lacks a part",
        )
        for link in re.findall(r"\]\(([^)#]+)", text):
            hold((page.parent / link).exists(), f"{page.name}: {link} leads nowhere")
        for line in re.findall(r"^\s*(clickstream [^\n#|]+)", text, re.M) + re.findall(r"`(clickstream [^`]+)`", text):
            check_command(page.name, line, known)


def check_command(where, line, known):
    words = shlex.split(line)[1:]
    command = next((w for i, w in enumerate(words) if not w.startswith("-") and (i == 0 or words[i - 1] not in ("--url", "--data"))), "")
    hold(command in known, f"{where}: there is no {line!r}")
    for option in re.findall(r"--([\w-]+)", line):
        hold(option in known.get(command, set()) | known[""], f"{where}: {line!r} has no --{option}")


def check_tests():
    fired, cleared = set(), set()
    alerts = {rule["alert"] for _, rule in rules() if "alert" in rule}
    for path in sorted((ROOT / "prometheus/tests").glob("*.yml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            on = set()
            for step in test["promql_expr_test"]:
                hold(step["expr"] == 'count by (alertname) (ALERTS{alertstate="firing"})', f"{path.name}: {test['name']}: another question")
                now = {re.search(r'alertname="(\w+)"', s["labels"])[1] for s in step["exp_samples"]}
                cleared |= on - now
                fired |= now
                on = now
    for name in alerts:
        hold(name in fired, f"no test sees {name} fire")
        hold(name in cleared, f"no test sees {name} clear")


if __name__ == "__main__":
    if "--write" in sys.argv:
        tables.write()
    check_rules()
    check_pages()
    check_tests()
    wrong += tables.stale()
    if wrong:
        sys.exit("\n".join(wrong))
    count = sum("alert" in rule for _, rule in rules())
    print(f"{count} alerts: each has a page, a test that sees it fire and clear, and metrics that are recorded")
