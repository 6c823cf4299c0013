#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# reach-job.sh: runs inside a booted machine. Who reaches a service is asked by two neighbours, each in a network
# of its own with this machine: "near" has a private address, "far" a public one. Then what users set themselves,
# a drop-in and options, holds over upgrade, rollback, remove and apply. Binds as in main-job.sh; the networks
# need CAP_NET_ADMIN, and the filter of addresses needs bpf(2).
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
lap=$(now)
took() { echo "TOOK $1: $(($(now) - lap)) ms"; lap=$(now); }

here=(10.77.0.1 198.51.100.1)

# reply NEIGHBOUR ADDRESS [PASSWORD]: what redis at this address of the machine says to the neighbour: "refused" and
# "silent" are those of a closed door, all else is somebody's answer or a fault of this test.
reply() {
  local said status=0
  said=$(ip netns exec "$1" ${3:+env "REDISCLI_AUTH=$3"} timeout "${patience:-2}" "$bin/redis-cli" --no-auth-warning -h "$2" -p 6379 PING 2>&1) || status=$?
  case $status,$said in
    1,*'Connection refused') echo refused ;;
    124,) echo silent ;;
    *) echo "${said:0:60}" ;;
  esac
}
answers() { [[ $(reply "$1" "$2") = NOAUTH* && $(reply "$1" "$2" "$(word redis)") = PONG ]]; }

# reached WHEN [NEIGHBOUR...]: this machine reaches redis, of the neighbours those named and nobody else, whichever of
# the machine's addresses they ask: with the password they get an answer, and nothing without it.
reached() {
  local when=$1 one address said
  shift
  within 10 key PING || wrong "$when: this machine gets: $(key PING 2>&1)"
  for one in near far; do
    for address in "${here[@]}"; do
      if [[ " $* " = *" $one "* ]]; then
        within 10 answers "$one" "$address" || wrong "$when: $one, who is to reach $address, gets: $(reply "$one" "$address")"
        said="$(reply "$one" "$address"), with the password $(reply "$one" "$address" "$(word redis)")"
      else
        said=$(reply "$one" "$address" "$(word redis)")
        [[ $said = refused || $said = silent ]] || wrong "$when: $one, who is not to reach $address, gets: $said"
      fi
      echo "REACH $when: $one at $address: $said"
    done
  done
}
# listens WHERE WHEN: redis, or systemd for it, listens at this address and at no other.
listens() {
  local at
  at=$(ss -ltnH 'sport = :6379' | tr -s ' ' | cut -d' ' -f4)
  [ "$at" = "$1:6379" ] || wrong "$2: it listens at $at"
}

apt-get update -qq
las install --yes redis >/tmp/install 2>&1 || { cat /tmp/install; fail "redis is not installed"; }
[ "$(port redis)" = 6379 ] || fail "redis has the port $(port redis)"
[ "$(/las/bin/las secret redis)" = "$(word redis)" ] || wrong "las secret does not say the password"
# Without it all walls but the listening address are down, and no fault of las.
! systemd-run -q --wait -P -p IPAddressDeny=any timeout 2 "$bin/redis-cli" -p 6379 PING 2>/dev/null | grep NOAUTH >/dev/null ||
  fail "systemd filters no addresses here: bpf(2) is closed, or there is no control group of version 2"
# Only now: what is installed may come from such an address.
neighbour near 10.77.0
neighbour far 198.51.100
took "install"

# --- All the time.
listens 127.0.0.1 "as installed"
reached "as installed"
las expose --yes redis --lan
listens 0.0.0.0 "exposed to the local network"
reached "lan" near
clean "lan"
/las/bin/las lock -o /root/lan.lock >/dev/null
las expose --yes redis --public
reached "public" near far
clean "public"
las unexpose --yes redis
listens 127.0.0.1 "unexposed"
reached "unexposed"
clean "unexposed"
took "network modes"

# --- A policy of the site that keeps services to the machine.
install -d /etc/las/policies.d
cat >/etc/las/policies.d/site.yaml <<'RULES'
policies:
- {name: house, description: nobody reaches services from outside, deny: [network.lan]}
RULES
standing() {
  readlink /var/lib/las/current
  systemctl list-units --no-legend --plain --type service,socket,timer 'las-*' | grep -v las-health@
  for service in $(/las/bin/las lock | sed -n '/^services:/,$s/^- name: //p'); do main_pid "$service"; done
  sha256sum /etc/systemd/system/las-*
  /las/bin/las lock
}
# denied STATUS WORDS COMMAND...: las ends with this status, says these words, and all is as before.
denied() {
  local wanted=$1 words=$2 before status=0
  shift 2
  before=$(standing)
  las "$@" >/tmp/told 2>&1 || status=$?
  cat /tmp/told
  [ $status = "$wanted" ] || wrong "las $* ends with $status, not $wanted"
  grep -F -e "$words" /tmp/told >/dev/null || wrong "las $* does not say: $words"
  [ "$(standing)" = "$before" ] || wrong "las $* was refused and changed something: $(diff <(echo "$before") <(standing))"
}
denied 3 'network.lan is denied' expose --yes redis --lan
denied 3 'network.lan is denied' apply --yes /root/lan.lock
listens 127.0.0.1 "denied"
reached "denied"
clean "denied"
rm /etc/las/policies.d/site.yaml
took "policy"

# --- On demand the port is systemd's, and the walls are the same.
las enable --yes --on-demand --idle 2s redis
las expose --yes redis --lan
rests() { is las-redis.socket active && is las-redis.service inactive; }
within 30 rests || wrong "on demand it does not come to rest"
said=$(reply far 198.51.100.1 "$(word redis)")
[[ $said = refused || $said = silent ]] || wrong "on demand, lan: far gets: $said"
rests || wrong "on demand, lan: far, who is not to reach it, started it"
within 30 rests || wrong "on demand it does not come to rest again"
[ "$(patience=20 reply near 10.77.0.1 "$(word redis)")" = PONG ] || wrong "on demand, lan: the first request of near gets no answer"
listens 0.0.0.0 "on demand, lan"
reached "on demand, lan" near
clean "on demand, lan"
las expose --yes redis --public
reached "on demand, public" near far
las unexpose --yes redis
listens 127.0.0.1 "on demand, unexposed"
reached "on demand, unexposed"
clean "on demand, unexposed"
las purge --yes redis >/dev/null 2>&1 || wrong "redis cannot be purged"
took "on demand"

# --- What the user sets: a drop-in, written at a terminal, and options.
# kept VERSION STOP_TIMEOUT MEMORY: from now on there is this release.
kept() {
  offer kept "  command: ['{exe.kept}', '{port}', '0', '{option.word}']
  port: 18900
  health: {http: /health, start_period: 30s, interval: 10s}
  limits: {memory: $3}
  stop_timeout: $2" "options:
- {name: word, type: text, description: what stands last in its command, default: theirs}"
  sed -i "s/^- version: '1'/- version: '$1'/" /etc/las/manifests.d/kept.yaml
}
unit=/etc/systemd/system/las-kept.service
mine=$unit.d/override.conf
runs_with() { tr '\0' '\n' <"/proc/$(main_pid kept)/cmdline" | tail -n 1; }
generated() { grep -Fxq "$1" $unit || wrong "$2: las does not generate $1: $(grep "^${1%%=*}=" $unit)"; }
file_is() { stat -c '%i %Y %a %U' $mine; sha256sum $mine; }
# holds WHEN: the drop-in is as the user left it, and it and the options are what the service runs with.
holds() {
  [ "$(file_is 2>&1)" = "$wrote" ] || wrong "$1: the drop-in is no longer as it was written: $(cat $mine 2>&1)"
  [ "$(property las-kept.service TimeoutStopUSec)" = 1s ] || wrong "$1: the drop-in does not hold: $(property las-kept.service TimeoutStopUSec)"
  [ "$(property las-kept.service NeedDaemonReload)" = no ] || wrong "$1: systemd has not read the unit as it is"
  [ "$(property las-kept.service MemoryMax)" = 314572800 ] || wrong "$1: limits.memory does not hold: $(property las-kept.service MemoryMax)"
  [ "$(runs_with)" = mine ] || wrong "$1: the option does not hold: $(runs_with)"
  [ "$(/las/bin/las config get kept.word) $(/las/bin/las config get kept.limits.memory)" = 'mine 300MB' ] || wrong "$1: las config says otherwise"
  clean "$1"
}

kept 1 5s 200MB
las install --yes kept >/tmp/install 2>&1 || { cat /tmp/install; fail "kept is not installed"; }
denied 2 --without-auth expose --yes kept --lan
cat >/root/editor <<'EDITOR'
#!/bin/sh
tty <&1 >/dev/null || exit 1
printf '# As I want it.\n[Service]\nTimeoutStopSec=1\n' >/root/drop-in
# The file is the last: from systemd 254 on it is told the line as well.
for file in "$@"; do :; done
sed -i '/^### Anything between/r /root/drop-in' "$file"
EDITOR
chmod 0755 /root/editor
[ "$(property las-kept.service TimeoutStopUSec)" = 5s ] || wrong "as installed, TimeoutStopSec is $(property las-kept.service TimeoutStopUSec)"
script -qec 'SYSTEMD_EDITOR=/root/editor /las/bin/las edit kept' /dev/null </dev/null || wrong "las edit fails at a terminal"
# systemctl takes the last line's end away.
[ "$(cat /root/drop-in)" = "$(cat $mine)" ] || wrong "las edit does not keep what the editor wrote"
wrote=$(file_is)
las config set --yes kept.word mine
las config set --yes kept.limits.memory 300MB
generated TimeoutStopSec=5 "before the upgrade"
holds "before the upgrade"

kept 2 7s 250MB
las upgrade --yes 2>&1 | tee /tmp/told
generated TimeoutStopSec=7 "after the upgrade"
generated MemoryMax=314572800 "after the upgrade"
grep "TimeoutStopSec was 5 and is now 7.* $mine says 1\b" /tmp/told >/dev/null || wrong "the upgrade does not name what was generated, what is now, and what the drop-in says"
holds "after the upgrade"
# One that ignores SIGTERM is ended after the drop-in's time, not las's.
how kept stubborn
las restart kept >/dev/null
begun=$(now)
las stop kept >/dev/null
ended=$(($(now) - begun))
echo "STOPPED in $ended ms; the drop-in allows 1 s, las 7 s"
[ $ended -ge 1000 ] && [ $ended -lt 6000 ] || wrong "stopped after $ended ms"
how kept
las start kept >/dev/null

# One for all services of las counts as well.
mkdir -p /etc/systemd/system/las-.service.d
printf '[Service]\nTimeoutStopSec=2\n' >/etc/systemd/system/las-.service.d/all.conf
las rollback --yes 2>&1 | tee /tmp/told
generated TimeoutStopSec=5 "after the rollback"
for file in "$mine says 1" /etc/systemd/system/las-.service.d/all.conf\ says\ 2; do
  grep "TimeoutStopSec was 7 and is now 5.* $file\b" /tmp/told >/dev/null || wrong "the rollback does not name what was generated, what is now, and that $file"
done
holds "after the rollback"
rm -r /etc/systemd/system/las-.service.d
systemctl daemon-reload
holds "after daemon-reload"
las upgrade --yes >/dev/null 2>&1 || wrong "it cannot be upgraded again"
holds "after the second upgrade"

las lock -o /root/kept.lock
grep -x ' *word: "\?mine"\?' /root/kept.lock >/dev/null || wrong "the lock lacks an option"
grep -x ' *limits.memory: "\?300MB"\?' /root/kept.lock >/dev/null || wrong "the lock lacks limits.memory"
las remove --yes kept >/dev/null
[ "$(file_is 2>&1)" = "$wrote" ] || wrong "remove took the user's drop-in"
las apply --yes /root/kept.lock
holds "after remove and apply"
status=0
las apply --check /root/kept.lock || status=$?
[ $status = 0 ] || wrong "applied, las apply --check ends with $status"
las purge --yes kept >/tmp/told 2>&1 || wrong "kept cannot be purged"
grep "delete for good: $unit.d .*your settings for kept" /tmp/told >/dev/null || wrong "purge does not say that the user's drop-in goes: $(cat /tmp/told)"
[ ! -e $unit.d ] || wrong "purge left the user's drop-in"
[ -z "$(find /etc/systemd/system -name 'las-*' ! -name 'las-test-script.service')" ] || wrong "units are left: $(find /etc/systemd/system -name 'las-*')"
clean "in the end"
took "the user's settings"
done_or_wrong "REACH JOB"
