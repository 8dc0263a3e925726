#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# How well packings generalise, with one node and with five, on the release preset, beside the aims.
# Ends with 1 if an aim is missed.
#   tests/bench/binpack.sh [--seeds N] [--seconds S]      (10 seeds, 120 s: about 40 minutes)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
cmake --preset release >/dev/null
cmake --build --preset release >&2
exec python3 -B tests/bench/binpack.py build/release/bin/evomesh "$@"
