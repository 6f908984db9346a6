"""described.py PAGE DBML…: the page names every table of these databases."""

import re
import sys
from pathlib import Path

page = Path(sys.argv[1]).read_text()
missing = [
    f"{sys.argv[1]} does not name the table {table} of {file}"
    for file in sys.argv[2:]
    for table in re.findall(r'^Table "?(\w+)"? \{', Path(file).read_text(), re.MULTILINE)
    if f"`{table}`" not in page
]
print("\n".join(missing), file=sys.stderr, end="\n" if missing else "")
sys.exit(1 if missing else 0)
