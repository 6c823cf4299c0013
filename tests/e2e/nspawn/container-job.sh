#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine with podman: a service from an image, pulled by its digest from a registry on
# loopback (the real one of the distribution) and from an archive. The image is made here of the distribution's
# redis-server; the manifest is a stand-in for one of a publisher. Binds as in main-job.sh.
set -euo pipefail
export LAS_DATA_DIR=/las/share NO_COLOR=1
las() { echo "\$ las $*"; /las/bin/las "$@"; }
fail() { echo "FAILED: $*"; exit 1; }
unit=las-cache.service
trap 'journalctl -u $unit -n 25 --no-pager -o cat' ERR
manifests=/etc/las/manifests.d

# systemd-nspawn shows the control groups (version 1) and the kernel's parameters read-only.
mount -o remount,rw,bind /proc/sys
for controller in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$controller" 2>/dev/null || true; done
apt-get update -qq
apt-get install -qq --no-install-recommends podman crun netavark aardvark-dns uidmap slirp4netns catatonit iptables docker-registry \
  redis-tools debootstrap >/dev/null 2>&1
podman info --format '{{.Version.Version}} {{.Store.GraphDriverName}}'

# Two images that differ: what an upgrade goes from and to.
mkdir -p /image $manifests
# shellcheck disable=SC2016 # apt's own variable
mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -1)
debootstrap --variant=minbase --include=redis-server bookworm /image "$mirror" >/dev/null
for number in 1 2; do
  echo "$number" >/image/edition
  tar -C /image -c . | podman import -q -c 'CMD ["/usr/bin/redis-server"]' - "localhost/cache:$number" >/dev/null
done
rm -rf /image
systemctl disable -q --now docker-registry  # the package's own, which asks for a password
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: 127.0.0.1:5000}\n' >/root/registry.yml
systemd-run -q --unit=registry docker-registry serve /root/registry.yml
printf '[[registry]]\nlocation = "127.0.0.1:5000"\ninsecure = true\n' >/etc/containers/registries.conf.d/loopback.conf
# until_true SECONDS COMMAND...: as soon as it ends with 0.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    timeout 0.1 tail -f /dev/null || true
  done
}
until_true 30 curl -fsS http://127.0.0.1:5000/v2/ || fail "the registry does not come up: $(journalctl -u registry -n 5 -o cat)"
for number in 1 2; do
  podman push -q --digestfile /root/digest-$number "localhost/cache:$number" "127.0.0.1:5000/cache:$number"
  podman rmi -f "localhost/cache:$number" "127.0.0.1:5000/cache:$number" >/dev/null 2>&1 || true
done
[ -z "$(podman images -q)" ] || fail "images are left"

# offer LIMIT RELEASE...: each release "VERSION DIGEST".
offer() {
  local limit=$1 releases="" version digest
  shift
  for release in "$@"; do
    version=${release% *} digest=${release#* }
    releases="- version: '$version'
  variants:
  - name: any
    sources:
    - image: {name: 127.0.0.1:5000/cache, tag: '$version', digest: '$digest'}
$releases"
  done
  cat >$manifests/cache.yaml <<MANIFEST
schema: 1
name: cache
category: service
description: a stand-in for a module that is an image
runtime: {modes: [container]}
releases:
${releases}service:
  port: 6400
  container:
    command: [/usr/bin/redis-server, --bind, '{host}', --port, '{port}', --dir, '{data}', --appendonly, 'yes', --include, '{secret.auth.conf}']
    port: 6379
    data: /data
    check: [/usr/bin/redis-cli, --no-auth-warning, PING]
  secrets: {auth.conf: "requirepass {word}\n"}
  limits: {memory: $limit, tasks: 200}
  health: {exec: [redis-cli], environment: {REDISCLI_AUTH: '{word}'}, expect: PONG, start_period: 60s, interval: 2s}
MANIFEST
}
one=$(cat /root/digest-1) two=$(cat /root/digest-2)
ask() { REDISCLI_AUTH=$(/las/bin/las secret cache) redis-cli --no-auth-warning -h "${HOST:-127.0.0.1}" -p 6400 "$@"; }
property() { systemctl show -p "$1" --value $unit; }
edition() { podman exec las-cache cat /edition; }

# A wrong digest brings nothing and leaves nothing.
offer 200MB "1 sha256:$(printf '%064d' 0)"
status=0
las install --yes cache || status=$?
[ $status != 0 ] || fail "a wrong digest was installed"
[ -z "$(podman images -q)" ] || fail "a wrong digest left an image"

offer 200MB "1 $one"
las install --yes cache
las status
las health cache
[ "$(ask set k v)" = OK ] || fail "it does not take a value"
[ "$(edition)" = 1 ] || fail "not the first image"
systemd-analyze verify --man=no /etc/systemd/system/$unit || fail "systemd-analyze finds faults"
podman inspect las-cache --format '{{.ImageName}}' | grep -F "$one" >/dev/null || fail "it does not run by its digest"
[ "$(podman inspect las-cache --format '{{.HostConfig.ReadonlyRootfs}} {{.EffectiveCaps}}')" = 'true []' ] || fail "its walls are down"
las logs cache --grep 'Ready to accept' | grep Ready >/dev/null || fail "its words are not in the journal"
las verify

# Loopback only: the machine's other address is refused.
other=$(ip -4 -o addr show scope global | awk '{split($4, a, "/"); print a[1]; exit}')
[ -z "$other" ] || ! HOST=$other timeout 5 redis-cli -h "$other" -p 6400 PING 2>/dev/null || fail "it answers at $other"

# The limit of memory holds: what goes beyond it is ended, and comes back with its data.
restarts=$(property NRestarts)
ask config set appendonly no >/dev/null # what is too much is not to be there again after the restart
ask eval "for i = 1, 4000 do redis.call('set', 'big' .. i, string.rep('x', 100000)) end return 1" 0 >/dev/null 2>&1 || true
was_ended() { [ "$(property NRestarts)" -gt "$restarts" ]; }
has_value() { [ "$(ask get k 2>/dev/null)" = v ]; }
until_true 60 was_ended || { systemctl status --no-pager $unit || true; fail "the limit of memory does not hold"; }
until_true 60 has_value || fail "it does not come back from the limit of memory"
# kill -9 of the program in the container.
kill -9 "$(podman inspect las-cache --format '{{.State.Pid}}')"
until_true 60 has_value || fail "it does not come back after kill -9"

las stop cache
[ -z "$(podman ps -aq)" ] || fail "stop left a container"
las start cache
[ "$(ask get k)" = v ] || fail "its data are gone after a stop"

# Up to the second image and back, with the data; the first is not pulled again.
offer 200MB "1 $one" "2 $two"
las upgrade --yes
[ "$(edition) $(ask get k)" = '2 v' ] || fail "the second image does not run with the data"
systemctl stop registry
las rollback --yes
[ "$(edition) $(ask get k)" = '1 v' ] || fail "the first image does not run again with the data"
las verify

las remove --yes cache
[ -z "$(podman ps -aq)" ] || fail "remove left a container"
[ -d /var/lib/las/data/cache ] || fail "remove took the data"
las gc --keep 1 --yes
[ -z "$(podman images -q)" ] || fail "gc left an image that nothing needs: $(podman images)"
las purge --yes cache 2>/dev/null || true
echo "CONTAINER JOB DONE"
