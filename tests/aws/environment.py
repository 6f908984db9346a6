"""The variables of the environment that a function reads, out of its sources."""

import re

from stack import ROOT

# A call, and the sources that read the environment when it is made.
READERS = {
    "clickstream_log::connect": ["shared/log/src/kafka/options.rs"],
    "clickstream_store::connect": ["shared/store/src/scylla/config.rs"],
    "Retention::from_env": ["shared/store/src/retention.rs"],
    "LakeDays::from_env": ["shared/lake/src/lake_days.rs"],
    "LiveSites::from_env": ["shared/sites/src/settings.rs"],
    "Tombstones::from_env": ["shared/erasure/src/tombstones.rs"],
    "Function::start": ["shared/triggers/src/function.rs"],
    "Records::from_env": ["shared/triggers/src/answer.rs"],
    "Objects::from_env": ["shared/triggers/src/answer.rs"],
}
# Sources that read the environment and are no part of a function, or read what Lambda itself sets.
OTHERS = {
    "shared/lake/src/open.rs": "AWS's own variables, which Lambda sets",
    "shared/objects/src/s3/config.rs": "AWS_REGION, which Lambda sets",
    "shared/telemetry/src/logs.rs": "RUST_LOG, whose default is meant",
    "shared/triggers/src/lib.rs": "the reading itself",
    "shared/warehouse/src/embedded/mod.rs": "ClickHouse in the process, which no function has",
}
READS = re.compile(r"env::var|fn variable\(|\bvariable\(")
NAME = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"|variable\("([A-Z]+)"')


def sources(path):
    """The sources below a folder, without their tests."""
    return {
        file.relative_to(ROOT).as_posix(): file.read_text().split("#[cfg(test)]")[0]
        for file in sorted((ROOT / path).glob("**/*.rs"))
        if "/src/" in file.as_posix() and file.name != "tests.rs"
    }


def names(text):
    return {first or second for first, second in NAME.findall(text)}


def read_by(crate):
    """The variables that a function's crate reads, itself and through what it calls."""
    own = "".join(sources(f"functions/{crate}/src").values())
    found = names("".join(line for line in own.splitlines(keepends=True) if READS.search(line) or "name: \"" in line))
    for call, files in READERS.items():
        if call in own:
            found |= set().union(*(names((ROOT / file).read_text().split("#[cfg(test)]")[0]) for file in files))
    return found


def unknown():
    """Sources that read the environment and stand in neither list."""
    known = {file for files in READERS.values() for file in files} | set(OTHERS)
    shared = {file for file, text in sources("shared").items() if READS.search(text) and not file.startswith("shared/testkit/")}
    return sorted(shared - known)
