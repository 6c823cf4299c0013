#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs inside the machine: the golden unit "words" starts under the real systemd with its whole
# sandbox, and the program sees exactly the words it was meant to see.
set -eu
mkdir -p /var/lib/las/db
touch /var/lib/las/db/data.mdb
cp /opt/units/words.service /etc/systemd/system/las-words.service
systemctl daemon-reload
systemctl start las-words.service
pid=$(systemctl show -P MainPID las-words.service)
seen=/var/lib/las/data/words/seen
# The program writes its working directory last, then becomes "sleep"; tail hears of it by inotify.
timeout 30 tail -n +1 -F $seen 2>/dev/null | sed '/^\[\/var\/lib\/private\//q'
[ -s $seen ] || journalctl -u las-words.service --no-pager
echo "state: $(systemctl is-active las-words.service)"
echo "user: $([ "$(stat -c %u "/proc/$pid")" -gt 60000 ] && echo dynamic || echo "not dynamic")"
echo "data: $(readlink /var/lib/las/data/words)"
inside="nsenter -t $pid -m --"
$inside test -e /var/lib/las/db/data.mdb || echo "database: hidden"
$inside touch /etc/mark 2>/dev/null || echo "system: read-only"
systemctl stop las-words.service
echo "stopped: $(systemctl is-active las-words.service || true)"
