#!/usr/bin/env bash
# run.sh: what docs/report is made of is current, links of every document lead somewhere, and the Postman collection passes against a host.
set -euo pipefail
cd "$(dirname "$0")/../.."
docs/diagrams/render.sh --check
python3 -B docs/dbml/generate --check
python3 -B docs/report/data/generate.py --check
python3 -B docs/report/tables --check
python3 -B tests/postman/collection.py --check
python3 -B tests/report/links.py README.md docs/*.md docs/{adr,report,runbooks}/*.md docs/api/README.md
node tests/report/dbml.mjs docs/dbml/*.dbml
python3 -B tests/report/described.py docs/report/databases.md docs/dbml/*.dbml
tests/postman/run.sh
