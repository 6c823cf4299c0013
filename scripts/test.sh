#!/usr/bin/env bash
# Every test, from a clean machine: installs what is missing, builds, runs the unit, scenario, golden,
# crash, e2e and lint suites. Suites that need root (booting systemd) are skipped by name without it.
# usage: scripts/test.sh [--asan] [SUITE...]      suites: lint unit cli crash job systemd fuzz asan
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

suites=()
asan=${LAS_TEST_ASAN:-0}
for argument in "$@"; do
  case $argument in
    --asan) asan=1 ;;
    -*) echo "usage: scripts/test.sh [--asan] [SUITE...]" >&2; exit 2 ;;
    *) suites+=("$argument") ;;
  esac
done
[ ${#suites[@]} -gt 0 ] || suites=(lint unit cli crash job systemd fuzz)
[ "$asan" = 1 ] && suites+=(asan)

logs=build/test-logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0
failures=()

say() { printf '%s\n' "$*"; }

# count NAME PASSED FAILED SKIPPED
count() {
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
  [ "$3" -eq 0 ] || failures+=("$1")
  say "$1: $2 passed, $3 failed, $4 skipped ($(($(date +%s) - begun)) s)"
}

# One check that passes or fails as a whole.
check() {
  local name=$1
  shift
  begun=$(date +%s)
  if "$@" >"$logs/$name.log" 2>&1; then
    count "$name" 1 0 0
  else
    tail -n 60 "$logs/$name.log"
    count "$name" 0 1 0
  fi
}

# A Catch2 program: its test cases are counted, and so are those it skipped by name ("SKIPPED: ").
catch_program() {
  local name=$1
  shift
  begun=$(date +%s)
  local status=0 good bad left
  "$@" >"$logs/$name.log" 2>&1 || status=$?
  left=$(grep -c '^SKIPPED: ' "$logs/$name.log")
  if good=$(grep -oE 'All tests passed \([0-9]+ assertions? in [0-9]+' "$logs/$name.log"); then
    good=${good##* } bad=0
  else
    good=$(grep -oE '^test cases: .*' "$logs/$name.log" | grep -oE '[0-9]+ passed' | grep -oE '[0-9]+')
    bad=$(grep -oE '^test cases: .*' "$logs/$name.log" | grep -oE '[0-9]+ failed' | grep -oE '[0-9]+')
    good=${good:-0} bad=${bad:-1}
  fi
  [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  [ "$bad" -eq 0 ] || tail -n 80 "$logs/$name.log"
  grep '^SKIPPED: ' "$logs/$name.log"
  count "$name" "$((good - left))" "$bad" "$left"
}

# A Python unittest module below tests/.
python_suite() {
  local name=$1 folder=$2 module=$3
  begun=$(date +%s)
  local ran bad left errors
  (cd "$folder" && LAS_BINARY=$OLDPWD/build/dev/las python3 -m unittest -v "$module") >"$logs/$name.log" 2>&1
  local status=$?
  ran=$(grep -oE '^Ran [0-9]+' "$logs/$name.log" | grep -oE '[0-9]+')
  bad=$(tail -1 "$logs/$name.log" | grep -oE 'failures=[0-9]+' | grep -oE '[0-9]+')
  errors=$(tail -1 "$logs/$name.log" | grep -oE 'errors=[0-9]+' | grep -oE '[0-9]+')
  left=$(tail -1 "$logs/$name.log" | grep -oE 'skipped=[0-9]+' | grep -oE '[0-9]+')
  ran=${ran:-0} bad=$((${bad:-0} + ${errors:-0})) left=${left:-0}
  [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  [ "$bad" -eq 0 ] || grep -vE ' \.\.\. ok$' "$logs/$name.log" | tail -n 80
  grep -E ' \.\.\. skipped ' "$logs/$name.log"
  count "$name" "$((ran - bad - left > 0 ? ran - bad - left : 0))" "$bad" "$left"
}

skip() {
  begun=$(date +%s)
  say "SKIPPED: $1: $2"
  count "$1" 0 0 1
}

formatted() {
  git ls-files -- '*.cpp' '*.hpp' | xargs clang-format-14 --dry-run --Werror
}

template_in_step() {
  local before
  before=$(mktemp -d) || return 1
  cp po/las.pot "$before/" && scripts/generate.sh build/dev/las && diff -u "$before/las.pot" po/las.pot
}

suite_lint() {
  check lint-architecture python3 tests/lint/architecture.py
  check lint-architecture-finds-breaches python3 -m unittest discover -s tests/lint -p 'test_*.py'
  check lint-shell shellcheck -x -S warning scripts/*.sh .ci/run tests/e2e/*.sh tests/e2e/nspawn/*.sh tests/crash/*.sh
  if command -v clang-format-14 >/dev/null; then
    check lint-format formatted
  else
    skip lint-format "clang-format 14 is not packaged here, and others disagree"
  fi
  check lint-manifests build/dev/las lint
  check lint-generated template_in_step
  check lint-manual mandoc -T lint -W warning man/las.1
}

suite_unit() {
  local program
  for program in build/dev/tests/unit_*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
    catch_program "$(basename "$program")" "$program" --order rand --rng-seed time
  done
}

suite_cli() {
  python_suite e2e-cli tests/e2e test_cli
  python_suite e2e-bad-input tests/e2e test_bad_input
  python_suite e2e-detect tests/e2e test_detect
  python_suite e2e-policy tests/e2e test_policy
  python_suite e2e-sources tests/e2e test_sources
  python_suite e2e-messages tests/e2e test_messages
  python_suite e2e-completion tests/e2e test_completion
  python_suite e2e-registry tests/e2e test_registry
  python_suite e2e-lock tests/e2e test_lock
  python_suite e2e-change tests/e2e test_change
  python_suite e2e-store-again tests/e2e test_store_again
  python_suite e2e-proof tests/e2e test_proof
  python_suite e2e-keep tests/e2e test_keep
  python_suite e2e-mend tests/e2e test_mend
  python_suite e2e-failures tests/e2e test_failures
}

# Samples; tests/crash/full.sh takes every point. What was tried is printed also when all went well.
suite_crash() {
  local name
  for name in kill errors full_disk sweep power_cut power_cut_units together; do
    python_suite "crash-${name//_/-}" tests/crash "test_$name"
    grep -E 'tried|times that beside' "$logs/crash-${name//_/-}.log"
  done
}

suite_job() { python_suite e2e-main-job tests/e2e test_main_job; }

suite_systemd() {
  if [ "$(id -u)" -ne 0 ]; then
    skip e2e-systemd "needs root to boot a systemd"
    return
  fi
  check e2e-systemd-main-job tests/e2e/systemd.sh build/dev/las main-job.sh
  check e2e-systemd-user-job tests/e2e/systemd.sh build/dev/las user-job.sh
  check e2e-systemd-apt-job tests/e2e/systemd.sh build/dev/las apt-job.sh
  check e2e-systemd-proof-job tests/e2e/systemd.sh build/dev/las proof-job.sh
  check e2e-systemd-services-job tests/e2e/systemd.sh build/dev/las services-job.sh
  check e2e-systemd-demand-job tests/e2e/systemd.sh build/dev/las demand-job.sh
  check e2e-systemd-care-job tests/e2e/systemd.sh build/dev/las care-job.sh
  check e2e-systemd-reach-job tests/e2e/systemd.sh build/dev/las reach-job.sh
  check e2e-systemd-container-job tests/e2e/systemd.sh build/dev/las container-job.sh
  check e2e-systemd-docker-job tests/e2e/systemd.sh build/dev/las docker-job.sh
  check e2e-systemd-container-engine-job tests/e2e/systemd.sh build/dev/las container-engine-job.sh
  local root
  root=$(mktemp -d)
  check e2e-systemd-machine tests/e2e/nspawn/make-root.sh "$root/root"
  check e2e-systemd-self-test tests/e2e/nspawn/self-test.sh "$root/root"
  check e2e-systemd-units tests/e2e/nspawn/units.sh "$root/root"
  check e2e-systemd-supervisor tests/e2e/nspawn/supervisor.sh "$root/root" build/dev/tests/unit_service
  rm -rf --one-file-system "$root"
}

# Mutated inputs for the parsers of hardware facts, under sanitizers; only what they need is built.
# A finding names its seed: build/asan/tests/fuzz/fuzz_hardware --seed N --seconds 60
suite_fuzz() {
  begun=$(date +%s)
  if ! { cmake --preset asan && cmake --build --preset asan --target fuzz_hardware; } >"$logs/fuzz-build.log" 2>&1; then
    tail -n 40 "$logs/fuzz-build.log"
    count fuzz-build 0 1 0
    return
  fi
  local seed=${LAS_FUZZ_SEED:-$(date +%s)}
  say "fuzz-hardware: --seed $seed"
  check fuzz-hardware build/asan/tests/fuzz/fuzz_hardware --seconds "${LAS_FUZZ_SECONDS:-60}" --seed "$seed"
}

suite_asan() {
  begun=$(date +%s)
  if ! { cmake --preset asan && cmake --build --preset asan; } >"$logs/asan-build.log" 2>&1; then
    tail -n 40 "$logs/asan-build.log"
    count asan-build 0 1 0
    return
  fi
  local program
  for program in build/asan/tests/unit_*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
    catch_program "asan-$(basename "$program")" "$program"
  done
}

started=$(date +%s)
scripts/dependencies.sh tests || exit 1
say "Building (preset dev)"
cmake --preset dev >"$logs/configure.log" 2>&1 || { tail -n 40 "$logs/configure.log"; exit 1; }
cmake --build --preset dev >"$logs/build.log" 2>&1 || { grep -E 'error|FAILED' "$logs/build.log" | head -40; exit 1; }
say "Built in $(($(date +%s) - started)) s"
scripts/tiny-model.sh build/tiny.gguf || exit 1

for suite in "${suites[@]}"; do
  declare -F "suite_$suite" >/dev/null || { echo "no such suite: $suite" >&2; exit 2; }
  "suite_$suite"
done

say "All suites took $(($(date +%s) - started)) s"
[ ${#failures[@]} -eq 0 ] || say "Failed: ${failures[*]} (logs in $logs)"
say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
