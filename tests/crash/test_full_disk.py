# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, or read-only, and stays so, so that also the way back meets it; and too few file
descriptors. las must end with a
documented status and one clear error or truly have done it, what is there must still be told, and once
there is space again one further command may be needed until all is whole.

LAS_CRASH_POINTS sets how many amounts of free space are tried per kind of transaction (default 3). Needs
root to mount a small file system."""
import os
import re
import resource
import subprocess
import unittest

from driver import DOCUMENTED, LOST, points_wished
from transactions import Transactions

POINTS = points_wished(3)
# In pages: none, and up to more than any of the runs takes.
FREE = sorted({*range(0, 40), *range(40, 160, 4), *range(160, 480, 16)})


class FullDisk(Transactions):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to mount")
        super().setUp()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "las-test", self.root],
                          capture_output=True).returncode != 0:
            self.skipTest("cannot mount here")

    def _clean(self):
        self.end_processes()
        if os.path.ismount(self.root):
            subprocess.run(["umount", self.root], check=True)
        super()._clean()

    def fill(self, free):
        """Leaves so many bytes free."""
        (self.root / "filler").unlink(missing_ok=True)
        facts = os.statvfs(self.root)
        with open(self.root / "filler", "wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, facts.f_bavail * facts.f_bsize - free)

    def sweep(self, kind):
        old, new, _ = self.whole_run(kind)
        self.outcomes = {"failed": 0, "taken back": 0, "done": 0, "mended": 0}
        for pages in self.sample(FREE, POINTS):
            self.attempt(lambda: self.run_full(kind, pages * 4096, old, new), transaction=kind,
                         free=f"{4 * pages} KiB")
        self.tell(f"full disk {kind} (of {len(FREE)}; {self.outcomes})")

    def judge(self, result, kind=""):
        """A documented status, and one clear error with what to do next unless all went well."""
        told = f"{result.stdout}\n{result.stderr}"
        self.assertIn(result.returncode, DOCUMENTED, told)
        self.assertNotRegex(told, "terminate called|internal error|core dumped")
        if result.returncode != 0:
            self.judge_error(kind, result, told)
        return told

    def run_full(self, kind, free, old, new):
        self.put_back()
        already = {finding["id"] for finding in self.findings("--deep")}
        self.fill(free)
        result = subprocess.run(self.command(*self.arguments(kind)), capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, env=self.environment, timeout=120)
        told = self.judge(result, kind)
        journaled = self.KINDS[kind].journaled
        for reader in ("list", "status", "history"):  # also while there is no space
            self.las(reader)
        findings = {finding["id"] for finding in self.findings()}
        self.assertEqual((findings - already) & LOST, set(), told)
        self.assertIsNone(self.lost(kind, old), told)
        (self.root / "filler").unlink()
        self.outcomes["done" if result.returncode == 0 else "taken back" if result.returncode == 8 else "failed"] += 1
        faults = self.faults()
        if faults or (result.returncode != 0 and not journaled):
            self.outcomes["mended"] += 1
            told += f"\n{faults}\nthe further command:\n{self.recover(kind).stderr}"
        self.assertEqual(self.faults(), [], told)
        view = self.seen(kind)
        if result.returncode == 0:
            self.assertEqual(view, new, told)
        self.assertIn(view, (old, new) if journaled else (new,), told)

    def test_an_install_on_a_full_disk(self):
        self.sweep("install")

    def test_a_serve_on_a_full_disk(self):
        self.sweep("serve")

    def test_an_upgrade_on_a_full_disk(self):
        self.sweep("upgrade")

    def test_a_rejected_upgrade_on_a_full_disk(self):
        self.sweep("rejected")

    def test_a_rollback_on_a_full_disk(self):
        self.sweep("rollback")

    def test_an_undo_on_a_full_disk(self):
        self.sweep("undo")

    def test_an_upgrade_across_a_format_of_the_data_on_a_full_disk(self):
        self.sweep("migrate")

    def test_a_rejected_upgrade_that_spoilt_the_data_on_a_full_disk(self):
        self.sweep("migrate-rejected")

    def test_a_rollback_across_a_format_of_the_data_on_a_full_disk(self):
        self.sweep("migrate-back")

    def test_a_remove_on_a_full_disk(self):
        self.sweep("remove")

    def test_a_purge_on_a_full_disk(self):
        self.sweep("purge")

    def test_a_stop_on_a_full_disk(self):
        self.sweep("stop")

    def test_a_start_on_a_full_disk(self):
        self.sweep("start")

    def test_an_import_on_a_full_disk(self):
        self.sweep("import")

    def test_a_collection_on_a_full_disk(self):
        self.sweep("gc")

    def test_a_repair_on_a_full_disk(self):
        self.sweep("repair")

    def test_a_disk_that_is_read_only_can_be_read_and_is_not_changed(self):
        self.prepare("upgrade")
        self.restore_state()
        before = self.view()
        subprocess.run(["mount", "-o", "remount,ro", self.root], check=True)
        for reader in (["list"], ["status"], ["history"], ["verify"], ["plan", "demo"], ["model", "list"]):
            self.las(*reader)
        for kind in ("upgrade", "remove", "purge", "rollback", "start", "stop", "import"):
            with self.subTest(command=kind):
                result = subprocess.run(self.command(*self.arguments(kind)), capture_output=True, text=True,
                                        stdin=subprocess.DEVNULL, env=self.environment, timeout=120)
                self.assertEqual(result.returncode, 1)
                self.assertIn("Read-only file system", self.judge(result))
                self.assertNotIn("sudo", result.stderr)  # root is no help here
        subprocess.run(["mount", "-o", "remount,rw", self.root], check=True)
        self.assertEqual(self.view(), before)
        self.check_whole()

    def test_an_upgrade_with_too_few_file_descriptors(self):
        old, new, _ = self.whole_run("upgrade")
        for limit in range(4, 64, 1 if POINTS > 6 else 3):
            def run_out():
                self.put_back()
                result = subprocess.run(
                    self.command(*self.arguments("upgrade")), capture_output=True, text=True, env=self.environment,
                    stdin=subprocess.DEVNULL, timeout=120,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
                told = self.judge(result)
                if self.faults():
                    told += self.recover("upgrade").stderr
                self.assertEqual(self.faults(), [], told)
                self.assertIn(self.view(), (new,) if result.returncode == 0 else (old, new), told)
                self.enough = result.returncode == 0
            self.attempt(run_out, descriptors=limit)
            if self.enough:
                break
        self.assertTrue(self.enough)
        self.tell("too few file descriptors")

    def test_the_very_first_command_on_a_full_disk(self):
        """Nothing is there yet, not even the state: every page of it has to be found room for."""
        self.make_world()
        for pages in self.sample(FREE[:40], POINTS * 2):  # what the state itself needs
            def first():
                subprocess.run(["rm", "-rf", self.root / "var", self.root / "run", self.root / "filler"], check=True)
                self.fill(pages * 4096)
                for arguments in (["list"], ["verify"], ["install", "--yes", "demo"], ["list"]):
                    result = subprocess.run(self.command(*arguments), capture_output=True, text=True,
                                            stdin=subprocess.DEVNULL, env=self.environment, timeout=120)
                    self.assertIn(result.returncode, DOCUMENTED, f"{arguments}: {result.stderr}")
                (self.root / "filler").unlink()
                self.las("install", "--yes", "demo")
                self.check_whole()
            self.attempt(first, free=f"{4 * pages} KiB")
        self.tell("full disk at the very first command")


if __name__ == "__main__":
    unittest.main()
