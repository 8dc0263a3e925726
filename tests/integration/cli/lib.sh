# SPDX-License-Identifier: MPL-2.0
# For tests of the command line: a scratch directory, a small agent, expectations. $1 is the program under test.
set -u
evomesh=$1
scratch=$(mktemp -d)
failures=0
pids=()

finish () {
    local pid
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    rm -rf "$scratch"
}
trap finish EXIT
unset EVOMESH_DIR XDG_DATA_HOME EVOMESH_PASSPHRASE_FILE
export HOME=$scratch/home
mkdir "$HOME"

# wrong TEXT…: notes a failure, and goes on.
wrong () {
    failures=$((failures + 1))
    printf 'FAILED: %s\n' "$*"
}

# run ARGUMENT…: runs the program; its exit code is in $code, what it printed in $out and $err.
run () {
    timeout 180 "$evomesh" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    code=$?
    out=$(cat "$scratch/out")
    err=$(cat "$scratch/err")
}

# expect CODE PATTERN ARGUMENT…: it ends with that code, and what it printed matches the extended regular expression.
expect () {
    local wanted=$1 pattern=$2
    shift 2
    run "$@"
    [ "$code" = "$wanted" ] || wrong "evomesh $*: exit $code, expected $wanted: $out$err"
    printf '%s%s' "$out" "$err" | grep -qE -- "$pattern" || wrong "evomesh $*: expected /$pattern/, found: $out$err"
}

# eventually COMMAND…: the command holds within a time that none comes near, but on a machine that is far too busy.
eventually () {
    local until=$((SECONDS + 90))
    until "$@"; do
        if [ "$SECONDS" -ge "$until" ]; then
            wrong "never held: $*"
            return 1
        fi
        sleep 0.1 # between two looks
    done
}

# json FILE EXPRESSION: a Python expression over the JSON `d`, printed.
json () {
    python3 -c 'import json, sys; d = json.load (open (sys.argv[1])); print (eval (sys.argv[2]))' "$1" "$2"
}

# An agent whose score is the number in its file: quick and repeatable.
make_agent () {
    mkdir -p "$1"
    cat >"$1/agent.yaml" <<'YAML'
name: number
description: "A number, the higher the better"
evolve: [number.txt]
evaluator:
  command: [./evaluate]
  timeout: 60s
  memory: 256MiB
objectives:
  - {name: score, goal: maximize}
YAML
    printf 'number = 0.25 # evolve: 0..1\n' >"$1/number.txt"
    cat >"$1/evaluate" <<'SH'
#!/bin/sh
awk '{ printf "{\"metrics\": {\"score\": %s}}\n", $3 }' number.txt
SH
    chmod +x "$1/evaluate"
}

# start DIR [OPTION…]: runs a node in the background until it is ready; its pid is in $node_pid.
start () {
    local directory=$1
    shift
    : >"$directory.ready"
    "$evomesh" run --dir "$directory" "$@" >"$directory.ready" 2>>"$directory.log" </dev/null &
    node_pid=$!
    pids+=("$node_pid")
    eventually test -s "$directory.ready" || cat "$directory.log"
}

# stop PID: ends a node cleanly.
stop () {
    kill -TERM "$1"
    wait "$1"
    code=$?
    [ "$code" = 0 ] || wrong "a node ended with exit $code after SIGTERM"
}

# status_is DIR EXPRESSION: a Python expression over the status holds.
status_is () {
    "$evomesh" status --json --dir "$1" >"$1.status" 2>/dev/null && [ "$(json "$1.status" "$2")" = True ]
}

# count_is DIR STATE N: that many improvements are in that state.
count_is () {
    "$evomesh" log --json --state "$2" --dir "$1" >"$1.log.json" 2>/dev/null && [ "$(json "$1.log.json" 'len (d)')" = "$3" ]
}

# What of a data directory must not change by a refused command.
fingerprint () {
    (cd "$1" && find . -type f ! -name 'evomesh.db*' ! -name lock -exec sha256sum {} + | sort && find . -mindepth 1 ! -name 'evomesh.db*' | sort)
}

done_testing () {
    [ "$failures" = 0 ] && echo "all expectations hold" && exit 0
    echo "$failures expectations failed"
    exit 1
}
