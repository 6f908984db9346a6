"""What the sources say: the host's metrics, the command line, the rules."""

import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
METRIC_RS = ROOT / "shared/telemetry/src/metric.rs"
DESCRIBED_RS = METRIC_RS.with_suffix("") / "described.rs"
# Metrics that others export, by the exporter that the rules name; of a host those of its process, by metrics-process.
OTHERS = re.compile(r"^(up|process_\w+|node_\w+|probe_\w+|kafka_\w+|minio_\w+|ClickHouse\w+|scylla_\w+)$")


def rust_files():
    """Every Rust file of the product except where metrics are named."""
    for top in ("functions", "host", "shared"):
        for path in sorted((ROOT / top).rglob("*.rs")):
            is_named_there = path == METRIC_RS or path.parent == DESCRIBED_RS.parent
            if not is_named_there and not {"tests", "target", "benches"} & set(path.relative_to(ROOT).parts):
                yield path


def arguments(text):
    """What stands in the brackets of each recording."""
    for found in re.finditer(r"metrics::(?:counter|gauge|histogram)!\(", text):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[found.end() : end - 1].strip()


def metrics():
    """Metrics that are named and really recorded: {name: (kind, labels, meaning)}."""
    text = METRIC_RS.read_text()
    named = re.findall(r'((?:///[^\n]*\n)+)pub const (\w+): &str = "(\w+)";', text)
    kinds = {const: kind for kind, const in re.findall(r"describe_(counter|gauge|histogram)!\(\s*metric::(\w+)", DESCRIBED_RS.read_text())}
    recorded = {}
    for path in rust_files():
        for inside in arguments(path.read_text()):
            key, _, labels = inside.partition(",")
            recorded.setdefault(key.strip('"').rsplit(":", 1)[-1], set()).update(
                re.findall(r'"(\w+)"\s*=>', labels) or ([None] if "&" in labels else [])
            )
    found = {}
    for comment, const, name in named:
        labels = recorded.get(const) if const in recorded else recorded.get(name)
        if labels is None:
            continue
        meaning = " ".join(line.removeprefix("///").strip() for line in comment.strip().splitlines())
        if None in labels:
            # The code makes its labels elsewhere: the comment names them, "by `a` and `b`".
            labels = re.findall(r"`(\w+)`", meaning.partition(" by ")[2].partition(" (")[0])
        found[name] = (kinds.get(const), sorted(labels), meaning)
    return found


def rules():
    """Every alert and recording rule, with its file."""
    for path in sorted((ROOT / "prometheus/rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield path, rule


def names_in(expression):
    """Names of series in an expression: label names, functions and words of the language left out."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}", "", bare)
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    bare = re.sub(r"\[[^\]]*\]|\boffset\s+\w+", "", bare)
    words = re.findall(r"\b([a-zA-Z_][\w:]*)\b(?!\s*\()", bare)
    return {w for w in words if w not in {"and", "or", "unless", "bool", "inf", "nan"}}


def commands():
    """The command line: {command: options}, and the global options under ""."""
    text = (ROOT / "host/src/cli.rs").read_text()

    def kebab(word):
        return re.sub(r"(?<!^)(?=[A-Z])", "-", word).lower()

    structs = {}
    for name, body in re.findall(r"pub struct (\w+) \{\n(.*?)\n\}", text, re.S):
        own = {f.replace("_", "-") for f in re.findall(r"#\[arg\([^\]]*\blong\b.*?\]\s*(?:\n\s*)?pub (\w+):", body, re.S)}
        structs[name] = (own, re.findall(r"#\[command\(flatten\)\]\s*pub \w+: (\w+)", body))

    def options(name):
        own, flat = structs.get(name, (set(), []))
        return own | {o for f in flat for o in options(f)}

    variants = re.search(r"pub enum Command \{\n(.*?)\n\}", text, re.S)[1]
    known = {kebab(v): options(args) if args else set() for v, args in re.findall(r"^    (\w+)(?:\((\w+)\))?,", variants, re.M)}
    known[""] = {"data", "url", "version", "help"}
    return known
