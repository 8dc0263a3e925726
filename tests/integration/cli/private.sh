#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# An evaluator that needs private data, on a node that has none: what is wrong and what mends it is told wherever one looks.
. "$(dirname "$0")/lib.sh"

node=$scratch/node
agent=$scratch/agent
data=$scratch/data
make_agent "$agent"
cat >"$agent/evaluate" <<'SH'
#!/bin/sh
cat /private/data.csv >/dev/null || exit 1
awk '{ printf "{\"metrics\": {\"score\": %s}}\n", $3 }' number.txt
SH
mkdir "$data"
echo '1,2,3' >"$data/data.csv"
expect 1 'data\.csv' agent check "$agent" --runs 1
expect 1 'private data.*--private DIR' agent check "$agent" --runs 1
expect 0 'works' agent check "$agent" --runs 1 --private "$data"

expect 0 'made' init --dir "$node" --name alone --agent "$agent" --seed 1
expect 1 'in no group.*group create.*group join' run --dir "$node"
expect 0 'founded' group create solo --dir "$node"
start "$node"
pid=$node_pid
eventually status_is "$node" '"data.csv" in (d["problem"] or "")'
expect 0 'at a standstill' status --dir "$node"
expect 0 'problem .*measured: the evaluator exited with code 1.*data\.csv' status --dir "$node"
expect 0 'next .*`private:` in node\.yaml.*`evomesh agent check`' status --dir "$node"
stop "$pid"
sed -i "s|^private:.*|private: $data.gone|" "$node/node.yaml"
expect 1 "node.yaml: private: found \"$data.gone\", which is no directory" run --dir "$node"
sed -i "s|^private:.*|private: $data|" "$node/node.yaml"
start "$node"
eventually status_is "$node" 'd["problem"] is None and d["objectives"][0]["now"] is not None'
stop "$node_pid"

done_testing
