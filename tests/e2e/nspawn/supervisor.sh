#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# supervisor.sh ROOT UNIT_SERVICE: the systemd supervisor against a real systemd. ROOT is made by
# make-root.sh, UNIT_SERVICE is the test program of the service room.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$1 program=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The program brings its own libraries and loader: the machine may be older than this one.
mkdir "$scratch/opt"
install "$program" "$scratch/opt/program"
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
  cp -L "$library" "$scratch/opt/"
done
cat >"$scratch/run" <<'GUEST'
#!/bin/sh
systemctl is-system-running --wait
exec /opt/las/ld-linux-*.so.* --library-path /opt/las /opt/las/program '[real-systemd]'
GUEST
"$here/run-in-systemd.sh" --bind "$scratch/opt:/opt/las" "$root" "$scratch/run"
