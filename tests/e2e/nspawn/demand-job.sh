#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demand-job.sh: runs inside a booted machine, twice, with the power off in between. Services on demand: a
# stand-in engine that takes two seconds to load, redis, nginx, and the real llama.cpp with a tiny model. At rest
# nothing of them runs, the first request is answered, a hundred at once start them once, and nothing that ends
# or fails closes the port.
# Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
boot=$(cat /outside/boot)
services=(slow redis nginx)
idle=3

# request SERVICE COUNT: what services-client.py says, or the like of it.
request() {
  local kind=http
  [ "$1" != tiny ] || { completions "$2"; return; }
  [ "$1" != redis ] || { kind=redis; export WORD; WORD=$(word redis); }
  /job/services-client.py $kind "$(port "$1")" "$2"
}
field() { python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$1" "$2"; }
answered() { [ "$(field "$(request "$1" 1)" answered)" = 1 ]; }
starts() { journalctl --no-pager -o cat -u "las-$1.service" --after-cursor="$cursor" | grep -c '^Started ' || true; }
mark() { cursor=$(journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'); }

question='{"model": "tiny", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 4, "temperature": 0}'
# completions COUNT: so many of them at once.
completions() {
  local outer options=(--no-progress-meter --parallel --parallel-immediate --parallel-max "$1" -w '%{http_code} %{time_total} %{size_download}\n')
  outer=$(port tiny)
  for _ in $(seq "$1"); do options+=("http://127.0.0.1:$outer/v1/chat/completions" -o /dev/null); done
  { curl -sS --max-time 60 -H 'Content-Type: application/json' -d "$question" "${options[@]}" || true; } | python3 -c '
import collections, json, subprocess, sys
lines = [line.split() for line in sys.stdin]
times = [float(time) for code, time, size in lines if code == "200" and int(size) > 0]
words = subprocess.run(["journalctl", "-o", "json", "--output-fields=_PID", "--after-cursor=" + sys.argv[1],
                        "_SYSTEMD_UNIT=las-tiny.service", "SYSLOG_IDENTIFIER=llama-server"], stdout=subprocess.PIPE, check=True).stdout
print(json.dumps({
    "answered": len(times),
    "processes": len({json.loads(word)["_PID"] for word in words.splitlines()}),
    "fastest": min(times, default=0),
    "slowest": max(times, default=0),
    "loaded": None,
    "faults": dict(collections.Counter(code for code, _, _ in lines if code != "200")),
}))' "$cursor"
}

# engine_took PORT [UNIT]: the milliseconds until an answer; with UNIT it is started and waited for first. One
# process that looks again each 10 ms: the engine's threads want every core.
engine_took() {
  python3 - "$question" "$@" <<'PYTHON'
import http.client, json, subprocess, sys, time

question, port, unit = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
begun = time.monotonic()


def ask(*request):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(*request)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError as error:
        return 0, repr(error)
    finally:
        connection.close()


if unit:
    subprocess.run(["systemctl", "start", "--no-block", *unit], check=True)
    while ask("GET", "/health")[0] != 200:
        if time.monotonic() > begun + 30:
            sys.exit("the engine by itself does not become ready")
        time.sleep(0.01)
status, text = ask("POST", "/v1/chat/completions", question, {"Content-Type": "application/json"})
took = time.monotonic() - begun
if status != 200 or not 1 <= json.loads(text)["usage"]["completion_tokens"] <= 4:
    sys.exit(f"{status}: {text}")
print(round(took * 1000))
PYTHON
}

# What runs of a service is in the store under another name.
declare -A payload=([tiny]=llama.cpp)
# at_rest SERVICE: its port is open, and nothing of it runs, nor of the proxy, the gate or the timer.
at_rest() {
  is "las-$1.socket" active && is "las-$1.service" inactive && is "las-proxy@$1.service" inactive && is "las-gate@$1.service" inactive &&
    is "las-health@$1.timer" inactive && [ "$(main_pid "$1")" = 0 ] && gone "${payload[$1]:-$1}" &&
    { [ "$1" != tiny ] || ! grep -lqs 'models/blob[s]/' /proc/[0-9]*/cmdline; }
}
rests() {
  within 15 at_rest "$1" || {
    wrong "$2: $1 is not at rest: $(systemctl list-units --all --no-legend --plain "las-*$1*" | tr -s ' ' | tr '\n' ';') processes: $(processes "${payload[$1]:-$1}" | tr '\n' ' ')"
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

sorted() { printf '%s\n' "$@" | sort -n | xargs; }
median() { sorted "$@" | cut -d ' ' -f $((($# + 1) / 2)); }
# The real engine's first answer on demand, and without anything between: in turns, since other work on this
# machine slows both.
llama() {
  local inner outer round first=() alone=() rounds=7
  export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
  las install --yes llama.cpp >/tmp/install 2>&1 || { cat /tmp/install; fail "llama.cpp is not installed"; }
  las model import /model.gguf --name tiny
  las serve --yes tiny
  las enable --yes --on-demand --idle ${idle}s tiny
  proves tiny "the real engine"

  inner=$(property las-tiny.service ExecStart | sed -n 's/.* --port \([0-9]*\) .*/\1/p')
  outer=$(port tiny)
  # What needs the engine keeps it when it was not started through its port.
  printf '[Unit]\nWants=las-tiny.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n' >/run/systemd/system/holder.service
  systemctl daemon-reload
  for round in $(seq $rounds); do
    rests tiny "round $round"
    first+=("$(engine_took "$outer")") || fail "round $round: the first request is not answered"
    rests tiny "round $round, after the first request"
    systemctl start --job-mode=ignore-dependencies holder.service
    alone+=("$(engine_took "$inner" las-tiny.service)") || fail "round $round: the engine by itself does not answer"
    # Stopped before systemd has heard that it is ready, it would count as failed.
    within 30 is las-tiny.service active || fail "round $round: the engine by itself does not become active"
    systemctl stop holder.service las-tiny.service
    # These starts are not to count for the limit of starts.
    systemctl reset-failed las-tiny.service las-health@tiny.timer
  done
  echo "ROUNDS of llama.cpp, in ms: on demand $(sorted "${first[@]}"); by itself $(sorted "${alone[@]}")"
  python3 -c '
import sys
first, alone = map(int, sys.argv[1:])
print(f"on demand llama.cpp: first request {first / 1000:.3f} s, engine by itself {alone / 1000:.3f} s, added {first - alone} ms")' \
    "$(median "${first[@]}")" "$(median "${alone[@]}")"
  rm /run/systemd/system/holder.service
  systemctl daemon-reload
  rests tiny "after the rounds"
  clean "the real engine"
}

# What it needs does not start, and so it does not either: nothing of its own unit was run that could tell.
needs_what_fails() {
  local begun
  printf '[Service]\nType=oneshot\nExecStart=false\n' >/run/systemd/system/never.service
  mkdir -p /run/systemd/system/las-slow.service.d
  printf '[Unit]\nRequires=never.service\nAfter=never.service\n' >/run/systemd/system/las-slow.service.d/need.conf
  systemctl daemon-reload
  begun=$(now)
  [ "$(field "$(request slow 2)" answered)" = 0 ] || wrong "it answers though what it needs fails"
  begun=$(($(now) - begun))
  echo "CLOSED after $begun ms, as what slow needs fails"
  [ $begun -lt 15000 ] || wrong "who asks waits for $begun ms when what it needs fails"
  is las-slow.socket active || wrong "a need that fails breaks the socket: $(property las-slow.socket Result)"
  rests slow "a need that fails"
  rm -r /run/systemd/system/las-slow.service.d /run/systemd/system/never.service
  systemctl daemon-reload
  within 60 answered slow || wrong "what it needs is mended and it does not answer"
  rests slow "what it needs is mended"
  clean "the need was mended"
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
  # When systemd does not even try it any more, for a while, nothing of its own unit is run that could tell.
  mark
  # The result stays that of the last start that was tried.
  limit_is_hit() { ! systemctl start las-slow.service 2>/dev/null && journalctl -o cat -u las-slow.service --after-cursor="$cursor" | grep 'repeated too quickly' >/dev/null; }
  mkdir -p /run/systemd/system/las-slow.service.d
  printf '[Unit]\nStartLimitIntervalSec=300\nStartLimitBurst=2\n' >/run/systemd/system/las-slow.service.d/limit.conf
  systemctl daemon-reload
  within 60 limit_is_hit || wrong "the limit of starts is not reached"
  got=$(request slow 2)
  [ "$(field "$got" answered)" = 0 ] && is las-slow.socket active || wrong "beyond the limit of starts: $got, the socket: $(property las-slow.socket Result)"
  rm -r /run/systemd/system/las-slow.service.d
  systemctl daemon-reload
  systemctl reset-failed las-slow.service
  how slow
  begun=$(now)
  within 60 answered slow || wrong "the engine is mended and does not answer"
  echo "ANSWERED slow, once mended, in $(($(now) - begun)) ms"
  rests slow "after it was mended"
  clean "after it was mended"

  needs_what_fails

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

  llama
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
  proves tiny "after the boot"
  has redis || wrong "after the boot: redis lost its data"
  clean "after the boot"
  las start nginx
  las enable nginx
  within 30 has nginx || wrong "nginx is started and does not answer"
  for one in "${services[@]}"; do las purge --yes "$one"; done
  las purge --yes llama.cpp
  [ -z "$(find /etc/systemd/system -name 'las-*' ! -name 'las-test-script.service')" ] || wrong "units are left"
  clean "in the end"
  done_or_wrong "DEMAND JOB"
}

if [ "$boot" = 1 ]; then first_boot; else second_boot; fi
