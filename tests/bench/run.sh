#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The benchmarks, on the release preset: what is measured, beside its reference and its aim.
# Ends with 1 if an aim is missed.
#   tests/bench/run.sh [loop|round|idle|sandbox|limits|tune|noise]…      (none: all of them)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
cmake --preset release >/dev/null
cmake --build --preset release --target all --target bench >&2
exec build/release/bench/bench "$@"
