#!/usr/bin/env bash
# The crash suite without sampling: every point at which a fault can be put, the sweep of 200 kills, 100
# power cuts and two minutes of eight las at once. Takes some hours; prints points tried and failures.
# usage: tests/crash/full.sh [MODULE...]      modules: test_kill test_errors test_sweep ... (default: all)
set -uo pipefail
cd "$(dirname "$0")" || exit 1
export LAS_BINARY=${LAS_BINARY:-$PWD/../../build/dev/las}
export LAS_CRASH_POINTS=1000000 LAS_CRASH_KILLS=200 LAS_CRASH_CUTS=100 LAS_CRASH_SECONDS=120

if [ $# -eq 0 ]; then
  for file in test_*.py; do set -- "$@" "${file%.py}"; done
fi
status=0
for module in "$@"; do
  echo "== $module"
  python3 -m unittest "$module" || status=1
done
exit $status
