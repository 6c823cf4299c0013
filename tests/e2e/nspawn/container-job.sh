#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine with podman: a service from an image, pulled by its digest; who reaches it, what it may
# use, on demand, and in a group with services that are none (see containers.sh). Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
# shellcheck source=tests/e2e/nspawn/containers.sh
. /job/containers.sh
trap '[ $? = 0 ] || journalctl -u las-cache.service -n 25 --no-pager -o cat' EXIT

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
  [ "$(sed -n 's/^CapEff:\s*//p' "/proc/$(program_of cache)/status")" = 0000000000004000 ] ||
    wrong "cache has not the one capability that its manifest gives it: $(grep ^Cap "/proc/$(program_of cache)/status")"
  timer_is_content cache
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
  las config set --yes cache.limits.numa_nodes 0
  [ "$(inspect cache '{{.HostConfig.CpusetMems}} {{.HostConfig.CpusetCpus}}')" = "0 $(cat /sys/devices/system/node/node0/cpulist)" ] ||
    wrong "it is not kept to its NUMA node: $(inspect cache '{{.HostConfig.CpusetMems}} {{.HostConfig.CpusetCpus}}')"
  [ "$(property las-cache.service AllowedMemoryNodes)" = 0 ] || wrong "its unit is not kept to its NUMA node"
  grep -E '^Mems_allowed_list:\s*0$' "/proc/$(program_of cache)/status" >/dev/null || wrong "its memory may be anywhere"
  las remove --yes front
  status=$(/las/bin/las status --json)
  [[ $status != *'"name"'* ]] || wrong "remove front left services: $(/las/bin/las status)"
  clean "group removed"
}

ready_for_containers docker-registry redis-tools
images_of_cache
refuses_a_wrong_digest
installs_cache
units_clean "installed"
walls_of_the_network
limit_of_the_cpu
comes_back
stops_and_starts
upgrades_and_rolls_back
on_demand cache has_value
has_value || fail "its data are gone after it was on demand"
removes_cache
serve_images
of_another_user
capabilities=CAP_IPC_LOCK offer_cache "1 $one"
group
leaves_nothing
done_or_wrong "CONTAINER JOB"
