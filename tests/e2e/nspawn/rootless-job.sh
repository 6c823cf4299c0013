#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine with podman, twice, with the power off in between: `las --user` under a user's own
# systemd, a service from an image in podman without root (see containers.sh). Binds as in main-job.sh. Root makes
# the images, the user and the manager; the rest runs as that user.
#
# It takes control groups of version 2, and its limits their controllers: LAS_TEST_MACHINE=qemu has both. On version 1,
# which a machine in systemd-nspawn shares with its kernel, it proves that las refuses, and leaves nothing.
set -euo pipefail
# shellcheck source=tests/e2e/nspawn/services.sh
. /job/services.sh
# shellcheck source=tests/e2e/nspawn/containers.sh
. /job/containers.sh

as_ada() {
  exec runuser -u ada -- env -i HOME=/home/ada USER=ada LOGNAME=ada PATH=/usr/bin:/bin LANG=C.UTF-8 \
    XDG_RUNTIME_DIR=/run/user/4711 bash "$0" "$@"
}
if [ "$(id -u)" = 0 ] && [ "$(cat /outside/boot)" = 1 ]; then
  ready_for_containers docker-registry redis-tools dbus-user-session
  images_of_cache
  useradd --create-home --uid 4711 ada
  grep '^ada:' /etc/subuid >/dev/null || fail "the user has no range of identities"
  # The only folder here on which its layers can lie.
  install -d -o ada -g ada /var/lib/containers/ada /home/ada/.config /home/ada/.config/containers
  printf '[storage]\ndriver = "overlay"\ngraphroot = "/var/lib/containers/ada"\nrunroot = "/run/user/4711/containers"\n' \
    >/home/ada/.config/containers/storage.conf
  # Else podman would ask for this controller by itself.
  grep pids /sys/fs/cgroup/cgroup.controllers >/dev/null || printf '[containers]\npids_limit = 0\n' >/home/ada/.config/containers/containers.conf
  loginctl enable-linger ada
  systemctl start user@4711.service
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] || : >/outside/again
  as_ada "$one" "$two" "$three"
fi
[ "$(id -u)" != 0 ] || as_ada

cd
trap '[ $? = 0 ] || journalctl --user -n 40 --no-pager -o cat' EXIT
program=(/las/bin/las --user)
manifests=~/.config/las/manifests.d
home=~/.local/share/las
las() { echo "\$ las --user $*"; "${program[@]}" --wait 30 "$@"; }
# The same words, of the user's own manager.
systemctl() { command systemctl --user "$@"; }
# Only where no controller was given away to groups of version 1.
has_limits() { grep memory /sys/fs/cgroup/cgroup.controllers >/dev/null 2>&1; }
has_limits || limits=

# Whoever did not see them coming does not see them go: what the container's user wrote is not this user's.
gone_for_good() {
  las purge --yes cache
  [ -z "$(find "$home" -path '*data/cache*' -print -quit 2>/dev/null)" ] || wrong "purge left: $(find "$home" -path '*data/cache*' 2>&1 | head -3)"
  las gc --keep 1 --yes
  [ -z "$(podman images -aq)" ] || wrong "gc left an image that nothing needs: $(podman images -a)"
}

first_boot() {
  one=$1 two=$2 three=$3
  mkdir -p "$manifests"
  offer_cache "1 $one"
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    ! las install --yes cache 2>/tmp/refusal-for-ada || fail "it is installed though nothing could hold it"
    grep 'needs control groups of version 2' /tmp/refusal-for-ada || fail "refused without a reason: $(cat /tmp/refusal-for-ada)"
    [ -z "$(podman images -aq)" ] || wrong "a refusal left an image: $(podman images -a)"
    [ -z "$(find ~/.config/systemd -name 'las-*' 2>/dev/null)" ] || wrong "a refusal left a unit"
    clean "refused"
    done_or_wrong "ROOTLESS JOB (refused: control groups of version 1)"
    return
  fi
  las install --yes cache >/tmp/install-of-ada || { cat /tmp/install-of-ada; fail "it is not installed"; }
  ! grep linger /tmp/install-of-ada || wrong "it speaks of lingering though this user lingers"
  las health cache
  [ "$(ask set k v)" = OK ] || fail "it does not take a value"
  [ "$(edition)" = 1 ] || fail "not the first image"
  systemd-analyze --user verify --man=no ~/.config/systemd/user/las-cache.service || fail "systemd-analyze finds faults"
  [ "$(inspect cache '{{.HostConfig.ReadonlyRootfs}}')" = true ] || wrong "it can write where it should not"
  [ "$(stat -c %U "/proc/$(program_of cache)")" = ada ] || wrong "its program is another user's: $(stat -c %U "/proc/$(program_of cache)")"
  [ "$(grep -cE '^(Cap(Prm|Eff|Bnd):\s*0+|NoNewPrivs:\s*1)$' "/proc/$(program_of cache)/status")" = 4 ] ||
    wrong "its walls are down: $(grep -E '^(Cap|NoNew)' "/proc/$(program_of cache)/status")"
  timer_is_content cache
  las verify
  if has_limits; then
    grep -F '/user@4711.service/' "/proc/$(program_of cache)/cgroup" | grep -F las-cache.service >/dev/null ||
      wrong "it is not in its unit's group: $(cat "/proc/$(program_of cache)/cgroup")"
    las logs cache --grep 'Ready to accept' | grep Ready >/dev/null || wrong "its words are not in the journal"
    limit_of_the_cpu
    comes_back_after "the limit of memory" takes_too_much_memory
  fi
  comes_back_after "kill -9" kill -9 "$(inspect cache '{{.State.Pid}}')"
  stops_and_starts
  offer_cache "1 $one" "2 $two"
  las upgrade --yes
  [ "$(edition) $(ask get k)" = '2 v' ] || fail "the second image does not run with the data"
  las rollback --yes
  [ "$(edition) $(ask get k)" = '1 v' ] || fail "the first image does not run again with the data"
  on_demand cache has_value
  clean "on demand and back"

  # One whose program is not root's, and so not this user's: its data are a stranger's.
  offer_cache "1 $one" "2 $three"
  las upgrade --yes
  [ "$(ask get k)" = v ] || fail "another user's image does not run with the data"
  ask save >/dev/null || wrong "as another user it cannot save"
  [ "$(stat -c %u "/proc/$(program_of cache)")" -ge 100000 ] || wrong "its program is that of $(stat -c %u "/proc/$(program_of cache)")"
  [ "$(stat -c %u "$home/data/cache")" = "$(stat -c %u "/proc/$(program_of cache)")" ] || wrong "its data are those of $(stat -c %u "$home/data/cache")"
  timer_is_content cache
  clean "another user's"
  [ ${#faults[@]} -eq 0 ] || printf '%s\n' "${faults[@]}" >~/faults
}

# Nobody has logged in, and nothing of podman runs yet when the unit starts it.
second_boot() {
  [ ! -e ~/faults ] || mapfile -t faults <~/faults
  PATIENCE=5 within 60 has_value || fail "after the boot it does not answer: $(property las-cache.service ActiveState)"
  las status
  timer_is_content cache
  clean "after the boot"
  las remove --yes cache
  no_container || wrong "remove left a container"
  [ -d "$home/data/cache" ] || wrong "remove took the data"
  gone_for_good
  done_or_wrong "ROOTLESS JOB"
}

if [ "$(cat /outside/boot)" = 1 ]; then first_boot "$@"; else second_boot; fi
