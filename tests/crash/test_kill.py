# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at sampled state-changing system calls of real runs with a real service. Afterwards las must
show the old or the new state, never something between, and one further changing command must finish
or undo what was begun, with no lost data, orphan process, leaked port or leftover.

LAS_CRASH_POINTS sets how many points are sampled per kind of transaction (default 3); a number beyond
their count takes them all. tests/crash/full.sh does."""
import unittest

from driver import DOCUMENTED, LOST, points_wished
from transactions import Transactions

POINTS = points_wished(3)


class Kill(Transactions):
    def sweep(self, kind):
        old, new, log = self.whole_run(kind)
        points = self.points(log)
        self.outcomes = {"old": 0, "new": 0, "between": 0, "not killed": 0}
        for call, number in self.sample(points, POINTS):
            self.attempt(lambda: self.kill_at(kind, call, number, old, new), transaction=kind,
                         killed_at=f"{call} {number}")
        self.tell(f"kill {kind} (of {len(points)}; {self.outcomes})")
        if not self.failed:
            self.assertLess(self.outcomes["not killed"], self.tried / 2, "the faults did not come")

    def kill_at(self, kind, call, number, old, new):
        self.put_back()
        already = {finding["id"] for finding in self.findings("--deep")}
        result, _ = self.traced(self.arguments(kind), (call, number, "signal=SIGKILL"))
        journaled = self.KINDS[kind].journaled
        told = f"{result.stdout}\n{result.stderr}"
        if result.returncode not in (137, -9):
            # The call came in another order this time, or only a child was hit.
            self.assertIn(result.returncode, DOCUMENTED, told)
            self.outcomes["not killed"] += 1
            if result.returncode != 0 and not journaled:
                self.recover(kind)
            self.assertEqual(self.seen(kind), old if result.returncode != 0 and journaled else new, told)
            self.check_whole()
            return
        findings = {finding["id"] for finding in self.findings("--deep")}
        if kind != "repair":  # which exchanges what is damaged, and may be stopped between the two
            self.assertEqual((findings - already) & LOST, set())
        self.assertIsNone(self.lost(kind, old))
        if journaled and findings:
            self.assertIn("run-interrupted", findings)
        # What verify finds one repair mends, and so does any changing command where the journal knows of the
        # run. Where it finds nothing no more than any changing command may be needed.
        by_repair = findings and (not journaled or self.tried % 2 == 0)
        recovery = (self.recover(kind, "repair") if by_repair else self.las("start", "none", status=1)).stderr
        if "run-interrupted" in findings:
            self.assertIn("interrupted", recovery)
        view = self.seen(kind)
        between = self.between(kind, view, old, new)
        if not between:
            self.assertIn(view, (new,) if kind == "repair" else (old, new), f"neither old nor new\n{told}\n{recovery}")
        self.check_whole(garbage=between or kind == "import")
        self.outcomes["old" if view == old else "new" if view == new else "between"] += 1
        if not journaled:  # and the same command finishes it
            again = kind == "gc" and self.tried % 2 == 0
            if again:
                self.bring_back()
            self.las(*self.arguments(kind))
            view = self.seen(kind)
            self.assertEqual(view, new | ({key: view[key] for key in ("generation", "generations")} if again else {}))
            self.check_whole()

    def bring_back(self):
        """What a collection had begun to remove is not taken for whole when it is wished for again."""
        self.las("install", "--yes", "demo=1")
        self.assertEqual(self.view()["runs"], "1")
        self.check_whole(garbage=True)
        self.las("install", "--yes", "demo=2")

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
        for kind, part in (("upgrade", 0.6), ("upgrade", 0.93), ("rejected", 0.93), ("migrate", 0.8),
                           ("migrate-rejected", 0.93), ("migrate-back", 0.7)):
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
        self.assertIsNone(self.lost(kind, old))
        recovery = self.recover(kind, "repair" if self.tried % 2 == 0 else "any").stderr
        view = self.seen(kind)
        self.assertIn(view, (old, new), recovery)
        self.check_whole()
        self.outcomes["old" if view == old else "new"] += 1

    def test_a_killed_rollback_with_a_running_service_is_all_or_nothing(self):
        self.sweep("rollback")

    def test_a_killed_undo_with_a_running_service_is_all_or_nothing(self):
        self.sweep("undo")

    def test_a_killed_upgrade_across_a_format_of_the_data_loses_none_of_it(self):
        self.sweep("migrate")

    def test_a_killed_upgrade_that_spoilt_the_data_and_is_rejected_gives_it_back(self):
        self.sweep("migrate-rejected")

    def test_a_killed_rollback_across_a_format_of_the_data_loses_none_of_it(self):
        self.sweep("migrate-back")

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

    def test_a_killed_collection_takes_only_what_nobody_needs_and_is_finished_by_the_next(self):
        self.sweep("gc")

    def test_a_killed_repair_is_finished_by_the_next(self):
        self.sweep("repair")


if __name__ == "__main__":
    unittest.main()
