# SPDX-License-Identifier: MPL-2.0
# Debian packages of deploy/packages.txt: what is missing, and how it is installed. Sourced by quickstart.sh and tests/run.sh.

# packages_of WHEN…: the packages that are needed then (run, build, test), one a line.
packages_of () {
    local when
    for when in "$@"; do
        awk -v when="$when" '$1 == when { print $2 }' "$root/deploy/packages.txt"
    done
}

# packages_missing WHEN…: those of them that are not installed.
packages_missing () {
    local package
    for package in $(packages_of "$@"); do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

# packages_install YES WHEN…: installs what is missing. Asks before sudo unless YES is 1; as root it goes on. On a system
# without apt it names them, says what to do, and ends with 1. EVOMESH_PACKAGES=installed: all are there, by whatever means.
packages_install () {
    local yes=$1 missing sudo=
    shift
    [ "${EVOMESH_PACKAGES:-}" != installed ] || return 0
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        echo "This system has no apt-get and dpkg-query, with which the missing packages would be installed. evomesh needs what" >&2
        echo "these Debian packages hold; install their like with your system's own tool, e.g. dnf, pacman or zypper:" >&2
        packages_of "$@" | sed 's/^/  /' >&2
        echo "Then run this again with EVOMESH_PACKAGES=installed in the environment." >&2
        return 1
    fi
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "Missing Debian packages: $missing"
    echo "  $sudo apt-get install --no-install-recommends $missing"
    if [ -n "$sudo" ] && [ "$yes" != 1 ]; then
        local answer=
        read -r -p "Install them now? [y/N] " answer || true
        [ "$answer" = y ] || [ "$answer" = yes ] || { echo "Not installed; run the line above, then again." >&2; return 1; }
    fi
    local log
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { $sudo apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "The installation failed; all of it is in $log." >&2
        return 1
    fi
    rm -f "$log"
}
