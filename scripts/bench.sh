#!/usr/bin/env bash
# Speed as ratios against peers, medians of one run on this machine (never a test: machines are noisy).
# usage: scripts/bench.sh [LAS] [--large]   peers that are not installed are left out and named;
#                                           --large measures a catalog of 100,000 manifests and a
#                                           payload of 1 GB too; transactions need root, to mount
set -euo pipefail
cd "$(dirname "$0")/.."
large=
[ "${*: -1}" = --large ] && { large=1; set -- "${@:1:$#-1}"; }
las=$(realpath "${1:-build/release/las}")
[ -x "$las" ] || { echo "build it first: cmake --preset release && cmake --build --preset release" >&2; exit 1; }
command -v hyperfine >/dev/null || { echo "hyperfine is missing: scripts/dependencies.sh tests" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LAS_ROOT=$work/root LAS_DATA_DIR=$PWD/share
mkdir -p "$LAS_ROOT/var/cache/las" # there on every machine that las has changed once

# One row: what it is, our command, then the peers' commands.
row() {
  local title=$1 ours=$2 commands=() peer
  shift 2
  commands=("$ours")
  for peer in "$@"; do
    if command -v "${peer%% *}" >/dev/null; then
      commands+=("$peer")
    else
      echo "(not installed, left out: $peer)"
    fi
  done
  hyperfine -N --warmup "${WARMUP:-20}" --runs "${RUNS:-300}" --export-json "$work/result.json" "${commands[@]}" >/dev/null 2>&1
  python3 - "$title" "$work/result.json" <<'PY'
import json, sys
title, path = sys.argv[1:]
results = json.load(open(path))["results"]
ours = results[0]["median"]
print(f"{title}: {ours * 1000:.2f} ms")
for peer in results[1:]:
    print(f"    {ours / peer['median']:.2f} of `{peer['command']}` ({peer['median'] * 1000:.2f} ms)")
PY
}

row "las --version" "$las --version" "pacman --version" "curl --version" "dpkg --version" "true"
row "completion of a command" "$las complete 1 -- las ins" "pacman --version" "curl --version"
row "completion of a module name" "$las complete 2 -- las install lla" "pacman --version" "curl --version"
row "las list" "$las list --json" "dpkg -l"
WARMUP=2 RUNS=30 row "las search" "$las search llama" "apt-cache search llama.cpp" # which takes a second
row "las detect" "$las detect" "lstopo-no-graphics --of console"
row "las detect --section cpu" "$las detect --section cpu" "lstopo-no-graphics --of console"

# Generated catalogs: how opening, searching and resolving grow, beside libsolv alone and beside apt
# and pacman on the same modules (m0 and the 200 that it needs).
echo
echo "Generated catalogs"
if [ -f build/release/build.ninja ]; then
  cmake --build --preset release --target resolve_bench >/dev/null
else
  echo "(no release build in build/release: without the figures from inside)"
fi
# search_registry FOLDER COUNT: the same catalog as it comes to most users, from a signed registry: a copy of las's own,
# where no file has to be looked at for what somebody may have changed.
search_registry() {
  local LAS_ROOT=$work/registry-root-$2
  export LAS_ROOT
  [ -e "$work/bench" ] || "$las" registry keygen "$work/bench" >/dev/null
  "$las" -q registry build "$1" --key "$work/bench" --out "$work/tree-$2" --name generated
  "$las" -q registry add generated "file://$work/tree-$2" --key "$work/bench.pub"
  "$las" search generated >/dev/null
  WARMUP=3 RUNS=30 row "$2 manifests from a signed registry: las search module" "$las search many" true
}

for count in 10 1000 10000 ${large:+100000}; do
  folder=$work/catalog-$count
  python3 tests/support/make_catalog.py "$folder" "$count" --apt "$work/apt-$count" \
    --pacman "$work/pacman-$count/sync/generated.db"
  export LAS_ROOT=$work/root-$count
  mkdir -p "$LAS_ROOT/etc/las" "$LAS_ROOT/var/cache/las"
  printf 'registries: [%s]\n' "$folder" >"$LAS_ROOT/etc/las/config.yaml"
  "$las" search generated >/dev/null # compiles the index
  "$las" search generated >/dev/null # and trusts the stamps of its files
  WARMUP=3 RUNS=30 row "$count manifests in a folder: las search module" "$las search many" true
  search_registry "$folder" "$count"
  aptroot=$work/aptroot-$count
  mkdir -p "$aptroot"/etc/apt/{sources.list.d,preferences.d,apt.conf.d} "$aptroot"/var/lib/apt/lists/partial \
    "$aptroot"/var/cache/apt/archives/partial "$work/pacman-$count/local"
  : >"$aptroot/status"
  echo "deb [trusted=yes] file:$work/apt-$count ./" >"$aptroot/etc/apt/sources.list"
  apt=(-o "Dir=$aptroot" -o "Dir::State::status=$aptroot/status" -o Dir::Etc::parts=/nonexistent
    -o APT::Architecture=amd64 -o APT::Architectures=amd64)
  apt-get "${apt[@]}" -qq update 2>/dev/null
  printf '[options]\nArchitecture = auto\nSigLevel = Never\n[generated]\nServer = file:///nonexistent\n' \
    >"$work/pacman.conf"
  WARMUP=3 RUNS=30 row "$count manifests: las install --dry-run m0" "$las install --dry-run m0" \
    "apt-get ${apt[*]} -s install m0" \
    "pacman -S --print --noconfirm --config $work/pacman.conf --dbpath $work/pacman-$count m0"
  [ -x build/release/tests/bench/resolve_bench ] || continue
  build/release/tests/bench/resolve_bench "$folder" "$LAS_ROOT/var/cache/las/bench" \
    m0 top chain-0 diamond-0-a many >"$work/inside.json"
  python3 - "$work/inside.json" <<'PY'
import json, sys
for line in open(sys.argv[1]):
    row = json.loads(line)
    if row["what"] == "open":
        print("    {modules} manifests open in {ms:.2f} ms".format(**row))
        continue
    row["reached"] = row["resolve_ms"] / row["libsolv_ms"]
    row["whole"] = row["resolve_ms"] / row["libsolv_whole_ms"]
    print("    {module}: {chosen} modules, open and resolve {open_and_resolve_ms:.2f} ms, resolve {resolve_ms:.2f} ms, "
          "{whole:.2f} of libsolv alone on the catalog, {reached:.2f} on what can be reached".format(**row))
PY
done

# Transactions on ext4 in RAM, beside bsdtar and pacman.
echo
echo "Transactions"
inside=()
if [ -f build/release/build.ninja ]; then
  cmake --build --preset release --target transaction_bench >/dev/null
  inside=(--program build/release/tests/bench/transaction_bench)
fi
env -u LAS_ROOT python3 tests/bench/transactions.py "$las" "${inside[@]}" ${large:+--large}

# Services in a booted systemd.
echo
echo "Services"
if [ "$(id -u)" = 0 ]; then
  env -u LAS_ROOT -u LAS_DATA_DIR tests/e2e/systemd.sh "$las" services-bench.sh | grep -E '^(processes|start|round|transfer)'
else
  echo "(needs root to boot a machine: left out)"
fi
