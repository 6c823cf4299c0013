#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demand-job.sh: runs inside a booted machine, twice, with the power off in between. Services on demand: a
# stand-in engine that takes two seconds to load, redis and nginx. At rest nothing of them runs, the first
# request is answered, a hundred at once start them once, and nothing that ends or fails closes the port.
# Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
boot=$(cat /outside/boot)
services=(slow redis nginx)
idle=3

# request SERVICE COUNT: what services-client.py says.
request() {
  local kind=http
  [ "$1" != redis ] || { kind=redis; export WORD; WORD=$(word redis); }
  /job/services-client.py $kind "$(port "$1")" "$2"
}
field() { python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$1" "$2"; }
answered() { [ "$(field "$(request "$1" 1)" answered)" = 1 ]; }
starts() { journalctl --no-pager -o cat -u "las-$1.service" --after-cursor="$cursor" | grep -c '^Started ' || true; }
mark() { cursor=$(journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'); }

# at_rest SERVICE: its port is open, and nothing of it runs, nor of the proxy or the timer.
at_rest() {
  is "las-$1.socket" active && is "las-$1.service" inactive && is "las-proxy@$1.service" inactive &&
    is "las-health@$1.timer" inactive && gone "$1"
}
rests() {
  within 15 at_rest "$1" || {
    wrong "$2: $1 is not at rest: $(systemctl list-units --all --no-legend --plain "las-*$1*" | tr -s ' ' | tr '\n' ';') processes: $(processes "$1" | tr '\n' ' ')"
    systemctl stop "las-proxy@$1.service" "las-$1.service" || true
  }
}

proves() {  # proves SERVICE WHEN
  local one=$1 got
  rests "$one" "$2"
  [ "$(told "$one" state)" = waiting ] || wrong "$2: las status says that $one is $(told "$one" state)"
  rests "$one" "$2: after las status"
  las health "$one" || wrong "$2: las health is not content with $one at rest"
  rests "$one" "$2: after las health"

  # The first request, against the engine's own start.
  mark
  got=$(request "$one" 1)
  [ "$(field "$got" answered)" = 1 ] || wrong "$2: the first request to $one: $got"
  echo "FIRST REQUEST to $one: $(field "$got" slowest) s; the engine loaded for $(field "$got" loaded) s"
  echo "WARM REQUEST to $one: $(field "$(request "$one" 1)" slowest) s"
  [ "$one" != slow ] || python3 -c "import sys; sys.exit(not $(field "$got" slowest) - $(field "$got" loaded) < 2.0)" ||
    wrong "$2: the first request takes much longer than the engine: $got"
  [ "$(told "$one" state)" = running ] || wrong "$2: las status says that $one is $(told "$one" state) after a request"
  rests "$one" "$2: after the first request"
  [ "$(starts "$one")" = 1 ] || wrong "$2: $one was started $(starts "$one") times for one request"

  # A hundred at once start it once.
  mark
  got=$(request "$one" 100)
  echo "100 AT ONCE to $one: $got"
  [ "$(field "$got" answered)" = 100 ] || wrong "$2: 100 requests at once to $one: $got"
  [ "$(field "$got" processes)" -le 1 ] || wrong "$2: several processes of $one answered"
  [ "$(starts "$one")" = 1 ] || wrong "$2: $one was started $(starts "$one") times for 100 requests"

  # It dies while it runs: who asks next waits and is answered.
  kill -9 "$(main_pid "$one")"
  local begun
  begun=$(now)
  within 30 answered "$one" || wrong "$2: after kill -9 $one does not answer"
  echo "ANSWERED $one after kill -9 in $(($(now) - begun)) ms"
  is "las-$one.socket" active || wrong "$2: after kill -9 the port of $one is $(property "las-$one.socket" ActiveState)"
  rests "$one" "$2: after kill -9"
  clean "$2: $one"
}

first_boot() {
  apt-get update -qq
  offer slow "  command: ['{exe.slow}', '{port}', '2']
  port: 18700
  health: {http: /health, start_period: 30s, interval: 1s}
  stop_timeout: 1s"
  for one in "${services[@]}"; do las install --yes "$one" >/tmp/install 2>&1 || { cat /tmp/install; fail "$one is not installed"; }; done
  put nginx
  las restart nginx
  put redis
  # How long the engine takes by itself, from nothing to the first answer, without anything between.
  for one in "${services[@]}"; do
    las stop "$one" >/dev/null
    begun=$(now)
    systemctl start --no-block "las-$one.service"
    within 30 answered "$one" || fail "$one does not start"
    echo "BY ITSELF $one answers after $(($(now) - begun)) ms"
    las start "$one" >/dev/null
  done
  for one in "${services[@]}"; do
    before=$(port "$one")
    las enable --yes --on-demand --idle ${idle}s "$one"
    [ "$(port "$one")" = "$before" ] || wrong "on demand $one has another port"
    [ "$(told "$one" on_demand)" = true ] || wrong "las status does not say that $one is on demand"
  done
  clean "on demand"
  units_clean "on demand"
  for one in "${services[@]}"; do proves "$one" "on demand"; done
  has redis || wrong "redis lost its data on demand"
  has nginx || wrong "nginx lost its data on demand"

  # An engine that fails closes the connections, never the port.
  rests slow "before it fails"
  how slow fails
  for _ in $(seq 15); do
    got=$(request slow 2)
    [ "$(field "$got" answered)" = 0 ] || wrong "a failing engine answers: $got"
    is las-slow.socket active || { wrong "a failing engine breaks the socket: $(property las-slow.socket Result)"; break; }
  done
  las status slow
  las health slow && wrong "las health is content with an engine that fails"
  how slow
  begun=$(now)
  within 60 answered slow || wrong "the engine is mended and does not answer"
  echo "ANSWERED slow, once mended, in $(($(now) - begun)) ms"
  rests slow "after it was mended"
  clean "after it was mended"

  # Stopped by the user it is not started by a request; started it waits again.
  las stop slow
  ! is las-slow.socket active || wrong "a stopped service on demand still has its port"
  [ "$(field "$(request slow 1)" answered)" = 0 ] || wrong "a stopped service on demand answers"
  clean "on demand and stopped"
  las start slow
  is las-slow.socket active || wrong "a started service on demand has no port"
  proves slow "stopped and started"

  # Another time; then all the time; and back by one rollback.
  las enable --yes --on-demand --idle 5s slow
  [ "$(told slow idle_seconds)" = 5 ] || wrong "another time until it ends is not kept"
  las enable --yes --always slow
  is las-slow.service active || wrong "--always does not start it"
  [ ! -e /etc/systemd/system/las-slow.socket ] && [ ! -e /etc/systemd/system/las-proxy@slow.service ] || wrong "--always leaves socket or proxy"
  /las/bin/las health slow || wrong "--always: it is not healthy"
  clean "--always"
  las rollback --yes >/dev/null 2>&1 || wrong "rollback to on demand fails"
  is las-slow.socket active || wrong "rollback does not bring the socket back"
  answered slow || wrong "after the rollback it does not answer"
  rests slow "after the rollback"
  clean "after the rollback"

  las disable nginx
  clean "nginx disabled"
  [ ${#faults[@]} -eq 0 ] || printf '%s\n' "${faults[@]}" >/root/faults
  : >/outside/again
}

second_boot() {
  [ ! -e /root/faults ] || mapfile -t faults </root/faults
  ! is las-nginx.socket active || wrong "after the boot: the port of nginx is open, and was not to"
  systemctl is-system-running --wait | grep -x running >/dev/null || wrong "after the boot: $(systemctl --failed --no-legend | head -3)"
  proves slow "after the boot"
  proves redis "after the boot"
  has redis || wrong "after the boot: redis lost its data"
  clean "after the boot"
  las start nginx
  las enable nginx
  within 30 has nginx || wrong "nginx is started and does not answer"
  for one in "${services[@]}"; do las purge --yes "$one"; done
  [ -z "$(find /etc/systemd/system -name 'las-*' ! -name 'las-test-script.service')" ] || wrong "units are left"
  clean "in the end"
  done_or_wrong "DEMAND JOB"
}

if [ "$boot" = 1 ]; then first_boot; else second_boot; fi
