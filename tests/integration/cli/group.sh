#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# A group of three: invite, join, decline, leave, revoke; and a package that goes from one node to another by file.
. "$(dirname "$0")/lib.sh"

alpha=$scratch/alpha
agent=$scratch/agent
make_agent "$agent"
expect 0 'made' init --dir "$alpha" --name alpha --agent "$agent" --seed 1
sed -i 's/^proposals_max: 0/proposals_max: 1/' "$alpha/node.yaml"
expect 0 'founded' group create trio --dir "$alpha"
start "$alpha"
alpha_pid=$node_pid
eventually status_is "$alpha" 'd["objectives"][0]["now"] is not None'

new_node () { # NAME
    expect 0 'made' init --dir "$scratch/$1" --name "$1" --seed 2
    sed -i 's/^proposals_max: 0/proposals_max: 1/' "$scratch/$1/node.yaml"
}

# --- tokens ---
expect 1 'only reached at tcp://127.0.0.1:.*--local' group invite --dir "$alpha"
expect 2 'found "33"' group invite --local --uses 33 --dir "$alpha"
expect 0 'another node on this machine: .evomesh init --dir DIR., then .evomesh group join TOKEN --dir DIR' group invite --local --dir "$alpha"
if grep -q 'other machine' "$scratch/err"; then wrong "an invitation for this machine speaks of another: $err"; fi
invite () { "$evomesh" group invite --local --dir "$alpha" "$@" 2>/dev/null; }

# --- nobody to ask: refused before anything is said, and the token is as good as before ---
new_node shy
before=$(fingerprint "$scratch/shy")
shy=$(invite)
expect 1 'nobody can be asked.*--yes.*nothing was changed' group join "$shy" --dir "$scratch/shy"
[ "$before" = "$(fingerprint "$scratch/shy")" ] || wrong "a join that was refused left something behind"
expect 1 'is in no group' group members --dir "$scratch/shy"
expect 1 'is in no group.*evomesh group create NAME.*evomesh group join TOKEN' status --dir "$scratch/shy"

# --- tokens that don't fit ---
new_node beta
run group members --json --dir "$alpha"
expect 1 'is for another node' group join "$(invite --key "$(json "$scratch/out" 'd["members"][0]["id"]')")" --yes --dir "$scratch/beta"
short=$(invite --expires 1s)
expired () { run group join "$short" --yes --dir "$scratch/none"; printf '%s' "$err" | grep -q 'expired'; }
eventually expired
token=$(invite)
expect 1 'mistyped' group join "${token%?}" --yes --dir "$scratch/beta"
stop "$alpha_pid"
expect 1 "can't be reached" group join "$token" --yes --dir "$scratch/beta"
start "$alpha"
alpha_pid=$node_pid

# --- joined ---
expect 0 'Joined group trio' group join "$token" --yes --dir "$scratch/beta"
diff -r "$agent" "$scratch/beta/agent" || wrong "the agent that was fetched is another one"
grep -q "agent: \"$scratch/beta/agent\"" "$scratch/beta/node.yaml" || wrong "node.yaml does not point at the agent"
expect 1 'in group trio already' group join "$token" --yes --dir "$scratch/beta"
new_node gamma
expect 1 'used up|no uses left|does not know this token' group join "$token" --yes --dir "$scratch/gamma"
printf '%s\n' "$(invite)" >"$scratch/token"
timeout 180 "$evomesh" group join - --yes --dir "$scratch/gamma" <"$scratch/token" >"$scratch/out" 2>&1 || wrong "join from stdin: $(cat "$scratch/out")"
start "$scratch/beta"
beta_pid=$node_pid
start "$scratch/gamma"
gamma_pid=$node_pid
eventually status_is "$alpha" 'd["peers_up"] == 2'
eventually status_is "$scratch/beta" 'd["peers_up"] == 2 and d["members"] == 3'
expect 0 'beta' group members --dir "$alpha"
expect 0 'STANDING +UP' group members --dir "$alpha"
expect 0 'beta +member +2 +member +up' group members --dir "$alpha"
run group members --json --dir "$alpha"
[ "$(json "$scratch/out" '[(m["state"], m["heard_ms_ago"] is None) for m in d["members"] if m["me"] or m["name"] == "beta"]')" = "[('up', False), ('up', True)]" ] ||
    [ "$(json "$scratch/out" '[(m["state"], m["heard_ms_ago"] is None) for m in d["members"] if m["me"] or m["name"] == "beta"]')" = "[('up', True), ('up', False)]" ] ||
    wrong "group members --json doesn't say who is up: $out"

# --- a change walks the whole path, and the others adopt it ---
mkdir "$scratch/idea"
printf 'number = 0.9 # evolve: 0..1\n' >"$scratch/idea/number.txt"
proposed () { run propose "$scratch/idea" --description 'nearly one' --dir "$alpha"; [ "$code" = 0 ]; }
eventually proposed
eventually grep -q '0\.9' "$alpha/current/number.txt"
eventually grep -q '0\.9' "$scratch/beta/current/number.txt"
eventually grep -q '0\.9' "$scratch/gamma/current/number.txt"
run log --json --dir "$alpha"
id=$(json "$scratch/out" '[i["id"] for i in d if i["description"] == "nearly one"][0]')
expect 0 'validators +2 of 2 confirm' show "$id" --dir "$alpha"
expect 0 '(shared|applied)' log --dir "$alpha"
eventually status_is "$scratch/beta" 'd["packages_adopted"] >= 1'
run package list --json --dir "$scratch/beta"
[ "$(json "$scratch/out" '[(p["parts"]["evaluator"], p["parts"]["objectives"], 0.5 <= p["parts"]["sender"] <= 1) for p in d if p["status"] == "adopted"][0]')" = '(1.0, 1.0, True)' ] ||
    wrong "package list --json doesn't say how each part fits: $out"

# --- by file ---
eventually count_is "$alpha" shared "$("$evomesh" log --json --state shared --dir "$alpha" | python3 -c 'import json, sys; print (max (1, len (json.load (sys.stdin))))')"
expect 0 'is in' package export "$id" "$scratch/package" --dir "$alpha"
expect 0 'measurement of .*: confirmed' package verify "$scratch/package" --dir "$scratch/beta"
listed=$(grep -c '^  [a-z]* of ' "$scratch/out")
told=$(sed -n 's/^verified: \([0-9]*\) signatures hold, the \([0-9]*\) listed and \([0-9]*\) of the founder .*/\1 \2 \3/p' "$scratch/out")
[ "$told" = "$((${told##* } + listed)) $listed ${told##* }" ] || wrong "package verify counts other signatures than it lists: $out"
expect 1 'tried here before' package import "$scratch/package" --dir "$scratch/beta"

# --- leave, revoke ---
expect 1 'nobody could be asked: --yes leaves' group leave --dir "$scratch/beta"
expect 1 'nobody could be asked: --yes revokes' group revoke gamma --dir "$alpha"
expect 1 'founder' group leave --yes --dir "$alpha"
expect 1 'only an admin' group revoke gamma --yes --dir "$scratch/beta"
lost () { run group members --dir "$alpha"; printf '%s' "$out" | grep -qE 'gamma .* no, heard [0-9]+ (s|min) ago'; }
stop "$gamma_pid" # so that the roster without it can't reach it: links to who was revoked are cut at once
eventually lost
expect 0 'revoked' group revoke gamma --yes --dir "$alpha"
eventually status_is "$alpha" 'd["members"] == 2 and d["peers_up"] == 1'
expect 0 'gamma.*out since epoch' group members --dir "$alpha"
start "$scratch/gamma"
eventually status_is "$scratch/gamma" 'd["peers_up"] == 0 and any ("key is denied" in step for step in d["next_steps"])'
expect 0 'next .*probably revoked.*evomesh init' status --dir "$scratch/gamma"
expect 0 'left' group leave --yes --dir "$scratch/beta"
eventually status_is "$alpha" 'd["members"] == 1'
expect 0 'beta.*out since epoch' group members --dir "$alpha"
expect 0 'next .*this node left the group.*evomesh init' status --dir "$scratch/beta"
expect 1 'this node left the group' resume --dir "$scratch/beta"
expect 1 'this node left the group' group leave --yes --dir "$scratch/beta"
expect 0 'member then, revoked since|verified' package verify "$scratch/package" --dir "$alpha"
stop "$beta_pid"
stop "$alpha_pid"

done_testing
