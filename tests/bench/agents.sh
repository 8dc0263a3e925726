#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# How good the sample agents become, on the release preset, beside their aims.
# Ends with 1 if an aim is missed.
#   tests/bench/agents.sh [circle-packing|kernel-tuning]…      (none: both)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
cmake --preset release >/dev/null
cmake --build --preset release >&2
exec python3 -B tests/bench/agents.py build/release/bin/evomesh "$@"
