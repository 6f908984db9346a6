#!/usr/bin/env python3
"""package.py PROGRAMS FOLDER NAME…: the programs PROGRAMS/NAME as zips for Lambda, FOLDER/NAME/bootstrap.zip.

For LocalStack: `make package` makes those that are deployed to AWS, built for its system. What is packed already is left as it is.
"""

import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def pack(program: Path, folder: Path) -> None:
    packed = folder / program.name / "bootstrap.zip"
    if packed.exists() and packed.stat().st_mtime > program.stat().st_mtime:
        return
    packed.parent.mkdir(parents=True, exist_ok=True)
    bootstrap = packed.with_name("bootstrap")
    subprocess.run(["strip", "-o", bootstrap, program], check=True)
    bootstrap.chmod(0o755)
    # A zip that was cut short is none.
    unfinished = packed.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(bootstrap, "bootstrap")
    bootstrap.unlink()
    unfinished.rename(packed)


def main(programs: Path, folder: Path, names: list[str]) -> None:
    missing = [name for name in names if not (programs / name).exists()]
    if missing:
        sys.exit(f"{programs} has no {', '.join(missing)}: cargo build --release --locked --workspace --bins")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: pack(programs / name, folder), names))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(f"usage: {sys.argv[0]} PROGRAMS FOLDER NAME…")
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
