#!/usr/bin/env bash
# Speed as ratios against peers, medians of one run on this machine (never a test: machines are noisy).
# usage: scripts/bench.sh [LAS]          peers that are not installed are left out and named
set -euo pipefail
cd "$(dirname "$0")/.."
las=$(realpath "${1:-build/release/las}")
[ -x "$las" ] || { echo "build it first: cmake --preset release && cmake --build --preset release" >&2; exit 1; }
command -v hyperfine >/dev/null || { echo "hyperfine is missing: scripts/dependencies.sh tests" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LAS_ROOT=$work/root LAS_DATA_DIR=$PWD/share

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
  hyperfine -N --warmup 20 --runs 300 --export-json "$work/result.json" "${commands[@]}" >/dev/null 2>&1
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
row "las search" "$las search llama" "apt-cache search llama.cpp"
mkdir -p "$LAS_ROOT/var/cache/las" # there on every machine that las has changed once
row "las detect" "$las detect" "lstopo-no-graphics --of console"
row "las detect --section cpu" "$las detect --section cpu" "lstopo-no-graphics --of console"
