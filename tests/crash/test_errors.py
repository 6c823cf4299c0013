# SPDX-License-Identifier: Apache-2.0
"""One system call that fails as a full or broken disk makes it fail (ENOSPC, EIO, EDQUOT, EACCES), at
sampled calls of real runs with a real service. las must end with a documented status and one clear
error, or truly have done it; at most one further command may be needed until all is whole again.

LAS_CRASH_POINTS sets how many pairs of call and error are sampled per kind of transaction (default 4)."""
import re
import unittest

from driver import DOCUMENTED, points_wished
from transactions import Transactions

POINTS = points_wished(4)
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EACCES")
CALLS = ("openat", "creat", "write", "pwrite64", "writev", "copy_file_range", "ftruncate", "fallocate",
         "fsync", "fdatasync", "syncfs", "msync", "rename", "renameat", "renameat2", "mkdir", "mkdirat",
         "symlink", "symlinkat", "link", "linkat", "unlink", "unlinkat", "rmdir", "chmod", "fchmod", "fchmodat")


class Errors(Transactions):
    def sweep(self, kind, calls=CALLS, last=None):
        """`last`: so many of the points from the end, all of them with one error: what commits and what goes
        back comes late."""
        old, new, log = self.whole_run(kind)
        points = self.points(log, calls)
        if last is not None:
            points = points[-last:]
        # All errors at all calls; the sample meets every call and error in turn.
        pairs = [(call, number, error) for call, number in points for error in (ERRORS if last is None else ["EIO"])]
        self.outcomes = {"failed": 0, "taken back": 0, "done all the same": 0, "not reached": 0, "mended": 0}
        for call, number, error in self.sample(pairs, POINTS if last is None else last):
            self.attempt(lambda: self.fail_at(kind, call, number, error, old, new), transaction=kind,
                         fails=f"{call} {number} {error}")
        self.tell(f"errors {kind}{'' if last is None else f', the last {last}'} (of {len(pairs)}; {self.outcomes})")
        if not self.failed:
            self.assertLess(self.outcomes["not reached"], self.tried / 2, "the faults did not come")

    def fail_at(self, kind, call, number, error, old, new):
        self.put_back()
        result, log = self.traced(self.arguments(kind), (call, number, f"error={error}"))
        hit = [line for line in log.splitlines() if line.endswith("(INJECTED)")]
        told = "\n".join([*hit, result.stdout, result.stderr])
        self.assertIn(result.returncode, DOCUMENTED, told)
        self.assertNotRegex(told, "terminate called|internal error|core dumped", told)
        # An error that itself cannot be written is told by the status alone.
        if result.returncode != 0 and not any(re.match(r"\d+\s+write\(2,", line) for line in hit):
            self.judge_error(kind, result, told)
        if not hit:
            self.outcomes["not reached"] += 1
        elif result.returncode == 0:
            self.outcomes["done all the same"] += 1
        else:
            self.outcomes["taken back" if result.returncode == 8 else "failed"] += 1
        journaled = self.KINDS[kind].journaled
        view = self.seen(kind)
        if result.returncode == 0:
            self.assertEqual(view, new, told)
        elif result.returncode == 8:
            self.assertEqual(view, old, told)
        self.assertIsNone(self.lost(kind, old), told)
        faults = self.faults()
        incomplete = "data could not be deleted" in result.stderr
        if faults or incomplete or (result.returncode != 0 and not journaled):
            self.outcomes["mended"] += 1
            # A purge that could not delete the data says so; then the same command does.
            recovery = self.las(*self.arguments(kind)) if incomplete else self.recover(kind)
            told += f"\n{faults}\nthe further command:\n{recovery.stderr}"
        self.assertIn(self.seen(kind), (old, new) if journaled else (new,), told)
        self.assertEqual(self.faults(), [], told)

    def test_an_install_that_meets_a_failing_call(self):
        self.sweep("install")

    def test_a_serve_that_meets_a_failing_call(self):
        self.sweep("serve")

    def test_an_upgrade_that_meets_a_failing_call(self):
        self.sweep("upgrade")

    def test_an_upgrade_that_is_rejected_and_meets_a_failing_call(self):
        self.sweep("rejected")

    def test_a_rollback_that_meets_a_failing_call(self):
        self.sweep("rollback")

    def test_an_undo_that_meets_a_failing_call(self):
        self.sweep("undo")

    def test_an_upgrade_across_a_format_of_the_data_that_meets_a_failing_call(self):
        self.sweep("migrate")

    def test_a_rejected_upgrade_that_spoilt_the_data_and_meets_a_failing_call(self):
        self.sweep("migrate-rejected")

    def test_a_rollback_across_a_format_of_the_data_that_meets_a_failing_call(self):
        self.sweep("migrate-back")

    def test_a_remove_that_meets_a_failing_call(self):
        self.sweep("remove")

    def test_a_purge_that_meets_a_failing_call(self):
        self.sweep("purge")

    def test_a_stop_that_meets_a_failing_call(self):
        self.sweep("stop")

    def test_a_start_that_meets_a_failing_call(self):
        self.sweep("start")

    def test_an_import_that_meets_a_failing_call(self):
        self.sweep("import")

    def test_a_collection_that_meets_a_failing_call(self):
        self.sweep("gc")

    def test_a_repair_that_meets_a_failing_call(self):
        self.sweep("repair")

    def test_a_repair_that_cannot_make_links_or_records_locks_nobody_out(self):
        self.sweep("repair", ("rename",), last=6)

    def test_a_rejected_upgrade_that_cannot_write_the_state_keeps_what_it_knows_of_the_data(self):
        self.sweep("migrate-rejected", ("pwrite64", "writev"), last=10)


if __name__ == "__main__":
    unittest.main()
