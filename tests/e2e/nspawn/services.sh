# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the jobs about services in a booted machine: what they ask las, systemd and the services.
# A finding that leaves the rest provable is noted with wrong and ends the job with done_or_wrong.
export LAS_DATA_DIR=/las/share NO_COLOR=1
# Whoever works for himself says so.
program=(/las/bin/las)
las() { echo "\$ las $*"; "${program[@]}" "$@"; }
fail() { echo "FAILED: $*"; exit 1; }
faults=()
wrong() { faults+=("$*"); echo "WRONG: $*"; }
done_or_wrong() {
  [ ${#faults[@]} -eq 0 ] || { printf 'FAILED: %s\n' "${faults[@]}"; exit 1; }
  echo "$1 DONE"
}
now() { date +%s%3N; }
# How much longer than usual all takes on this machine (see run-in-qemu.sh).
slowness=$(cat /outside/slowness 2>/dev/null || echo 1)

# within SECONDS COMMAND...: until COMMAND succeeds; fails at the deadline.
within() {
  local end=$(($(now) + $1 * slowness * 1000))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(now)" -lt $end ] || return 1
    sleep 0.05
  done
}

property() { systemctl show -P "$2" "$1"; }
main_pid() { property "las-$1.service" MainPID; }
is() { [ "$(property "$1" ActiveState)" = "$2" ]; }
# told SERVICE FIELD: what las status says.
told() {
  "${program[@]}" status --json "$1" | python3 -c '
import json, sys
value = next(s for s in json.load(sys.stdin)["services"] if s["name"] == sys.argv[1])
for key in sys.argv[2].split("."):
    value = value[key] if value is not None else None
print(json.dumps(value) if isinstance(value, (bool, type(None))) else value)' "$1" "$2"
}
port() { told "$1" port; }
word() { cat "/var/lib/las/secrets/$1/.word"; }
bin=/var/lib/las/current/bin
data=/var/lib/private/las/data

# neighbour NAME NETWORK: one with a network of its own with this machine. .1 is this machine and .2 the neighbour, who asks
# this machine for all other addresses, and so for those of containers.
neighbour() {
  ip netns add "$1"
  ip link add "to-$1" type veth peer name eth0 netns "$1"
  ip addr add "$2.1/24" dev "to-$1"
  ip link set "to-$1" up
  ip -n "$1" addr add "$2.2/24" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via "$2.1"
}

clean() { "${program[@]}" verify || wrong "$1: verify is not clean"; }
# The processes of a service, by the payload or folder that they run.
processes() {
  local process
  for process in /proc/[0-9]*; do
    [[ $(readlink "$process/exe") != "/var/lib/las/store/$1-"* && $(tr '\0' ' ' <"$process/cmdline") != *"/var/lib/las/store/$1-"* ]] ||
      echo "${process#/proc/}"
  done 2>/dev/null
}
gone() { [ -z "$(processes "$1")" ]; }

# ask SERVICE: a real query with the secret, by the client that las brought.
sql() { PGPASSWORD=$(word postgresql) "$bin/psql" -h 127.0.0.1 -p "$(port postgresql)" -U postgres -v ON_ERROR_STOP=1 -Atqc "$1"; }
maria() { MYSQL_PWD=$(word mariadb) "$bin/mariadb" --no-defaults -h 127.0.0.1 -P "$(port mariadb)" -u root -Nse "$1"; }
# redis-cli 6 knows no -e: what is said is looked at, not the status.
key() { REDISCLI_AUTH=$(word redis) "$bin/redis-cli" -p "$(port redis)" "$@"; }
page() { curl -fsS --max-time 10 "http://127.0.0.1:$(port nginx)/page.txt"; }

treasure="what a user would miss"
put() {
  case $1 in
    postgresql) sql "create table treasure (it text); insert into treasure values ('$treasure')" ;;
    mariadb) maria "create database kept; create table kept.treasure (it text); insert into kept.treasure values ('$treasure')" ;;
    redis) [ "$(key set treasure "$treasure")" = OK ] ;;
    nginx)
      install -d -m 0755 $data/nginx/html
      echo "$treasure" >$data/nginx/html/page.txt
      # The folder is the service's: what root puts there becomes its own at the next start.
      chown -R --reference=$data/nginx $data/nginx/html
      ;;
  esac || fail "$1 does not take data"
}
get() {
  case $1 in
    postgresql) sql 'select it from treasure' ;;
    mariadb) maria 'select it from kept.treasure' ;;
    redis) key get treasure ;;
    nginx) page ;;
  esac
}
has() { [ "$(get "$1" 2>/dev/null)" = "$treasure" ]; }
# well SERVICE WHEN: it runs, is healthy and has its data.
well() {
  is "las-$1.service" active || wrong "$2: $1 is $(property "las-$1.service" ActiveState)"
  [ "$(told "$1" state)" = running ] || wrong "$2: las status says that $1 is $(told "$1" state)"
  "${program[@]}" health "$1" || wrong "$2: $1 is not healthy"
  has "$1" || wrong "$2: $1 answers: $(get "$1" 2>&1)"
}

# Every unit that las made: systemd finds no fault, and none is open wider than 2.0, but for those that podman itself
# runs in: it makes a container, and to run a check there joins it, which takes CAP_SYS_ADMIN. The service in the
# container has walls of its own, which systemd does not count.
units_clean() {
  local units unit found score most
  mapfile -t units < <(find {/etc,/usr/local/lib}/systemd/system -maxdepth 1 -name 'las-*' ! -name 'las-test-script.service' 2>/dev/null | sort)
  [ ${#units[@]} -gt 0 ] || fail "$1: no units"
  found=$(systemd-analyze verify --man=no "${units[@]}" 2>&1) || wrong "$1: systemd-analyze verify fails"
  [ -z "$found" ] || wrong "$1: systemd-analyze verify says: $found"
  for unit in "${units[@]}"; do
    unit=${unit##*/}
    [[ $unit = *.service ]] || continue
    score=$(systemd-analyze security --no-pager "$unit" 2>/dev/null | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    echo "EXPOSURE $(printf '%-36s %s' "$unit" "${score:-?}")"
    most=2.0
    if grep -e --sdnotify=conmon "/etc/systemd/system/$unit" >/dev/null 2>&1; then
      most=7.0
    elif [[ $unit = las-health@* ]] && grep CAP_SYS_ADMIN "/etc/systemd/system/$unit" >/dev/null; then
      most=4.0
    fi
    [ -n "$score" ] && python3 -c "import sys; sys.exit($score > $most)" || wrong "$1: exposure of $unit is ${score:-unknown}"
  done
}

# offer NAME MANIFEST-OF-ITS-SERVICE [MORE]: a module that is the stand-in engine of this folder; with no
# manifest of a service it has none.
offer() {
  local folder
  mkdir -p /etc/las/manifests.d /root/releases
  folder=$(mktemp -d)
  install -m 0755 /job/services-engine.py "$folder/tool"
  tar -C "$folder" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "/root/releases/$1.tar" tool
  rm -r "$folder"
  cat >"/etc/las/manifests.d/$1.yaml" <<MANIFEST
schema: 1
name: $1
category: service
description: a stand-in engine
${3:-}
releases:
- version: '1'
  variants:
  - name: any
    sources:
    - archive: {url: 'file:///root/releases/$1.tar', digest: 'sha256:$(sha256sum <"/root/releases/$1.tar" | cut -d' ' -f1)'}
      executables: {$1: tool}
${2:+service:
$2}
MANIFEST
}
# how SERVICE WORDS: how the stand-in behaves from now on (see services-engine.py).
how() { echo "${*:2}" >"$data/$1/how"; chmod 0644 "$data/$1/how"; }
