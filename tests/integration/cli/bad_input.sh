#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Bad input is answered by what was found and what was expected, exit 1 (2 for usage), and changes nothing.
. "$(dirname "$0")/lib.sh"

agent=$scratch/agent
node=$scratch/node
make_agent "$agent"
printf 'secret\n' >"$scratch/passphrase"

# --- usage: exit 2 ---
expect 2 'Usage: evomesh COMMAND'
expect 2 '"frobnicate" is no command' frobnicate
expect 2 'group create' group
expect 2 '"group frobnicate" is no command' group frobnicate
expect 2 'unknown option --bogus' status --bogus
expect 2 'unknown option -x' status -x
expect 2 '--dir needs a value' status --dir
expect 2 '--uses needs a number, found "--dir"' group invite --uses --dir here
expect 2 '--agent needs a value, found "--dir=here"' init --agent --dir=here
expect 2 '--json takes no value' status --json=yes
expect 2 '--dir is given twice' status --dir a --dir b
expect 2 'one operand too many' status here
expect 2 'missing operand: ID' show
expect 2 'missing operand: ID FILE' package export abcd
expect 2 'found "0", expected a whole number from 1' log --limit 0
expect 2 'found "1x", expected a whole number' log --limit 1x
expect 2 'found "-1", expected a whole number' log --limit -1
expect 2 'found "99999999999999999999"' log --limit 99999999999999999999
expect 2 'found "nope", expected one of proposed, .*, rejected' log --state nope
expect 2 'expected a duration' agent check --within 20parsecs "$agent"
expect 2 'found "fast", expected parameter_tuning' propose --type fast "$agent"
expect 2 'expected the joining node' group invite --key abc
expect 2 'found "bad/name"' group create bad/name
expect 2 'expected a number from 0 to 1' group create g --quorum 1.5
expect 2 'min_confirmations: found 4, expected 0 to 3' group create g --min-confirmations 4 --max-validators 3
expect 2 'review_threshold' group create g --review-threshold 0.9
expect 2 'found "loud"' run --log-level loud
[ ! -e "$HOME/.local" ] || wrong "a usage error made something in the home directory"

# --- what was mistyped is shown without control characters, and bounded ---
for control in $'\e[31m' $'\xc2\x9b31m' $'\a' $'\xff'; do
    expect 2 '"\?.*red" is no command' "${control}red"
    expect 2 '"group \?.*red" is no command' group "${control}red"
    expect 2 'unknown option --\?.*red' status "--${control}red"
    expect 2 'found "\?.*red", expected a whole number' log --limit "${control}red"
    expect 2 'NAME: found "\?.*red"' group create "${control}red"
    expect 1 '/\?.*red is no node.s data directory' status --dir "$scratch/${control}red"
done
long=$(printf '%050000d' 0)
for words in "$long" "group $long" "status --$long" "status -$long" "status $long" "log --limit $long" "help $long" "help group $long" \
    "status --dir $long"; do
    # shellcheck disable=SC2086
    run $words
    [ "$code" != 0 ] && [ ${#err} -lt 8000 ] && [ ${#out} = 0 ] || wrong "evomesh ${words:0:20}…: exit $code, ${#err} bytes told"
done

# --- help and version ---
expect 0 'Exit code: 0 done, 1 failed, 2 usage' help
expect 0 '^evomesh [0-9]+\.[0-9]+' version
expect 0 '^evomesh [0-9]+\.[0-9]+' --version
expect 0 'group invite' group --help
expect 0 'group invite' help group
help_lists () { # CODE LISTED UNLISTED WORD…: help on what is no command says so, and lists those that there are
    local code=$1 listed=$2 unlisted=$3
    shift 3
    expect "$code" "\"$*\" is no command" help "$@"
    grep -q "^  $listed  " <<<"$err" || wrong "help $*: expected $listed in the list: $err"
    if grep -q "^  $unlisted  " <<<"$err"; then wrong "help $*: $unlisted is in the list: $err"; fi
}
help_lists 2 status 'agent frobnicate' frobnicate
help_lists 2 'agent check' status agent frobnicate
help_lists 2 status 'status frobnicate' status frobnicate
for command in $("$evomesh" help | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' | tr ' ' '+'); do
    # shellcheck disable=SC2086
    expect 0 'Example:' ${command//+/ } --help
done

# --- no node, no agent: exit 1 ---
expect 1 "$scratch/none is no node's data directory.*evomesh init" status --dir "$scratch/none"
for command in run log config 'group members' 'group create g' 'show abcd' diff snapshots 'package list' pause resume watch replay; do
    # shellcheck disable=SC2086
    expect 1 "is no node's data directory" $command --dir "$scratch/none"
done
expect 1 "found a file, expected a node's data directory" status --dir "$agent/agent.yaml"
expect 1 "is an agent's directory, expected a node's.*evomesh init --dir DIR --agent $agent" status --dir "$agent"
[ ! -e "$scratch/none" ] || wrong "a refused command made its directory"
expect 1 'No such file' agent check "$scratch/none"
expect 1 'found no agent.yaml in it' agent check "$scratch"
expect 1 "found a file, expected an agent's directory" agent check "$agent/agent.yaml"
expect 1 'found number.txt|found agent.yaml|found evaluate' agent new "$agent"

cp -r "$agent" "$scratch/heavy"
sed -i 's/goal: maximize/&, weight: 1e10/' "$scratch/heavy/agent.yaml"
expect 1 'agent.yaml:[0-9]+: objectives\[0\].weight: found "1e10", expected a number above 0, 1000000000 .* at most' agent check "$scratch/heavy"

# --- init ---
expect 1 '--agent .*: No such file' init --dir "$node" --agent "$scratch/none"
expect 1 '--private .*found a file, expected a directory' init --dir "$node" --agent "$agent" --private "$scratch/passphrase"
expect 1 '--name: found "a b"' init --dir "$node" --name 'a b'
expect 1 'listen.*found "nowhere"' init --dir "$node" --listen nowhere
expect 2 'found "many"' init --dir "$node" --slots many
expect 1 '--accept-proposers: found no --agent' init --dir "$node" --accept-proposers
expect 1 'agent.yaml suggests none' init --dir "$node" --agent "$agent" --accept-proposers
cp -r "$agent" "$scratch/bad-agent"
sed -i 's/maximize/maximise/' "$scratch/bad-agent/agent.yaml"
expect 1 'agent.yaml:9: .*found "maximise", expected maximize or minimize' init --dir "$node" --agent "$scratch/bad-agent"
sed -i 's/maximise/maximize/; s/number.txt/gone.txt/' "$scratch/bad-agent/agent.yaml"
expect 1 'gone.txt' init --dir "$node" --agent "$scratch/bad-agent"
ln -s /etc/passwd "$scratch/bad-agent/link"
expect 1 'link.*symbolic link' init --dir "$node" --agent "$scratch/bad-agent"
[ ! -e "$node" ] || wrong "a refused init made $node"

expect 0 'Node alpha made' init --dir "$node" --name alpha --agent "$agent" --passphrase-file "$scratch/passphrase" --seed 7
[ "$(stat -c %a "$node")" = 700 ] || wrong "the data directory is not its owner's alone"
[ "$(stat -c %a "$node/identity")" = 600 ] || wrong "the keys are not their owner's alone"
before=$(fingerprint "$node")
expect 1 'is there already.*nothing was changed' init --dir "$node"
mv "$node/node.yaml" "$scratch/node.yaml" # as if the init had been killed
expect 1 'cut off here.*nothing was changed' init --dir "$node"
mv "$scratch/node.yaml" "$node/node.yaml"

# --- keys, ids, tokens ---
expect 1 'locked by a passphrase' group create g --dir "$node"
printf 'wrong\n' >"$scratch/other"
expect 1 'wrong passphrase' group create g --dir "$node" --passphrase-file "$scratch/other"
expect 1 'not an invite token' group join hello --dir "$node"
expect 1 'cut short or mistyped' group join evomesh1abcdefgh --dir "$node"
expect 1 'found nothing on stdin' group join - --dir "$node"
expect 1 'is in no group' group members --dir "$node"
expect 1 'found "abc", expected an id' show abc --dir "$node"
expect 1 'found "ab1d", expected an id: letters and the digits 2 to 7' show ab1d --dir "$node"
expect 1 'found 50000 characters, "a+…", expected an id, which has 52 at most' show "$(printf '%050000d' 0 | tr 0 a)" --dir "$node"
expect 1 'no improvement, candidate or snapshot here has the id abcd' show abcd --dir "$node"
expect 1 'is in no group, so it doesn.t run' status --dir "$node"
expect 0 '.XDG_DATA_HOME/evomesh' status --help
while read -r state; do
    expect 0 "^  $state\$" log --help
done < <(sed -n 's/^ *STATE ([A-Z_]*, "\([a-z_]*\)".*/\1/p' "$(dirname "$0")/../../../evolution/improvement.h" | grep -v '^none$')
expect 1 'is in no group, so it doesn.t run' watch --dir "$node"

# --- node.yaml ---
cp "$node/node.yaml" "$scratch/node.yaml"
for line in 'slots: many' 'slot: 1' 'slots: 1' 'sandbox: maybe' 'learning_rate: .nan'; do
    { grep -v "^${line%%:*}:" "$scratch/node.yaml"; echo "$line"; } >"$node/node.yaml"
    [ "$line" = 'slots: 1' ] && echo "$line" >>"$node/node.yaml"
    expect 1 "node.yaml:[0-9]+: .*${line%%:*}" config --dir "$node"
done
printf 'name: "\xff"\n' >"$node/node.yaml"
expect 1 'node.yaml' config --dir "$node"
cp "$scratch/node.yaml" "$node/node.yaml"
chmod 644 "$node/identity"
expect 1 'mode 0644.*0600' group create g --dir "$node" --passphrase-file "$scratch/passphrase"
chmod 600 "$node/identity"
[ "$before" = "$(fingerprint "$node")" ] || wrong "refused commands changed the data directory"

# --- package files ---
head -c 4096 /dev/urandom >"$scratch/noise"
: >"$scratch/empty"
for file in noise empty passphrase none; do
    expect 1 "$scratch/$file" package verify "$scratch/$file"
    expect 1 "$scratch/$file" package show "$scratch/$file"
done
expect 1 'no group.s charter' package verify "$scratch/noise" --group "$scratch/noise"

# --- the group ---
expect 0 'Group g founded' group create g --dir "$node" --passphrase-file "$scratch/passphrase"
expect 1 'in group g already.*nothing was changed' group create h --dir "$node" --passphrase-file "$scratch/passphrase"
expect 1 'no member has the id or name "nobody"' group revoke nobody --dir "$node"
expect 1 'there is no live release yet' diff --dir "$node"
expect 0 'number' config --dir "$node"

# --- evaluators that don't work are told, with what they said ---
breaks () { # PATTERN SCRIPT
    printf '#!/bin/sh\n%s\n' "$2" >"$scratch/breaks/evaluate"
    expect 1 "$1" agent check "$scratch/breaks"
}
make_agent "$scratch/breaks"
breaks 'exited with code 3' 'echo oh no >&2; exit 3'
breaks 'oh no' 'echo oh no >&2; exit 3'
breaks 'ended by a signal' 'kill -SEGV $$'
sed -i 's/timeout: 60s/timeout: 1s/' "$scratch/breaks/agent.yaml"
breaks 'longer than its timeout' 'sleep 600'
sed -i 's/timeout: 1s/timeout: 60s/' "$scratch/breaks/agent.yaml"
breaks 'result' 'echo hello'
breaks 'result' 'true'
breaks 'metric "score": is missing, found no metric' 'echo "{\"metrics\": {}}"'
breaks 'metric "score": is missing, found "Score", "time"' 'echo "{\"Score\": 1, \"time\": 2}"'
breaks 'score|NaN|finite|JSON' 'echo "{\"metrics\": {\"score\": NaN}}"'
breaks 'printed too much|bytes of output' 'yes'
printf 'number = 0.25 # evolve: 1..0\n' >"$scratch/breaks/number.txt"
expect 1 'number.txt.*line 1|number.txt: .*1' agent check "$scratch/breaks"

# --- a pipe that nobody reads any more, as behind `| head`: a failure of which there is nothing to tell ---
told=$(python3 - "$evomesh" <<'PY'
import os, subprocess, sys
end, start = os.pipe ()
os.close (end)
print (subprocess.run ([sys.argv[1], "help"], stdout=start, stderr=subprocess.STDOUT).returncode)
print (subprocess.run ([sys.argv[1], "help"], stdout=start, stderr=subprocess.PIPE).stderr.decode (), end="")
PY
)
[ "$told" = 1 ] || wrong "behind a closed pipe: $told"

done_testing
