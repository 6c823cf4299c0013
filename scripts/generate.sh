#!/usr/bin/env bash
# Rewrites what is generated from the command table and the sources: manual page, completions, and
# the message template for translators. The test suites fail when one of them is out of step.
# usage: scripts/generate.sh [LAS]
set -euo pipefail
cd "$(dirname "$0")/.."
las=${1:-build/dev/las}
mkdir -p man completions po
LC_ALL=C "$las" manual >man/las.1
LC_ALL=C "$las" completion bash >completions/las.bash
LC_ALL=C "$las" completion zsh >completions/_las
LC_ALL=C "$las" completion fish >completions/las.fish
find src include -name '*.cpp' -o -name '*.hpp' | LC_ALL=C sort |
  xgettext --files-from=- --output=po/las.pot --language=C++ --from-code=UTF-8 \
    --keyword=_ --keyword=N_ --keyword=LAS_N:1,2 --add-comments=translators --sort-by-file --add-location=file \
    --no-wrap --package-name=las --foreign-user 2>/dev/null
sed -i '/^"POT-Creation-Date:/d' po/las.pot
