# SPDX-License-Identifier: Apache-2.0
"""What was done and making room: log, diff, undo, gc, clean and the audit trail, with a stand-in engine
whose service runs throughout."""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))
from driver import names, sha256  # noqa: E402
from test_proof import Engines  # noqa: E402


class Keep(Engines):
    """Generation 1: demo 1; 2: tiny serves; 3: demo 2; 4: later."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.ids = {"install": self.operations()[1]["id"], "serve": self.last()["id"]}
        self.offer(release_1="well", release_2="well")
        self.las("upgrade", "--yes")
        self.ids["upgrade"] = self.last()["id"]
        content = (self.folder / "1.tgz").read_bytes()
        self.manifest("later", f"file://{self.folder}/1.tgz", sha256(content), executables=())
        self.las("install", "--yes", "later")
        self.ids["later"] = self.last()["id"]

    def operations(self):
        return self.las_json("history")["operations"]

    def installed(self):
        return dict(self.view()["modules"])


class Log(Keep):
    def test_an_operation_is_told_with_who_what_how_long_and_how_it_ended(self):
        log = self.las_json("log", self.ids["upgrade"])
        self.assertEqual((log["command"], log["outcome"], log["error"]), ("las upgrade --yes", "done", ""))
        self.assertEqual((log["generation_before"], log["generation_after"]), (2, 3))
        self.assertEqual(log["changes"], ["upgrade demo 1 -> 2 (any)"])
        self.assertEqual([step["name"] for step in log["steps"]], ["fetch", "stage", "commit", "converge", "prove"])
        self.assertTrue(all(isinstance(step["ms"], int) for step in log["steps"]))
        self.assertGreater(log["stored_bytes"], 0)
        self.assertLessEqual(log["started_at"], log["ended_at"])
        text = self.las("log", self.ids["upgrade"]).stdout
        for word in (self.ids["upgrade"], log["user"], "2 -> 3", "upgrade demo 1 -> 2", "prove"):
            self.assertIn(word, text)

    def test_the_beginning_of_an_id_is_enough_and_two_that_begin_so_are_named(self):
        length = len(self.ids["upgrade"]) - 2
        self.assertEqual(self.las_json("log", self.ids["upgrade"][:length])["id"], self.ids["upgrade"])
        error = self.las("log", self.ids["upgrade"][:4], status=2).stderr
        self.assertIn(self.operations()[0]["id"], error)
        self.assertIn("las history", self.las("log", "nothing", status=1).stderr)
        self.assertEqual(self.las_json("log", "", status=2)["error"]["exit_status"], 2)

    def test_what_was_fetched_is_counted(self):
        from harness import StandInHost
        content = (self.folder / "1.tgz").read_bytes()
        host = StandInHost({"/t.tgz": content})
        self.addCleanup(host.close)
        self.manifest("fetched", f"{host.url}/t.tgz", sha256(content), executables=())
        self.las("clean", "--yes")
        self.las("install", "--yes", "fetched")
        self.assertEqual(self.las_json("log", self.last()["id"])["fetched_bytes"], len(content))

    def test_who_called_sudo_is_told(self):
        self.las("hold", "demo", SUDO_USER="ada")
        self.assertEqual(self.las_json("log", self.last()["id"])["sudo_user"], "ada")
        self.assertIn("ada", self.las("log", self.last()["id"]).stdout)
        self.assertEqual(self.las_json("audit")["entries"][-1]["sudo_user"], "ada")


class Diff(Keep):
    def test_two_generations_are_compared_both_ways(self):
        there = self.las_json("diff", "1", "4", "--detailed-exitcode", status=10)
        self.assertFalse(there["equal"])
        self.assertIn("module demo: 1 (any) -> 2 (any)", there["changes"])
        self.assertTrue(any(line.startswith("module later: - ->") for line in there["changes"]))
        self.assertTrue(any(line.startswith("service tiny: - ->") for line in there["changes"]))
        back = self.las_json("diff", "4", "1")
        self.assertEqual(len(back["changes"]), len(there["changes"]))
        self.assertIn("module demo: 2 (any) -> 1 (any)", back["changes"])
        for line in there["changes"]:
            self.assertIn(line, self.las("diff", "1", "4").stdout)

    def test_equal_ones_and_wrong_numbers(self):
        self.assertEqual(self.las_json("diff", "3", "3", "--detailed-exitcode"),
                         {"schema": 1, "from": 3, "to": 3, "equal": True, "changes": []})
        self.assertIn("las history", self.las("diff", "1", "99", status=1).stderr)
        for wrong in ("", "x", "-1", "1.5", "99999999999999999999999"):
            self.las("diff", "1", wrong, status=2)


class Undo(Keep):
    def test_one_in_the_middle_is_taken_back_and_the_later_ones_stay(self):
        self.take_back_the_upgrade()

    def take_back_the_upgrade(self):
        before = self.view()
        lines = self.las("undo", "--dry-run", self.ids["upgrade"]).stdout
        self.assertIn("module demo: 2 (any) -> 1 (any)", lines)
        self.assertEqual(self.view(), before)
        self.las("undo", self.ids["upgrade"], status=2)  # no terminal to ask on
        self.assertEqual(self.view(), before)
        document = self.las_json("undo", "--yes", self.ids["upgrade"])
        self.assertEqual((document["success"], document["changed"], document["generation"]), (True, True, 5))
        self.assertEqual(self.installed(), {"demo": "1", "later": "1.0"})
        self.assertEqual(self.view()["services"], [("tiny", "running", "running", self.port, "1")])
        self.assertEqual(self.view()["rows"], b"what a user would miss")
        self.check_whole()
        return document

    def test_an_undo_is_undone(self):
        before = self.view()
        document = self.take_back_the_upgrade()
        self.las("undo", "--yes", document["operation"])
        view = self.view()
        self.assertEqual(view | {"generation": 4, "generations": before["generations"]}, before)
        self.check_whole()

    def test_what_was_taken_back_already_is_nothing_to_do(self):
        self.las("undo", "--yes", self.ids["upgrade"])
        before = self.view()
        self.assertIn("taken back already", self.las("undo", "--yes", self.ids["upgrade"]).stderr)
        self.assertEqual(self.view(), before)

    def test_one_on_which_others_stand_is_refused_with_what_stands_in_the_way(self):
        before = self.view()
        error = self.las_json("undo", "--yes", self.ids["install"], status=4)["error"]
        self.assertEqual(error["kind"], "unsatisfiable")
        self.assertIn("demo was changed again since", error["cause"])
        self.assertIn("las rollback 0", error["hint"])
        self.las("undo", "--yes", self.ids["upgrade"])
        error = self.las_json("undo", "--yes", self.ids["install"], status=4)["error"]
        self.assertIn("service tiny runs demo", error["cause"])
        self.assertEqual(self.installed()["demo"], "1")
        self.assertEqual(self.view()["services"], before["services"][:0] + [("tiny", "running", "running", self.port, "1")])
        self.check_whole()

    def test_a_need_of_a_later_one_stands_in_the_way_too(self):
        file = self.root / "etc/las/manifests.d/later.yaml"
        file.write_text(file.read_text().replace("'1.0'", "'2.0'") + "dependencies: {modules: ['demo@>=2']}\n")
        self.las("upgrade", "--yes")
        error = self.las_json("undo", "--yes", self.ids["upgrade"], status=4)["error"]
        self.assertIn("later 2.0 needs demo >=2, not 1", error["cause"])

    def test_a_deployment_is_taken_back_with_its_service_and_without_its_data(self):
        self.las("undo", "--yes", self.ids["upgrade"])
        self.las("undo", "--yes", self.ids["serve"])
        self.assertEqual(self.view()["services"], [])
        self.assertEqual(self.processes(), set())
        self.assertEqual(self.rows.read_bytes(), b"what a user would miss")
        self.las("undo", "--yes", self.ids["install"])
        self.assertEqual(self.installed(), {"later": "1.0"})
        self.check_whole()

    def test_a_removal_is_taken_back_without_a_download(self):
        self.las("remove", "--yes", "later")
        removed = self.last()["id"]
        self.las("hold", "demo")
        (self.folder / "1.tgz").unlink()
        self.las("clean", "--yes")
        self.las("undo", "--yes", removed)
        self.assertEqual(self.installed(), {"demo": "2", "later": "1.0"})
        self.assertTrue(next(m for m in self.las_json("list")["modules"] if m["name"] == "demo")["held"])
        self.check_whole()

    def test_a_hold_and_a_purge(self):
        self.las("hold", "demo")
        held = self.last()["id"]
        self.las("undo", "--yes", held)
        self.assertFalse(next(m for m in self.las_json("list")["modules"] if m["name"] == "demo")["held"])
        self.las("purge", "--yes", "demo")
        purged = self.last()["id"]
        self.las("undo", "--yes", purged)  # what was deleted for good stays deleted
        self.assertEqual(self.view()["services"], [("tiny", "running", "running", self.port, "2")])
        self.assertFalse(self.rows.exists())
        self.check_whole()

    def test_one_that_made_no_generation_or_is_not_there_is_refused(self):
        self.assertIn("las log", self.las("undo", "--yes", self.operations()[0]["id"], status=2).stderr)
        self.assertIn("las history", self.las("undo", "--yes", "nothing", status=1).stderr)

    def test_one_whose_generations_were_collected_is_refused_by_that_name(self):
        self.las("gc", "--yes", "--keep", "1")
        error = self.las("undo", "--yes", self.ids["upgrade"], status=1).stderr
        self.assertIn("collected", error)
        self.assertIn("las log", error)


class Collect(Keep):
    def garbage(self, *arguments):
        return sorted((g["kind"], g["name"]) for g in self.las_json("gc", "--dry-run", *arguments)["garbage"])

    def test_without_a_rule_generations_and_what_they_need_stay(self):
        before = self.tree()
        self.assertEqual(self.garbage(), [])
        self.assertIn("nothing to collect", self.las("gc", "--yes").stderr)
        self.assertEqual(self.tree(), before)
        self.las("rollback", "--yes", "2")
        self.assertEqual(self.view()["services"][0][4], "1")

    def test_a_look_changes_nothing_and_a_collection_takes_what_it_showed(self):
        before = self.tree()
        document = self.las_json("gc", "--dry-run", "--keep", "2", "--detailed-exitcode", status=10)
        self.assertEqual(self.tree(), before)
        self.assertEqual([(g["kind"], g["name"][:6]) for g in document["garbage"]],
                         [("generation", "2"), ("generation", "1"), ("payload", "demo-1"), ("download", "sha256")][:3] +
                         [("download", g["name"][:6]) for g in document["garbage"][3:]])
        self.las("gc", "--keep", "2", status=2)  # no terminal to ask on
        self.assertEqual(self.tree(), before)
        done = self.las_json("gc", "--yes", "--keep", "2")
        self.assertEqual((done["success"], done["changed"], done["removed"], done["failed"]),
                         (True, True, len(document["garbage"]), []))
        self.assertEqual(done["freed_bytes"], sum(g["bytes"] for g in document["garbage"]))
        self.assertEqual(names(self.state / "generations"), {"3", "4"})
        self.assertEqual({n[:6] for n in names(self.state / "store")}, {"demo-2", "later-", ".stagi"})
        for gone in document["garbage"]:
            self.assertFalse(os.path.lexists(gone["path"]), gone)
        self.assertEqual(self.garbage("--keep", "2"), [])
        self.assertEqual(self.view()["services"][0][4], "2")
        self.las("rollback", "--yes")  # 3 was kept, and all that it needs
        self.check_whole()
        self.las("rollback", "--yes", "2", status=1)

    def test_the_current_generation_stays_although_it_is_not_the_newest(self):
        self.las("rollback", "--yes", "2")
        self.las("gc", "--yes", "--keep", "1")
        self.assertEqual(names(self.state / "generations"), {"2"})
        self.assertEqual(self.view()["services"], [("tiny", "running", "running", self.port, "1")])
        self.las("install", "--yes", "later")
        self.assertEqual(names(self.state / "generations"), {"2", "5"})  # no number is given twice
        self.check_whole()

    def test_age_counts_and_both_rules_have_to_allow_it(self):
        self.assertEqual(self.garbage("--older-than", "1h"), [])
        self.assertEqual(self.garbage("--older-than", "1h", "--keep", "1"), [])

        def older(records):  # generation 1 as if it had been made years ago
            for record in records:
                generation = json.loads(record[1])
                if generation["number"] == 1:
                    generation["created_at"] = "2019-01-01T00:00:00Z"
                    record[1] = json.dumps(generation).encode()
            return records

        self.rewrite("generations", older)
        self.assertEqual(self.garbage("--older-than", "4w"), [("generation", "1")])
        self.assertEqual(self.garbage("--older-than", "4w", "--keep", "4"), [])
        self.las("gc", "--yes", "--older-than", "4w")
        self.assertEqual(names(self.state / "generations"), {"2", "3", "4"})

    def test_wrong_rules_are_refused_before_anything_is_begun(self):
        before = self.tree()
        for wrong in (["--keep", "0"], ["--keep", "-1"], ["--keep", "x"], ["--keep", ""], ["--older-than", ""],
                      ["--older-than", "3"], ["--older-than", "d"], ["--older-than", "-3d"], ["--older-than", "3y"],
                      ["--older-than", "99999999999999h"]):
            with self.subTest(wrong=wrong):
                result = self.las("gc", "--yes", *wrong, status=2)
                self.assertIn("hint: ", result.stderr)
        self.assertEqual(self.tree(), before)

    def test_what_a_running_process_uses_stays_and_is_told_with_the_process(self):
        payload = next((self.state / "store").glob("demo-1-*"))
        sleeper = subprocess.Popen(["sleep", "1000"], cwd=payload)  # a stand-in for a shell left in there
        self.addCleanup(sleeper.wait)
        self.addCleanup(sleeper.kill)
        document = self.las_json("gc", "--yes", "--keep", "1")
        self.assertEqual([(use["name"], use["user"].split()[1]) for use in document["in_use"]],
                         [(payload.name, str(sleeper.pid))])
        self.assertTrue((payload / "tool").exists())
        self.assertIn(f"pid {sleeper.pid}", self.las("gc", "--yes").stderr)
        sleeper.kill()
        sleeper.wait()
        self.las("gc", "--yes")
        self.assertFalse(payload.exists())
        self.check_whole()

    def test_what_nothing_refers_to_is_found_wherever_it_lies(self):
        lost = {"payload": self.state / "store/gone-1-0123456789ab", "leftover": self.state / "store/.staging/cut-short",
                "download": self.root / "var/cache/las/downloads/half.part", "model": self.state / f"models/blobs/sha256-{64 * '0'}"}
        for path in lost.values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * 1000)
        found = {g["kind"]: (g["path"], g["bytes"]) for g in self.las_json("gc", "--dry-run")["garbage"]}
        self.assertEqual(found, {kind: (str(path), 1000) for kind, path in lost.items()})
        self.assertEqual(self.las_json("gc", "--yes")["freed_bytes"], 4000)
        self.assertFalse([path for path in lost.values() if path.exists()])
        self.check_whole()

    def test_a_model_that_a_generation_serves_stays_when_its_record_goes(self):
        self.las("stop", "tiny")
        blobs = names(self.state / "models/blobs")
        removal = subprocess.run(self.command("model", "remove", "--yes", "tiny"), capture_output=True, text=True,
                                 env=self.environment, stdin=subprocess.DEVNULL)
        if removal.returncode == 0:  # else it says what serves it
            self.las("gc", "--yes")
        self.assertEqual(names(self.state / "models/blobs"), blobs, removal.stderr)

    def test_it_is_in_the_history_and_cannot_be_undone(self):
        self.las("gc", "--yes", "--keep", "1")
        last = self.last()
        self.assertEqual((last["outcome"], last["generation_before"], last["generation_after"]), ("done", 4, 4))
        self.assertIn("collect generation 1", last["changes"])
        self.assertIn("las log", self.las("undo", "--yes", last["id"], status=2).stderr)

    def test_a_snapshot_goes_only_when_no_generation_could_go_back_to_it(self):
        self.folder.joinpath("3.tgz").unlink(missing_ok=True)
        self.offer(release_1="well", release_2="well", release_3="well writes", release_3_data="three")
        self.las("upgrade", "--yes")
        kept, = (self.state / "data/.las-snapshots").iterdir()
        self.assertEqual((kept / "rows").read_bytes(), b"what a user would miss")
        self.las("gc", "--yes", "--keep", "2")
        self.assertTrue(kept.exists())
        document = self.las_json("gc", "--dry-run", "--keep", "1")
        self.assertIn(("snapshot", kept.name), [(g["kind"], g["name"]) for g in document["garbage"]])
        self.las("gc", "--yes", "--keep", "1")
        self.assertFalse(kept.exists())
        self.assertEqual(self.rows.read_text(), "as version 3 keeps it")
        self.check_whole()

    def test_clean_empties_the_cache_and_nothing_else(self):
        before = self.tree()
        document = self.las_json("clean", "--dry-run", "--detailed-exitcode", status=10)
        self.assertIn(str(self.root / "var/cache/las/downloads"), [part["path"] for part in document["cache"]])
        self.assertFalse(document["changed"])
        self.assertTrue(names(self.root / "var/cache/las/downloads"))
        self.las("clean", "--yes")
        self.assertEqual(names(self.root / "var/cache/las"), set())
        self.assertEqual(self.tree(), before)
        self.assertFalse(self.las_json("clean", "--yes")["changed"])
        self.las("install", "--reinstall", "--yes", "demo")
        self.check_whole()


class Audit(Keep):
    def verify(self, *arguments, status=0):
        return self.las_json("audit", "verify", *arguments, status=status)

    def change_entry(self, number, **members):
        def change(records):
            for record in records:
                entry = json.loads(record[1])
                if entry["number"] == number:
                    record[1] = json.dumps(entry | members).encode()
            return records
        self.rewrite("audit", change)

    def take_away(self, *numbers):
        self.rewrite("audit", lambda records: [r for r in records if json.loads(r[1])["number"] not in numbers])

    def test_every_change_of_the_state_is_an_entry_with_who_and_when(self):
        entries = self.las_json("audit")["entries"]
        self.assertEqual([entry["number"] for entry in entries], list(range(1, len(entries) + 1)))
        for before, entry in zip(entries, entries[1:]):
            self.assertEqual(entry["previous"], before["hash"])
        self.assertIn("generation-current", {entry["event"] for entry in entries})
        self.assertLessEqual(set(self.ids.values()), {entry["operation_id"] for entry in entries})
        count = len(entries)
        for arguments in (["stop", "tiny"], ["start", "tiny"], ["hold", "demo"], ["gc", "--yes", "--keep", "1"],
                          ["model", "import", self.folder / "tiny.gguf", "--name", "again"],
                          ["model", "remove", "--yes", "again"]):
            self.las(*arguments)
            entries = self.las_json("audit")["entries"]
            self.assertGreater(len(entries), count, arguments)
            count = len(entries)
        for reader in (["list"], ["verify"], ["history"], ["status"], ["audit"], ["gc", "--dry-run"]):
            self.las(*reader)
        self.assertEqual(len(self.las_json("audit")["entries"]), count)
        text = self.las("audit").stdout
        self.assertEqual(len(text.splitlines()), count)

    def test_a_whole_chain_and_a_noted_hash(self):
        first = self.verify()
        self.assertEqual((first["clean"], first["faults"]), (True, []))
        self.las("hold", "demo")
        self.assertTrue(self.verify("--head", first["head"])["clean"])
        self.assertIn(first["head"], [entry["hash"] for entry in self.las_json("audit")["entries"]])
        self.assertFalse(self.verify("--head", 64 * "0", status=6)["clean"])

    def test_an_entry_that_was_changed_is_found_whichever_member_it_was(self):
        for member, value in (("user", "nobody"), ("at", "2019-01-01T00:00:00Z"), ("detail", "nothing"),
                              ("event", "harmless"), ("subject", "other"), ("operation_id", ""), ("sudo_user", "eve")):
            with self.subTest(member=member):
                was = self.las_json("audit")["entries"][4]
                self.change_entry(5, **{member: value})
                self.assertEqual([fault["number"] for fault in self.verify(status=6)["faults"]], [5])
                self.assertIn("5: ", self.las("audit", "verify", status=6).stdout)
                self.change_entry(5, **{member: was[member]})
                self.assertTrue(self.verify()["clean"])

    def test_an_entry_that_was_made_to_fit_breaks_the_one_after(self):
        entry = self.las_json("audit")["entries"][4]
        self.change_entry(5, hash=64 * "0")
        self.assertEqual({fault["number"] for fault in self.verify(status=6)["faults"]}, {5, 6})
        self.change_entry(5, hash=entry["hash"])

    def test_one_taken_from_the_middle_or_the_beginning_is_missed_and_one_from_the_end_by_a_noted_hash(self):
        head = self.verify()["head"]
        count = self.verify()["entries"]
        self.take_away(count)
        self.assertTrue(self.verify()["clean"])
        self.assertFalse(self.verify("--head", head, status=6)["clean"])
        self.take_away(7)
        self.assertEqual([fault["number"] for fault in self.verify(status=6)["faults"]][0], 8)
        self.take_away(1)
        self.assertEqual([fault["number"] for fault in self.verify(status=6)["faults"]][0], 2)

    def test_a_changed_trail_keeps_nothing_from_working(self):
        self.change_entry(5, user="nobody")
        self.las("hold", "demo")
        self.assertEqual(self.las_json("audit")["entries"][-1]["operation_id"], self.last()["id"])
        self.verify(status=6)

    def test_no_secret_of_a_command_line_comes_into_it(self):
        url = "https://ada:hunter2@127.0.0.1:9/reg"
        subprocess.run(self.command("registry", "add", "lab", url, "--key", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"),
                       capture_output=True, env=self.environment, stdin=subprocess.DEVNULL, timeout=60)
        for told in (self.las("audit").stdout, self.las("history").stdout):
            self.assertNotIn("hunter2", told)


if __name__ == "__main__":
    unittest.main()
