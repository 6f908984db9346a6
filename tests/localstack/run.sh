#!/usr/bin/env bash
# run.sh [NAME…]: the checks of this folder, all or those with NAME in their names. `make localstack` builds what they need.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")
# The checks run in their own folder.
[ -z "${PACKAGES:-}" ] || PACKAGES=$(realpath "$PACKAGES")
engine=$("$root/localstack/engine.sh")
eval "$engine"
images=$("$root/localstack/image.sh")
eval "$images"
export CARGO_TARGET_DIR=$root/target/localstack/tests
exec "${CARGO:-cargo}" test --quiet --locked --manifest-path "$here/Cargo.toml" --test localstack -- "$@"
