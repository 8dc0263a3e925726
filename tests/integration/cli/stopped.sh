#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# A node that is stopped (SIGSTOP, Ctrl-Z, a debugger) is told as such: to those who ask it, and to those who would join.
. "$(dirname "$0")/lib.sh"

node=$scratch/node
agent=$scratch/agent
make_agent "$agent"
expect 0 'made' init --dir "$node" --name host --agent "$agent"
sed -i 's/^proposals_max: 0/proposals_max: 1/' "$node/node.yaml"
expect 0 'founded' group create packers --dir "$node"
start "$node"
host=$node_pid
eventually status_is "$node" 'd["objectives"][0]["now"] is not None'
run group invite --local --json --dir "$node"
token=$(json "$scratch/out" 'd["token"]')
expect 0 'made' init --dir "$scratch/other" --name other

kill -STOP "$host"
# --- asked: the note comes at once, and the answer as soon as the node goes on ---
"$evomesh" status --dir "$node" >"$scratch/late" 2>"$scratch/note" </dev/null &
asker=$!
pids+=("$asker")
eventually grep -q "no answer for 2 s: process $host, the node of $node, is stopped (\`kill -CONT $host\`" "$scratch/note"
kill -0 "$asker" || wrong "status gave up at once"

# --- joined: not a word of a token that was used up ---
expect 1 'takes connections, but the node there does not speak: is it stopped' group join "$token" --yes --dir "$scratch/other"

kill -CONT "$host"
wait "$asker" || wrong "status failed once the node went on: $(cat "$scratch/note")"
grep -q 'host.* in group packers' "$scratch/late" || wrong "status printed $(cat "$scratch/late")"
expect 0 'Joined group packers' group join "$token" --yes --dir "$scratch/other"

# --- to the end ---
kill -STOP "$host"
expect 1 "no answer within 30 s: process $host, the node of $node, is stopped" pause --dir "$node"
kill -CONT "$host"
stop "$host"
expect 0 'made' init --dir "$scratch/third" --name third
expect 1 "can't be reached: does the node of the invite run" group join "$token" --yes --dir "$scratch/third"

done_testing
