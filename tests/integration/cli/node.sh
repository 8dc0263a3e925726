#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# One node, alone in its group: what a person does with it, from init to a package that anybody can verify.
. "$(dirname "$0")/lib.sh"

node=$scratch/node
agent=$scratch/agent
make_agent "$agent"
expect 0 'This agent works' agent check "$agent" --runs 2
expect 0 'number.txt +1 +0.25 +0..1' agent check "$agent" --runs 2
cp -r "$agent" "$scratch/suggesting"
printf 'proposers: [{name: mine, command: [./propose, "3"], timeout: 9s}]\n' >>"$scratch/suggesting/agent.yaml"
expect 0 'suggests other proposers than tune.*--accept-proposers' init --dir "$scratch/plain" --agent "$scratch/suggesting"
expect 0 'Node .* made' init --dir "$scratch/accepting" --agent "$scratch/suggesting" --accept-proposers

# --- config prints a node.yaml: put there, it says the same again ---
run config --dir "$scratch/accepting"
printf '%s\n' "$out" >"$scratch/accepting/node.yaml"
shown=$out
for part in 'command: \["./propose", "3"\]' 'timeout: 9s' '--held-expiry 24h' '#   memory: "256MiB"' 'allow_alone: true'; do
    expect 0 "$part" config --dir "$scratch/accepting"
done
[ "$out" = "$shown" ] || wrong "config shows other settings from what it printed: $out, not $shown"
run config --json --dir "$scratch/accepting"
[ "$(json "$scratch/out" 'd["node"]["proposers"][0]["timeout"], d["agent"]["evaluator"]["timeout"], d["policy"]["quorum"]')" = \
    "('9s', '1m', 0.5)" ] || wrong "config --json says: $out"
json "$scratch/out" 'json.dumps (d["node"])' >"$scratch/accepting/node.yaml" # JSON is YAML
expect 0 '.' config --dir "$scratch/accepting"
[ "$out" = "$shown" ] || wrong "config shows other settings from what it printed as JSON: $out, not $shown"
expect 2 'slots: found "257", expected a whole number from 1 to 256' init --dir "$scratch/many" --slots 257
expect 2 'slots: found "257", expected a whole number from 1 to 256' run --dir "$scratch/plain" --slots 257

expect 0 'Node alpha made' init --dir "$node" --name alpha --agent "$agent" --seed 7
sed -i 's/^proposals_max: 0/proposals_max: 1/' "$node/node.yaml" # one of its own, the rest is ours
expect 0 'Group solo founded' group create solo --dir "$node"

# --- a port in use ---
python3 -c 'import socket, time
s = socket.socket (); s.bind (("127.0.0.1", 0)); s.listen (); print (s.getsockname ()[1], flush = True); time.sleep (600)' >"$scratch/port" &
pids+=($!)
eventually test -s "$scratch/port"
expect 1 "$(cat "$scratch/port").*in use" run --dir "$node" --listen "tcp://127.0.0.1:$(cat "$scratch/port")"

for bad in 99999 0 -1; do
    expect 1 "listen: found \"tcp://127.0.0.1:$bad\", expected an address" run --dir "$node" --listen "tcp://127.0.0.1:$bad"
done
expect 1 'advertise: found "tcp://10.0.0.1", expected' run --dir "$node" --advertise tcp://10.0.0.1
cp -r "$agent" "$scratch/unsteady"
printf '#!/bin/sh\necho "{\\"score\\": 1$(od -An -N3 -tu1 /dev/urandom | tr -d " ")}"\n' >"$scratch/unsteady/evaluate"
expect 1 'not declared noisy.*will not work as it is' agent check "$scratch/unsteady"

# --- an evaluator that can't be started, or says much ---
cp -r "$agent" "$scratch/mute"
chmod -x "$scratch/mute/evaluate"
expect 1 "mute/evaluate is not executable: .chmod [+]x $scratch/mute/evaluate" agent check "$scratch/mute"
printf '#!/usr/bin/env no-such-language\n' >"$scratch/mute/evaluate"
chmod +x "$scratch/mute/evaluate"
expect 1 'first line of .*/mute/evaluate asks for no-such-language, which the sandbox doesn.t have .*: install' agent check "$scratch/mute"
printf '#!/usr/bin/no-such-language -u\n' >"$scratch/mute/evaluate"
expect 1 'mute/evaluate asks for /usr/bin/no-such-language, which the sandbox doesn.t have' agent check "$scratch/mute"
printf '#!/bin/sh\r\necho 1\r\n' >"$scratch/mute/evaluate"
expect 1 'mute/evaluate end as on Windows.*sed -i' agent check "$scratch/mute"
sed -i 's,\./evaluate,no-such-language,' "$scratch/mute/agent.yaml"
expect 1 'no-such-language, the first word of evaluator.command, is no program' agent check "$scratch/mute"
cp -r "$agent" "$scratch/wordy"
printf '#!/bin/sh\nseq 5000 >&2\nexit 3\n' >"$scratch/wordy/evaluate"
expect 1 '^5000$' agent check "$scratch/wordy"
grep -qE '^… \([0-9]+ lines left out\)$' "$scratch/err" || wrong "what is left out isn't counted: $err"
[ "$(wc -l <"$scratch/err")" -lt 30 ] || wrong "agent check prints $(wc -l <"$scratch/err") lines of what an evaluator said"
grep -q 'exited with code 3' "$scratch/err" || wrong "how it ended is left out: $err"

# --- running ---
start "$node"
alpha=$node_pid
expect 1 "$alpha" run --dir "$node"
expect 1 "$alpha" group create again --dir "$node"
eventually status_is "$node" 'd["objectives"][0]["now"] is not None'
expect 0 'alpha.* in group solo, epoch 1: 1 member, 0 peers up' status --dir "$node"
eventually status_is "$node" 'd["finished"]'
eventually status_is "$node" 'sum (d["under_way"].values ()) == 0'
kept=$(cat "$node/current/number.txt")

# --- a change of our own is measured and applied ---
mkdir "$scratch/idea"
printf 'number = 0.9 # evolve: 0..1\n' >"$scratch/idea/number.txt"
expect 0 'being measured' propose "$scratch/idea" --description 'nearly one' --dir "$node"
proposed=$(sed -n 's/.*`evomesh show \([a-z2-7]*\) .*/\1/p' "$scratch/out")
expect 0 "Improvement $proposed" show "$proposed" --dir "$node"
eventually grep -q '0\.9' "$node/current/number.txt"
eventually status_is "$node" 'sum (d["under_way"].values ()) == 0'
run log --json --dir "$node"
id=$(json "$scratch/out" '[i["id"] for i in d if i["description"] == "nearly one"][0]')
[ "$proposed" = "${id:0:8}" ] || wrong "propose says that $proposed is what it proposed, it is $id"
expect 0 'shared' log --state shared --dir "$node"
expect 0 "Improvement $id" show "${id:0:6}" --dir "$node"
expect 0 'improvement_applied' show "$id" --dir "$node"
expect 0 '"state": "shared"' show --json "$id" --dir "$node"
[ "$(json "$scratch/out" '[(c["objective"], c["goal"], c["conclusion"]) for c in d["changes"]]')" = "[('score', 'maximize', 'better')]" ] ||
    wrong "the change of the score isn't told in words: $out"
expect 1 'nothing here|known here|same candidate' propose "$scratch/idea" --dir "$node"

# --- several nodes side by side, also in a file: numbers as they were measured ---
mkdir "$scratch/side"
ln -s "$node" "$scratch/side/node-1"
expect 0 'score 0\.25 → 0\.9' summary "$scratch/side" --json-file "$scratch/side.json"
grep -q '"score": 0\.9$' "$scratch/side.json" || wrong "summary rounds badly in its file: $(cat "$scratch/side.json")"
expect 1 'none/file can.t be written' summary "$scratch/side" --json --json-file "$scratch/none/file"
run summary "$scratch/side" --json
[ "$out" = "$(cat "$scratch/side.json")" ] || wrong "summary says one thing and writes another: $out"

expect 0 'NODE .*ROLLED BACK .*NOW +REJECTED' summary "$scratch/side"
expect 0 'NODE +(PROPOSED )? *APPLIED .*START → NOW .*REJECTED' summary "$scratch/side" --width 60
[ "$(head -n 2 "$scratch/out" | python3 -c 'import sys; print (max (map (len, sys.stdin.read ().splitlines ())))')" -le 60 ] || wrong "summary --width 60 is wider: $out"

# --- diff: git takes it ---
cp -r "$agent" "$scratch/copy"
run diff --dir "$node"
(cd "$scratch/copy" && git init -q . && git apply --check "$scratch/out" && git apply "$scratch/out") || wrong "git apply refuses the patch: $out"
cmp "$scratch/copy/number.txt" "$node/current/number.txt" || wrong "the patch gives other files than what is live"
expect 0 '^\+number = 0.9' diff "${id:0:8}" --dir "$node"

# --- every id that is printed is taken: of candidates and snapshots too ---
run show --json "$id" --dir "$node"
candidate=$(json "$scratch/out" 'd["candidate"][:8]')
[ "$(json "$scratch/out" 'd["candidate_metrics"], d["base_metrics"]["score"] < 0.9')" = "({'score': 0.9}, True)" ] ||
    wrong "what was measured has no names: $out"
[ "$(json "$scratch/out" 'd["second_parent"]')" = None ] || wrong "an id that is none isn't null: $out"
run snapshots --json --dir "$node"
[ "$(json "$scratch/out" 'set (d[0]["baseline"])')" = "{'score'}" ] || wrong "what a snapshot measured has no names: $out"
snapshot=$(json "$scratch/out" "[s['id'][:8] for s in d if s['improvement'] == '$id'][0]")
for printed in "$candidate" "$snapshot"; do
    expect 0 "Improvement $id" show "$printed" --dir "$node"
    expect 0 "\"id\": \"$id\"" show --json "$printed" --dir "$node"
    expect 0 '^\+number = 0.9' diff "$printed" --dir "$node"
done
expect 0 "Snapshot $snapshot" show "$snapshot" --dir "$node"
run log --graph --json --dir "$node"
begin=$(json "$scratch/out" 'd[0]["id"][:8]')
expect 0 'what the group started from' show "$begin" --dir "$node"
expect 0 '"parents": \[\]' show --json "$begin" --dir "$node"
[ "$(json "$scratch/out" 'd["metrics"]')" = "{'score': 0.25}" ] || wrong "a candidate's figures have no names: $out"
expect 1 'what the group started from: nothing was before it' diff "$begin" --dir "$node"

# --- whoever changed the agent's directory is told at the start that the node runs the group's: once, with what differs ---
differs () { grep -c 'is not what group solo was founded on' "$node.log"; }
[ "$(differs)" = 0 ] || wrong "a start with the group's agent says that it differs: $(cat "$node.log")"
stop "$alpha"
cp "$node/current/number.txt" "$agent/number.txt" # what is live is no change
start "$node"
stop "$node_pid"
[ "$(differs)" = 0 ] || wrong "a start with what is live says that it differs: $(cat "$node.log")"
printf 'number = 0.4 # evolve: 0..1\n' >"$agent/number.txt"
mv "$agent/evaluate" "$scratch/evaluate"
touch "$agent/new.txt"
start "$node"
alpha=$node_pid
[ "$(differs)" = 1 ] || wrong "a start with another agent says so $(differs) times: $(cat "$node.log")"
grep -q 'evaluate (gone), new.txt (new), number.txt (changed)' "$node.log" || wrong "what differs is named: $(cat "$node.log")"
rm "$agent/new.txt"
mv "$scratch/evaluate" "$agent/evaluate"

# --- packages ---
package=$scratch/best.evomesh
expect 0 'own' package list --dir "$node"
expect 0 "is in $package" package export "${id:0:8}" "$package" --dir "$node"
expect 1 'is there already' package export "${id:0:8}" "$package" --dir "$node"
expect 0 'charter|Group solo' group members --charter "$scratch/charter" --dir "$node"
expect 0 'verified' package verify "$package" --dir "$node"
expect 0 'verified' package verify "$package" --group "$scratch/charter"
expect 1 'consistent, group unknown' package verify "$package"
expect 0 'score' package show "$package"
run package show --json "$package"
[ "$(json "$scratch/out" '[(c["objective"], c["goal"], c["conclusion"]) for c in d["content"]["performance_impact"]]')" = "[('score', 'maximize', 'better')]" ] ||
    wrong "package show --json has numbers for words: $out"
[ "$(json "$scratch/out" 'd["content"]["improvement_type"]')" = algorithm_modification ] || wrong "its type is a number: $out"
expect 0 '^  type {12}[a-z]' package show "$package"
expect 0 '^  success factors [a-z]' package show "$package"
make_agent "$scratch/other-agent"
expect 0 'made' init --dir "$scratch/other" --agent "$scratch/other-agent"
expect 0 'founded' group create elsewhere --dir "$scratch/other"
expect 1 'another group' package verify "$package" --dir "$scratch/other"
size=$(stat -c %s "$package")
for at in 0 1 20 $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size - 30)) $((size - 1)); do
    python3 -c 'import sys
b = bytearray (open (sys.argv[1], "rb").read ()); b[int (sys.argv[3])] ^= 0x10; open (sys.argv[2], "wb").write (b)' "$package" "$scratch/altered" "$at"
    run package verify "$scratch/altered" --group "$scratch/charter"
    [ "$code" = 1 ] || wrong "a package with byte $at altered: exit $code"
    case $err in *"$scratch/altered"*) ;; *) wrong "a package with byte $at altered is not named: $err" ;; esac
done
head -c $((size - 1)) "$package" >"$scratch/short"
expect 1 "$scratch/short" package verify "$scratch/short" --group "$scratch/charter"

# --- rollback ---
expect 0 '\(live\)' snapshots --dir "$node"
expect 1 'nobody could be asked' rollback "${id:0:8}" --dir "$node"
grep -q '0\.9' "$node/current/number.txt" || wrong "a rollback that nobody confirmed was done"
expect 0 'rolling back' rollback "${id:0:8}" --yes --dir "$node"
eventually count_is "$node" rolled_back 1
[ "$(cat "$node/current/number.txt")" = "$kept" ] || wrong "the rollback left other files than before"
expect 0 'reason +operator: the operator wanted the release before it back' show "${id:0:8}" --dir "$node"
if grep -q 'rejected it' "$scratch/out"; then wrong "what was rolled back counts as rejected: $out"; fi
expect 1 'rolled back before' rollback "${id:0:8}" --yes --dir "$node"

# --- pause, over a restart ---
"$evomesh" watch --json --limit 1 --dir "$node" >"$scratch/watched" 2>&1 &
watcher=$!
pids+=("$watcher")
paused_and_seen () { "$evomesh" resume --dir "$node" >/dev/null && "$evomesh" pause --dir "$node" >/dev/null && test -s "$scratch/watched"; }
eventually paused_and_seen
wait "$watcher" || wrong "watch --limit 1 did not end well: $(cat "$scratch/watched")"
case $(json "$scratch/watched" 'd["type"]') in
evolution_paused | evolution_resumed) ;;
*) wrong "watch printed $(cat "$scratch/watched")" ;;
esac
[ "$(json "$scratch/watched" 'd["modification_id"]')" = None ] || wrong "an event of no improvement names one: $(cat "$scratch/watched")"
eventually status_is "$node" 'd["paused"]'
stop "$alpha"
expect 1 'no node runs on .*evomesh run --dir' status --dir "$node"
start "$node"
alpha=$node_pid
eventually status_is "$node" 'd["paused"]'
expect 1 'paused' propose "$scratch/idea" --dir "$node"
expect 0 'goes on' resume --dir "$node"
eventually status_is "$node" 'not d["paused"]'
expect 0 'rolled_back' log --dir "$node"

# --- the journal proves it ---
stop "$alpha"
expect 0 'the same effects, byte for byte' replay "$node"
expect 0 '[1-9][0-9]* checkpoints? on the way: the same state' replay "$node"
expect 0 '"same": true' replay --json "$node"

# --- a noisy objective is measured in pairs, and what it is better by is told with its interval ---
cp -r "$agent" "$scratch/loud"
sed -i 's/goal: maximize/goal: maximize, noisy: true/' "$scratch/loud/agent.yaml"
expect 0 'made' init --dir "$scratch/noisy" --agent "$scratch/loud" --seed 7
sed -i 's/^proposals_max: 0/proposals_max: 1/' "$scratch/noisy/node.yaml"
expect 0 'founded' group create loud --dir "$scratch/noisy"
start "$scratch/noisy"
loud=$node_pid
eventually status_is "$scratch/noisy" 'd["finished"] and sum (d["under_way"].values ()) == 0'
expect 0 'being measured' propose "$scratch/idea" --description 'nearly one' --dir "$scratch/noisy"
ours_is_shared () {
    "$evomesh" log --json --state shared --dir "$scratch/noisy" >"$scratch/shared" &&
        id=$(json "$scratch/shared" '"".join (i["id"] for i in d if i["description"] == "nearly one")') && [ -n "$id" ]
}
eventually ours_is_shared
expect 0 'score .* [+][0-9.]+ … [+][0-9.]+ % +[+][0-9.]+ % +better' show "$id" --dir "$scratch/noisy"
expect 0 'measured once each, at different times' status --dir "$scratch/noisy"
expect 0 '"intervals": ' show --json "$id" --dir "$scratch/noisy"
[ "$(json "$scratch/out" 'all (i["objective"] == "score" and 0 < i["low"] <= i["high"] for i in d["intervals"]) and len (d["intervals"])')" = 1 ] ||
    wrong "the interval isn't that of the score: $out"
stop "$loud"

# --- a database that lost something is named, with what to do, by everything that opens it ---
damaged=$scratch/damaged
damage () { # SQL: a copy of the node with its database damaged so
    rm -rf "$damaged"
    cp -r "$node" "$damaged"
    python3 -c 'import sqlite3, sys
with sqlite3.connect (sys.argv[1]) as db: db.executescript (sys.argv[2])' "$damaged/evomesh.db" "$1"
}
refused_by () { # COMMAND…
    local command
    for command in "$@"; do
        # shellcheck disable=SC2086
        expect 1 "$damaged/evomesh.db.*put back a copy of the data directory" $command --dir "$damaged"
    done
}
damage ''
rm -f "$damaged"/evomesh.db*
: >"$damaged/evomesh.db"
refused_by run log replay config diff snapshots 'package list' 'group members' 'group create g' "show $id" "package verify $package"
[ ! -s "$damaged/evomesh.db" ] || wrong "a refused command wrote tables into the database"
damage 'DROP TABLE package'
refused_by run log replay 'package list'
damage 'DELETE FROM setting'
refused_by run log replay config 'package list' 'group members' "package verify $package"
damage "DELETE FROM setting WHERE name = 'self'"
refused_by run log replay 'package list'
damage "UPDATE journal SET event = x'00' WHERE number = 1"
refused_by replay # which looks at all; a start steps only what is behind the checkpoint that the last stop left
damage "UPDATE journal SET event = x'00' WHERE number = 1; UPDATE checkpoint SET bytes = x'00'"
refused_by run replay
damage "DELETE FROM journal WHERE number < 3; UPDATE checkpoint SET bytes = x'00'"
refused_by run replay
damage "DELETE FROM journal; UPDATE checkpoint SET bytes = x'00'" # never a new node in an old one's place
refused_by run replay
damage 'DELETE FROM journal; DELETE FROM checkpoint' # nor where just the rest tells that there was one
refused_by run replay
same_rows () { # TABLE: as before the damage
    python3 -c 'import sqlite3, sys
one, other = (sqlite3.connect (path).execute ("SELECT * FROM " + sys.argv[3]).fetchall () for path in sys.argv[1:3])
sys.exit (one != other)' "$node/evomesh.db" "$damaged/evomesh.db" "$1"
}
for table in candidate statement setting content; do
    same_rows "$table" || wrong "a refused command changed the table $table"
done
damage 'DELETE FROM journal WHERE number > 3' # its end is gone, which a checkpoint knows of
refused_by run replay
damage 'DELETE FROM event' # but what retention drops is no damage
expect 0 'How it went is no longer kept' show "$proposed" --dir "$damaged"
if grep -q 'How it went (UTC)' "$scratch/out"; then wrong "show announces a history that isn't there: $out"; fi
damage 'DELETE FROM content'
refused_by run

done_testing
