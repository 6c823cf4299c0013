#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine with podman: a service from an image, pulled by its digest from a registry on
# loopback (the real one of the distribution); who reaches it, what it may use, on demand, and in a group with
# services that are none. The image is made here of the distribution's redis-server; the manifest is a stand-in
# for one of a publisher. Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
# shellcheck source=tests/e2e/nspawn/containers.sh
. /job/containers.sh
unit=las-cache.service
trap '[ $? = 0 ] || journalctl -u $unit -n 25 --no-pager -o cat' EXIT
ready_for_containers docker-registry redis-tools debootstrap

# Two images that differ: what an upgrade goes from and to.
mkdir -p /image /root/edition
# shellcheck disable=SC2016 # apt's own variable
mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -1)
debootstrap --variant=minbase --include=redis-server bookworm /image "$mirror" >/dev/null
echo 1 >/image/edition
echo 2 >/root/edition/edition
tar -C /image -c . | podman import -q -c 'CMD ["/usr/bin/redis-server"]' - localhost/cache:1 >/dev/null
podman build -q --network=none -t localhost/cache:2 -f - /root/edition <<<$'FROM localhost/cache:1\nCOPY edition /edition' >/dev/null
rm -rf /image
systemctl disable -q --now docker-registry  # the package's own, which asks for a password
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: 127.0.0.1:5000}\n' >/root/registry.yml
systemd-run -q --unit=registry docker-registry serve /root/registry.yml
printf '[[registry]]\nlocation = "127.0.0.1:5000"\ninsecure = true\n' >/etc/containers/registries.conf.d/loopback.conf
within 30 curl -fsS http://127.0.0.1:5000/v2/ || fail "the registry does not come up: $(journalctl -u registry -n 5 -o cat)"
for number in 1 2; do
  podman push -q --digestfile /root/digest-$number "localhost/cache:$number" "127.0.0.1:5000/cache:$number"
done
podman rmi -f localhost/cache:1 localhost/cache:2 >/dev/null
[ -z "$(podman images -q)" ] || fail "images are left"

# offer_cache RELEASE...: each "VERSION DIGEST".
offer_cache() {
  local releases="" version digest
  for release in "$@"; do
    version=${release% *} digest=${release#* }
    releases="- version: '$version'
  variants:
  - name: any
    sources:
    - image: {name: 127.0.0.1:5000/cache, tag: '$version', digest: '$digest'}
$releases"
  done
  cat >/etc/las/manifests.d/cache.yaml <<MANIFEST
schema: 1
name: cache
category: service
description: a stand-in for a module that is an image
runtime: {modes: [container]}
releases:
${releases}service:
  port: 6400
  auth: always
  container:
    command: [/usr/bin/redis-server, --bind, '{host}', --port, '{port}', --dir, '{data}', --appendonly, 'yes', --include, '{secret.auth.conf}']
    port: 6379
    data: /data
    check: [/usr/bin/redis-cli, --no-auth-warning, PING]
  secrets: {auth.conf: "requirepass {word}\n"}
  limits: {memory: 200MB, tasks: 200, cpu_percent: 50}
  health: {exec: [redis-cli], environment: {REDISCLI_AUTH: '{word}'}, expect: PONG, start_period: 60s, interval: 2s}
MANIFEST
}
one=$(cat /root/digest-1) two=$(cat /root/digest-2)
ask() { REDISCLI_AUTH=$(/las/bin/las secret cache) timeout 60 redis-cli --no-auth-warning -h "${HOST:-127.0.0.1}" -p 6400 "$@"; }
edition() { podman exec las-cache cat /edition; }
has_value() { [ "$(ask get k 2>/dev/null)" = v ]; }

# has_neighbour NAME NETWORK: .1 is this machine and .2 the neighbour, whose way to all others, and so to the containers,
# goes over this machine.
has_neighbour() {
  ip netns add "$1"
  ip link add "to-$1" type veth peer name eth0 netns "$1"
  ip addr add "$2.1/24" dev "to-$1"
  ip link set "to-$1" up
  ip -n "$1" addr add "$2.2/24" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via "$2.1"
}
# reaches NEIGHBOUR ADDRESS PORT: whoever answers there, whatever they say.
reaches() { ip netns exec "$1" timeout 2 redis-cli -h "$2" -p "$3" PING 2>/dev/null | grep . >/dev/null; }
walls_of_the_network() {
  local open
  has_neighbour near 10.77.0
  has_neighbour far 198.51.100
  echo 1 >/proc/sys/net/ipv4/ip_forward
  # One without walls: what the neighbours do not reach is not out of the way.
  podman run -d -q --rm --pull=never --name open "127.0.0.1:5000/cache@$one" \
    /usr/bin/redis-server --bind 0.0.0.0 --protected-mode no >/dev/null
  open=$(podman inspect open --format '{{.NetworkSettings.IPAddress}}')
  within 15 reaches near "$open" 6379 && within 15 reaches far "$open" 6379 || fail "the neighbours have no way to the containers: this proves nothing"
  podman stop -t 1 open >/dev/null
  inner() { inspect cache '{{.NetworkSettings.IPAddress}}'; }
  ! reaches near 10.77.0.1 6400 || wrong "local: the neighbour reaches the machine's address"
  ! reaches near "$(inner)" 6379 || wrong "local: the neighbour reaches the container's own address"
  las expose cache --lan --yes
  reaches near 10.77.0.1 6400 || wrong "lan: the neighbour does not reach the machine's address"
  [ "$(ip netns exec near redis-cli -h 10.77.0.1 -p 6400 get k)" = "NOAUTH Authentication required." ] || wrong "lan: no word is asked for"
  ! reaches far 198.51.100.1 6400 || wrong "lan: one with a public address reaches the machine's address"
  ! reaches far "$(inner)" 6379 || wrong "lan: one with a public address reaches the container's own address"
  las unexpose cache --yes
  ! reaches near 10.77.0.1 6400 || wrong "unexpose: the neighbour reaches the machine's address"
  ! reaches near "$(inner)" 6379 || wrong "unexpose: the neighbour reaches the container's own address"
}

# cpu_of GROUP: its microseconds on cores, and how often it had to wait for its limit or the same one of its unit, by
# either version of control groups.
cpu_of() {
  local used=/sys/fs/cgroup/cpuacct$1/cpuacct.usage limits=/sys/fs/cgroup/cpu$1
  if [ -e "$used" ]; then
    used=$(($(cat "$used") / 1000))
  else
    limits=/sys/fs/cgroup$1
    used=$(sed -n 's/^usage_usec //p' "$limits/cpu.stat")
  fi
  echo "$used" "$(awk '/^nr_throttled/ {sum += $2} END {print sum + 0}' "$limits/cpu.stat" "${limits%/*}/cpu.stat")"
}
limit_of_the_cpu() {
  local group begun used elapsed before after _
  group=$(sed -n 's/^[0-9]*:\(cpu[^:]*\)\?:\(.*\)/\2/p' "/proc/$(program_of cache)/cgroup" | head -1)
  # More than the machine has cores: also a busy one gives them more than the limit.
  for _ in $(seq $((2 * $(nproc)))); do podman exec -d las-cache sh -c 'while [ ! -e /tmp/enough ]; do :; done' >/dev/null; done
  read -ra before < <(cpu_of "$group")
  begun=$(now)
  burned() { read -ra after < <(cpu_of "$group") && [ $((after[0] - before[0])) -ge 1500000 ]; }
  within 60 burned || fail "the container does not burn"
  elapsed=$(($(now) - begun)) used=$(((after[0] - before[0]) / 1000))
  echo "CPU: $used of $elapsed ms with a limit of 50 %, made to wait $((after[1] - before[1])) times"
  # What the machine is busy with only makes it less; the limit alone makes it wait.
  [ $((used * 100 / elapsed)) -lt 75 ] || wrong "the limit of the CPU does not hold: $used of $elapsed ms"
  [ "${after[1]}" -gt "${before[1]}" ] || wrong "the container never waited for its limit of the CPU"
  podman exec las-cache touch /tmp/enough
}

# A native module that needs a container and a native service.
group() {
  local one status
  offer front "  command: ['{exe.front}', '{port}']
  port: 18700
  health: {http: /health, start_period: 30s, interval: 1s}
  stop_timeout: 1s" "dependencies: {modules: [cache, redis]}"
  las install --yes front
  instant() { property "las-$1.service" "$2TimestampMonotonic"; }
  in_order() {
    for one in cache redis; do
      [ "$(instant front InactiveExit)" -ge "$(instant $one ActiveEnter)" ] || wrong "$1: front was started before $one was up"
    done
  }
  all_well() {
    for one in cache redis front; do
      [ "$(told $one state)" = running ] || wrong "$1: $one is $(told $one state)"
      /las/bin/las health $one || wrong "$1: $one is not healthy"
    done
  }
  in_order install
  all_well install
  clean "group"
  las stop front
  [ "$(told front state) $(told cache state) $(told redis state)" = 'stopped running running' ] || wrong "stop front: $(/las/bin/las status)"
  las stop cache
  las start front
  in_order "start front"
  all_well "start front"
  las status
  las stop --all
  for one in cache redis front; do [ "$(told $one state)" = stopped ] || wrong "stop --all: $one is $(told $one state)"; done
  for one in cache redis; do
    [ "$(instant front InactiveEnter)" -le "$(instant $one ActiveExit)" ] || wrong "stop --all: $one was ended before front"
  done
  no_container || wrong "stop --all left a container"
  las start --all
  in_order "start --all"
  all_well "start --all"
  timer_is_content front
  timer_is_content cache
  las remove --yes front
  status=$(/las/bin/las status --json)
  [[ $status != *'"name"'* ]] || wrong "remove front left services: $(/las/bin/las status)"
  clean "group removed"
}

# A wrong digest brings nothing and leaves nothing.
offer_cache "1 sha256:$(printf '%064d' 0)"
status=0
las install --yes cache || status=$?
[ $status != 0 ] || fail "a wrong digest was installed"
[ -z "$(podman images -q)" ] || fail "a wrong digest left an image"

offer_cache "1 $one"
las install --yes cache
las status
las health cache
[ "$(ask set k v)" = OK ] || fail "it does not take a value"
[ "$(edition)" = 1 ] || fail "not the first image"
systemd-analyze verify --man=no /etc/systemd/system/$unit || fail "systemd-analyze finds faults"
inspect cache '{{.ImageName}}' | grep -F "$one" >/dev/null || fail "it does not run by its digest"
[ "$(inspect cache '{{.HostConfig.ReadonlyRootfs}} {{.EffectiveCaps}}')" = 'true []' ] || fail "its walls are down"
las logs cache --grep 'Ready to accept' | grep Ready >/dev/null || fail "its words are not in the journal"
timer_is_content cache
las verify

# Loopback only: the machine's other address is refused.
other=$(ip -4 -o addr show scope global | awk '{split($4, a, "/"); print a[1]; exit}')
[ -z "$other" ] || ! HOST=$other timeout 5 redis-cli -h "$other" -p 6400 PING 2>/dev/null || fail "it answers at $other"
walls_of_the_network
limit_of_the_cpu

# The limit of memory holds: what goes beyond it is ended, and comes back with its data.
restarts=$(property $unit NRestarts)
ask config set appendonly no >/dev/null # what is too much is not to be there again after the restart
ask eval "for i = 1, 4000 do redis.call('set', 'big' .. i, string.rep('x', 100000)) end return 1" 0 >/dev/null 2>&1 || true
was_ended() { [ "$(property $unit NRestarts)" -gt "$restarts" ]; }
within 60 was_ended || { systemctl status --no-pager $unit || true; fail "the limit of memory does not hold"; }
within 60 has_value || fail "it does not come back from the limit of memory"
# kill -9 of the program in the container.
kill -9 "$(inspect cache '{{.State.Pid}}')"
within 60 has_value || fail "it does not come back after kill -9"

las stop cache
no_container || fail "stop left a container"
las start cache
[ "$(ask get k)" = v ] || fail "its data are gone after a stop"

# Up to the second image and back, with the data; the first is not pulled again.
offer_cache "1 $one" "2 $two"
las upgrade --yes
[ "$(edition) $(ask get k)" = '2 v' ] || fail "the second image does not run with the data"
systemctl stop registry
las rollback --yes
[ "$(edition) $(ask get k)" = '1 v' ] || fail "the first image does not run again with the data"
las verify
on_demand cache has_value
has_value || fail "its data are gone after it was on demand"

las remove --yes cache
no_container || fail "remove left a container"
[ -d /var/lib/las/data/cache ] || fail "remove took the data"
offer_cache "1 $one"
group
las purge --yes cache
[ ! -e /var/lib/las/data/cache ] || wrong "purge after remove leaves the data"
las gc --keep 1 --yes
[ -z "$(podman images -q)" ] || fail "gc left an image that nothing needs: $(podman images)"
done_or_wrong "CONTAINER JOB"
