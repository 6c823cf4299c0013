#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# units.sh ROOT: the golden units under a real systemd. ROOT is made by make-root.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What tests/unit/service/instances.hpp put into the unit "words", and what its sandbox promises.
printf '%s\n' \
  '<two words>' '<>' "<\"double\" 'single'>" '<100% %n %%>' '<$HOME ${HOME} $$>' \
  '<back\slash \n \>' $'<tab\there>' '<;>' $'<\x01\x7f>' '<grün 模型>' '<-+!@:plain=a,b>' \
  $'[a "b" \'c\' 100% $HOME \\n \\ \t;]' \
  '[/var/lib/las/data/words]' '[/var/lib/private/las/data/words]' \
  'state: active' 'user: dynamic' 'data: ../../private/las/data/words' 'database: hidden' \
  'system: read-only' 'stopped: inactive' >"$scratch/expected"
"$here/run-in-systemd.sh" --bind "$here/../../golden/units:/opt/units" "$1" "$here/units.guest.sh" \
  >"$scratch/seen"
diff -u "$scratch/expected" "$scratch/seen"
echo "ok   a unit with hostile words and the whole sandbox runs as it was meant to"
