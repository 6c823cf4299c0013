#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-root.sh DIR: a Debian bookworm with systemd as PID 1, for run-in-systemd.sh.
#
# The first run bootstraps it (about a minute) and keeps it as a tarball below $LAS_TEST_CACHE
# (default: .cache in the project); later runs unpack that. Needs root, debootstrap, tar.
set -eu

suite=bookworm
packages=systemd,systemd-sysv,dbus,curl,iproute2,ca-certificates,python3,python3-venv
# A user's own systemd, with its bus.
packages=$packages,libpam-systemd,dbus-user-session
# What the las binary needs at run time (its Depends; the first three are opened when needed).
packages=$packages,libcurl4,libarchive13,libssl3,libyaml-cpp0.7,libfmt9,liblmdb0,libhwloc15,libsolv1

die() {
  echo "make-root.sh: $*" >&2
  exit 1
}

[ $# -eq 1 ] || die "usage: make-root.sh DIR"
root=$1
[ ! -e "$root" ] || [ -z "$(ls -A "$root")" ] || die "$root is not empty"
[ "$(id -u)" = 0 ] || die "needs root"
command -v debootstrap >/dev/null || die "debootstrap is not installed"

project=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${LAS_TEST_CACHE:-$project/.cache}
mkdir -p "$cache"
# The name changes with what is inside, so that an old tarball is never taken for a new one.
recipe=$(printf '%s %s %s' "$suite" "$packages" "$(dpkg --print-architecture)" | sha256sum | cut -c1-12)
tarball=$cache/nspawn-$suite-$recipe.tar.gz

# Two tests that start together bootstrap once.
exec 9>"$tarball.lock"
flock 9

if [ ! -f "$tarball" ]; then
  scratch=$(mktemp -d "$cache/bootstrap.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  # This machine's own mirror of the suite; where apt knows none, debootstrap's default.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' "Release: $suite" 'Component: main' | head -n 1)
  log=$cache/bootstrap.log
  debootstrap --variant=minbase --include="$packages" "$suite" "$scratch/root" \
    ${mirror:+"$mirror"} >"$log" 2>&1 || {
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

mkdir -p "$root"
tar -C "$root" --numeric-owner --xattrs -xzf "$tarball"
