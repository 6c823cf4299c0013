# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at sampled state-changing system calls of real runs with a real service. Afterwards las must
show the old or the new state, never something between, and one further changing command must finish
or undo what was begun, with no lost data, orphan process, leaked port or leftover.

LAS_CRASH_POINTS sets how many points are sampled per kind of transaction (default 5); a number beyond
their count takes them all. tests/crash/full.sh does."""
import unittest

from driver import DOCUMENTED, LOST, Transactions, points_wished

POINTS = points_wished(5)


class Kill(Transactions):
    def sweep(self, kind):
        old, new, log = self.whole_run(kind)
        points = self.points(log)
        self.outcomes = {"old": 0, "new": 0, "not killed": 0}
        for call, number in self.sample(points, POINTS):
            self.attempt(lambda: self.kill_at(kind, call, number, old, new), transaction=kind,
                         killed_at=f"{call} {number}")
        self.tell(f"kill {kind} (of {len(points)}; {self.outcomes})")
        if not self.failed:
            self.assertLess(self.outcomes["not killed"], self.tried / 2, "the faults did not come")

    def kill_at(self, kind, call, number, old, new):
        self.put_back()
        result, _ = self.traced(self.arguments(kind), (call, number, "signal=SIGKILL"))
        journaled = self.KINDS[kind][1]
        told = f"{result.stdout}\n{result.stderr}"
        if result.returncode not in (137, -9):
            # The call came in another order this time, or only a child was hit.
            self.assertIn(result.returncode, DOCUMENTED, told)
            self.outcomes["not killed"] += 1
            if result.returncode != 0 and not journaled:
                self.recover(kind)
            self.assertEqual(self.view(), old if result.returncode != 0 and journaled else new, told)
            self.check_whole()
            return
        findings = {finding["id"] for finding in self.findings()}
        self.assertEqual(findings & LOST, set())
        if journaled and findings:
            self.assertIn("run-interrupted", findings)
        if not journaled and not findings:
            # Nothing is said to be amiss: then no more than any other changing command may be needed.
            self.las("start", "none", status=1)
            self.assertIn(self.view(), (old, new), "verify says nothing, and this is neither old nor new")
            self.check_whole()
        recovery = self.recover(kind).stderr
        if "run-interrupted" in findings:
            self.assertIn("interrupted", recovery)
        view = self.view()
        self.assertIn(view, (old, new), f"neither old nor new\n{told}\n{recovery}")
        if not journaled:
            self.assertEqual(view, new)
        self.check_whole()
        self.outcomes["old" if view == old else "new"] += 1

    def test_a_killed_install_is_all_or_nothing(self):
        self.sweep("install")

    def test_a_killed_serve_is_all_or_nothing(self):
        self.sweep("serve")

    def test_a_killed_upgrade_with_a_running_service_is_all_or_nothing(self):
        self.sweep("upgrade")

    def test_a_killed_upgrade_that_is_rejected_is_taken_back(self):
        self.sweep("rejected")

    def test_a_recovery_that_is_killed_too_is_recovered(self):
        """Undone, finished and taken back: from a point before the commit and from late ones."""
        self.outcomes = {"old": 0, "new": 0, "not killed": 0}
        total = 0
        for kind, part in (("upgrade", 0.6), ("upgrade", 0.93), ("rejected", 0.93)):
            old, new, log = self.whole_run(kind)
            points = self.points(log)
            first = points[int(part * len(points))]
            self.put_back()
            self.traced(self.arguments(kind), (*first, "signal=SIGKILL"))
            _, log = self.traced(["start", "none"])
            points = self.points(log)
            total += len(points)
            for second in self.sample(points, POINTS):
                self.attempt(lambda: self.kill_twice(kind, first, second, old, new), transaction=kind,
                             killed_at=f"{first} and {second}")
        self.tell(f"kill recoveries (of {total}; {self.outcomes})")

    def kill_twice(self, kind, first, second, old, new):
        self.put_back()
        self.traced(self.arguments(kind), (*first, "signal=SIGKILL"))
        again, _ = self.traced(["start", "none"], (*second, "signal=SIGKILL"))
        if again.returncode not in (137, -9):
            self.outcomes["not killed"] += 1
        self.assertEqual({finding["id"] for finding in self.findings()} & LOST, set())
        recovery = self.recover(kind).stderr
        view = self.view()
        self.assertIn(view, (old, new), recovery)
        self.check_whole()
        self.outcomes["old" if view == old else "new"] += 1

    def test_a_killed_rollback_with_a_running_service_is_all_or_nothing(self):
        self.sweep("rollback")

    def test_a_killed_remove_with_a_running_service_is_all_or_nothing(self):
        self.sweep("remove")

    def test_a_killed_purge_takes_the_data_wholly_or_not_at_all(self):
        self.sweep("purge")

    def test_a_killed_stop_is_finished_by_the_next(self):
        self.sweep("stop")

    def test_a_killed_start_is_finished_by_the_next(self):
        self.sweep("start")

    def test_a_killed_import_of_a_model_is_finished_by_the_next(self):
        self.sweep("import")


if __name__ == "__main__":
    unittest.main()
