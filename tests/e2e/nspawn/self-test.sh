#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# self-test.sh ROOT: run-in-systemd.sh keeps its promises. ROOT is made by make-root.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# expect WHAT STATUS OUTPUT -- RUN-IN-SYSTEMD-ARGUMENT...
expect() {
  local what=$1 status=$2 output=$3 got=0 seen
  shift 4
  seen=$("$here/run-in-systemd.sh" "$@" 2>"$scratch/err") || got=$?
  if [ "$got" = "$status" ] && [ "$seen" = "$output" ]; then
    echo "ok   $what"
  else
    echo "FAIL $what: status $got (wanted $status), output:"
    printf '%s\n' "$seen"
    cat "$scratch/err"
    failures=$((failures + 1))
  fi
}

guest() {
  printf '#!/bin/sh\n%s\n' "$2" >"$scratch/$1"
  echo "$scratch/$1"
}

expect "systemd runs in the machine, and the script's status comes back" 7 "\
system: running
started: active
process: /usr/bin/sleep
stopped: inactive
process: gone" -- "$root" "$here/self-test.guest.sh" 7
expect "each machine is fresh" 0 "absent" -- \
  "$root" "$(guest fresh '[ -e /mark ] && echo present || echo absent; touch /mark')"
expect "and leaves the root as it was" 0 "absent" -- "$root" "$scratch/fresh"
echo content >"$scratch/shown"
expect "files of this machine are shown read-only" 0 $'content\nrefused' -- \
  --bind "$scratch/shown:/opt/shown" "$root" \
  "$(guest bind 'cat /opt/shown; touch /opt/shown 2>/dev/null || echo refused')"
expect "a machine whose script is killed still halts" 125 "before" -- \
  "$root" "$(guest killed 'echo before; kill -9 $PPID; sleep 60')"
expect "a machine beyond its time limit is ended" 124 "before" -- \
  --time-limit 3 "$root" "$(guest slow 'echo before; sleep 60')"
expect "a machine that asks for it is booted again, with what it wrote" 3 $'boot 1: nothing\nboot 2: kept' -- "$root" \
  "$(guest again 'echo "boot $(cat /outside/boot): $(cat /kept 2>/dev/null || echo nothing)"
[ -e /kept ] && exit 3; echo kept >/kept; touch /outside/again')"
expect "a private network holds loopback only" 0 "lo" -- \
  --private-network "$root" "$(guest net 'ip -br link | grep -v tunl0 | grep -v sit0 | cut -d" " -f1')"
if command -v slirp4netns >/dev/null; then
  expect "a network of its own holds its own ports, and its name server" 0 $'lo tap0\nnameserver 10.0.2.3' -- \
    --own-network "$root" "$(guest own 'echo $(ip -br link | grep -v tunl0 | grep -v sit0 | cut -d" " -f1); cat /etc/resolv.conf')"
fi
exit "$((failures > 0))"
