#!/usr/bin/env bash
# run.sh: what docs/report is made of is current, links lead somewhere, and the Postman collection passes against a host.
set -euo pipefail
cd "$(dirname "$0")/../.."
docs/diagrams/render.sh --check
python3 -B docs/dbml/generate --check
python3 -B docs/report/data/generate.py --check
python3 -B docs/report/tables --check
python3 -B tests/postman/collection.py --check
python3 -B tests/report/links.py docs/report/*.md
node tests/report/dbml.mjs docs/dbml/*.dbml
tests/postman/run.sh
