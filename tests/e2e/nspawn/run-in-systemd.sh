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
#   --keep DIR           copy GUEST's /keep there afterwards
#
# Needs root and systemd-nspawn. In the machine /outside holds the script.
set -euo pipefail

fail() {
  echo "run-in-systemd.sh: $*" >&2
  exit 125
}

limit=120
keep=
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --bind) options+=("--bind-ro=$2") && shift 2 ;;
    --time-limit) limit=$2 && shift 2 ;;
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
cleanup() {
  umount "$scratch/machine" 2>/dev/null || true
  umount "$scratch/layer" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT
mkdir "$scratch"/{outside,layer,machine}

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

booted=0
timeout --kill-after=15 "$limit" systemd-nspawn -q -D "$machine" --boot --register=no --keep-unit \
  --machine="las-test-$$" --link-journal=no --bind="$outside:/outside" ${options[@]+"${options[@]}"} \
  >"$scratch/console" 2>&1 </dev/null || booted=$?

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
