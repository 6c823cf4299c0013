# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the jobs of a booted machine: what `las verify` tells to type really mends what it found.
# Expects las in /las/bin, las() and fail(); mends also the service tiny, running.

# mend FINDING SUBJECT: verify finds exactly this; what it says is typed; then everything is well.
mend() {
  local told
  told=$({ las verify --json || true; } | sed 1d | python3 -c "
import json, sys
found = json.load(sys.stdin)['findings']
assert [(f['id'], f['subject']) for f in found] == [('$1', '$2')], found
print(found[0]['mend'])") || fail "verify did not find $1 of $2"
  echo "mend of $1: $told"
  case $told in
    las\ *) eval "/las/bin/$told --yes" || fail "the mend of $1 fails" ;;
    *) fail "this cannot be typed: $told" ;;
  esac
  las verify || fail "the mend of $1 mends nothing"
}

# mends CTL FOLDER: CTL is "systemctl" or "systemctl --user", FOLDER holds the units.
mends() {
  local ctl=$1 folder=$2 pid
  # An edited unit that runs: the file and the process are as recorded again.
  sed -i '/^Type=/a Environment=EDITED=yes' "$folder/las-tiny.service"
  $ctl daemon-reload
  $ctl restart las-tiny.service
  mend unit-edited tiny
  pid=$($ctl show -p MainPID --value las-tiny.service)
  ! tr '\0' '\n' <"/proc/$pid/environ" | grep -x EDITED=yes || fail "it still runs the edited unit"

  # A unit of las that no generation knows.
  sed 's/^Environment=HOME=.*//' "$folder/las-tiny.service" >"$folder/las-stray.service"
  $ctl daemon-reload
  mend unit-unknown stray
  [ ! -e "$folder/las-stray.service" ] || fail "the stray unit is there still"
  [ "$($ctl show -p ActiveState --value las-tiny.service)" = active ] || fail "the mend stopped tiny"

  # A unit whose file is gone while it runs.
  rm "$folder/las-tiny.service"
  $ctl daemon-reload
  mend unit-missing tiny
}
