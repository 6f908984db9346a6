#!/usr/bin/env bash
# RUSTC_WRAPPER of the fuzz build: counts edges where bytes from outside are read, and spares the rest, which is most of
# the build's time. The flags are stable. What cargo-fuzz adds to them is a sanitizer, which code without `unsafe` needs
# least.
shopt -s extglob
rustc=$1
shift
case " $* " in
*" --crate-name build_script_"* | *"proc-macro"*) ;;
*" --crate-name "@(regex|aho|icu|chrono|libfuzzer)*) ;;
*" --target "*)
  set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
  ;;
esac
exec "$rustc" "$@"
