#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# care-job.sh: runs inside a booted machine. How las cares for services: health that is looked at by timers, with
# restarts that back off and end; three services that need one another; a unit edited by hand; a service that
# does not want to end; logs. Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
mark() { cursor=$(journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'); }
since_mark() { journalctl --no-pager -o cat -u "las-$1.service" --after-cursor="$cursor"; }
starts() { since_mark "$1" | grep -c '^Started ' || true; }

apt-get update -qq
offer moody "  command: ['{exe.moody}', '{port}']
  port: 18800
  health: {http: /health, start_period: 1s, interval: 1s, retries: 3}
  stop_timeout: 2s"
las install --yes moody
within 30 /las/bin/las health moody || fail "moody is not healthy"

# --- Health. The timer looks without being asked.
looked() { [ "$(told moody health.healthy)" = "$1" ]; }
within 30 looked True || within 30 looked true || fail "the timer does not record that moody is well: $(told moody health)"
las status moody | tail -1 | grep healthy >/dev/null || wrong "las status does not say healthy"

# Ill for a moment is no reason to restart; it is told.
mark
pid=$(main_pid moody)
how moody sick
within 30 looked false || wrong "the timer does not notice that moody is ill"
las health moody && wrong "las health says that moody is well while it is ill"
how moody
within 30 looked true || wrong "the timer does not notice that moody is well again"

# Ill for ever: restarted after three looks, later and later, and then left as it is.
mark
begun=$(now)
how moody sick
restarted() { [ "$(told moody health.restarts)" = "$1" ] || [ "$(told moody health.restarts)" -gt "$1" ]; }
for number in 1 2 3 4 5; do
  within 90 restarted $number || { wrong "restart $number does not come: $(told moody health)"; break; }
  echo "RESTART $number after $(($(now) - begun)) ms: failures $(told moody health.failures)"
done
gave_up() { [ -n "$(told moody health.gave_up)" ]; }
within 90 gave_up || wrong "las does not give up: $(told moody health)"
echo "GAVE UP after $(($(now) - begun)) ms: $(told moody health.gave_up)"
[ "$(told moody health.restarts)" = 5 ] || wrong "gave up after $(told moody health.restarts) restarts"
is las-moody.service active || wrong "given up, moody is $(property las-moody.service ActiveState) ($(property las-moody.service Result)); it was to be left as it is"
echo "STARTS in the journal: $(starts moody)"
left=$(main_pid moody)
{ las status moody || true; } | tee /tmp/status
grep -i 'given up' /tmp/status >/dev/null || wrong "las status does not say that it was given up"
status=0
las health moody || status=$?
[ $status = 1 ] || wrong "las health ends with $status for an ill service"
# Looks go on, restarts do not.
looked_at() { [ "$(told moody health.checked_at)" != "$1" ]; }
for _ in 1 2 3 4 5; do within 30 looked_at "$(told moody health.checked_at)" || wrong "given up, it is no longer looked at"; done
[ "$(main_pid moody)" = "$left" ] || wrong "given up, it is restarted all the same"
las verify && wrong "las verify is content with a service that was given up"
# Well again it is told without anybody's help; a start by hand begins anew.
how moody
within 30 looked true || wrong "moody is well again, and the timer does not notice: $(told moody health)"
gave_up && wrong "moody is well again, and still given up"
las status moody
clean "moody is well again"
las restart moody
clean "restarted by hand"

# --wait: until it is well.
how moody sick
( within 20 looked false; how moody ) &
las health --wait moody || wrong "las health --wait does not wait until it is well"
wait

# --- It ends by itself again and again: systemd gives up, las tells it.
how moody fails
kill -9 "$(main_pid moody)"
failed() { is las-moody.service failed; }
within 90 failed || wrong "a service that cannot start does not fail in the end"
within 30 gave_up || wrong "the timer does not see that systemd gave up: $(told moody health)"
{ las status moody || true; } | tee /tmp/status
grep failed /tmp/status >/dev/null || wrong "las status does not say that it failed"
las health moody && wrong "las health is content with a failed service"
las verify && wrong "las verify is content with a failed service"
how moody
las start moody || wrong "a mended service cannot be started by hand"
within 30 /las/bin/las health moody || wrong "started by hand it is not healthy"
clean "started by hand"

# --- It does not want to end.
how moody stubborn
las restart moody
pid=$(main_pid moody)
begun=$(now)
las stop moody || wrong "stop fails where SIGTERM is ignored"
took=$(($(now) - begun))
echo "STOPPED one that ignores SIGTERM (stop_timeout 2 s) in $took ms"
[ $took -lt 10000 ] || wrong "stop took $took ms"
[ ! -e "/proc/$pid" ] || wrong "it lives on"
[ "$(told moody state)" = stopped ] || wrong "killed, it is said to be $(told moody state)"
clean "killed after its time"
how moody
las start moody

# --- Logs.
curl -sS -o /dev/null "http://127.0.0.1:$(port moody)/first"
las logs moody --lines 3 | grep 'asked for /first' >/dev/null || wrong "las logs does not show the last lines"
moment=$(date '+%Y-%m-%d %H:%M:%S')
later() { [ "$(date '+%Y-%m-%d %H:%M:%S')" != "$moment" ]; }
within 5 later
moment=$(date '+%Y-%m-%d %H:%M:%S')
curl -sS -o /dev/null "http://127.0.0.1:$(port moody)/second"
curl -sS -o /dev/null "http://127.0.0.1:$(port moody)/third"
seen=$(/las/bin/las logs moody --since "$moment")
[ "$seen" = $'asked for /second\nasked for /third' ] || wrong "las logs --since: $seen"
seen=$(/las/bin/las logs moody --grep 'for /(first|third)')
[ "$seen" = $'asked for /first\nasked for /third' ] || wrong "las logs --grep: $seen"
/las/bin/las logs -f moody --lines 1 >/tmp/follow 2>&1 &
follower=$!
within 10 grep -q . /tmp/follow || wrong "las logs -f shows nothing of before"
curl -sS -o /dev/null "http://127.0.0.1:$(port moody)/fourth"
within 10 grep -q 'asked for /fourth' /tmp/follow || wrong "las logs -f does not follow: $(cat /tmp/follow)"
kill -INT $follower
ended() { ! kill -0 $follower; }
within 10 ended || { wrong "las logs -f does not end"; kill -9 $follower; }
! grep -l journalctl /proc/[0-9]*/comm 2>/dev/null || wrong "las logs -f leaves a journalctl"
las top moody

# --- A unit edited by hand, and one of its companions.
for unit in las-moody.service las-health@moody.timer; do
  sed -i '2a # by hand' /etc/systemd/system/$unit
  sed -i "s/^Description=.*/Description=mine/" /etc/systemd/system/$unit
  systemctl daemon-reload
  { las verify || true; } >/tmp/found
  grep '^unit-edited moody' /tmp/found >/dev/null || wrong "verify does not see that $unit was edited: $(cat /tmp/found)"
  las hold moody >/tmp/told 2>&1
  grep 'warning: unit-edited moody' /tmp/told >/dev/null || wrong "the next change does not tell that $unit was edited"
  las unhold moody >/dev/null 2>&1
  { las stop moody && las start moody; } >/dev/null 2>&1 || wrong "stop or start fails where $unit was edited"
  grep -q mine /etc/systemd/system/$unit || wrong "the edit of $unit was taken away silently"
  las repair --yes || wrong "repair fails where $unit was edited"
  ! grep -q mine /etc/systemd/system/$unit || wrong "repair leaves the edit of $unit"
  grep -rq mine /var/lib/las/saved-units || wrong "the edit of $unit was not kept"
  clean "after the repair of $unit"
done
rm /etc/systemd/system/las-health@moody.timer
systemctl daemon-reload
las verify && wrong "verify does not see that the timer's unit is gone"
las repair --yes || wrong "repair does not bring the timer back"
is las-health@moody.timer active || wrong "after the repair the timer does not tick"
clean "after the repair of the timer"

# --- Numbers for node_exporter, by the units that come with las: as a file in a folder that is somebody else's.
numbers=/var/lib/prometheus/node-exporter
installed=/usr/local/lib/systemd/system
mkdir -p $installed
sed 's#@CMAKE_INSTALL_FULL_BINDIR@#/las/bin#' /las/share/systemd/las-metrics.service.in >$installed/las-metrics.service
cp /las/share/systemd/las-metrics.timer $installed/
systemctl daemon-reload
systemctl start las-metrics.service || wrong "las-metrics fails where there is no node_exporter"
[ ! -e $numbers ] || wrong "las-metrics made the folder of node_exporter"
install -d -o nobody -g nogroup $numbers
systemctl start las-metrics.timer
within 90 test -s $numbers/las.prom || wrong "the timer wrote no numbers: $(journalctl -u las-metrics -n 5 --no-pager -o cat)"
systemctl stop las-metrics.timer
tells() {
  systemctl start las-metrics.service || wrong "las-metrics fails: $(journalctl -u las-metrics -n 5 --no-pager -o cat)"
  setpriv --reuid=65534 --regid=65534 --clear-groups grep -F "$1" $numbers/las.prom >/dev/null
}
within 30 looked true || true
tells 'las_service_healthy{service="moody",module="moody"} 1' || wrong "the numbers do not say that moody is well: $(cat $numbers/las.prom)"
tells 'las_service_memory_bytes{service="moody",module="moody"} ' || wrong "the numbers do not tell its memory"
how moody sick
within 30 looked false || true
tells 'las_service_healthy{service="moody",module="moody"} 0' || wrong "the numbers do not say that moody is ill"
how moody
within 30 looked true || true
units_clean "moody"
rm $installed/las-metrics.*
las purge --yes moody

# --- Three that need one another: app uses redis and postgresql. stack has no service: it stands for all that
# it needs.
offer app "  command: ['{exe.app}', '{port}']
  port: 18900
  health: {http: /health, start_period: 10s}
  stop_timeout: 2s" "dependencies:
  modules: [redis, postgresql]"
offer stack '' "dependencies:
  modules: [app]"
las install --yes stack
group=(redis postgresql app)
put redis
put postgresql
las status stack | tee /tmp/status
for one in "${group[@]}"; do
  grep "^$one " /tmp/status | grep running >/dev/null || wrong "las status stack does not show $one"
done
moment() { property "las-$1.service" "$2TimestampMonotonic"; }
stopped_in_order() {
  for one in redis postgresql; do
    [ "$(moment app InactiveEnter)" -le "$(moment $one ActiveExit)" ] || wrong "$1: $one was stopped before app, which uses it"
  done
}
started_in_order() {
  for one in redis postgresql; do
    [ "$(moment $one ActiveEnter)" -le "$(moment app InactiveExit)" ] || wrong "$1: app was started before $one, which it uses"
  done
  for one in "${group[@]}"; do is "las-$one.service" active || wrong "$1: $one does not run"; done
}
las stop stack
for one in "${group[@]}"; do is "las-$one.service" inactive || wrong "las stop stack leaves $one running"; done
stopped_in_order "las stop stack"
clean "the group is stopped"
las start stack
started_in_order "las start stack"
has redis || wrong "redis lost its data"
has postgresql || wrong "postgresql lost its data"
clean "the group is started"

# systemd itself keeps the order: so it is at the machine's start and end.
systemctl stop las-app.service las-redis.service las-postgresql.service
stopped_in_order "systemctl stop"
systemctl start las-app.service
started_in_order "systemctl start las-app"
clean "stopped and started by systemctl"

# A service's name means that service. What it uses comes with its start; one that others use goes with a word.
[ "$(/las/bin/las status app | tail -n +2 | wc -l)" = 1 ] || wrong "las status app shows more than app"
las stop app
is las-redis.service active || wrong "las stop app stops redis too"
las stop redis
las start app
started_in_order "las start app"
las stop redis 2>&1 | tee /tmp/told
grep 'warning: .*app' /tmp/told >/dev/null || wrong "las stop redis does not say that app uses it"
las start app
is las-redis.service active || wrong "las start app does not start redis, which it uses"
las stop --all
for one in "${group[@]}"; do is "las-$one.service" inactive || wrong "las stop --all leaves $one running"; done
stopped_in_order "las stop --all"
las start --all
started_in_order "las start --all"
las remove --yes redis && wrong "redis can be removed while app needs it"
clean "the group runs"
units_clean "the group"
las purge --yes stack
for one in "${group[@]}"; do gone "$one" || wrong "a process of $one is left"; done
[ -z "$(find /etc/systemd/system -name 'las-*' ! -name 'las-test-script.service')" ] || wrong "units are left"
clean "in the end"
done_or_wrong "CARE JOB"
