# SPDX-License-Identifier: Apache-2.0
"""Power cuts under a real systemd: a machine is booted whose /var/lib/las and /etc/systemd/system lie on
the disk that can be cut (tests/support/cut_disk.py), the power goes while a service is deployed,
upgraded, stopped or removed, or right after that ended with 0, and the machine is booted again from what is left.
State, units and the running service must be the old or the new, and nothing that was done may be lost.

LAS_CRASH_CUTS sets the number of cuts (here a half of them are made, and 8 at least; the full run
has 100). Needs root, systemd-nspawn, debootstrap, FUSE and loop devices."""
import json
import os
import shutil
import subprocess
import unittest

from driver import ENGINE, LAS, LOST, PROJECT, SERVICE, archive, sha256, small_model
from test_power_cut import CUTS, KINDS, PowerCutCase

NSPAWN = PROJECT / "tests/e2e/nspawn"
STEPS = [["serve", "--yes", "tiny"], ["upgrade", "--yes"], ["stop", "tiny"], ["remove", "--yes", "demo"]]

# The script of the machine waits for its boot and runs what is to be done; then the power goes.
UNIT = """[Unit]
After=multi-user.target
[Service]
Type=exec
Environment=HOME=/root NO_COLOR=1 LAS_DATA_DIR=/las/share
ExecStart=/bin/sh -c 'systemctl is-system-running --wait >/dev/null; sh /outside/script >/outside/output 2>&1; \\
  systemctl poweroff --force --force'
"""
LOOK = """import json, pathlib, subprocess
def las(*arguments):
    return subprocess.run(["/las/bin/las", *arguments], capture_output=True, text=True)
def view():
    services = json.loads(las("status", "--json").stdout)["services"]
    listed = json.loads(las("list", "--json").stdout)
    units = sorted(subprocess.run("cd /etc/systemd/system; cat las-*.service", shell=True, capture_output=True,
                                  text=True).stdout.splitlines())
    return {"generation": listed["generation"], "modules": [(m["name"], m["version"]) for m in listed["modules"]],
            "services": [(s["name"], s["state"], s["wanted"], s["port"]) for s in services],
            "enabled": [path.name for path in pathlib.Path("/etc/systemd/system").glob("*.wants/las-*.service")],
            "units": [line for line in units if line.startswith(("ExecStart=", "Description="))]}
def findings():
    return json.loads(las("verify", "--json", "--deep").stdout)["findings"]
"""


class UnitsAfterAPowerCut(PowerCutCase):
    def setUp(self):
        for program in ("systemd-nspawn", "debootstrap"):
            if shutil.which(program) is None:
                self.skipTest(f"needs {program}")
        super().setUp()
        self.outside = self.folder / "outside"
        self.machine = self.folder / "machine"

    def make_machine(self):
        """A Debian whose two folders lie on the disk, with the demo's releases and a model to see."""
        subprocess.run([NSPAWN / "make-root.sh", self.machine], check=True)
        units = self.machine / "usr/lib/systemd/system"
        (units / "las-crash-script.service").write_text(UNIT)
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        (units / "multi-user.target.wants/las-crash-script.service").symlink_to("../las-crash-script.service")
        (self.outside / "las/bin").mkdir(parents=True)
        shutil.copy(LAS, self.outside / "las/bin/las")
        shutil.copytree(PROJECT / "share", self.outside / "las/share")
        (self.outside / "tiny.gguf").write_bytes(small_model())
        engine = "\n".join(["#!/usr/bin/python3 -IS", *ENGINE.splitlines()[1:]])
        for version in ("1", "2"):
            content = archive([("tool", engine.encode()), ("version", version.encode()),
                               *[(f"share/f{i}", os.urandom(4096)) for i in range(100)]])
            (self.outside / f"{version}.tgz").write_bytes(content)
        manifests = self.machine / "etc/las/manifests.d"
        manifests.mkdir(parents=True)
        releases = ""
        for version in ("2", "1"):
            digest = sha256((self.outside / f"{version}.tgz").read_bytes())
            releases += (f"- version: '{version}'\n  variants:\n  - name: any\n    sources:\n"
                         f"    - archive: {{url: 'file:///outside/{version}.tgz', digest: 'sha256:{digest}'}}\n"
                         "      executables: {tool: tool}\n")
        (manifests / "demo.yaml").write_text("schema: 1\nname: demo\ncategory: tool\nversion: '2'\n"
                                             f"description: a stand-in engine\nreleases:\n{releases}{SERVICE}")

    def run_machine(self, script):
        """Boots it over what is mounted, runs the script until the power goes; returns what it wrote."""
        (self.outside / "script").write_text(script)
        (self.outside / "output").unlink(missing_ok=True)
        console = subprocess.run(
            ["systemd-nspawn", "-q", "-D", self.machine, "--boot", "--register=no", "--keep-unit", "--private-network",
             f"--machine=las-crash-{os.getpid()}", "--link-journal=no", f"--bind={self.root}/las:/var/lib/las",
             f"--bind={self.root}/system:/etc/systemd/system", f"--bind={self.shown}:/disk",
             f"--bind={self.outside}:/outside", f"--bind-ro={self.outside}/las:/las"],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180)
        self.assertTrue((self.outside / "output").exists(), console.stdout[-2000:] + console.stderr)
        return (self.outside / "output").read_text()

    def seen(self, script):
        """What a script that ends with a line of JSON tells."""
        output = self.run_machine(f"cat >/tmp/look.py <<'END'\n{LOOK}{script}\nEND\npython3 /tmp/look.py\n")
        try:
            return json.loads(output.splitlines()[-1])
        except (ValueError, IndexError):
            self.fail(output)

    def record(self):
        self.make_machine()
        image = self.new_image("256M")
        self.power_on(image)
        (self.root / "las").mkdir()
        shutil.copytree(self.machine / "etc/systemd/system", self.root / "system", symlinks=True)
        told = self.run_machine("set -e; PATH=/las/bin:$PATH\nlas model import /outside/tiny.gguf\n"
                                "las install --yes demo=1\nlas install --yes demo@'>=1'\nsync; echo all done\n")
        self.assertIn("all done", told)
        self.images, self.before, self.after = [], [], []
        for number, arguments in enumerate(STEPS):
            before = self.seen("print(json.dumps(view()))")
            self.power_off()
            self.images.append(self.folder / f"image-{number}")
            subprocess.run(["cp", "--sparse=always", image, self.images[-1]], check=True)
            self.power_on(image)
            after = self.seen(f"done = las(*{arguments!r})\nassert done.returncode == 0, done.stderr\n"
                              "assert findings() == [], findings()\nsubprocess.run(['sync'])\n"
                              "print(json.dumps(view()))")
            self.before.append(before)
            self.after.append(after)
            self.assertNotEqual(before, after)
        self.power_off()

    def cut(self, number, part, kind, seed):
        # A name of its own: a loop device that lets go of its file late would show what was in it before.
        image, left = self.folder / "running", self.folder / f"left-{number}-{part}-{kind}-{seed}"
        subprocess.run(["cp", "--sparse=always", self.images[number], image], check=True)
        self.power_on(image)
        command = " ".join(["/las/bin/las", *STEPS[number]])
        wait = "wait $las && echo ended with 0" if part is None else f"sleep {part}"  # the instant of the fault
        told = self.run_machine(f"{command} >/dev/null 2>&1 &\nlas=$!\n{wait}\necho '{kind} {seed} {left}' >/disk/cut\n"
                                "echo the power is gone\n")
        self.assertIn("the power is gone", told)
        self.power_off()

        self.boot(left)
        first = self.seen("print(json.dumps([findings(), view()]))")
        self.assertEqual({finding["id"] for finding in first[0]} & LOST, set(), first)
        if part is None:
            self.assertIn("ended with 0", told)
            self.assertEqual(first, [[], self.after[number]], "lost although the command had ended")
        # A stop is not in the journal: the same command finishes it. Any changing one will do else.
        again = STEPS[number] if STEPS[number][0] == "stop" else ["start", "none"]
        last = self.seen(f"told = las(*{again!r}).stderr\nprint(json.dumps([findings(), view(), told]))")
        self.assertEqual(last[0], [], last)
        self.assertIn(last[1], (self.before[number], self.after[number]), last)
        self.outcomes["old" if last[1] == self.before[number] else "new"] += 1
        self.power_off()
        left.unlink()

    def test_units_and_services_are_the_old_or_the_new_after_a_power_cut(self):
        self.record()
        self.outcomes = {"old": 0, "new": 0}
        for n in range(max(8, CUTS // 2)):
            number, turn = n % len(STEPS), n // len(STEPS)
            part = None if turn % 2 else round(0.05 + 0.6 * ((0.3 + 0.618 * (turn // 2) + number / len(STEPS)) % 1), 3)
            kind = KINDS[(turn // 2 + number) % len(KINDS)]
            try:
                self.attempt(lambda: self.cut(number, part, kind, n), command=STEPS[number][0], kind=kind, seed=n,
                             at="its end" if part is None else f"{part} s")
            finally:
                self.power_off()
        self.tell(f"power cuts under systemd ({self.outcomes})")


if __name__ == "__main__":
    unittest.main()
