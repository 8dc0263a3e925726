#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# What deploy/packages.sh does on machines that this one isn't: its tools are replaced by such as record what they are asked.
# $1, the program under test, isn't needed.
set -u
root=$(cd "$(dirname "$0")/../../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
wrong () { echo "FAILED: $*"; failures=$((failures + 1)); }

tool () { printf '#!/bin/bash\n%s\n' "$2" >"$scratch/bin/$1"; chmod +x "$scratch/bin/$1"; }

# machine: a PATH with the plain tools and nothing of Debian's.
machine () {
    local name
    rm -rf "$scratch/bin"
    mkdir "$scratch/bin"
    for name in bash awk sed tr grep cat mktemp rm tail; do ln -s "$(command -v "$name")" "$scratch/bin/$name"; done
    : >"$scratch/calls"
}

# debian UID INSTALLED…: a Debian machine's tools; what is installed is told by name ("all": everything).
debian () {
    machine
    tool id "echo $1"
    shift
    tool dpkg-query "[ '$*' = all ] || case \" $* \" in *\" \${!#} \"*) ;; *) exit 1 ;; esac; echo installed"
    tool apt-get "echo \"apt-get \$*\" >>'$scratch/calls'"
    tool sudo "echo \"sudo \$*\" >>'$scratch/calls'"
}

# install CODE ANSWER YES: packages_install for the groups build and run; its output is in $out.
install () {
    out=$(printf '%s' "$2" | PATH=$scratch/bin bash -c 'set -euo pipefail; root=$1; . "$root/deploy/packages.sh"; packages_install "$2" build run' \
        packages "$root" "$3" 2>&1)
    code=$?
    [ "$code" = "$1" ] || wrong "$scenario: exit $code, expected $1: $out"
}
says () { grep -qE -- "$1" <<<"$out" || wrong "$scenario: expected /$1/, found: $out"; }
called () { grep -qE -- "$1" "$scratch/calls" || wrong "$scenario: expected a call /$1/, found: $(cat "$scratch/calls")"; }
not_called () { [ ! -s "$scratch/calls" ] || wrong "$scenario: it ran $(cat "$scratch/calls")"; }

scenario='another system'
machine
install 1 '' 1
says 'no apt-get and dpkg-query'
says 'again with EVOMESH_PACKAGES=installed'
says '^  bubblewrap$'
says '^  libczmq-dev$'

scenario='another system, where all is there'
machine
EVOMESH_PACKAGES=installed install 0 '' 0
[ -z "$out" ] || wrong "$scenario: it said $out"

scenario='all is there'
debian 1000 all
install 0 '' 0
[ -z "$out" ] || wrong "$scenario: it said $out"
not_called

scenario='a person says no'
debian 1000 cmake
install 1 $'n\n' 0
says 'Missing Debian packages: .*bubblewrap'
says 'sudo apt-get install --no-install-recommends .*libczmq-dev'
grep -q ' cmake ' <<<"$out" && wrong "$scenario: cmake is there, and asked for: $out"
says 'Not installed'
not_called

scenario='nobody answers'
debian 1000 cmake
install 1 '' 0
not_called

scenario='a person says yes'
debian 1000 cmake
install 0 $'y\n' 0
called '^sudo apt-get install -y -qq --no-install-recommends .*bubblewrap'

scenario='--yes'
debian 1000 cmake
install 0 '' 1
called '^sudo apt-get update'
called '^sudo apt-get install'

scenario='root'
debian 0 cmake
install 0 '' 0
called '^apt-get install -y -qq --no-install-recommends .*libczmq-dev'
grep -q sudo "$scratch/calls" && wrong "$scenario: sudo was called"

scenario='the installation fails'
debian 0 cmake
tool apt-get 'echo "E: no such package" >&2; exit 100'
install 1 '' 0
says 'no such package'
says 'installation failed'

[ "$failures" = 0 ] && echo "all expectations hold" && exit 0
exit 1
