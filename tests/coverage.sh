#!/usr/bin/env bash
# coverage.sh: how many lines of shared/ and functions/ the unit and integration tests run. Fails under COVERAGE percent (85).
# The table is printed; target/coverage/html has each line; docs/report/coverage.json keeps the sums of each crate, which
# `make report-files` puts into docs/report/testing.md. Needs what `make unit` needs.
set -euo pipefail
cd "$(dirname "$0")/.."
least=${COVERAGE:-85}
version=0.9.1
tools=$PWD/target/tools

# Without both variables cargo-llvm-cov would change the installed toolchain to get them.
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
command -v "llvm-cov-$llvm" >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "llvm-$llvm"; }
LLVM_COV=$(command -v "llvm-cov-$llvm") LLVM_PROFDATA=$(command -v "llvm-profdata-$llvm")
export LLVM_COV LLVM_PROFDATA
"$tools/bin/cargo-llvm-cov" llvm-cov --version 2>/dev/null | grep -qF "$version" ||
  cargo install cargo-llvm-cov --locked --version "$version" --root "$tools"
export PATH=$tools/bin:$PATH

# What is no work of ours to be tested: tests and what they are made of, benches; the host runs in tests/e2e, outside of this.
others="^$PWD/(bench|host|tests|shared/testkit)/"
report() { cargo llvm-cov report --release --ignore-filename-regex "$others" "$@"; }
cargo llvm-cov --release --locked --workspace --exclude clickstream-e2e --features clickstream-chaos/faults --tests --no-report --no-fail-fast -- --skip on_kafka_3_9
report --html --output-dir target/coverage
report --json --summary-only --output-path target/coverage/summary.json
python3 -B tests/coverage.py target/coverage/summary.json >docs/report/coverage.json
report --summary-only --fail-under-lines "$least"
