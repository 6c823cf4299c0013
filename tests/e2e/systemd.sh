#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# systemd.sh LAS JOB [ARGUMENT...]: the binary LAS inside a real, booted systemd, driven by JOB, a script of
# nspawn/ (main-job.sh, user-job.sh, services-job.sh ...), and its arguments. Needs root. The engine's wheel is
# fetched outside, by its hash, and shown to the machine. $LAS_TEST_SUITE says which release the machine is
# (see make-root.sh); LAS is one that was built there. LAS_TEST_MACHINE=qemu takes a whole machine in place of
# systemd-nspawn (see run-in-qemu.sh), which is slow.
set -euo pipefail
las=$(realpath "${1:?usage: systemd.sh LAS JOB [ARGUMENT...]}")
job=${2:?usage: systemd.sh LAS JOB [ARGUMENT...]}
shift 2
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 125; }

wheels=${LAS_TEST_CACHE:-$PWD/.cache}/wheels
mkdir -p "$wheels"
if ! ls "$wheels"/*.whl >/dev/null 2>&1; then
  lock=$(mktemp)
  grep -o 'xllamacpp==[^"]*' share/manifests/llama.cpp/manifest.yaml | head -1 | sed 's/[[:space:]]*$//' >"$lock"
  python3 -m venv "$wheels/../pip"
  "$wheels/../pip/bin/pip" download --quiet --disable-pip-version-check --no-deps \
    --require-hashes --only-binary :all: -r "$lock" -d "$wheels"
  rm -f "$lock"
fi
scripts/tiny-model.sh build/tiny.gguf

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
tests/e2e/nspawn/make-root.sh "$work/root"
mkdir -p "$work/las/bin"
cp "$las" "$work/las/bin/las"
cp -r share "$work/las/share"
# Where newer builds of the machine's packages are, as apt outside knows it: what services are upgraded to.
suite=${LAS_TEST_SUITE:-bookworm}
case $suite in
  jammy | noble) sed -n "s/^\(deb .* $suite\) /\1-updates /p" "$work/root/etc/apt/sources.list" ;;
  *) apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Component: main' |
    sed -n "s/ [a-z]*-security main$/ $suite-security main/p" | head -n 1 ;;
esac >"$work/las/newer.list"
options=(--time-limit 300)
# Services want the usual ports for themselves.
case $job in
  services-job.sh | demand-job.sh | care-job.sh | services-bench.sh) options=(--time-limit 900 --own-network) ;;
  # Its engine's port may be another suite's outside.
  proof-job.sh) options+=(--own-network) ;;
  # A network of neighbours, and addresses that systemd lets through or not, need of the kernel what containers need.
  container-job.sh | docker-job.sh | container-engine-job.sh | reach-job.sh | rootless-job.sh) options=(--time-limit 900 --own-network --containers) ;;
esac
# What the images of their stand-in are made of.
case $job in
  container-job.sh | docker-job.sh | rootless-job.sh)
    tests/e2e/nspawn/make-root.sh --image "$work/image.tar.gz"
    options+=(--bind "$work/image.tar.gz:/image.tar.gz")
    ;;
esac
tests/e2e/nspawn/run-in-"${LAS_TEST_MACHINE:-systemd}.sh" "${options[@]}" \
  --bind "$work/las:/las" --bind "$PWD/tests/e2e/nspawn:/job" --bind "$wheels:/wheels" --bind "$PWD/build/tiny.gguf:/model.gguf" \
  "$work/root" "tests/e2e/nspawn/$job" "$@"
