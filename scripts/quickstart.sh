#!/usr/bin/env bash
# From a bare machine to an answered chat, and back: builds las and does the main job with ordinary
# commands, each shown before it runs. Works in its own root (LAS_ROOT, default .las-quickstart in
# the checkout), so nothing of the machine is changed but build packages. Run it again: it is quick.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${LAS_PRESET:-release}
export LAS_ROOT=${LAS_ROOT:-$PWD/.las-quickstart}
model=build/tiny.gguf

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
las() {
  say "\$ las $*"
  "build/$preset/las" "$@"
}

say "Build dependencies"
scripts/dependencies.sh build

say "Building las (preset $preset)"
mkdir -p build
cmake --preset "$preset" >build/configure.log || { cat build/configure.log; exit 1; }
cmake --build --preset "$preset"

say "A tiny test model (random weights: it talks nonsense, on purpose)"
scripts/tiny-model.sh "$model"

say "The main job, below $LAS_ROOT"
las detect
las search llama
las show llama.cpp
las install --yes llama.cpp
las model import "$model" --name tiny
las serve --yes tiny
las chat tiny --max-tokens 24 "hello"
las status
las logs tiny --lines 3
las history
las stop tiny
las rollback --yes
las remove --yes llama.cpp
las verify

say "Done. With a real model, type:"
cat <<TXT
  sudo cmake --install build/$preset      # las for the whole machine
  sudo las install llama.cpp
  sudo las model import YOUR-MODEL.gguf --name mine
  sudo las serve mine
  las chat mine "hello"
TXT
