# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the jobs about containers in a booted machine, after services.sh.
# Services are looked at while the jobs go on, and each look holds the state for a moment.
las() { echo "\$ las $*"; /las/bin/las --wait 30 "$@"; }

# ready_for_containers PACKAGE...: podman, and what else the job needs.
ready_for_containers() {
  local controller
  # systemd-nspawn shows the control groups (version 1) and the kernel's parameters read-only.
  mount -o remount,rw,bind /proc/sys
  for controller in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$controller" 2>/dev/null || true; done
  # Only now systemd itself sees that it can have groups of version 1 for what it starts.
  systemctl daemon-reexec
  apt-get update -qq
  apt-get install -qq --no-install-recommends podman crun netavark aardvark-dns uidmap slirp4netns catatonit iptables \
    "$@" >/dev/null 2>&1 || fail "the packages that this job needs are not installed"
  podman info --format '{{.Version.Version}} {{.Store.GraphDriverName}}'
  mkdir -p /etc/las/manifests.d
}

inspect() { podman inspect "las-$1" --format "$2"; }
# The process of a container's program, which the container's init started.
program_of() {
  local init program
  init=$(inspect "$1" '{{.State.Pid}}')
  read -r program <"/proc/$init/task/$init/children" || true
  echo "$program"
}
no_container() { [ -z "$(podman ps -aq)" ]; }

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
  within 30 waits "$1" || wrong "on demand $1 is $(told "$1" state) at rest: $(podman ps -a --format '{{.Names}} {{.Status}}')"
  begun=$(now)
  "${@:2}" >/dev/null 2>&1 || wrong "the first request to $1 is not answered"
  echo "FIRST REQUEST to $1 in its container: $(($(now) - begun)) ms"
  within 30 waits "$1" || wrong "on demand $1 is $(told "$1" state) when it was idle"
  las enable --yes --always "$1"
  is "las-$1.service" active || wrong "--always does not start $1"
}
