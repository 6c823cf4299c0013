#!/usr/bin/env bash
# Makes the tiny test model with PyPI's gguf package, in a virtual environment under build/.
# usage: scripts/tiny-model.sh OUTPUT.gguf
set -euo pipefail
output=$(realpath -m "${1:?usage: scripts/tiny-model.sh OUTPUT.gguf}")
cd "$(dirname "$0")/.."
[ -s "$output" ] && exit 0
environment=build/tiny-model-venv
if ! [ -x "$environment/bin/python" ] || ! "$environment/bin/python" -c 'import gguf' 2>/dev/null; then
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    -r tests/support/requirements-tiny-model.txt
fi
mkdir -p "$(dirname "$output")"
"$environment/bin/python" tests/support/make_tiny_model.py "$output"
