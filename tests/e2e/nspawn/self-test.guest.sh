#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs inside the machine: systemd is really there, and starts and stops what it is told to.
set -eu
state=$(systemctl is-system-running --wait) || true
echo "system: $state"
[ "$state" = running ] || systemctl --failed --no-legend
cat >/etc/systemd/system/probe.service <<'UNIT'
[Service]
Type=exec
ExecStart=/bin/sleep infinity
UNIT
systemctl daemon-reload
systemctl start probe.service
echo "started: $(systemctl is-active probe.service)"
pid=$(systemctl show -P MainPID probe.service)
echo "process: $(readlink "/proc/$pid/exe")"
systemctl stop probe.service
echo "stopped: $(systemctl is-active probe.service || true)"
[ ! -e "/proc/$pid" ] && echo "process: gone"
exit "${1:-0}"
