#!/usr/bin/env bash
# run.sh SECONDS [TARGET…]: runs fuzz targets for SECONDS each, as many at once as there are cores; without names, all.
# What they find new goes into target/fuzz/corpus; fuzz/corpus holds the seeds and stays as it is.
# A finding is kept in target/fuzz/findings; to see it again: target/fuzz/bin/TARGET FILE
set -euo pipefail
cd "$(dirname "$0")"
export seconds=${1:-20} out=../target/fuzz
shift $(($# ? 1 : 0))
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(basename -s .rs fuzz_targets/*.rs)

# Building for a named target keeps build scripts and macros apart.
export RUSTC_WRAPPER=$PWD/instrument.sh RUSTFLAGS="--cfg fuzzing"
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --locked --target "$triple" --target-dir "$out" --bins
mkdir -p "$out/findings" "$out/logs"
ln -sfn "$triple/release" "$out/bin"

fuzz() {
  local target=$1 log=$out/logs/$1.log
  mkdir -p "$out/corpus/$target"
  if "$out/bin/$target" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -max_len=65536 -print_final_stats=1 \
    -dict=words.dict -artifact_prefix="$out/findings/$target-" "$out/corpus/$target" "corpus/$target" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 edges, \3 inputs/p' "$log" | tail -1)
    printf '%-14s %9s executions, %s\n' "$target" "$runs" "$reached"
  else
    finding=$(sed -n "s/.*Test unit written to ..\///p" "$log" | tail -1)
    printf '%-14s FAILED on %s\n%s\n' "$target" "${finding:-no input}" "$(grep -vE '^(#|INFO|WARNING|Dictionary|\s*NEW_FUNC)' "$log" | head -12 | sed 's/^/    /')"
    return 1
  fi
}
export -f fuzz
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
