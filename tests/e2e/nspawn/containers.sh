# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the jobs about containers in a booted machine, after services.sh. engine is podman, or what the job says.
: "${engine:=podman}" "${slowness:=1}"
# Services are looked at while the jobs go on, and each look holds the state for a moment.
las() { echo "\$ las $*"; "${program[@]}" --wait 30 "$@"; }

# of_these PACKAGE...: those that this release has.
of_these() { apt-cache --no-all-versions show "$@" 2>/dev/null | sed -n 's/^Package: //p'; }
# ready_for_containers PACKAGE...: the engine, and what else the job needs.
ready_for_containers() {
  local controller packages
  # systemd-nspawn shows the control groups (version 1) and the kernel's parameters read-only.
  ! mountpoint -q /proc/sys || mount -o remount,rw,bind /proc/sys
  for controller in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$controller" 2>/dev/null || true; done
  # Only now systemd itself sees that it can have groups of version 1 for what it starts.
  systemctl daemon-reexec
  if [ $engine = docker ]; then
    # With AppArmor in the kernel it makes no container without the program that loads its profile.
    packages=(docker.io docker-cli iptables apparmor)
    # The only folder here on which its layers can lie.
    mkdir -p /etc/docker
    echo '{"data-root": "/var/lib/containers/docker"}' >/etc/docker/daemon.json
  else
    packages=(podman crun netavark aardvark-dns nftables containernetworking-plugins uidmap slirp4netns catatonit iptables)
    # Docker asks such a registry without being told.
    mkdir -p /etc/containers/registries.conf.d
    printf '[[registry]]\nlocation = "127.0.0.1:5000"\ninsecure = true\n' >/etc/containers/registries.conf.d/loopback.conf
  fi
  apt-get update -qq
  mapfile -t packages < <(of_these "${packages[@]}")
  apt-get install -qq --no-install-recommends "${packages[@]}" "$@" >/dev/null 2>&1 ||
    fail "the packages that this job needs are not installed"
  $engine version --format '{{.Client.Version}}'
  $engine info >/dev/null 2>&1 || fail "$engine does not work: $($engine info 2>&1)"
  mkdir -p /etc/las/manifests.d
}

inspect() { $engine inspect --format "$2" "las-$1"; }
# The process of a container's program, which the container's init started.
program_of() {
  local init program
  init=$(inspect "$1" '{{.State.Pid}}')
  read -r program <"/proc/$init/task/$init/children" || true
  echo "$program"
}
no_container() { [ -z "$($engine ps -aq)" ]; }

# timer_is_content SERVICE: what the health timer saw, behind its own walls.
timer_is_content() {
  seen() { [ "$(told "$1" health.healthy)" = true ]; }
  within 30 seen "$1" || wrong "the health timer is not content with $1: $(told "$1" health.reason)"
}

# on_demand SERVICE COMMAND...: nothing of it runs until the first request, COMMAND, which is answered, and nothing when it
# was idle.
on_demand() {
  local begun
  waits() { [ "$(told "$1" state)" = waiting ] && is "las-$1.socket" active && is "las-$1.service" inactive && no_container; }
  las enable --yes --on-demand --idle 2s "$1"
  within 30 waits "$1" || wrong "on demand $1 is $(told "$1" state) at rest: $($engine ps -a --format '{{.Names}} {{.Status}}')"
  begun=$(now)
  "${@:2}" >/dev/null 2>&1 || wrong "the first request to $1 is not answered"
  echo "FIRST REQUEST to $1 in its container: $(($(now) - begun)) ms"
  within 30 waits "$1" || wrong "on demand $1 is $(told "$1" state) when it was idle"
  las enable --yes --always "$1"
  is "las-$1.service" active || wrong "--always does not start $1"
}

# What follows is about cache, which is an image of the distribution's redis-server; its manifest is a stand-in for one
# of a publisher.

# images_of_cache: the digests one and two, of two images that differ, and three, of one whose program is not root's, in a registry on loopback (the real one of the
# distribution): what an upgrade goes from and to.
images_of_cache() {
  local number name=127.0.0.1:5000/cache
  systemctl disable -q --now docker-registry  # the package's own, which asks for a password
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: 127.0.0.1:5000}\n' >/root/registry.yml
  serve_images
  mkdir /root/edition
  gzip -dc /image.tar.gz | $engine import -c 'CMD ["/usr/bin/redis-server"]' - $name:0 >/dev/null 2>&1
  variant() {
    printf 'FROM %s:%s\n%s\n' $name "$2" "$3" >/root/edition/Dockerfile
    $engine build -q --network=none -t "$name:$1" /root/edition >/dev/null
  }
  for number in 1 2; do
    echo $number >/root/edition/edition
    variant $number 0 'COPY edition /edition'
  done
  variant 3 1 'USER redis'
  for number in 1 2 3; do $engine push -q $name:$number >/dev/null; done
  $engine rmi -f $name:0 $name:1 $name:2 $name:3 >/dev/null
  [ -z "$($engine images -aq)" ] || fail "images are left"
  one=$(digest_of 1) two=$(digest_of 2) three=$(digest_of 3)
}
serve_images() {
  systemd-run -q --unit=registry docker-registry serve /root/registry.yml
  within 30 curl -fsS http://127.0.0.1:5000/v2/ || fail "the registry does not come up: $(journalctl -u registry -n 5 -o cat)"
}
# Of either engine's format, so that it is the digest of what was pushed and not of a translation.
digest_of() {
  curl -fsSI -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
    "http://127.0.0.1:5000/v2/cache/manifests/$1" | tr -d '\r' | sed -n 's/^docker-content-digest: //Ip'
}

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
  cat >"${manifests:-/etc/las/manifests.d}/cache.yaml" <<MANIFEST
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
    capabilities: [${capabilities:-}]
    check: [/usr/bin/redis-cli, --no-auth-warning, PING]
  secrets: {auth.conf: "requirepass {word}\n"}
  limits: {${limits-memory: 200MB, tasks: 200, cpu_percent: 50}}
  stop_timeout: $((20 * slowness))s
  health: {exec: [redis-cli], environment: {REDISCLI_AUTH: '{word}'}, expect: PONG, start_period: $((60 * slowness))s, timeout: $((5 * slowness))s, interval: 2s}
MANIFEST
}
ask() { REDISCLI_AUTH=$("${program[@]}" secret cache) timeout $((${PATIENCE:-60} * slowness)) redis-cli --no-auth-warning -h "${HOST:-127.0.0.1}" -p 6400 "$@"; }
edition() { $engine exec las-cache cat /edition; }
has_value() { [ "$(ask get k 2>/dev/null)" = v ]; }

# A wrong digest brings nothing and leaves nothing.
refuses_a_wrong_digest() {
  offer_cache "1 sha256:$(printf '%064d' 0)"
  ! las install --yes cache || fail "a wrong digest was installed"
  [ -z "$($engine images -aq)" ] || fail "a wrong digest left an image"
}

installs_cache() {
  local other
  offer_cache "1 $one"
  las install --yes cache
  las status
  las health cache
  [ "$(ask set k v)" = OK ] || fail "it does not take a value"
  [ "$(edition)" = 1 ] || fail "not the first image"
  systemd-analyze verify --man=no /etc/systemd/system/las-cache.service || fail "systemd-analyze finds faults"
  inspect cache '{{.Config.Image}}' | grep -F "$one" >/dev/null || fail "it does not run by its digest"
  [ "$(inspect cache '{{.HostConfig.ReadonlyRootfs}}')" = true ] || fail "it can write where it should not"
  [ "$(grep -cE '^(Cap(Prm|Eff|Bnd):\s*0+|NoNewPrivs:\s*1)$' "/proc/$(program_of cache)/status")" = 4 ] ||
    fail "its walls are down: $(grep -E '^(Cap|NoNew)' "/proc/$(program_of cache)/status")"
  las logs cache --grep 'Ready to accept' | grep Ready >/dev/null || fail "its words are not in the journal"
  timer_is_content cache
  las verify
  # Loopback only: the machine's other address is refused.
  other=$(ip -4 -o addr show scope global | awk '{split($4, a, "/"); print a[1]; exit}')
  [ -z "$other" ] || ! timeout 5 redis-cli -h "$other" -p 6400 PING 2>/dev/null || fail "it answers at $other"
}

# reaches NEIGHBOUR ADDRESS PORT: whoever answers there, whatever they say.
reaches() { ip netns exec "$1" timeout 2 redis-cli -h "$2" -p "$3" PING 2>/dev/null | grep . >/dev/null; }
# gets_out CONTAINER ADDRESS: it gets through to what listens in the neighbours.
gets_out() { timeout 10 $engine exec "$1" timeout 2 bash -c ": </dev/tcp/$2/8000" 2>/dev/null; }
walls_of_the_network() {
  local open each
  if [ ! -e /run/netns/near ]; then
    neighbour near 10.77.0
    neighbour far 198.51.100
    for each in near far; do systemd-run -q -p NetworkNamespacePath=/run/netns/$each python3 -m http.server 8000; done
    echo 1 >/proc/sys/net/ipv4/ip_forward
  fi
  # One without walls: what the neighbours do not reach is not out of the way. Docker lets others to published ports only.
  $engine run -d --rm --pull=never --publish 127.0.0.1:6500:6379 --name open "127.0.0.1:5000/cache@$one" \
    /usr/bin/redis-server --bind 0.0.0.0 --protected-mode no >/dev/null
  open=$($engine inspect --format '{{.NetworkSettings.IPAddress}}' open)
  within 15 reaches near "$open" 6379 && within 15 reaches far "$open" 6379 || fail "the neighbours have no way to the containers: this proves nothing"
  within 15 gets_out open 10.77.0.2 && within 15 gets_out open 198.51.100.2 || fail "containers have no way to the neighbours: this proves nothing"
  $engine stop -t 1 open >/dev/null
  inner() { inspect cache '{{.NetworkSettings.IPAddress}}'; }
  ! reaches near 10.77.0.1 6400 || wrong "local: the neighbour reaches the machine's address"
  ! reaches near "$(inner)" 6379 || wrong "local: the neighbour reaches the container's own address"
  ! gets_out las-cache 10.77.0.2 || wrong "local: the container reaches the neighbour"
  ! gets_out las-cache 198.51.100.2 || wrong "local: the container reaches a public address"
  las expose cache --lan --yes
  reaches near 10.77.0.1 6400 || wrong "lan: the neighbour does not reach the machine's address"
  [ "$(ip netns exec near redis-cli -h 10.77.0.1 -p 6400 get k)" = "NOAUTH Authentication required." ] || wrong "lan: no word is asked for"
  ! reaches far 198.51.100.1 6400 || wrong "lan: one with a public address reaches the machine's address"
  ! reaches far "$(inner)" 6379 || wrong "lan: one with a public address reaches the container's own address"
  ! gets_out las-cache 198.51.100.2 || wrong "lan: the container reaches a public address"
  las unexpose cache --yes
  ! reaches near 10.77.0.1 6400 || wrong "unexpose: the neighbour reaches the machine's address"
  ! reaches near "$(inner)" 6379 || wrong "unexpose: the neighbour reaches the container's own address"
}

# cpu_of PROCESS: the microseconds of its group on cores, and how often it had to wait for its limit or the same one of
# its unit or slice, by either version of control groups.
cpu_of() {
  local used limits
  if [ -d /sys/fs/cgroup/cpu ]; then
    limits=/sys/fs/cgroup/cpu$(sed -n 's/^[0-9]*:\(cpu\|cpu,cpuacct\|cpuacct,cpu\)://p' "/proc/$1/cgroup")
    # By what each process says: crun 0.17 leaves them in the root of an account that is apart from the limits.
    used=$(while read -r process; do cat "/proc/$process/schedstat" 2>/dev/null || true; done <"$limits/cgroup.procs" |
      awk '{sum += $1} END {printf "%d", sum / 1000}')
  else
    limits=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    used=$(sed -n 's/^usage_usec //p' "$limits/cpu.stat")
  fi
  echo "$used" "$(awk '/^nr_throttled/ {sum += $2} END {print sum + 0}' "$limits"/{.,..,../..}/cpu.stat)"
}
limit_of_the_cpu() {
  local program begun used elapsed before after _
  program=$(program_of cache)
  # More than the machine has cores: also a busy one gives them more than the limit.
  for _ in $(seq $((2 * $(nproc)))); do $engine exec -d las-cache sh -c 'while [ ! -e /tmp/enough ]; do :; done' >/dev/null; done
  read -ra before < <(cpu_of "$program")
  begun=$(now)
  burned() { read -ra after < <(cpu_of "$program") && [ $((after[0] - before[0])) -ge 1500000 ]; }
  # What the machine is busy with may keep it below its limit for a while.
  waited() { burned && [ "${after[1]}" -gt "${before[1]}" ]; }
  within 90 waited || burned || fail "the container does not burn"
  elapsed=$(($(now) - begun)) used=$(((after[0] - before[0]) / 1000))
  echo "CPU: $used of $elapsed ms with a limit of 50 %, made to wait $((after[1] - before[1])) times"
  # What the machine is busy with only makes it less; the limit alone makes it wait.
  [ $((used * 100 / elapsed)) -lt 75 ] || wrong "the limit of the CPU does not hold: $used of $elapsed ms"
  [ "${after[1]}" -gt "${before[1]}" ] || wrong "the container never waited for its limit of the CPU"
  $engine exec las-cache touch /tmp/enough
}

# comes_back_after WHAT COMMAND...: what ends it; it is started again, by systemd alone and with its data.
comes_back_after() {
  local what=$1 restarts
  shift
  restarts=$(property las-cache.service NRestarts)
  was_ended() { [ "$(property las-cache.service NRestarts)" -gt "$restarts" ]; }
  "$@" >/dev/null 2>&1 || true
  within 60 was_ended || { systemctl status --no-pager las-cache.service || true; fail "$what: it is not started again"; }
  # Who asks while there is no container may be left without an answer, not refused.
  PATIENCE=5 within 60 has_value || fail "$what: it does not come back with its data"
  [ "$($engine ps -aq | wc -l)" = 1 ] || wrong "$what: there are containers: $($engine ps -a)"
}
takes_too_much_memory() {
  ask config set appendonly no # what is too much is not to be there again after the restart
  ask eval "for i = 1, 4000 do redis.call('set', 'big' .. i, string.rep('x', 100000)) end return 1" 0
}
comes_back() {
  comes_back_after "the limit of memory" takes_too_much_memory
  comes_back_after "kill -9" kill -9 "$(inspect cache '{{.State.Pid}}')"
}

stops_and_starts() {
  las stop cache
  no_container || fail "stop left a container"
  las start cache
  [ "$(ask get k)" = v ] || fail "its data are gone after a stop"
}

# Up to the second image and back, with the data; the first is not pulled again.
upgrades_and_rolls_back() {
  offer_cache "1 $one" "2 $two"
  las upgrade --yes
  [ "$(edition) $(ask get k)" = '2 v' ] || fail "the second image does not run with the data"
  systemctl stop registry
  las rollback --yes
  [ "$(edition) $(ask get k)" = '1 v' ] || fail "the first image does not run again with the data"
  las verify
}

removes_cache() {
  las remove --yes cache
  no_container || fail "remove left a container"
  [ -d /var/lib/las/data/cache ] || fail "remove took the data"
}
# One whose program is not root's: its data and its secret are its own, and nobody else's; and back.
of_another_user() {
  local uid
  offer_cache "1 $three"
  las install --yes cache
  [ "$(ask set k v)" = OK ] || wrong "as another user it does not take a value"
  uid=$(stat -c %u "/proc/$(program_of cache)")
  [ "$uid" != 0 ] || wrong "its program is root's"
  [ "$(stat -c %u /var/lib/las/data/cache)" = "$uid" ] || wrong "its data are those of $(stat -c %u /var/lib/las/data/cache)"
  ! setpriv --reuid=65534 --clear-groups cat /var/lib/las/secrets/cache/auth.conf 2>/dev/null || wrong "others can read its secret"
  ask save >/dev/null || wrong "as another user it cannot save"
  timer_is_content cache
  comes_back_after "kill -9 of another user's" kill -9 "$(inspect cache '{{.State.Pid}}')"
  offer_cache "1 $three" "2 $two"
  las upgrade --yes
  [ "$(edition) $(ask get k)" = '2 v' ] || wrong "root's image does not run with the data of another user's"
  las rollback --yes
  [ "$(edition) $(ask get k)" = '1 v' ] || wrong "another user's image does not run with the data of root's"
  clean "of another user"
  removes_cache
  leaves_nothing
}
leaves_nothing() {
  las purge --yes cache
  [ ! -e /var/lib/las/data/cache ] || wrong "purge after remove leaves the data"
  las gc --keep 1 --yes
  [ -z "$($engine images -aq)" ] || fail "gc left an image that nothing needs: $($engine images -a)"
}
