#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Five nodes on this machine improve a bin-packing heuristic together: installs what is missing, builds, starts them, shows
# what happens, and on Ctrl-C or after --for stops them and sums up. Run again with the same directory, it goes on.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/deploy/packages.sh"

usage () {
    cat <<EOF
usage: deploy/quickstart.sh [--nodes N] [--for DURATION] [--dir DIR] [--seed N] [--json FILE] [--yes]

  --nodes N        how many nodes (default 5, at most 32)
  --for DURATION   stop after that, e.g. 60s or 5m (default: until Ctrl-C)
  --dir DIR        where the nodes live: DIR/node-1 … (default: quickstart-data beside the sources)
  --seed N         makes the nodes' random streams and private instances the same each time
  --json FILE      writes the summary for machines too
  --yes            install missing packages without asking

example: deploy/quickstart.sh --for 60s --seed 7
EOF
}

fail () { echo "quickstart: $*" >&2; exit 1; }
misuse () { echo "quickstart: $*" >&2; usage >&2; exit 2; }

nodes=5 seconds=0 directory=$root/quickstart-data seed='' json='' yes=0
while [ $# -gt 0 ]; do
    case $1 in
    --nodes | --for | --dir | --seed | --json) [ $# -ge 2 ] || misuse "$1: expected a value" ;;
    esac
    case $1 in
    --nodes)
        [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -ge 1 ] && [ "$2" -le 32 ] || misuse "--nodes: found \"$2\", expected 1 to 32"
        nodes=$2; shift 2 ;;
    --for)
        [[ $2 =~ ^([0-9]+)(s|m|h)$ ]] || misuse "--for: found \"$2\", expected a duration such as 60s or 5m"
        case ${BASH_REMATCH[2]} in s) unit=1 ;; m) unit=60 ;; h) unit=3600 ;; esac
        seconds=$((BASH_REMATCH[1] * unit)); shift 2
        [ "$seconds" -gt 0 ] || misuse "--for: expected more than 0" ;;
    --dir) directory=$(realpath -m "$2"); shift 2 ;;
    --seed)
        [[ $2 =~ ^[0-9]{1,18}$ ]] || misuse "--seed: found \"$2\", expected a number"
        seed=$2; shift 2 ;;
    --json) json=$(realpath -m "$2"); shift 2 ;;
    --yes) yes=1; shift ;;
    --help | -h) usage; exit 0 ;;
    *) misuse "unknown option $1" ;;
    esac
done

if [ -n "$json" ]; then # before anything runs, not after
    [ ! -d "$json" ] && [ -w "$(dirname "$json")" ] || fail "--json $json: found no place to write a file"
fi

# --- build ---
packages_install "$yes" run build
build=$root/build/release
echo "Building evomesh (release preset) …"
mkdir -p "$build"
(cd "$root" && cmake --preset release && cmake --build --preset release) >"$build/quickstart.log" 2>&1 ||
    { tail -n 40 "$build/quickstart.log" >&2; fail "the build failed; all of it is in $build/quickstart.log"; }
evomesh=$build/bin/evomesh
"$evomesh" doctor || fail "this machine lacks what evomesh needs; see above"

# --- nodes ---
# All in sessions of their own: Ctrl-C at the terminal is for this script, which asks them for the summary before they end.
declare -a pids=() watchers=()
stopping=0
node_dir () { echo "$directory/node-$1"; }

# Nodes end cleanly on SIGTERM; whoever is left after 10 s is told so.
stop () {
    local pid
    stopping=1
    for pid in "${watchers[@]}" "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${watchers[@]}" "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    watchers=() pids=()
}
trap stop EXIT

prepare () {
    local k=$1 dir
    dir=$(node_dir "$k")
    [ -e "$dir/node.yaml" ] && return
    mkdir -p -m 700 "$dir.private" # nobody else needs to know its instances
    # The private instances: drawn from this seed, which no other node has.
    if [ -n "$seed" ]; then
        printf 'instances %s %s' "$seed" "$k" | sha256sum | cut -c1-32 >"$dir.private/seed"
    else
        od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$dir.private/seed"
    fi
    "$evomesh" init --dir "$dir" --agent "$root/deploy/agents/binpack" --name "node-$k" --private "$dir.private" \
        ${seed:+--seed "$((seed * 100 + k))"} >/dev/null
}

# start K: runs node K, and waits until it is ready.
start () {
    local k=$1 dir log
    dir=$(node_dir "$k")
    log=$dir/node.log
    : >"$dir/ready"
    setsid "$evomesh" run --dir "$dir" --slots 1 >"$dir/ready" 2>>"$log" </dev/null &
    pids+=($!)
    local deadline=$((SECONDS + 60))
    until [ -s "$dir/ready" ]; do
        kill -0 "${pids[-1]}" 2>/dev/null || { tail -n 5 "$log" >&2; fail "node-$k did not start; its log is $log"; }
        [ $SECONDS -lt $deadline ] || fail "node-$k is not ready after 60 s; its log is $log"
        read -r -t 0.05 <> <(:) || true
    done
}

mkdir -p "$directory"
started=$SECONDS
for ((k = 1; k <= nodes; k++)); do prepare "$k"; done
first=$(node_dir 1)
fresh=0
"$evomesh" group members --dir "$first" >/dev/null 2>&1 || fresh=1
if [ "$fresh" = 1 ]; then
    "$evomesh" group create binpackers --dir "$first" >/dev/null
fi
start 1
for ((k = 2; k <= nodes; k++)); do
    dir=$(node_dir "$k")
    if ! "$evomesh" group members --dir "$dir" >/dev/null 2>&1; then
        invited=$("$evomesh" group invite --local --dir "$first" 2>&1) || fail "node-1 invites nobody: $invited"
        token=$(grep -m1 '^evomesh1' <<<"$invited")
        "$evomesh" group join "$token" --yes --dir "$dir" >>"$dir/node.log" 2>&1 ||
            { tail -n 3 "$dir/node.log" >&2; fail "node-$k could not join"; }
    fi
    start "$k"
done
echo "$nodes nodes run in $directory; they evolve deploy/agents/binpack. Ctrl-C stops them."

# --- progress: a line an event; on a terminal with room for it the summary stands below, and what happens scrolls above ---
board_rows=$((nodes + 4)) # of the summary: its head, the nodes, three lines below
board=0                   # the row above it; 0: there is none
columns=0                 # of the terminal

# Sets the lowest rows of the terminal aside.
board_open () {
    local rows=0
    if [ -t 1 ]; then read -r rows columns < <(stty size </dev/tty 2>/dev/null) || true; fi
    if [ "${rows:-0}" -lt $((board_rows + 10)) ]; then board=0; return 0; fi
    board=$((rows - board_rows - 1))
    printf '%*s' "$board_rows" '' | tr ' ' '\n' # what was there scrolls up
    printf '\e[1;%dr\e[%d;1H' "$board" "$board"
}

# Draws the summary in one piece, so that no event comes between its lines; long ones are cut at the edge.
board_draw () {
    local text line row=$((board + 1)) drawn
    text=$("$evomesh" summary --width "$columns" "$directory") || return 0
    drawn=$(printf '\e7\e[?7l\e[%d;1H\e[2K' "$row")
    while IFS= read -r line && [ $((row - board)) -le "$board_rows" ]; do
        row=$((row + 1))
        if [ ${#line} -gt "$columns" ]; then line=${line:0:columns-1}…; fi
        drawn+=$(printf '\e[%d;1H\e[2K%s' "$row" "$line")
    done <<<"$text"
    printf '%s\e[?7h\e8' "$drawn"
}

# Gives the whole terminal back, empty below what happened last.
board_close () {
    if [ "$board" -gt 0 ]; then printf '\e[r\e[%d;1H\e[J' "$((board + 1))"; fi
    board=0
}

declare -a dirs=()
for ((k = 1; k <= nodes; k++)); do dirs+=("$(node_dir "$k")"); done
for dir in "${dirs[@]}"; do
    setsid "$evomesh" watch --own --dir "$dir" </dev/null &
    watchers+=($!)
done
trap 'stopping=1' INT TERM HUP
trap 'board_close; board_open' WINCH
trap 'board_close || true; stop' EXIT # the terminal may be gone
board_open
while [ "$stopping" = 0 ]; do
    left=$((seconds > 0 ? started + seconds - SECONDS : 2))
    [ "$left" -gt 0 ] || break
    sleep "$((left < 2 ? left : 2))" &
    wait $! || true
    [ "$stopping" = 0 ] || break
    if [ "$board" -gt 0 ]; then board_draw; fi
    for pid in "${pids[@]}"; do
        kill -0 "$pid" 2>/dev/null || { echo "quickstart: a node ended by itself; see the node.log files" >&2; stopping=1; }
    done
done
trap '' INT TERM HUP WINCH # it ends now; nobody has to ask twice
board_close || true
echo || true

# --- the end ---
status=0
summary=$("$evomesh" summary --width "${columns:-0}" --seconds "$((SECONDS - started))" ${json:+--json-file "$json"} "$directory") || status=1
stop
echo "$summary"
best=$(sed -n 's/^Best: \(node-[0-9]*\),.*/\1/p' <<<"$summary")
if [ -n "$best" ] && diff=$("$evomesh" diff --dir "$directory/$best"); then
    echo
    head -n 40 <<<"$diff"
    [ "$(wc -l <<<"$diff")" -le 40 ] || echo "… all of it: $evomesh diff --dir $directory/$best"
fi
cat <<EOF

Everything lies in $directory: node-K (keys, database, releases, node.log) and node-K.private (its instances).
Go on where this stopped:    deploy/quickstart.sh --dir $directory --nodes $nodes
What became of each change:  $evomesh log --dir $first
One of them, whole:          $evomesh show ID --dir $first
The live program as a patch: $evomesh diff --dir ${best:+$directory/}${best:-$first}
EOF
exit $status
