#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run-in-systemd.sh [OPTIONS] ROOT SCRIPT [ARGUMENT...]
#
# Boots a fresh machine over ROOT (made by make-root.sh, never changed), runs SCRIPT in it as root
# once the boot is complete, powers it off however the script ended, shows what the script wrote and
# exits with its status; 124 when the time limit ran out, 125 when it could not be run at all.
#
#   --bind HOST:GUEST    show a file or folder of this machine, read-only; may be repeated
#   --time-limit SECONDS for boot, script and halt together (default 120)
#   --private-network    loopback only; else it shares this machine's network
#   --own-network        all of its ports are its own, and it reaches what this machine reaches; where
#                        slirp4netns is missing it shares the network
#   --containers         with what a container engine needs of the kernel
#   --keep DIR           copy GUEST's /keep there afterwards
#
# A script that makes the file /outside/again and ends with 0 is run once more, in the same machine that was
# powered off and booted again; /outside/boot holds how often it was booted, beginning with 1.
#
# Needs root and systemd-nspawn. In the machine /outside holds the script.
set -euo pipefail

fail() {
  echo "run-in-systemd.sh: $*" >&2
  exit 125
}

limit=120
keep=
own_network=
containers=
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --bind) options+=("--bind-ro=$2") && shift 2 ;;
    --time-limit) limit=$2 && shift 2 ;;
    --own-network) own_network=1 && shift ;;
    --containers) containers=1 && shift ;;
    --private-network) options+=(--private-network) && shift ;;
    --keep) keep=$2 && shift 2 ;;
    -*) fail "unknown option $1" ;;
    *) break ;;
  esac
done
[ $# -ge 2 ] || fail "usage: run-in-systemd.sh [OPTIONS] ROOT SCRIPT [ARGUMENT...]"
root=$1 script=$2
shift 2
[ -d "$root/usr" ] || fail "$root is not a root made by make-root.sh"
[ -r "$script" ] || fail "$script cannot be read"
[ "$(id -u)" = 0 ] || fail "needs root"
command -v systemd-nspawn >/dev/null || fail "systemd-nspawn is not installed"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/las-machine.XXXXXX")
slirp=
name=las-test-$$
cleanup() {
  [ -z "$slirp" ] || { kill "$slirp" && wait "$slirp"; ip netns del "$name"; } 2>/dev/null || true
  each_cgroup leave
  umount "$scratch/machine" 2>/dev/null || true
  umount "$scratch/layer" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT

# Machines side by side share the cgroup that they are started in, and each has the units of the other's
# names: the processes of its las-tiny.service, say, would be in one group with its own. So each gets one.
enter() { mkdir -p "$1" && echo "$BASHPID" >"$1/cgroup.procs"; }
leave() { [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true; }
each_cgroup() {
  local hierarchy path base
  while IFS=: read -r _ hierarchy path; do
    case $hierarchy in
      name=systemd) base=/sys/fs/cgroup/systemd ;;
      '') base=/sys/fs/cgroup && [ ! -d $base/unified ] || base=$base/unified ;;
      *) continue ;;
    esac
    "$1" "$base${path%/}/$name"
  done </proc/self/cgroup
}
mkdir "$scratch"/{outside,layer,machine}
# Control groups of version 1 are what such a kernel shows: systemd 256 and 257 take them only when told so.
init=()
[ ! -d /sys/fs/cgroup/systemd ] || init=(SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1)
if [ -n "$containers" ]; then
  # Images are layers on layers, which cannot lie on the machine's own layer.
  mkdir "$scratch/containers"
  options+=(--capability=all "--system-call-filter=add_key keyctl bpf perf_event_open @mount"
    "--bind=$scratch/containers:/var/lib/containers")
  # For everybody, as on a real machine.
  for device in /dev/fuse /dev/net/tun; do
    [ -c $device ] || continue
    mknod -m 0666 "$scratch/${device##*/}" c $((16#$(stat -c %t $device))) $((16#$(stat -c %T $device)))
    options+=("--bind=$scratch/${device##*/}:$device")
  done
fi

# The fresh machine: an overlay in memory, else a copy.
mount -t tmpfs -o mode=0755 las-machine "$scratch/layer"
mkdir "$scratch"/layer/{upper,work}
if ! mount -t overlay las-machine "$scratch/machine" 2>/dev/null \
  -o "lowerdir=$root,upperdir=$scratch/layer/upper,workdir=$scratch/layer/work"; then
  umount "$scratch/layer"
  cp -a --reflink=auto "$root/." "$scratch/machine"
fi

outside=$scratch/outside machine=$scratch/machine
install -m 0755 "$script" "$outside/script"
: >"$outside/output"
# The status is written by a parent of the script, so that it is there however the script ended.
{
  echo '#!/bin/sh'
  printf 'cd /root; /outside/script'
  [ $# -eq 0 ] || printf ' %q' "$@"
  echo; echo 'echo $? >/outside/status.new; mv /outside/status.new /outside/status'
} >"$outside/runner"
chmod 0755 "$outside/runner"

# Type=exec, not oneshot: the boot is over when the script starts, so that the script may wait for
# "systemctl is-system-running --wait". ExecStopPost also runs when the runner is killed.
mkdir -p "$machine/etc/systemd/system/multi-user.target.wants"
cat >"$machine/etc/systemd/system/las-test-script.service" <<'UNIT'
[Unit]
Description=The test of this machine
After=multi-user.target

[Service]
Type=exec
Environment=HOME=/root
ExecStart=/outside/runner
ExecStopPost=systemctl --no-block poweroff
StandardOutput=append:/outside/output
StandardError=inherit
UNIT
ln -sf ../las-test-script.service \
  "$machine/etc/systemd/system/multi-user.target.wants/las-test-script.service"
# Nobody logs in, and a getty without a terminal would leave the machine "degraded".
ln -sf /dev/null "$machine/etc/systemd/system/console-getty.service"

if [ -n "$own_network" ] && [ -c /dev/net/tun ] && command -v slirp4netns >/dev/null && command -v ip >/dev/null; then
  ip netns add "$name"
  slirp4netns --configure --mtu=65520 --disable-host-loopback --ready-fd=3 --netns-type=path \
    "/run/netns/$name" tap0 3>"$scratch/ready" >"$scratch/slirp" 2>&1 &
  slirp=$!
  until [ -s "$scratch/ready" ]; do
    kill -0 $slirp 2>/dev/null || fail "slirp4netns: $(tail -n 3 "$scratch/slirp")"
    sleep 0.05
  done
  options+=("--network-namespace-path=/run/netns/$name" --resolv-conf=off)
  rm -f "$machine/etc/resolv.conf"
  # Where slirp4netns answers for this machine's name servers.
  echo 'nameserver 10.0.2.3' >"$machine/etc/resolv.conf"
fi

boots=0 end=$((SECONDS + limit))
while :; do
  boots=$((boots + 1)) booted=0
  echo $boots >"$outside/boot"
  rm -f "$outside/status" "$outside/again"
  left=$((end - SECONDS))
  [ $left -gt 0 ] || left=1
  (
    each_cgroup enter
    exec timeout --kill-after=15 $left systemd-nspawn -q -D "$machine" --boot --register=no --keep-unit \
      --machine="$name" --link-journal=no --bind="$outside:/outside" ${options[@]+"${options[@]}"} \
      ${init[@]+"${init[@]}"}
  ) >"$scratch/console" 2>&1 </dev/null || booted=$?
  [ -e "$outside/again" ] && [ "$(cat "$outside/status" 2>/dev/null)" = 0 ] || break
done

cat "$outside/output"
if [ -n "$keep" ] && [ -d "$machine/keep" ]; then
  mkdir -p "$keep"
  cp -a "$machine/keep/." "$keep"
fi
if [ -s "$outside/status" ]; then
  exit "$(cat "$outside/status")"
fi
sed 's/^/console: /' "$scratch/console" | tail -n 40 >&2
if [ "$booted" = 124 ] || [ "$booted" = 137 ]; then
  echo "run-in-systemd.sh: time limit of $limit s reached" >&2
  exit 124
fi
fail "the machine halted without the script's status (systemd-nspawn: $booted)"
