"""Measures compaction: ours against DuckDB, chdb and Polars, and how ours grows. Prints Markdown for docs/performance.md.

Every run is a process of its own on the same two processors; of each, wall time, processor time (user and system) and
the most memory that was resident come from wait4(2). Runs take turns. Afterwards all outputs must hold the same events.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

BENCH = pathlib.Path("target/release/clickstream-bench")
HERE = pathlib.Path(__file__).parent
PEERS = {"DuckDB": "duckdb", "chdb": "chdb", "Polars": "polars"}


def say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


def measured(command: list) -> tuple[dict, str]:
    """Runs a command; what it took and what it printed."""
    began = time.monotonic()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command} ended with {process.returncode}")
    return {"wall": time.monotonic() - began, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024}, printed


def make(folder: pathlib.Path, events: int, objects: int, *more: str) -> dict:
    """The events, unless they stand from an earlier run."""
    done = folder / "cost.json"
    if not done.exists():
        say(f"{events:,} events in {objects} objects")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _, printed = measured([BENCH, "events", "--folder", folder, "--events", events, "--objects", objects, *more])
        done.write_text(printed)
    # The first to read them must not pay for it.
    for file in [*folder.rglob("raw/**/*.parquet"), *folder.rglob("*.zst")]:
        with file.open("rb") as read:
            while read.read(1 << 20):
                pass
    return json.loads(done.read_text())


def ours(folder: pathlib.Path, memory: int) -> tuple[dict, dict]:
    shutil.rmtree(folder / "lake", ignore_errors=True)
    figures, printed = measured([BENCH, "compact-folder", "--folder", folder, "--memory", memory])
    return figures, json.loads(printed)


def ours_output(folder: pathlib.Path) -> str:
    return f"{folder}/lake/events/*.parquet"


def peer(name: str, folder: pathlib.Path, output: pathlib.Path) -> dict:
    return measured([sys.executable, HERE / "peer.py", PEERS[name], folder, output])[0]


def apart(check: Callable, files: str) -> object:
    """Checks in a process of its own: what this process holds would count as the memory of those that it starts."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(check, (files,))


def contents(files: str) -> tuple:
    """What a compaction wrote: rows, events, and a sum over events and the places of the copies that stayed."""
    import duckdb

    key = "hash(site_id, event_id, log_partition::INTEGER, log_offset::BIGINT)::HUGEINT"
    query = f"SELECT count(*), count(DISTINCT (site_id, event_id)), sum({key}) FROM read_parquet('{files}')"
    return duckdb.connect().execute(query).fetchone()


def unsorted(files: str) -> int:
    """Rows that stand before one that should come first, over all files."""
    import duckdb

    query = f"""
        SELECT count(*) FROM (
            SELECT (site_id, original_at, event_id) < lag((site_id, original_at, event_id)) OVER (PARTITION BY filename ORDER BY file_row_number) AS late
            FROM read_parquet('{files}', filename = true, file_row_number = true)) WHERE late"""
    return duckdb.connect().execute(query).fetchone()[0]


def size(files: str) -> int:
    folder, pattern = files.rsplit("/", 1)
    return sum(file.stat().st_size for file in pathlib.Path(folder).glob(pattern))


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def heading(*cells: object) -> None:
    row(*cells)
    row(*("---" for _ in cells))


def median(runs: list[dict], figure: str) -> float:
    return statistics.median(run[figure] for run in runs)


def spread(runs: list[dict], figure: str, digits: int) -> str:
    values = [run[figure] for run in runs]
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def compare(work: pathlib.Path, options: argparse.Namespace) -> None:
    folder = work / f"{'lean' if options.lean else 'events'}-{options.events}"
    cost = make(folder, options.events, options.objects, *(["--lean"] if options.lean else []))
    outputs = {name: work / f"{PEERS[name]}.parquet" for name in options.peers}
    runs: dict[str, list[dict]] = {name: [] for name in ["ours", *options.peers]}
    report = {}
    for turn in range(options.rounds):
        for name in runs:
            say(f"{name}, run {turn + 1} of {options.rounds}")
            figures, report = ours(folder, options.memory) if name == "ours" else (peer(name, folder, outputs[name]), report)
            runs[name].append(figures)
            say(f"{figures['wall']:.2f} s, {figures['cpu']:.2f} s of processor time, {figures['memory']:.0f} MiB")
    files = {"ours": ours_output(folder)} | {name: str(path) for name, path in outputs.items()}
    wrote = {name: apart(contents, path) for name, path in files.items()}
    late = {name: apart(unsorted, path) for name, path in files.items()}
    same = len(set(wrote.values())) == 1 and not any(late.values())
    length = cost["json_bytes"] / cost["events"]
    print(f"\n**{options.events:,} events of {length:.0f} bytes (JSON) in {options.objects} objects, {options.rounds} run{'s' if options.rounds > 1 else ''} of each, in turn: median (least to most)**\n")
    heading("compactor", "wall, s", "processor, s", "memory at the peak, MiB", "file, MiB", "events")
    for name, figures in runs.items():
        row(name, spread(figures, "wall", 2), spread(figures, "cpu", 2), spread(figures, "memory", 0), f"{size(files[name]) / 2**20:.0f}", f"{wrote[name][0]:,}")
    print(f"\nOurs made {report['commits']} commit{'s' if report['commits'] > 1 else ''} and left out {report['duplicates']:,} repeats.")
    print("All hold the same events, each once, the same copy of each, in order." if same else f"THEY DIFFER: {wrote}, out of order {late}")
    fastest = min(options.peers, key=lambda name: median(runs[name], "wall"))
    frugal = min(options.peers, key=lambda name: median(runs[name], "cpu"))
    smallest = min(options.peers, key=lambda name: median(runs[name], "memory"))
    landing = cost["parquet_seconds"] - cost["ndjson_seconds"]
    mine = median(runs["ours"], "cpu") + landing
    print("\n**Landing the same events, one thread's processor time**\n")
    heading("work", "processor, s", "µs an event", "bytes an event")
    per = lambda seconds: f"{seconds / cost['events'] * 1e6:.2f}"
    each = lambda size: f"{size / cost['events']:.0f}"
    row("reading the records (either format: what is no event is told apart)", f"{cost['read_seconds']:.2f}", per(cost["read_seconds"]), each(cost["json_bytes"]))
    row("as a raw object: sorting, columns, Parquet, zstd 1", f"{cost['parquet_seconds']:.2f}", per(cost["parquet_seconds"]), each(cost["parquet_bytes"]))
    row("as NDJSON: places, zstd 1", f"{cost['ndjson_seconds']:.2f}", per(cost["ndjson_seconds"]), each(cost["ndjson_bytes"]))
    row("**Parquet over NDJSON**", f"**{landing:.2f}**", per(landing), "")
    print("\n**Against the best of the peers**\n")
    heading("figure", "best peer", "ours", "ratio", "target", "")
    verdict = lambda holds: "holds" if holds else "missed"
    wall = median(runs[fastest], "wall") / median(runs["ours"], "wall")
    row("wall", f"{fastest} {median(runs[fastest], 'wall'):.2f} s", f"{median(runs['ours'], 'wall'):.2f} s", f"{wall:.2f} times as fast", "2 times", verdict(wall >= 2))
    cpu = median(runs[frugal], "cpu")
    row("processor time with landing's share", f"{frugal} {cpu:.2f} s", f"{mine:.2f} s", f"{mine / cpu:.2f}", "below 1", verdict(mine < cpu))
    memory = median(runs["ours"], "memory") / median(runs[fastest], "memory")
    row(f"memory, of the fastest", f"{fastest} {median(runs[fastest], 'memory'):,.0f} MiB", f"{median(runs['ours'], 'memory'):,.0f} MiB", f"{memory:.2f}", "0.5", verdict(memory <= 0.5))
    least = median(runs["ours"], "memory") / median(runs[smallest], "memory")
    row(f"memory, of the smallest", f"{smallest} {median(runs[smallest], 'memory'):,.0f} MiB", f"{median(runs['ours'], 'memory'):,.0f} MiB", f"{least:.2f}", "0.5", verdict(least <= 0.5))
    if not same:
        sys.exit("the outputs differ")


def grow(work: pathlib.Path, options: argparse.Namespace) -> None:
    print("\n**How it grows**\n")
    heading("events", "objects", "COMPACT_MEMORY, MiB", "wall, s", "events/s", "processor, s", "memory at the peak, MiB", "commits", "largest file, MiB", "events kept")
    for events in options.sizes:
        folder = work / f"raw-{events}"
        objects = max(4, events // 50_000)
        make(folder, events, objects, "--raw-alone")
        for memory in options.memories:
            say(f"{events:,} events within {memory} MiB")
            figures, report = ours(folder, memory)
            wrote = apart(contents, ours_output(folder))
            if wrote[0] != wrote[1] or wrote[0] != report["rows"] or apart(unsorted, ours_output(folder)):
                sys.exit(f"an event stands twice, or is out of order: {wrote}, {report}")
            largest = max(file.stat().st_size for file in (folder / "lake/events").glob("*.parquet"))
            row(f"{events:,}", objects, memory, f"{figures['wall']:.2f}", f"{events / figures['wall']:,.0f}", f"{figures['cpu']:.2f}", f"{figures['memory']:,.0f}", report["commits"], f"{largest / 2**20:.0f}", f"{wrote[0]:,}")


def machine() -> None:
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    versions = " ".join(line.strip().replace("==", " ") + "," for line in (HERE / "requirements.txt").read_text().splitlines())
    heading("what", "figure")
    row("machine", f"2 cores ({cpu}), {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB, Linux {os.uname().release.split('-')[0]}")
    row("revision", revision)
    row("peers", versions.rstrip(","))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("target/compaction"), help="where events and outputs are kept")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--objects", type=int, default=40)
    parser.add_argument("--lean", action="store_true", help="shorter events: without user agent, address, country, library, language, sent_at")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each compactor, in turn; 0 compares nothing")
    parser.add_argument("--memory", type=int, default=1024, help="COMPACT_MEMORY of ours in the comparison, MiB: enough for one file, as the peers write")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--sizes", nargs="*", type=int, default=[200_000, 2_000_000, 20_000_000], help="events of the runs that show growth")
    parser.add_argument("--memories", nargs="*", type=int, default=[96, 1024], help="COMPACT_MEMORY of each of them, MiB")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    machine()
    if options.rounds > 0:
        compare(options.folder, options)
    if options.sizes:
        grow(options.folder, options)


if __name__ == "__main__":
    main()
