# SPDX-License-Identifier: Apache-2.0
"""The kill sweep that dpkg, apk, pacman and xbps were measured with: an upgrade of 100 folders with 100
files of 4 KiB each, killed with its whole process group at evenly spaced moments. No file may be mixed
or missing, and the same command finishes what was begun.

LAS_CRASH_KILLS sets the number of kills (default 6; the full sweep has 200)."""
import hashlib
import os
import shutil
import signal
import subprocess
import time
import unittest

from driver import CrashCase, names, sha256

KILLS = int(os.environ.get("LAS_CRASH_KILLS", "6"))


def digests(folder):
    """Path → digest of every file below."""
    found = {}
    for here, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(here, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = hashlib.md5(file.read(), usedforsecurity=False).digest()
    return found


class Sweep(CrashCase):
    def make_release(self, version):
        tree = self.folder / f"payload-{version}"
        for folder in range(100):
            (tree / f"d{folder}").mkdir(parents=True)
            for file in range(100):
                (tree / f"d{folder}/f{file}").write_bytes(os.urandom(4096))
        (tree / "tool").write_text(f"#!/bin/sh\necho {version}\n")
        (tree / "tool").chmod(0o755)
        packer, suffix = (["--zstd"], "zst") if shutil.which("zstd") else (["-z"], "gz")
        file = self.folder / f"payload-{version}.tar.{suffix}"
        subprocess.run(["tar", *packer, "-cf", file, "-C", tree, "."], check=True)
        wanted = digests(tree)
        shutil.rmtree(tree)
        return file, wanted

    def offer_release(self, version):
        file, _ = self.releases[version]
        self.manifest("demo", f"file://{file}", sha256(file.read_bytes()), release=version)

    def reachable(self):
        """The version whose every file can be reached through `current`; what is wrong otherwise."""
        tool = self.state / "current/bin/tool"
        found = digests(tool.resolve(strict=True).parent)
        for version, (_, wanted) in self.releases.items():
            if found == wanted:
                return version
        old, new = self.releases["1.0"][1], self.releases["2.0"][1]
        return (f"{sum(found.get(p) == d for p, d in old.items())} old, "
                f"{sum(found.get(p) == d for p, d in new.items())} new, {len(old.keys() - found)} missing")

    def upgrade(self, after=None):
        """Runs the upgrade, killed with its process group after so many seconds."""
        begun = time.monotonic()
        process = subprocess.Popen(self.command("upgrade", "--yes"), env=self.environment, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if after is None:
            self.assertEqual(process.wait(timeout=120), 0)
            return time.monotonic() - begun
        time.sleep(max(0, after - (time.monotonic() - begun)))  # this instant is the fault itself
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait(timeout=120)

    def kill_after(self, seconds):
        self.restore_state()
        self.upgrade(seconds)
        version = self.reachable()
        self.assertIn(version, tuple(self.releases))
        self.outcomes[version] += 1
        self.las("upgrade", "--yes")
        self.assertEqual(self.reachable(), "2.0")
        self.check_whole()
        self.assertEqual(len(names(self.state / "store")), 3)  # both releases and the staging folder

    def test_an_upgrade_of_ten_thousand_files_is_never_mixed_and_the_same_command_finishes_it(self):
        self.releases = {}
        for version in ("1.0", "2.0"):
            self.releases[version] = self.make_release(version)
        self.offer_release("1.0")
        self.las("install", "--yes", "demo")
        self.offer_release("2.0")
        self.assertEqual(self.reachable(), "1.0")
        self.keep_state()
        whole = self.upgrade()
        self.assertEqual(self.reachable(), "2.0")
        self.outcomes = {"1.0": 0, "2.0": 0}
        for k in range(1, KILLS + 1):
            after = whole * (k - 0.5) / KILLS
            self.attempt(lambda: self.kill_after(after), killed_after=f"{after:.3f} s of {whole:.3f}")
        self.tell(f"kill sweep, {whole:.2f} s long ({self.outcomes} before the same command again)")


if __name__ == "__main__":
    unittest.main()
