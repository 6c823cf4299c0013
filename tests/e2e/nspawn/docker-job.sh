#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine with docker: what container-job.sh does with podman but its group, and what only
# containers of a daemon need, which are its children: their limits and walls are a slice's, with either way in which
# docker makes control groups. Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
# shellcheck disable=SC2034 # for containers.sh
engine=docker
# shellcheck source=tests/e2e/nspawn/containers.sh
. /job/containers.sh
trap '[ $? = 0 ] || journalctl -u las-cache.service -u docker.service -n 40 --no-pager -o cat' EXIT

standing() {
  /las/bin/las lock
  find /etc/systemd/system -name 'las-*' -type f -exec sha256sum {} + | sort
  systemctl list-units --no-legend --plain 'las-*' | sort
}
# fails_saying WORDS COMMAND...: las fails, says these words, and all is as before.
fails_saying() {
  local words=$1 before
  shift
  before=$(standing)
  ! las "$@" >/tmp/told 2>&1 || fail "las $* does not fail"
  cat /tmp/told
  grep -E -- "$words" /tmp/told >/dev/null || wrong "las $* does not say: $words"
  [ "$(standing)" = "$before" ] || wrong "las $* failed and changed something: $(diff <(echo "$before") <(standing))"
}

# nothing_runs WHEN: nothing of a container is there, its slice, network and port included.
nothing_runs() {
  no_container || wrong "$1 left a container: $(docker ps -a)"
  within 10 is las-cache.slice inactive || wrong "$1: the slice is $(property las-cache.slice ActiveState)"
  # Docker makes the folder in hierarchies of version 1 that systemd has no hand in.
  [ -z "$(find /sys/fs/cgroup -path '*/las-cache*' -name cgroup.procs -exec cat {} + 2>/dev/null)" ] || wrong "$1 left processes in the slice"
  ! grep /run/docker/netns/ /proc/mounts || wrong "$1 left a network namespace"
  [ -z "$(ip -br link show type veth | grep '^veth')" ] || wrong "$1 left an end of a network: $(ip -br link show type veth)"
  [ -z "$(ss -ltnH 'sport = :6400')" ] || wrong "$1 left the port open"
  ! cat /proc/[0-9]*/comm 2>/dev/null | grep -E '^(docker-proxy|docker-init|containerd-shim|redis-server)' || wrong "$1 left a process"
}
# Docker is not to count its restarts here: it allows three a minute.
restart_docker() { systemctl reset-failed docker.service && systemctl restart docker; }

without_the_daemon() {
  offer_cache "1 $one"
  systemctl stop docker.socket docker
  fails_saying 'Cannot connect to the Docker daemon' install --yes cache
  systemctl reset-failed docker.service
  systemctl start docker
  [ -z "$(docker images -aq)" ] || wrong "what failed left an image"
}

# The image in an OCI archive beside its manifest, as another tool wrote it. Docker is given it as it takes it, and no
# registry is asked.
from_an_archive() {
  local archive=/etc/las/manifests.d/cache.tar digest tag
  skopeo --insecure-policy copy -q --src-tls-verify=false docker://127.0.0.1:5000/cache:1 oci-archive:$archive:cache:1
  systemctl stop registry
  digest=$(tar -xOf $archive index.json | python3 -c 'import json, sys; print(json.load(sys.stdin)["manifests"][0]["digest"])')
  tag=localhost/las:sha256-${digest#*:}
  offer_archive() { offer_cache "1 $1" && sed -i "s/digest: 'sha256/archive: cache.tar, &/" /etc/las/manifests.d/cache.yaml; }
  offer_archive "$one"
  fails_saying "$digest instead of $one" install --yes cache
  offer_archive "$digest"
  mv $archive /root/whole.tar
  : >$archive
  fails_saying 'no archive or a damaged one' install --yes cache
  cp /root/whole.tar $archive
  printf damage | dd of=$archive bs=1 seek=$(($(stat -c %s $archive) / 2)) conv=notrunc status=none
  fails_saying 'archive is damaged' install --yes cache
  [ -z "$(docker images -aq)" ] || wrong "an archive that was refused left an image"
  mv /root/whole.tar $archive
  las install --yes cache
  [ "$(edition)" = 1 ] || wrong "not the image of the archive"
  [ "$(inspect cache '{{.Config.Image}}')" = "$(docker image inspect --format '{{.Id}}' "$tag")" ] || wrong "it does not run by its id"
  [ "$(ask set k v)" = OK ] && timer_is_content cache || wrong "from an archive it is not well"
  las verify
  docker tag "$tag" spare
  docker rmi "$tag" >/dev/null
  ! las verify || wrong "verify does not see that the image's name is gone"
  las install --reinstall --yes cache
  has_value || wrong "loaded again it has lost its data"
  las verify
  docker rmi spare >/dev/null
  comes_back_after "kill -9 of an image by its id" kill -9 "$(inspect cache '{{.State.Pid}}')"
  units_clean "from an archive"
  clean "from an archive"
  removes_cache
  leaves_nothing
}

in_its_slice() {
  local where hierarchy
  where=$(cat "/proc/$(program_of cache)/cgroup")
  for hierarchy in name=systemd memory pids cpu; do
    grep -E "^[0-9]+:(.*,)?($hierarchy)?(,.*)?:/las\.slice/las-cache\.slice/" <<<"$where" >/dev/null || wrong "$1: it is not in its slice: $where"
  done
}

# lives DRIVER: in the slice, which holds what the engine is not asked to hold.
lives() {
  [ "$(docker info --format '{{.CgroupDriver}}')" = "$1" ] || fail "docker does not make control groups by $1"
  installs_cache
  [ "$(told cache health.healthy) $(told cache state)" = 'true running' ] || wrong "$1: las status says: $(/las/bin/las status --json cache)"
  units_clean "$1"
  in_its_slice "$1"
  [ "$(property las-cache.slice MemoryMax) $(property las-cache.slice TasksMax) $(property las-cache.slice CPUQuotaPerSecUSec)" = '209715200 200 500ms' ] ||
    wrong "$1: the slice allows: $(systemctl show -p MemoryMax -p TasksMax -p CPUQuotaPerSecUSec las-cache.slice | xargs)"
  [ "$(told cache memory)" -gt 1000000 ] || wrong "$1: las status says that its memory is $(told cache memory)"
  walls_of_the_network
  limit_of_the_cpu
  comes_back
  stops_and_starts
  las stop cache
  nothing_runs "$1: stop"
  las start cache
  clean "$1"
}

# What nothing needs any more is not forgotten while docker cannot remove it.
gc_without_the_daemon() {
  systemctl stop docker.socket docker
  fails_saying 'systemctl start docker' gc --keep 1 --yes
  systemctl reset-failed docker.service
  systemctl start docker
  [ -n "$(docker images -aq)" ] || fail "the image is gone: this proves nothing"
  leaves_nothing
}

# What one has of the daemon, and of the client that the unit runs.
comes_back_without_its_engine() {
  comes_back_after "a restart of docker" restart_docker
  comes_back_after "kill -9 of docker" kill -9 "$(property docker.service MainPID)"
  systemctl reset-failed docker.service las-cache.service
  comes_back_after "kill -9 of its client" kill -9 "$(main_pid cache)"
  las health cache
  clean "without its engine"
}

# Its port is somebody else's when it is to be started.
port_is_taken() {
  las stop cache
  systemd-run -q --unit=another python3 -m http.server --bind 127.0.0.1 6400
  within 10 curl -fsS http://127.0.0.1:6400/ || fail "nobody else has the port"
  fails_saying 'port 6400' start cache
  systemctl stop another
  nothing_runs "a taken port"
  las start cache
  has_value || wrong "it does not start when its port is free again"
}

drive() {
  echo '{"data-root": "/var/lib/containers/docker", "exec-opts": ["native.cgroupdriver='"$1"'"]}' >/etc/docker/daemon.json
  restart_docker
}
# other_driver DRIVER: docker makes control groups the other way, beneath a service that was made for the first. As that
# would be without walls it does not run, until it is made anew.
other_driver() {
  drive "$1"
  given_up() { is las-cache.service failed && no_container; }
  within 60 given_up || wrong "with the driver $1 it is $(property las-cache.service ActiveState): $(docker ps -a)"
  ! has_value || wrong "with the driver $1 somebody answers"
  ! las verify || wrong "with the driver $1 verify finds nothing"
  las logs cache --lines 20 --grep 'no longer' || wrong "its log does not say why it does not start with the driver $1"
  if [ "$1 $groups" = 'cgroupfs 2' ]; then
    fails_saying 'control groups of version 2 do not allow' install --reinstall --yes cache
    return
  fi
  las install --reinstall --yes cache
  has_value || wrong "made anew for the driver $1 it does not answer"
  in_its_slice "made anew for $1"
  clean "made anew for $1"
}

# One with a dash in its name is in a slice of its own, not in that of cache.
slice_of_its_own() {
  # The manifest's word is the service's name as well, and it is seen to be well by its port.
  sed 's/^name: cache$/name: cache-too/; s/6400/6401/; s/health: .*/health: {tcp: true, start_period: 60s, interval: 2s}/' \
    /etc/las/manifests.d/cache.yaml >/etc/las/manifests.d/cache-too.yaml
  las install --yes cache-too
  las health cache-too || wrong "cache-too is not healthy"
  timer_is_content cache-too
  grep -F ':/las.slice/las-cache\x2dtoo.slice/' "/proc/$(program_of cache-too)/cgroup" >/dev/null || wrong "cache-too is in: $(cat "/proc/$(program_of cache-too)/cgroup")"
  units_clean "two services"
  clean "two services"
  las purge --yes cache-too
  is 'las-cache\x2dtoo.slice' inactive || wrong "purge left the slice of cache-too"
  has_value || wrong "purge of cache-too took cache with it"
}

ready_for_containers docker-registry redis-tools skopeo
images_of_cache
refuses_a_wrong_digest
without_the_daemon
# With control groups of version 2 there is one way only, and docker takes it by itself.
groups=1 driver=cgroupfs
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || groups=2 driver=systemd
lives $driver
comes_back_without_its_engine
port_is_taken
slice_of_its_own
upgrades_and_rolls_back
serve_images
on_demand cache has_value
has_value || fail "its data are gone after it was on demand"
if [ $groups = 1 ]; then
  other_driver systemd
  lives systemd
  slice_of_its_own
  other_driver cgroupfs
else
  other_driver cgroupfs
  drive systemd
  las start cache
  has_value || wrong "with the driver it was made for it does not start again"
fi
removes_cache
nothing_runs "remove"
gc_without_the_daemon
of_another_user
from_an_archive
done_or_wrong "DOCKER JOB"
