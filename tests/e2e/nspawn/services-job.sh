#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# services-job.sh [SERVICE...]: runs inside a booted machine, twice, with the power off in between. The services
# that las ships are installed beside what the distribution itself runs, asked, killed, stopped, upgraded to
# the newer build that the distribution has of them, taken back, removed and purged; what a user wrote is there
# all the time. /las/newer.list names the suite with the newer builds. Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
# shellcheck source=tests/e2e/nspawn/mends.sh
. /job/mends.sh
[ $# -gt 0 ] || set -- redis nginx postgresql mariadb
services=("$@")
boot=$(cat /outside/boot)
among() { [[ " ${services[*]} " = *" $1 "* ]]; }
all() { local one; for one in "${services[@]}"; do "$1" "$one" "${@:2}"; done; }

# What the main process runs lies in the store, in the payload of the build that las says.
built() { readlink "/proc/$(main_pid "$1")/exe" | cut -d/ -f6; }

killed() {
  local old begun
  old=$(main_pid "$1")
  begun=$(now)
  kill -9 "$old"
  again() { [ "$(main_pid "$1")" != 0 ] && [ "$(main_pid "$1")" != "$old" ] && has "$1"; }
  if within 60 again "$1"; then
    echo "BACK after kill -9: $1 in $(($(now) - begun)) ms"
  else
    wrong "after kill -9: $1 is $(property "las-$1.service" ActiveState) and answers: $(get "$1" 2>&1)"
  fi
}

distribution_is_untouched() {
  [ -e /root/beside ] || return 0
  [ "$(property redis-server.service ActiveState)" = active ] || wrong "$1: the distribution's redis does not run"
  [ "$boot" != 1 ] || [ "$(property redis-server.service MainPID)" = "$distribution" ] || wrong "$1: the distribution's redis was restarted"
  [ "$(redis-cli -p 6379 get mine)" = theirs ] || wrong "$1: the distribution's redis lost its data"
}

# bpf(2) is closed in this machine, and with it systemd's filter of addresses; in that of reach-job.sh it is open.
without_a_filter() {
  systemd-run -q --wait -P -p IPAddressDeny=any "$bin/redis-cli" -p "$(port redis)" PING 2>/dev/null | grep NOAUTH >/dev/null || fail "addresses are filtered here: this proves nothing"
  las expose redis --lan --yes >/tmp/told 2>&1 || wrong "redis cannot be exposed: $(cat /tmp/told)"
  cat /tmp/told
  grep '^warning: .*redis' /tmp/told >/dev/null || wrong "expose does not say that nothing keeps others out: $(cat /tmp/told)"
  mend network-open redis
  [ "$(ss -ltnH "sport = :$(port redis)" | tr -s ' ' | cut -d' ' -f4)" = "127.0.0.1:$(port redis)" ] || wrong "after unexpose redis listens elsewhere"
  well redis "after unexpose"
}

first_boot() {
  local one begun
  apt-get update -qq
  if among redis; then
    apt-get install -qq --no-install-recommends redis-server >/dev/null 2>&1
    # The network is shared with what is outside: there, too, somebody may have the usual port.
    if systemctl is-active -q redis-server; then
      touch /root/beside
      distribution=$(property redis-server.service MainPID)
      redis-cli -p 6379 set mine theirs >/dev/null
    else
      echo "SKIPPED: beside the distribution's redis: port 6379 is taken outside of this machine"
      systemctl disable -q redis-server
    fi
  fi

  for one in "${services[@]}"; do
    begun=$(now)
    las install --yes "$one" >/tmp/install 2>&1 || { cat /tmp/install; fail "$one is not installed"; }
    echo "INSTALLED $one in $(($(now) - begun)) ms, port $(port "$one"), $(built "$one")"
    grep 'note:\|warning:' /tmp/install || true
    [ "$one" != redis ] || [ "$(port redis)" != 6379 ] || wrong "redis got the port that is taken"
    [ "$one" != redis ] || [ ! -e /root/beside ] || grep 'port 6379 .*redis-server' /tmp/install >/dev/null ||
      wrong "install does not say that redis-server has the port 6379"
  done
  ! dpkg-query -W 'postgresql*' 'mariadb*' 'nginx*' 2>/dev/null | grep -v '[[:space:]]$' || wrong "dpkg knows of what las brought"
  [ ! -e /var/lib/las/secrets ] || [ "$(stat -c %a /var/lib/las/secrets)" = 700 ] || wrong "the secrets can be read"
  for one in "${services[@]}"; do
    [ ! -e "/var/lib/las/secrets/$one/.word" ] || ! tr '\0' '\n' <"/proc/$(main_pid "$one")/cmdline" | grep -F "$(word "$one")" || wrong "the secret of $one stands in the command"
  done
  all put
  all well "after the install"
  if among nginx; then las restart nginx && well nginx "after restart"; fi
  clean "after the install"
  units_clean "after the install"
  las status

  # A stranger gets nothing without the word.
  if among postgresql; then ! PGPASSWORD=wrong "$bin/psql" -h 127.0.0.1 -p "$(port postgresql)" -U postgres -c 'select 1' 2>/dev/null || wrong "postgresql takes any password"; fi
  if among mariadb; then ! "$bin/mariadb" --no-defaults -h 127.0.0.1 -P "$(port mariadb)" -u root -e 'select 1' 2>/dev/null || wrong "mariadb asks for no password"; fi
  if among redis; then [[ $("$bin/redis-cli" -p "$(port redis)" get treasure) = NOAUTH* ]] || wrong "redis asks for no password"; fi

  all killed
  all well "after kill -9"
  clean "after kill -9"

  for one in "${services[@]}"; do
    begun=$(now)
    las stop "$one"
    echo "STOPPED $one in $(($(now) - begun)) ms"
    is "las-$one.service" inactive || wrong "after stop: $one is $(property "las-$one.service" ActiveState)"
    gone "$one" || wrong "after stop: a process of $one is left"
    is "las-health@$one.timer" inactive || wrong "after stop: the timer of $one ticks"
    [ "$(told "$one" state)" = stopped ] || wrong "after stop: las status says that $one is $(told "$one" state)"
    clean "after stop $one"
    begun=$(now)
    las start "$one"
    echo "STARTED $one in $(($(now) - begun)) ms"
    is "las-health@$one.timer" active || wrong "after start: the timer of $one does not tick"
  done
  all well "after start"
  clean "after start"
  if among redis; then without_a_filter; fi

  upgraded_and_back
  distribution_is_untouched "after all"

  # For the next boot: one is not to start with the machine, one was stopped.
  if among nginx; then las disable nginx; well nginx "after disable"; fi
  if among mariadb; then las stop mariadb; fi
  clean "before the boot"
  ! among redis || word redis >/root/word
  [ ${#faults[@]} -eq 0 ] || printf '%s\n' "${faults[@]}" >/root/faults
  : >/outside/again
}

# candidate SERVICE: which build apt would install.
candidate() {
  local packages
  case $1 in
    redis) packages='redis-server' ;;
    nginx) packages='nginx' ;;
    postgresql) packages='postgresql-[0-9]+' ;;
    mariadb) packages='mariadb-server-core(-[0-9.]+)?' ;;
  esac
  apt-cache pkgnames | grep -xE "$packages" | sort | xargs apt-cache policy | grep 'Candidate: '
}

upgraded_and_back() {
  local one begun newer=0
  declare -A old candidate
  if [ ! -s /las/newer.list ]; then
    echo "SKIPPED: upgrade and rollback: outside, apt knows no suite with newer builds"
    return
  fi
  for one in "${services[@]}"; do old[$one]=$(built "$one") candidate[$one]=$(candidate "$one"); done
  cp /las/newer.list /etc/apt/sources.list.d/newer.list
  apt-get update -qq
  # A release that was fixed lately may have newer builds of a few only.
  for one in "${services[@]}"; do
    if [ "$(candidate "$one")" = "${candidate[$one]}" ]; then candidate[$one]=same; else newer=1; fi
  done
  if [ $newer = 0 ]; then
    echo "SKIPPED: upgrade and rollback: the distribution has no newer build of any of these services"
    return
  fi
  begun=$(now)
  las upgrade --yes || fail "upgrade fails"
  echo "UPGRADED in $(($(now) - begun)) ms"
  for one in "${services[@]}"; do
    echo "UPGRADED $one: ${old[$one]} -> $(built "$one")"
    if [ "${candidate[$one]}" = same ]; then
      [ "$(built "$one")" = "${old[$one]}" ] || wrong "upgrade: $one was changed, and there is nothing newer"
    else
      [ "$(built "$one")" != "${old[$one]}" ] || wrong "upgrade: the old program of $one runs still"
    fi
  done
  all well "after the upgrade"
  clean "after the upgrade"
  units_clean "after the upgrade" >/dev/null
  begun=$(now)
  las rollback --yes >/tmp/rollback 2>&1 || { cat /tmp/rollback; fail "rollback fails"; }
  echo "ROLLED BACK in $(($(now) - begun)) ms"
  for one in "${services[@]}"; do
    [ "$(built "$one")" = "${old[$one]}" ] || wrong "rollback: $one runs $(built "$one")"
  done
  all well "after the rollback"
  clean "after the rollback"
}

second_boot() {
  local one
  [ ! -e /root/faults ] || mapfile -t faults </root/faults
  for one in "${services[@]}"; do
    case $one in
      nginx | mariadb)
        is "las-$one.service" inactive || wrong "after the boot: $one runs, and was not to"
        [ "$(told "$one" state)" = stopped ] || wrong "after the boot: las status says that $one is $(told "$one" state)"
        ;;
      *)
        within 60 has "$one" || wrong "after the boot: $one does not come back"
        well "$one" "after the boot"
        is "las-health@$one.timer" active || wrong "after the boot: the timer of $one does not tick"
        ;;
    esac
  done
  clean "after the boot"
  las status
  if among nginx; then
    las start nginx
    well nginx "started though disabled"
    ! systemctl is-enabled -q las-nginx.service || wrong "start enabled nginx"
    las enable nginx
    systemctl is-enabled -q las-nginx.service || wrong "enable did not enable nginx"
  fi
  if among mariadb; then las start mariadb; fi
  all well "after enable and start"
  clean "after enable and start"

  # What is removed leaves its data and its secret; installed again it finds them.
  for one in "${services[@]}"; do
    local secret=none
    [ "$one" = nginx ] || secret=$(word "$one")
    las remove --yes "$one"
    is "las-$one.service" inactive || wrong "after remove: $one runs"
    gone "$one" || wrong "after remove: a process of $one is left"
    [ -z "$(find /etc/systemd/system -name "las-$one.*" -o -name "las-*@$one.*")" ] || wrong "after remove: a unit of $one is left"
    [ -n "$(ls -A $data/"$one")" ] || wrong "after remove: the data of $one are gone"
    [ "$one" = nginx ] || [ "$(word "$one")" = "$secret" ] || wrong "after remove: the secret of $one is gone"
    clean "after remove $one"
    las install --yes "$one" >/dev/null || fail "$one is not installed again"
    [ "$one" = nginx ] || [ "$(word "$one")" = "$secret" ] || wrong "after the second install: $one has another secret"
    well "$one" "after the second install"
  done
  clean "after the second install"

  for one in "${services[@]}"; do
    las purge --yes "$one"
    gone "$one" || wrong "after purge: a process of $one is left"
    [ ! -e $data/"$one" ] && [ ! -L /var/lib/las/data/"$one" ] || wrong "after purge: the data of $one are left"
    [ ! -e /var/lib/las/secrets/"$one" ] || wrong "after purge: the secret of $one is left"
    clean "after purge $one"
  done
  [ -z "$(find /etc/systemd/system -name 'las-*' ! -name 'las-test-script.service')" ] || wrong "units are left"
  [ -z "$(systemctl list-units --all --no-legend --plain 'las-*' | grep -v las-test-script)" ] || wrong "units are still loaded"
  distribution_is_untouched "in the end"
  # One removed before can still be purged.
  las install --yes "${services[0]}" >/dev/null
  las remove --yes "${services[0]}"
  las purge --yes "${services[0]}"
  [ ! -e $data/"${services[0]}" ] && [ ! -e /var/lib/las/secrets/"${services[0]}" ] || wrong "purge after remove leaves data or secret"
  clean "in the end"
  done_or_wrong "SERVICES JOB"
}

if [ "$boot" = 1 ]; then first_boot; else second_boot; fi
