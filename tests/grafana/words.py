"""The two languages say the same: equal dashboards but for texts, every title in both, links that lead to dashboards there are."""

import re
import sys

from boards import BOARDS, board

TEXTS = {"title", "description", "label", "name", "text", "legendFormat", "url", "uid", "tags"}
# Titles that are the same in both languages.
NAMES = {"DAU / WAU", "DAU / MAU", "{{function}} p99", "p95", "px"}
wrong = []


def compare(where, english, russian, key=None):
    if isinstance(english, dict):
        if english.keys() != russian.keys():
            wrong.append(f"{where} has other fields: {english.keys() ^ russian.keys()}")
            return
        for name in english:
            compare(f"{where}.{name}", english[name], russian[name], name)
    elif isinstance(english, list):
        if len(english) != len(russian):
            wrong.append(f"{where} has another length")
            return
        for i, (a, b) in enumerate(zip(english, russian, strict=True)):
            compare(f"{where}[{i}]", a, b, key)
    elif english != russian and key not in TEXTS and not (key == "value" and isinstance(english, str)):
        wrong.append(f"{where} differs: {english!r}, {russian!r}")
    if (
        key in ("title", "description", "label")
        and isinstance(russian, str)
        and not re.search("[а-яё]", russian, re.I)
        and english not in NAMES
    ):
        wrong.append(f"{where} is not in Russian: {russian!r}")
    for language, text in (("en", english), ("ru", russian)):
        if isinstance(text, str) and ("{language}" in text or not text.strip() and key == "title"):
            wrong.append(f"{where} ({language}): {text!r}")


def links(name, language, dashboard, uids):
    text = str(dashboard)
    for uid in re.findall(r"/d/([\w-]+)", text):
        if uid not in uids:
            wrong.append(f"{name} ({language}) leads to {uid}, which is no dashboard")
    named = {variable["name"] for variable in dashboard["templating"]["list"]}
    for variable in re.findall(r"\$\{(\w+)(?::\w+)?\}", text):
        if variable not in named and not variable.startswith("__"):
            wrong.append(f"{name} ({language}) has no variable {variable}")


def main():
    everything = {(name, language): board(name, language) for name in BOARDS for language in ("en", "ru")}
    uids = [dashboard["uid"] for dashboard in everything.values()]
    if len(set(uids)) != len(uids):
        wrong.append(f"two dashboards have one uid: {uids}")
    for (name, language), dashboard in everything.items():
        links(name, language, dashboard, uids)
        if language == "en":
            compare(name, dashboard, everything[name, "ru"])
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(uids)} dashboards, alike in both languages")


if __name__ == "__main__":
    main()
