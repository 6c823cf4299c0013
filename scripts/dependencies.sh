#!/usr/bin/env bash
# Installs what building (and with "tests", testing) las needs on Debian 12+ and Ubuntu 22.04+.
# Says which packages are missing, uses sudo only if it has to, does nothing when all are there.
# usage: scripts/dependencies.sh [build|tests]
set -euo pipefail

build_packages=(
  g++ cmake ninja-build pkg-config ccache gettext
  libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libfmt-dev libarchive-dev libssl-dev
  libcurl4-openssl-dev liblmdb-dev libhwloc-dev libsolv-dev libsystemd-dev libmd-dev
  python3 python3-venv curl ca-certificates
)
test_packages=(
  catch2 strace debootstrap systemd-container slirp4netns iproute2 clang-format shellcheck mandoc hyperfine hwloc-nox
  zsh fish minisign lmdb-utils e2fsprogs python3-fusepy zstd
)

wanted=("${build_packages[@]}")
[ "${1:-build}" = tests ] && wanted+=("${test_packages[@]}")

# Any npm will do; the distribution's brings some hundred packages along.
if [ "${1:-build}" = tests ] && ! command -v npm >/dev/null; then
  wanted+=(npm)
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "These packages are missing and will be installed: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Not root, and sudo is not there. As root, type: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o DPkg::Lock::Timeout=120 "${missing[@]}" >/dev/null
