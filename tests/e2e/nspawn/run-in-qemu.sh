#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run-in-qemu.sh [OPTIONS] ROOT SCRIPT [ARGUMENT...]
#
# Like run-in-systemd.sh, which see for the options, in a whole machine with a kernel of its own: control groups
# of version 2 with all their controllers, as users have them, which a kernel that gave those to version 1 has not.
# What is bound is copied, and --keep is not there. Emulated it is some twenty times slower: /outside/slowness holds
# the factor for whoever waits. LAS_TEST_KVM=1 has the processor run it.
#
# Needs root, qemu-system-x86 and e2fsprogs; the kernel comes from the packages of ROOT's own release.
set -euo pipefail

fail() {
  echo "run-in-qemu.sh: $*" >&2
  exit 125
}

limit=120
binds=()
network=(-nic "user,model=virtio-net-pci")
while [ $# -gt 0 ]; do
  case $1 in
    --bind) binds+=("$2") && shift 2 ;;
    --time-limit) limit=$2 && shift 2 ;;
    --own-network | --containers) shift ;;  # it always has them
    --private-network) network=(-nic none) && shift ;;
    -*) fail "unknown option $1" ;;
    *) break ;;
  esac
done
[ $# -ge 2 ] || fail "usage: run-in-qemu.sh [OPTIONS] ROOT SCRIPT [ARGUMENT...]"
root=$1 script=$2
shift 2
[ "$(id -u)" = 0 ] || fail "needs root"
command -v qemu-system-x86_64 >/dev/null || fail "qemu-system-x86 is not installed"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/las-machine.XXXXXX")
machine=$scratch/machine
cleanup() {
  umount "$machine/proc" 2>/dev/null || true
  rm -rf --one-file-system "$scratch"
}
trap cleanup EXIT
cp -a --reflink=auto "$root" "$machine"

mount --bind /proc "$machine/proc"
cp /etc/resolv.conf "$machine/etc/resolv.conf"
{
  chroot "$machine" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive chroot "$machine" apt-get install -y -qq --no-install-recommends \
    linux-image-cloud-amd64 initramfs-tools kmod udev
} >"$scratch/kernel" 2>&1 || fail "no kernel: $(tail -n 3 "$scratch/kernel")"
umount "$machine/proc"

for bind in "${binds[@]}"; do
  mkdir -p "$machine$(dirname "${bind#*:}")"
  cp -a "${bind%%:*}" "$machine${bind#*:}"
done
mkdir -p "$machine/outside"
install -m 0755 "$script" "$machine/outside/script"
cat >"$machine/outside/runner" <<RUNNER
#!/bin/bash
echo \$((\$(cat /outside/boot 2>/dev/null || echo 0) + 1)) >/outside/boot
rm -f /outside/again
cd /root
/outside/script $(printf '%q ' "$@") >>/outside/output 2>&1
echo \$? >/outside/status
if [ "\$(cat /outside/status)" = 0 ] && [ -e /outside/again ]; then
  systemctl --no-block reboot
else
  tar -C /outside -cf /dev/vdb output status
  systemctl --no-block poweroff
fi
RUNNER
chmod 0755 "$machine/outside/runner"
mkdir -p "$machine"/etc/systemd/{network,system/{multi-user,network-online}.target.wants}
cat >"$machine/etc/systemd/system/las-test-script.service" <<'UNIT'
[Unit]
Description=The test of this machine
After=multi-user.target network-online.target
Wants=network-online.target

[Service]
Type=exec
Environment=HOME=/root
ExecStart=/outside/runner
UNIT
ln -s ../las-test-script.service "$machine/etc/systemd/system/multi-user.target.wants/las-test-script.service"
if [ "${network[1]}" != none ]; then
  printf '[Match]\nName=eth*\n[Network]\nDHCP=yes\n' >"$machine/etc/systemd/network/outside.network"
  ln -s /lib/systemd/system/systemd-networkd.service "$machine/etc/systemd/system/multi-user.target.wants/"
  ln -s /lib/systemd/system/systemd-networkd-wait-online.service "$machine/etc/systemd/system/network-online.target.wants/"
  # Where qemu answers for this machine's name servers.
  echo 'nameserver 10.0.2.3' >"$machine/etc/resolv.conf"
fi
ln -sf /dev/null "$machine/etc/systemd/system/serial-getty@ttyS0.service"
: >"$machine/etc/fstab"

# Only when asked: KVM that is there may still not boot anything, where this machine is a virtual one itself.
accelerator=(-accel "tcg,thread=multi" -cpu max) slowness=20
if [ -n "${LAS_TEST_KVM:-}" ]; then accelerator=(-enable-kvm -cpu host) slowness=1; fi
echo $slowness >"$machine/outside/slowness"

cp "$machine"/boot/vmlinuz-* "$scratch/linux"
cp "$machine"/boot/initrd.img-* "$scratch/initrd"
truncate -s 16G "$scratch/disk"
mke2fs -q -t ext4 -d "$machine" "$scratch/disk"
rm -rf "$machine"
truncate -s 64M "$scratch/results"
ended=0
timeout --kill-after=15 $((limit * slowness)) qemu-system-x86_64 "${accelerator[@]}" -smp 2 -m 6G -nographic \
  -drive "file=$scratch/disk,if=virtio,format=raw,cache=unsafe" -drive "file=$scratch/results,if=virtio,format=raw" \
  "${network[@]}" -kernel "$scratch/linux" -initrd "$scratch/initrd" \
  -append "root=/dev/vda rw console=ttyS0 net.ifnames=0" </dev/null >"$scratch/console" 2>&1 || ended=$?
if tar -C "$scratch" -xf "$scratch/results" 2>/dev/null && [ -s "$scratch/status" ]; then
  cat "$scratch/output"
  exit "$(cat "$scratch/status")"
fi
sed 's/^/console: /' "$scratch/console" | tail -n 40 >&2
if [ "$ended" = 124 ] || [ "$ended" = 137 ]; then
  echo "run-in-qemu.sh: time limit of $((limit * slowness)) s reached" >&2
  exit 124
fi
fail "the machine halted without the script's status (qemu: $ended)"
