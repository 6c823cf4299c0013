#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine: a rollback that proves itself, under a real systemd. A stand-in engine is
# upgraded from 1 to 2, where 2 does not become healthy or 1 does not want to go; and what somebody else did
# to units, services and files is named by the next change and mended by one repair, never silently.
# Binds as in main-job.sh.
set -euo pipefail
export LAS_DATA_DIR=/las/share NO_COLOR=1
las() { echo "\$ las $*"; /las/bin/las "$@"; }
fail() { echo "FAILED: $*"; exit 1; }
unit=las-tiny.service file=/etc/systemd/system/las-tiny.service
. /job/mends.sh
mkdir -p /etc/las/manifests.d /root/releases

# offer START_PERIOD HOW-1 [HOW-2 [FORMAT-1 FORMAT-2]]: the manifest of the engine, its newest release last.
offer() {
  local period=$1 number=0 releases="" how folder
  shift
  for how in "$1" "${2:-}"; do
    number=$((number + 1))
    [ -n "$how" ] || continue
    folder=$(mktemp -d)
    install -m 0755 /job/proof-engine.py "$folder/tool"
    echo "$number $how" >"$folder/how"
    # The same content has the same bytes, and so the same digest.
    tar -C "$folder" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf /root/releases/$number.tar tool how
    rm -r "$folder"
    local format=""
    [ -z "${3:-}" ] || format="  data: {format: $([ $number = 1 ] && echo "$3" || echo "$4")}"$'\n'
    releases="- version: '$number'
$format  variants:
  - name: any
    sources:
    - archive: {url: 'file:///root/releases/$number.tar', digest: 'sha256:$(sha256sum <"/root/releases/$number.tar" | cut -d' ' -f1)'}
      executables: {tool: tool}
$releases"
  done
  cat >/etc/las/manifests.d/demo.yaml <<MANIFEST
schema: 1
name: demo
category: tool
description: a stand-in engine
releases:
${releases}service:
  kind: deployment
  command: ['{exe.tool}', '{port}']
  health: {http: /health, start_period: $period}
  stop_timeout: 1s
  formats: [gguf]
  api: openai
MANIFEST
}

property() { systemctl show -p "$1" --value $unit; }
port() { /las/bin/las status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["services"][0]["port"])'; }
outcome() { /las/bin/las history --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["operations"][-1]["outcome"])'; }
rows() { cat /var/lib/las/data/tiny/rows; }
fresh() {  # fresh HOW-1 [FORMAT-1 FORMAT-2]: version 1 runs and has data
  /las/bin/las -q purge --yes demo 2>/dev/null || true
  offer 30s "$1" "" ${2:+"$2" "$3"}
  las -q install --yes demo
  las -q serve --yes tiny
  echo 'what a user would miss' >/var/lib/las/data/tiny/rows
  chmod 0666 /var/lib/las/data/tiny/rows
}
# holds WHAT: version 1 answers with its data, everything is as recorded.
holds() {
  [ "$(curl -sS --max-time 5 "http://127.0.0.1:$(port)/health")" = 1 ] || fail "$1: version 1 does not answer"
  [ "$(rows)" = 'what a user would miss' ] || fail "$1: the data are: $(rows)"
  systemctl is-enabled -q $unit || fail "$1: the unit would not start at boot"
  [ "$(property ActiveState)" = active ] || fail "$1: the unit is not active"
  las verify --deep || fail "$1: verify is not clean"
}
# rejected WHAT HOW-1 HOW-2 START_PERIOD [FORMAT-1 FORMAT-2]
rejected() {
  local before status=0
  fresh "$2" "${5:-}" "${6:-}"
  before=$(/las/bin/las list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["generation"])')
  offer "$4" "$2" "$3" "${5:-}" "${6:-}"
  las upgrade --yes || status=$?
  [ $status = 8 ] || fail "$1: exit status $status"
  holds "$1"
  [ "$(outcome)" = rolled-back ] || fail "$1: history says $(outcome)"
  [ "$(/las/bin/las list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["generation"])')" = "$before" ] ||
    fail "$1: another generation"
  echo "PROVED: $1"
}

las model import /model.gguf --name tiny
rejected "answers 503 for ever" well sick 1s
rejected "ends at once" well ends 30s
rejected "accepts and never answers" well hangs 1s
rejected "never listens" well sleeps 1s
rejected "neither answers nor ends on SIGTERM" well "sick stubborn" 1s
rejected "the old one has to be killed" "well stubborn" sick 1s
rejected "it changed the data" well "sick writes" 1s one two

# The old one refuses to die and the new one is well.
fresh "well stubborn"
old=$(property MainPID)
offer 30s "well stubborn" well
las upgrade --yes
[ "$(curl -sS --max-time 5 "http://127.0.0.1:$(port)/health")" = 2 ] || fail "version 2 does not answer"
[ ! -e "/proc/$old" ] || fail "version 1 is alive"
las verify

# Somebody else answers on the port in the place of version 2, which never listens.
fresh well
offer 1s well sleeps
cat >/root/stranger.py <<'PYTHON'
import socket, subprocess, sys, time
port, old = int(sys.argv[1]), sys.argv[2]
def pid():
    return subprocess.run(["systemctl", "show", "-P", "MainPID", "las-tiny.service"], capture_output=True, text=True).stdout.strip()
while (new := pid()) in (old, "0"):
    time.sleep(0.001)
listener = socket.create_server(("127.0.0.1", port))
listener.settimeout(0.05)
while pid() == new:
    try:
        client = listener.accept()[0]
        client.recv(65536)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        client.close()
    except OSError:
        continue
PYTHON
python3 /root/stranger.py "$(port)" "$(property MainPID)" &
status=0
las upgrade --yes || status=$?
[ $status = 8 ] || fail "a stranger's answer was taken for version 2's: exit status $status"
wait
las repair --yes
holds "a stranger on the port"

# --no-rollback keeps it, and rollback returns.
fresh well one two
offer 1s well "sick writes" one two
status=0
las upgrade --yes --no-rollback || status=$?
[ $status = 1 ] || fail "--no-rollback: exit status $status"
[ "$(outcome)" = unhealthy ] || fail "--no-rollback: history says $(outcome)"
[ "$(curl -sS --max-time 5 "http://127.0.0.1:$(port)/health")" = 2 ] || fail "--no-rollback: version 2 does not run"
[ "$(rows)" = 'as version 2 keeps it' ] || fail "--no-rollback: $(rows)"
las rollback --yes
holds "rollback after --no-rollback"
echo "PROVED: --no-rollback"

# What somebody else did. named FINDING: the next change names it, and leaves it; one repair mends it.
cp /root/releases/1.tar /root/releases/other.tar
sed "s/^name: demo/name: other/; s/, executables: {tool: tool}//" /etc/las/manifests.d/demo.yaml |
  sed '/^service:/,$d; /executables:/d' >/etc/las/manifests.d/other.yaml
names_it() {
  local told
  told=$(/las/bin/las install --yes other=1 2>&1) || fail "$1: $told"
  grep -q "^warning: $1 tiny: " <<<"$told" || fail "the next change does not name $1: $told"
  /las/bin/las remove --yes other >/dev/null 2>&1
}
mended() {
  las repair --yes || fail "one repair does not mend $1"
  holds "$1"
  echo "MENDED: $1"
}

sed -i '/^Type=/a Environment=EDITED=yes' $file
systemctl daemon-reload
names_it unit-edited
grep -q EDITED $file || fail "the edit was taken away silently"
mended unit-edited
grep -rq EDITED /var/lib/las/saved-units || fail "the edit was not kept"
! grep -q EDITED $file || fail "the edit is still there"

rm $file
systemctl daemon-reload
[ "$(/las/bin/las verify --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["findings"][0]["id"])')" = unit-missing ] ||
  fail "verify does not name unit-missing"
mended unit-missing

systemctl stop $unit
las verify && fail "verify does not see a service that was stopped"
mended "a service that was stopped"

las stop tiny
systemctl start $unit
{ las verify || true; } | grep 'service-runs tiny' >/dev/null || fail "verify does not see a service that was started"
las repair --yes
[ "$(property ActiveState)" = inactive ] || fail "it runs still"
las verify
las start tiny

systemctl disable $unit
las verify && fail "verify does not see a unit that would not start at boot"
mended "a unit that was disabled"

# A drop-in is the user's, and no finding.
mkdir -p $file.d
printf '[Service]\nEnvironment=MINE=yes\n' >$file.d/mine.conf
systemctl daemon-reload
las verify
rm -r $file.d
systemctl daemon-reload

# A process that dies is systemd's to bring back.
kill -9 "$(property MainPID)"
timeout 60 sh -c "until curl -sS --max-time 1 http://127.0.0.1:$(port)/health 2>/dev/null; do sleep 0.1; done"
holds "a process that was killed"

las purge --yes demo
[ -z "$(find /etc/systemd/system -name 'las-*' ! -name 'las-test-script.service')" ] || fail "units are left"
[ ! -e /var/lib/las/data/tiny ] && [ ! -e /var/lib/private/las/data/tiny ] || fail "data are left"
las verify
echo "PROOF JOB DONE"
