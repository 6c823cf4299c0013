#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# apt-job.sh [MODULE...]: runs inside a booted machine. Modules that are the distribution's packages are
# installed and taken away, with what they brought; a server that was there before is left as it is.
# The modules that las ships as packages bring services of their own; kv, made here, is the distribution's redis
# as the distribution runs it. Binds as in main-job.sh.
set -euo pipefail
export LAS_DATA_DIR=/las/share NO_COLOR=1
las() { echo "\$ las $*"; /las/bin/las "$@"; }
fail() { echo "FAILED: $*"; exit 1; }
[ $# -gt 0 ] || set -- kv
mkdir -p /etc/las/manifests.d
apt-get update -qq
# Of which version it is depends on the release.
version=$(apt-cache --no-all-versions show redis-server | sed -nE 's/^Version: ([0-9]+:)?([0-9]+\.[0-9]+).*/\2/p')
[ -n "$version" ] || fail "this release has no redis-server"
cat >/etc/las/manifests.d/kv.yaml <<MANIFEST
schema: 1
name: kv
category: service
description: the distribution's key-value store
releases:
- version: "$version"
  variants:
  - name: distribution
    sources:
    - apt:
        packages: [redis-server]
      executables:
        redis-server: /usr/bin/redis-server
        redis-cli: /usr/bin/redis-cli
      note: the package also starts the distribution's own server
MANIFEST
installed() { dpkg-query -W -f='${Package} ${Version} ${Status}\n' | grep 'ok installed' | sort; }

# Files and links that are the machine's; what las and dpkg note is theirs.
files() {
  find /etc /usr /opt /srv /home /root /var -xdev \( -path '/var/lib/las*' -o -path '/var/lib/dpkg*' -o -path '/var/lib/apt*' \
    -o -path '/var/cache*' -o -path '/var/log*' -o -path '/var/lib/systemd*' -o -name __pycache__ \) -prune -o ! -type d -print | sort
}

for wish in "$@"; do
  module=${wish%%[=@]*}
  installed >/tmp/before
  files >/tmp/files
  begun=$(date +%s)
  las install --yes "$wish"
  took=$(($(date +%s) - begun))
  # The version that came is the distribution's, and it is told.
  las list --json | tail -n +2 | python3 -c "
import json, subprocess, sys
module, = [m for m in json.load(sys.stdin)['modules'] if m['name'] == '$module']
assert module['source'] == 'apt', module
assert module['delivered'].split(':')[-1].startswith(module['version']), module
print('DELIVERED', module['name'], module['version'], module['delivered'])" || fail "list is wrong about $module"
  installed | comm -13 /tmp/before - | cut -d' ' -f1 >/tmp/brought
  size=$(xargs -r dpkg-query -W -f='${Installed-Size}\n' </tmp/brought | awk '{s += $1} END {print s + 0}')
  echo "MODULE $module: $(wc -l </tmp/brought) packages, $size KiB, $took s"
  las verify
  las remove --yes "$module"
  installed | diff /tmp/before - || fail "remove $module left the packages changed"
  # Like apt's own remove it leaves configuration and data, and no program.
  files | comm -13 /tmp/files - >/tmp/left
  echo "LEFT by $module: $(wc -l </tmp/left)"
  ! grep '^/usr' /tmp/left || fail "remove $module left programs"
  las verify
done

# A server of the machine's own: the module is there as soon as its packages are, and taking it away
# touches neither them nor what runs.
apt-get install -qq --no-install-recommends redis-server >/dev/null 2>&1
sed -i 's/^port .*/port 7777/' /etc/redis/redis.conf
systemctl restart redis-server
pid=$(systemctl show -P MainPID redis-server)
installed >/tmp/before
find /etc /var/lib/redis -type f ! -path '/etc/las/*' -printf '%p %m %T@\n' | sort >/tmp/files
las install --yes kv
las remove --yes kv
installed | diff /tmp/before - || fail "the distribution's own packages changed"
find /etc /var/lib/redis -type f ! -path '/etc/las/*' -printf '%p %m %T@\n' | sort | diff /tmp/files - ||
  fail "the distribution's own files changed"
[ "$(systemctl show -P MainPID redis-server)" = "$pid" ] || fail "the distribution's own server was restarted"
apt-get purge -qq redis-server redis-tools >/dev/null 2>&1

# A package that somebody took away is named by the next change and brought back by one repair.
installed >/tmp/before
las install --yes kv
apt-get purge -qq redis-server >/dev/null 2>&1
{ las verify || true; } | grep '^package-missing kv: ' >/dev/null || fail "verify does not miss the package"
told=$(las hold kv 2>&1)
grep '^warning: package-missing kv: ' <<<"$told" >/dev/null || fail "the next change does not name it: $told"
! dpkg-query -W -f='${Status}' redis-server 2>/dev/null | grep 'ok installed' >/dev/null || fail "it came back silently"
las repair --yes
dpkg-query -W -f='${Status}' redis-server | grep 'ok installed' >/dev/null || fail "repair did not bring the package back"
las verify
las unhold kv
las remove --yes kv
installed | diff /tmp/before - || fail "remove after a repair left the packages changed"

# Where the administrator forbids starting servers, none starts.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
las install --yes kv
! systemctl is-active -q redis-server || fail "a server started against policy-rc.d"
las remove --yes kv
echo "APT JOB DONE"
