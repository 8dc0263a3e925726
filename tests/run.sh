#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The whole check: installs what it needs, builds the dev preset (ASan, UBSan, warnings are errors), runs every test.
# Arguments go to ctest, e.g. `tests/run.sh -L unit` or `tests/run.sh -R sim`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
. deploy/packages.sh

packages_install 1 build run test
cmake --preset dev >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
rm -f build-configure.log
cmake --build --preset dev
exec ctest --preset dev "$@"
