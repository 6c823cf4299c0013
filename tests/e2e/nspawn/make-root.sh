#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-root.sh DIR: a Debian or Ubuntu with systemd as PID 1, for run-in-systemd.sh. $LAS_TEST_SUITE says which
# release: bookworm (the default), trixie, jammy or noble; $LAS_TEST_MIRROR where it is fetched from.
# make-root.sh --image FILE: the same release without systemd, with redis-server, as a tarball: what images of
# containers are made of.
#
# The first run bootstraps it (about a minute) and keeps it as a tarball below $LAS_TEST_CACHE
# (default: .cache in the project); later runs take that. Needs root, debootstrap, tar.
set -eu

die() {
  echo "make-root.sh: $*" >&2
  exit 1
}

suite=${LAS_TEST_SUITE:-bookworm}
packages=systemd,systemd-sysv,dbus,curl,iproute2,ca-certificates,python3,python3-venv
# A user's own systemd, with its bus.
packages=$packages,libpam-systemd,dbus-user-session
# What the las binary needs at run time (its Depends; the first three are opened when needed).
case $suite in
  bookworm) packages=$packages,libcurl4,libarchive13,libssl3,libyaml-cpp0.7,libfmt9 ;;
  trixie) packages=$packages,libcurl4t64,libarchive13t64,libssl3t64,libyaml-cpp0.8,libfmt10 ;;
  jammy) packages=$packages,libcurl4,libarchive13,libssl3,libyaml-cpp0.7,libfmt8 ;;
  noble) packages=$packages,libcurl4t64,libarchive13t64,libssl3t64,libyaml-cpp0.8,libfmt9 ;;
  *) die "no packages are known for $suite" ;;
esac
packages=$packages,liblmdb0,libhwloc15,libsolv1
components=main script=sid
case $suite in jammy | noble) components=main,universe script=gutsy ;; esac

kind=nspawn
[ "${1:-}" != --image ] || { kind=image packages=redis-server && shift; }
[ $# -eq 1 ] || die "usage: make-root.sh DIR | make-root.sh --image FILE"
[ $kind = image ] || [ ! -e "$1" ] || [ -z "$(ls -A "$1")" ] || die "$1 is not empty"
[ "$(id -u)" = 0 ] || die "needs root"
command -v debootstrap >/dev/null || die "debootstrap is not installed"

project=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${LAS_TEST_CACHE:-$project/.cache}
mkdir -p "$cache"
# The name changes with what is inside, so that an old tarball is never taken for a new one.
recipe=$(printf '%s %s %s' "$suite" "$packages" "$(dpkg --print-architecture)" | sha256sum | cut -c1-12)
tarball=$cache/$kind-$suite-$recipe.tar.gz

# Two tests that start together bootstrap once.
exec 9>"$tarball.lock"
flock 9

if [ ! -f "$tarball" ]; then
  scratch=$(mktemp -d "$cache/bootstrap.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  # This machine's own mirror of the suite; where apt knows none, debootstrap's default. For a distribution
  # whose keyring is not installed it has none.
  mirror=${LAS_TEST_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' "Release: $suite" 'Component: main' | head -n 1)}
  log=$cache/bootstrap.log
  # It may know of a release no script, but of those that were before it.
  debootstrap --variant=minbase --components=$components --include="$packages" "$suite" "$scratch/root" \
    "$mirror" $script >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "debootstrap failed (all of its output: $log)"
  }
  # apt inside is to accept what apt outside accepts (mirrors of a fixed date, for one).
  apt-config dump --format '%f "%v";%n' Acquire::Check-Valid-Until Acquire::Check-Date \
    >"$scratch/root/etc/apt/apt.conf.d/90outside"
  chroot "$scratch/root" apt-get clean
  rm -rf "$scratch/root/var/lib/apt/lists" "$scratch/root/etc/resolv.conf"
  # Each copy is a machine of its own.
  : >"$scratch/root/etc/machine-id"
  tar -C "$scratch/root" --numeric-owner --xattrs -c . | gzip -1 >"$scratch/tarball"
  mv "$scratch/tarball" "$tarball"
  rm -rf "$scratch"
fi

if [ $kind = image ]; then
  cp "$tarball" "$1"
else
  mkdir -p "$1"
  tar -C "$1" --numeric-owner --xattrs -xzf "$tarball"
fi
