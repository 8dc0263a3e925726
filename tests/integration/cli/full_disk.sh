#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# A full disk is told by what was being written and what to do, and a refused command leaves nothing behind.
. "$(dirname "$0")/lib.sh"

disk=$scratch/disk
agent=$scratch/agent
mkdir "$disk"
make_agent "$agent"

# on_disk BYTES SCRIPT: runs the script with a disk of that size at $disk, empty at first; what it prints is in $out.
on_disk () {
    out=$(bwrap --dev-bind / / --size "$1" --tmpfs "$disk" -- bash -c "$2" 2>&1 </dev/null)
}

# says PATTERN: so does what was printed, and it speaks of no command that helps only a running node, nor of SQL.
says () {
    printf '%s' "$out" | grep -qE -- "$1" || wrong "expected /$1/, found: $out"
    ! printf '%s' "$out" | grep -qE 'evomesh resume|PRAGMA|COMMIT|BEGIN|SELECT' || wrong "told in terms of the inside: $out"
}

reason='(no space left on the disk: free some|the disk quota is used up)'

# --- init: whatever it is that doesn't fit any more ---
fits=0
for kib in 4 8 12 16 24 32 48 64 96 128 192 256 512; do
    on_disk $((kib * 1024)) "'$evomesh' init --dir '$disk/above/node' --agent '$agent' || find '$disk' -mindepth 1"
    case $out in
    *' made in '*) fits=$kib ;;
    *)
        says "evomesh: $disk/above.*: $reason"
        [ "$(printf '%s\n' "$out" | wc -l)" = 1 ] || wrong "init on $kib KiB left something: $out"
        ;;
    esac
done
[ "$fits" = 512 ] || wrong "init did not succeed on the largest disk: $out"
on_disk 4096 "mkdir -m 700 '$disk/there' && '$evomesh' init --dir '$disk/there' || find '$disk' -mindepth 1"
says "$reason"
printf '%s\n' "$out" | tail -n 1 | grep -qx "$disk/there" || wrong "init took more or less away than it made: $out"

# --- commands on a node whose disk has filled up ---
node=$disk/node
fill="dd if=/dev/zero of='$disk/fill' bs=1k 2>/dev/null"
made="'$evomesh' init --dir '$node' --agent '$agent' >/dev/null; cp '$node/node.yaml' '$scratch/before'"
on_disk 2000000 "$made; $fill; '$evomesh' group create g --dir '$node'; rm '$disk/fill'; '$evomesh' group create g --dir '$node'"
says "$node/.*: $reason"
says 'Group g founded'

host=$scratch/host
expect 0 'made' init --dir "$host" --name host --agent "$agent"
sed -i 's/^proposals_max: 0/proposals_max: 1/' "$host/node.yaml"
expect 0 'founded' group create packers --dir "$host"
start "$host"
eventually status_is "$host" 'd["objectives"][0]["now"] is not None'
run group invite --local --dir "$host" --json
token=$(json "$scratch/out" 'd["token"]')
on_disk 2000000 "'$evomesh' init --dir '$node' >/dev/null; $fill; '$evomesh' group join '$token' --yes --dir '$node'; ls '$node'; rm '$disk/fill'; '$evomesh' group join '$token' --yes --dir '$node'"
says "$node/.*: $reason"
says 'Joined group packers' # the token is as good as before

# --- files that a command writes ---
on_disk 4096 "'$evomesh' agent new '$disk/new' || find '$disk' -mindepth 1"
says "$disk/new.*: $reason"
[ "$(printf '%s\n' "$out" | wc -l)" = 1 ] || wrong "agent new left something: $out"
on_disk 4096 "$fill; '$evomesh' group members --charter '$disk/charter' --dir '$host'; ls '$disk'"
says "$disk/charter.*: $reason"
printf '%s\n' "$out" | tail -n 1 | grep -qx fill || wrong "a file that was cut short stayed: $out"

done_testing
