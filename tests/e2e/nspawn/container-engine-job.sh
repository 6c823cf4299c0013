#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine with podman: a model served by an engine in a container, and services with a GPU,
# native and in a container. The image is made of this machine itself and llama.cpp's wheel, and comes as an
# archive beside its manifest, a stand-in for one of a publisher. The GPU is a stand-in too: made-up files where
# the kernel tells of PCI devices, and device files that are other devices'. Binds as in main-job.sh.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
# shellcheck source=tests/e2e/nspawn/containers.sh
. /job/containers.sh
trap '[ $? = 0 ] || journalctl -u las-tiny.service -n 25 --no-pager -o cat' EXIT

offer_engine() {
  local folder=/etc/las/manifests.d/engine digest
  mkdir -p $folder /root/tree/opt/engine
  python3 -m zipfile -e /wheels/xllamacpp-*.whl /root/tree/opt/engine
  cp /las/share/manifests/llama.cpp/files/llama-server.py /root/tree/opt/engine/llama-server
  chmod 0755 /root/tree/opt/engine/llama-server
  # As if it were installed there: this machine's python3 is the one of the image.
  sed -i '1s,.*,#!/usr/bin/python3,' /root/tree/opt/engine/llama-server
  tar --one-file-system --exclude-from=- -C / -c . -C /root/tree opt <<'NOT' | podman import -q - localhost/engine:1 >/dev/null
./dev/*
./etc/las
./image
./opt
./proc/*
./root/*
./run/*
./sys/*
./tmp/*
./usr/libexec/podman
./usr/share/doc
./usr/share/locale
./var/cache
./var/lib/apt
./var/lib/containers
./var/tmp/*
NOT
  podman push -q localhost/engine:1 oci-archive:$folder/engine.tar:localhost/engine:1
  podman rmi -f localhost/engine:1 >/dev/null
  digest=$(tar -xOf $folder/engine.tar index.json | python3 -c 'import json, sys; print(json.load(sys.stdin)["manifests"][0]["digest"])')
  cat >$folder/manifest.yaml <<MANIFEST
schema: 1
name: engine
category: runtime
description: a stand-in for an engine that is an image
runtime: {modes: [container]}
releases:
- version: '1'
  variants:
  - name: any
    sources:
    - image: {name: localhost/engine, tag: '1', digest: '$digest', archive: engine.tar}
service:
  kind: deployment
  container:
    command: [/opt/engine/llama-server, --host, '{host}', --port, '{port}', --model, '{model.path}', --alias, '{model.name}', --metrics]
    environment: {PYTHONPATH: /opt/engine}
    port: 8080
    data: /data
  health: {http: /health, start_period: 60s, interval: 2s}
  formats: [gguf]
  api: openai
  metrics: /metrics
MANIFEST
}

chats() { timeout 60 /las/bin/las chat tiny --max-tokens 4 hello | grep . >/dev/null; }
serves_a_model() {
  local old
  las install --yes engine
  las model import /model.gguf --name tiny
  las serve --yes tiny
  las chat tiny --max-tokens 8 hello
  chats || fail "no answer"
  las status
  [ "$(told tiny state)" = running ] || wrong "las status says that tiny is $(told tiny state)"
  las health tiny || wrong "tiny is not healthy"
  las logs tiny --grep 'listening on' | grep 'llama-server: listening' >/dev/null || wrong "the words of the engine are not in the log"
  curl -fsS "http://127.0.0.1:$(port tiny)/v1/models" | grep '"tiny"' >/dev/null || wrong "the API does not know tiny"
  [ "$(inspect tiny '{{.HostConfig.ReadonlyRootfs}} {{.EffectiveCaps}}')" = 'true []' ] || wrong "the walls of tiny are down"
  systemd-analyze verify --man=no /etc/systemd/system/las-tiny.service || wrong "systemd-analyze finds faults"
  timer_is_content tiny
  clean "served"
  old=$(program_of tiny)
  kill -9 "$old"
  again() { [ "$(program_of tiny)" != "$old" ] && chats; }
  within 60 again || wrong "tiny does not come back after kill -9"
  on_demand tiny chats
  las stop tiny
  no_container || wrong "stop left a container"
  ! chats 2>/dev/null || wrong "tiny answers though it is stopped"
  las start tiny
  chats || wrong "no answer after a stop"
  clean "after stop and start"
}

# What las reads of an AMD GPU with its driver, and its files: fuse for the GPU, null for what all of them share.
has_gpu() {
  local folder=/root/pci/0000:03:00.0
  mkdir -p $folder/drm/renderD128 /root/drivers/amdgpu /dev/dri
  echo 0x030000 >$folder/class
  echo 0x1002 >$folder/vendor
  echo 0x744c >$folder/device
  echo 25753026560 >$folder/mem_info_vram_total
  echo 27598848 >$folder/mem_info_vram_used
  echo 1f0a3c5d7e9b2468 >$folder/unique_id
  ln -s ../../drivers/amdgpu $folder/driver
  mount --bind /root/pci /sys/bus/pci/devices
  getent group 105 >/dev/null || groupadd --gid 105 stand-in
  mknod -m 0660 /dev/dri/renderD128 c 10 229
  mknod -m 0660 /dev/kfd c 1 3
  mknod -m 0660 /dev/shut c 10 200
  chown root:105 /dev/dri/renderD128 /dev/kfd /dev/shut
  opens /dev/dri/renderD128 && opens /dev/kfd && opens /dev/shut || fail "the stand-ins for device files cannot be opened"
  las detect --section gpu --json | sed 1d | python3 -c '
import json, sys
(gpu,) = json.load(sys.stdin)["profile"]["gpus"]["value"]
assert (gpu["vendor"], gpu["driver_state"]["value"]) == ("amd", "working"), gpu' || fail "las does not see the GPU"
}
opens() { (: <>"$1") 2>/dev/null; }
# allows SERVICE FILE: whether the control group in which the service is lets a process of root open the file.
allows() {
  local groups group
  groups=$(cat "/proc/$(main_pid "$1")/cgroup")
  group=$(sed -n 's,^[0-9]*:devices:,/devices,p' <<<"$groups")
  [ -n "$group" ] || group=$(sed -n 's,^0::,,p' <<<"$groups")
  [[ $group = *las-$1.service* ]] || fail "$1 is not in a control group of its own: $groups"
  (echo "$BASHPID" >"/sys/fs/cgroup$group/cgroup.procs" && opens "$2")
}

gpu_of_a_native_service() {
  local score
  las install --yes redis
  ! allows redis /dev/dri/renderD128 || wrong "without a GPU redis may open it"
  las config set --yes redis.gpu 0
  [ "$(property las-redis.service DevicePolicy)" = closed ] || wrong "all devices are open to redis"
  [ "$(grep '^DeviceAllow=' /etc/systemd/system/las-redis.service | sort | xargs)" = 'DeviceAllow=/dev/dri/renderD128 rw DeviceAllow=/dev/kfd rw' ] ||
    wrong "redis may open: $(grep '^DeviceAllow=' /etc/systemd/system/las-redis.service | xargs)"
  [ "$(property las-redis.service SupplementaryGroups)" = 105 ] || wrong "redis has the groups: $(property las-redis.service SupplementaryGroups)"
  grep -E '^Groups:.*\b105\b' "/proc/$(main_pid redis)/status" >/dev/null || wrong "the process of redis lacks the group"
  allows redis /dev/dri/renderD128 && allows redis /dev/kfd || wrong "redis may not open its GPU"
  ! allows redis /dev/shut || wrong "redis may open what is not its GPU's"
  put redis
  las health redis && has redis || wrong "redis is not well with a GPU"
  score=$(systemd-analyze security --no-pager las-redis.service 2>/dev/null | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
  echo "EXPOSURE of redis with a GPU: $score"
  python3 -c "import sys; sys.exit(not $score <= 3.0)" || wrong "exposure of redis with a GPU is $score"
  told redis gpus | grep 1f0a3c5d7e9b2468 >/dev/null || wrong "las status does not name the GPU"
  refused redis.gpu 7 'this machine has 0: .* 1f0a3c5d7e9b2468'
  clean "redis with a GPU"
  las purge --yes redis
}
# refused KEY VALUE WORDS: nothing changes, and why is said in these words.
refused() {
  local before
  before=$(/las/bin/las lock; cat /etc/systemd/system/las-*.service)
  ! las config set --yes "$1" "$2" >/tmp/refused 2>&1 || wrong "$1 $2 is not refused"
  cat /tmp/refused
  grep "$3" /tmp/refused >/dev/null || wrong "$1 $2 is refused without these words: $3"
  [ "$(/las/bin/las lock; cat /etc/systemd/system/las-*.service)" = "$before" ] || wrong "$1 $2 is refused, and something was changed"
}

# One with a GPU starts with the machine only where it was seen to be well, and no more when it was given up.
boot_guard() {
  enabled() { systemctl is-enabled -q las-careful.service; }
  offer careful "  command: ['{exe.careful}', '{port}']
  port: 18700
  health: {http: /health, start_period: 5s, interval: 1s}
  stop_timeout: 1s"
  las install --yes careful
  las config set --yes careful.gpu 0
  within 15 enabled || wrong "careful is well and does not start with the machine"
  las stop careful
  ! enabled || wrong "careful is stopped and starts with the machine"
  how careful sick
  las start --no-wait careful
  ill() { [ "$(told careful health.healthy)" = false ]; }
  within 15 ill || wrong "the timer does not see that careful is ill"
  ! enabled || wrong "careful starts with the machine and never was well"
  how careful
  within 15 enabled || wrong "careful got well and does not start with the machine"
  timer_is_content careful
  how careful fails
  kill -9 "$(main_pid careful)"
  given_up() { [ -n "$(told careful health.gave_up)" ] && ! enabled; }
  within 90 given_up || wrong "careful ends again and again and is $(systemctl is-enabled las-careful.service): $(told careful health.gave_up)"
  las status careful
  [ "$(told careful state) $(told careful at_boot)" = 'failed false' ] || wrong "las status says of careful: $(told careful state), at boot $(told careful at_boot)"
  how careful
  las start careful
  enabled || wrong "careful is mended and does not start with the machine"
  clean "careful"
  las purge --yes careful
}

given_by_name() { tr '\0' '\n' <"/proc/$(program_of tiny)/environ" | grep -x GIVEN_BY_NAME=yes >/dev/null; }
gpu_of_a_container() {
  local score
  las config set --yes tiny.gpu 0
  chats || wrong "no answer with a GPU"
  podman exec las-tiny ls -ln /dev/dri /dev/kfd || wrong "the files of the GPU are not in the container"
  podman exec las-tiny sh -c ': <>/dev/dri/renderD128 && : <>/dev/kfd' || wrong "the program in the container may not open its GPU"
  ! podman exec las-tiny ls /dev/shut 2>/dev/null || wrong "another device is in the container"
  inspect tiny '{{.Config.CreateCommand}}' | grep -F -- '--device=/dev/dri/renderD128 --device=/dev/kfd --group-add=105' >/dev/null ||
    wrong "podman was not told of the files: $(inspect tiny '{{.Config.CreateCommand}}')"
  clean "tiny with a GPU by its files"

  # By name, where podman's own specification has it.
  mkdir -p /etc/cdi
  cat >/etc/cdi/amd.yaml <<'CDI'
cdiVersion: "0.5.0"
kind: amd.com/gpu
devices:
- name: "0"
  containerEdits:
    deviceNodes: [{path: /dev/dri/renderD128}]
    env: [GIVEN_BY_NAME=yes]
CDI
  las config set --yes tiny.gpu all
  chats || wrong "no answer with a GPU by name"
  inspect tiny '{{.Config.CreateCommand}}' | grep -F -- '--device=amd.com/gpu=0' >/dev/null ||
    wrong "podman was not told of the name: $(inspect tiny '{{.Config.CreateCommand}}')"
  given_by_name || wrong "podman did not do what the specification says"
  podman exec las-tiny sh -c ': <>/dev/dri/renderD128' || wrong "the program in the container may not open its GPU by name"
  clean "tiny with a GPU by name"

  # A format that this podman cannot read is found before anything is changed; one that it can is not refused.
  las config set --yes tiny.gpu none
  ! podman exec las-tiny ls /dev/dri 2>/dev/null || wrong "without a GPU its files are in the container"
  sed -i 's/0\.5\.0/0.7.0/' /etc/cdi/amd.yaml
  if dpkg --compare-versions "$(podman version --format '{{.Client.Version}}' 2>/dev/null)" lt 5.1; then
    refused tiny.gpu 0 '/etc/cdi/amd.yaml is of version 0.7.0, and podman .* reads at most'
  else
    las config set --yes tiny.gpu 0
    given_by_name || wrong "podman did not do what the newer specification says"
  fi
  chats || wrong "no answer with a GPU of a newer specification"
  clean "with a newer specification"
}

ready_for_containers libgomp1
offer_engine
serves_a_model
has_gpu
gpu_of_a_native_service
boot_guard
gpu_of_a_container
las remove --yes engine
no_container || wrong "remove left a container"
las gc --keep 1 --yes
[ -z "$(podman images -q)" ] || wrong "gc left an image that nothing needs: $(podman images)"
done_or_wrong "CONTAINER ENGINE JOB"
