"""The tables of docs/operations.md, made from the sources."""

import re

from sources import ROOT, metrics, rules

PAGE = ROOT / "docs/operations.md"


def metric_table():
    lines = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    for name, (kind, labels, meaning) in sorted(metrics().items()):
        lines.append(f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {meaning} |")
    return "\n".join(lines)


def alert_table():
    lines = ["| alert | promise | severity | after | says |", "|---|---|---|---|---|"]
    for _, rule in rules():
        if "alert" in rule:
            says = re.sub(r"\{\{[^}]*\}\}", "…", rule["annotations"]["summary"])
            name, labels = rule["alert"], rule["labels"]
            lines.append(
                f"| [{name}](runbooks/{name}.md) | {labels['promise']} | {labels['severity']} | {rule.get('for', 'at once')} | {says} |"
            )
    return "\n".join(lines)


def current():
    """The page as it should be."""
    text = PAGE.read_text()
    for name, table in (("metrics", metric_table()), ("alerts", alert_table())):
        text = re.sub(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end -->)", lambda m: m[1] + table + "\n" + m[2], text, flags=re.S)
    return text


def write():
    PAGE.write_text(current())


def stale():
    return [] if PAGE.read_text() == current() else ["the tables of docs/operations.md are not what the sources say: make operations"]
