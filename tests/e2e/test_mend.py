# SPDX-License-Identifier: Apache-2.0
"""What the world changed behind our back: every finding of verify, named also by the next command that
changes something, and mended by one `las repair`, never silently. And doctor, with its bundle."""
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))
from driver import names, sha256  # noqa: E402
from test_proof import Engines  # noqa: E402


class Damage(Engines):
    """The service tiny runs; damages are by the name of the finding that they make."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.las("hold", "demo")
        self.las("unhold", "demo")

    def payload(self):
        return next((self.state / "store").glob("demo-1-*"))

    def generation(self):
        return (self.state / "current").resolve()

    def record(self):
        return self.root / "run/las/services/tiny.json"

    def blob(self):
        return next((self.state / "models/blobs").iterdir())

    def damage_payload_missing(self):
        shutil.rmtree(self.payload())

    def damage_payload_damaged(self):
        file = self.payload() / "how"
        file.chmod(0o644)
        file.write_text(file.read_text() + " ")

    def damage_generation_damaged(self):
        (self.generation() / "generation.json").write_text("{}")

    def damage_link_missing(self):
        (self.generation() / "bin/tool").unlink()

    def damage_current_link_wrong(self):
        (self.state / "current").unlink()
        (self.state / "current").symlink_to("generations/1")

    def damage_unit_missing(self):
        self.record().unlink()

    def damage_unit_unknown(self):
        record = json.loads(self.record().read_text()) | {"id": "stray", "process": None}
        self.record().with_name("stray.json").write_text(json.dumps(record))

    def damage_service_failed(self):
        self.end_processes()

    def damage_service_stopped(self):
        """As after a reboot: the record is of another boot, and the process is gone."""
        self.end_processes()
        record = json.loads(self.record().read_text()) | {"boot_id": "00000000-0000-4000-8000-000000000000"}
        self.record().write_text(json.dumps(record))

    def damage_service_runs(self):
        """The wish, which is what counts, says that it was stopped."""
        if not self.processes():
            self.las("start", "tiny")
        def stopped(records):
            return [[key, json.dumps(json.loads(value) | {"running": False}).encode()] for key, value in records]
        self.rewrite("service_wishes", stopped)

    def damage_model_missing(self):
        self.blob().unlink()

    def damage_model_damaged(self):
        self.blob().chmod(0o644)
        with open(self.blob(), "ab") as file:
            file.write(b"x")

    def damage_state_open(self):
        self.state.chmod(0o777)

    def damage_leftover(self):
        (self.state / "generations/99").mkdir()

    def look(self, finding, subject):
        self.assertEqual([(f["id"], f["subject"]) for f in self.findings("--deep")], [(finding, subject)])


# Finding → its subject. Those that a look without reading contents sees are told by every change.
SEEN_AT_ONCE = {
    "payload-missing": "demo", "generation-damaged": "2", "link-missing": "demo", "current-link-wrong": "",
    "unit-missing": "tiny", "unit-unknown": "stray", "service-failed": "tiny", "service-stopped": "tiny",
    "service-runs": "tiny", "model-missing": "tiny", "model-damaged": "tiny", "state-open": "ROOT/var/lib/las",
}
SEEN_BY_READING = {"payload-damaged": "demo", "leftover": "99"}


class Repair(Damage):
    def seen(self):
        view = self.view()
        return {key: view[key] for key in ("services", "models", "rows", "runs")}

    def is_named_and_mended(self, finding):
        damage = getattr(self, "damage_" + finding.replace("-", "_"))
        subject = {**SEEN_AT_ONCE, **SEEN_BY_READING}[finding].replace("ROOT", str(self.root))
        if finding == "generation-damaged":
            subject = self.generation().name
        named = f"{finding} {subject}".strip() + ":"
        before = self.seen()
        damage()
        self.look(finding, subject)
        text = self.las("verify", "--deep", status=1).stdout
        self.assertIn(named, text)
        self.assertIn("mend it with: ", text)
        shown = self.las_json("repair", "--dry-run", "--detailed-exitcode", status=10)
        self.assertEqual(([f["id"] for f in shown["findings"]], shown["changed"]), ([finding], False))
        self.las("repair", status=2)  # no terminal to ask on
        self.look(finding, subject)
        done = self.las_json("repair", "--yes")
        self.assertEqual((done["success"], done["changed"], done["left"]), (True, True, []))
        self.assertEqual([f["id"] for f in done["mended"]], [finding])
        self.assertEqual(self.last()["command"].split()[:2], ["las", "repair"])
        if finding != "service-runs":
            self.assertEqual(self.seen(), before)
        self.check_whole()
        self.assertFalse(self.las_json("repair", "--yes")["changed"])
        # The next change of anything else says it too; what that change converges anyway is right then.
        damage()
        told = self.las("install", "--yes", "other").stderr
        self.assertEqual([line for line in told.splitlines() if line.startswith(f"warning: {named}")] != [],
                         finding in SEEN_AT_ONCE, told)
        if self.findings("--deep"):
            self.las("repair", "--yes")
        self.check_whole()
        if finding != "service-runs":
            self.assertEqual(self.seen(), before)


def made(finding):
    def test(self):
        content = (self.folder / "1.tgz").read_bytes()
        self.manifest("other", f"file://{self.folder}/1.tgz", sha256(content), executables=())
        self.is_named_and_mended(finding)
    return test


for name in [*SEEN_AT_ONCE, *SEEN_BY_READING]:
    setattr(Repair, f"test_{name.replace('-', '_')}_is_named_and_mended", made(name))


class RepairMore(Damage):
    def test_all_of_them_at_once_are_mended_by_one_repair(self):
        before = self.view()
        for damage in ("payload_damaged", "generation_damaged", "link_missing", "current_link_wrong", "unit_unknown",
                       "service_failed", "model_missing", "state_open", "leftover"):
            getattr(self, f"damage_{damage}")()
        self.assertGreaterEqual(len(self.findings("--deep")), 8)
        self.las("repair", "--yes")
        view = self.view()
        for key in ("services", "models", "rows", "runs", "modules"):
            self.assertEqual(view[key], before[key])
        self.check_whole()

    def test_what_las_cannot_mend_is_left_and_named(self):
        self.end_processes()
        with socket.create_server(("127.0.0.1", self.port)):
            self.assertEqual({f["id"] for f in self.findings()}, {"service-failed", "port-taken"})
            done = self.las_json("repair", "--yes", status=1)
            self.assertFalse(done["success"])
            self.assertEqual({f["id"] for f in done["left"]}, {"service-failed", "port-taken"})
            self.assertIn("ss -ltnp", self.las("verify", status=1).stdout)
            self.assertIn("port-taken tiny", self.las("hold", "demo").stderr)
        self.las("repair", "--yes")
        self.check_whole()

    def test_a_model_whose_file_is_gone_is_left_and_comes_back_with_it(self):
        (self.folder / "tiny.gguf").rename(self.folder / "elsewhere.gguf")
        self.damage_model_missing()
        left = self.las_json("repair", "--yes", status=1)["left"]
        self.assertEqual([(f["id"], f["subject"]) for f in left], [("model-missing", "tiny")])
        self.assertIn("las model import FILE --name tiny", left[0]["mend"])
        self.las("model", "import", self.folder / "elsewhere.gguf", "--name", "tiny")
        self.check_whole()

    def test_what_a_policy_denies_today_is_named_and_not_touched(self):
        folder = self.root / "etc/las/policies.d"
        folder.mkdir(parents=True)
        (folder / "a.yaml").write_text("policies:\n- name: no-demo\n  description: not here\n"
                                       "  conditions: {ram_min: 1}\n  deny: [demo]\n")
        self.look("policy-denies", "demo")
        before = self.tree()
        self.assertIn("Nothing of this can be mended", self.las("repair", "--yes", status=1).stderr)
        self.assertFalse(self.las_json("repair", "--yes", status=1)["changed"])
        self.assertEqual(self.tree(), before)
        self.las("override", "add", "demo", "--reason", "the lab wants it")
        self.check_whole()

    def test_a_damaged_state_is_named_and_not_repaired_on_a_guess(self):
        self.rewrite("service_wishes", lambda records: [[key, b"{"] for key, _ in records])
        findings = self.findings()
        self.assertIn("state-damaged", {f["id"] for f in findings})
        self.assertTrue(all(f["mend"] for f in findings))
        before = (self.state / "db/data.mdb").read_bytes()
        result = subprocess.run(self.command("repair", "--yes"), capture_output=True, text=True,
                                env=self.environment, stdin=subprocess.DEVNULL)
        self.assertIn(result.returncode, (1, 6), result.stderr)
        self.assertNotIn("internal error", result.stderr)
        self.assertTrue(before)

    def test_only_one_module_is_looked_at_when_it_is_named(self):
        self.damage_payload_damaged()
        self.damage_current_link_wrong()
        self.assertEqual([f["id"] for f in self.findings("demo")], ["payload-damaged"])
        self.assertIn("las list", self.las("verify", "absent", status=1).stderr)

    def test_the_mend_of_each_finding_can_be_typed(self):
        for damage in ("payload_damaged", "service_failed", "current_link_wrong", "service_runs", "service_stopped"):
            with self.subTest(damage=damage):
                getattr(self, f"damage_{damage}")()
                mend = self.findings()[0]["mend"].split()
                self.assertEqual(mend[0], "las")
                if mend[1] == "logs":  # that is a look; start mends it
                    self.las(*mend[1:])
                    mend = ["las", "start", "tiny"]
                self.las(*mend[1:], *(["--yes"] if mend[1] in ("repair", "install") else []))
                if damage == "service_runs":
                    self.las("start", "tiny")
                self.check_whole()

    def test_an_apply_a_start_and_a_stop_name_it_too(self):
        self.las("lock", "-o", self.folder / "las.lock")
        self.las("stop", "tiny")  # so that there is something to apply
        for command in (["apply", "--yes", self.folder / "las.lock"], ["stop", "tiny"], ["start", "tiny"]):
            with self.subTest(command=command[0]):
                self.damage_current_link_wrong()
                self.assertIn("current-link-wrong", self.las(*command).stderr)


class Doctor(Damage):
    def checks(self, status=0):
        return {(c["id"], c["subject"]): c for c in self.las_json("doctor", status=status)["checks"]}

    def test_everything_that_it_looks_at_has_an_outcome(self):
        document = self.las_json("doctor")
        self.assertTrue(document["well"])
        self.assertLessEqual({"clock", "disk", "cgroups", "supervisor", "state"}, {c["id"] for c in document["checks"]})
        self.assertLessEqual({c["outcome"] for c in document["checks"]}, {"ok", "warning", "unknown"})
        text = self.las("doctor")
        self.assertEqual(len([line for line in text.stdout.splitlines() if not line.startswith(" ")]),
                         len(document["checks"]))

    def test_what_verify_sees_is_bad_and_says_how_to_mend_it(self):
        self.damage_current_link_wrong()
        state = [c for c in self.las_json("doctor", status=1)["checks"] if c["id"] == "state"]
        self.assertEqual([(c["outcome"], c["evidence"].split(":")[0], c["mend"]) for c in state],
                         [("bad", "current-link-wrong", "las repair")])
        self.assertIn("Something is wrong", self.las("doctor", status=1).stderr)

    def test_a_clock_behind_the_last_operation_is_bad(self):
        def later(records):
            # Packed: another text of the same length.
            last = re.sub(rb"\d{4}(-\d\d-\d\dT)", rb"2099\1", records[-1][1])
            self.assertNotEqual(last, records[-1][1])
            return records[:-1] + [[records[-1][0], last]]
        self.rewrite("operations", later)
        clock = next(c for c in self.las_json("doctor", status=1)["checks"] if c["id"] == "clock")
        self.assertEqual((clock["outcome"], clock["mend"]), ("bad", "timedatectl set-ntp true"))

    def test_it_changes_nothing_and_needs_no_state(self):
        before = self.tree()
        self.las("doctor")
        self.assertEqual(self.tree(), before)
        self.end_processes()
        shutil.rmtree(self.root / "var")
        shutil.rmtree(self.root / "run")
        self.las("doctor")

    def test_a_bundle_holds_what_a_report_needs_and_nothing_secret(self):
        secrets = {"token": "s3cr3t-tok3n-4711", "url": "ada:hunter2@", "address": "203.0.113.77", "user": "wilhelmina",
                   "home": str(self.folder / "home"), "mail": "ada@lab.example", "bearer": "abcdef0123456789"}
        config = self.root / "etc/las/config.yaml"
        config.write_text(f"# api_key: {secrets['token']}\n# mirror: https://{secrets['url']}files.example/x\n"
                          f"# host {secrets['address']}, by {secrets['user']} in {secrets['home']}, {secrets['mail']}\n"
                          f"# HF_TOKEN={secrets['token']}\n# 'password': \"{secrets['token']}\"\n"
                          f"# Authorization: Bearer {secrets['bearer']}\n")
        with open(self.root / "var/log/las/las.log", "a") as log:
            log.write(f"token={secrets['token']} at {secrets['address']} for {secrets['user']} below {secrets['home']}\n"
                      f"https://{secrets['url']}files.example /home/{secrets['user']}/x fd12:3456:789a::77\n")
        file = self.folder / "report.tgz"
        names_of = {"USER": secrets["user"], "LOGNAME": secrets["user"]}
        document = self.las_json("doctor", "--bundle", file, **names_of)
        self.assertEqual(document["bundle"], str(file))
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        with tarfile.open(file, "r:gz") as tar:
            content = {member.name: tar.extractfile(member).read().decode() for member in tar.getmembers()}
        self.assertEqual(len(content), document["files"])
        self.assertLessEqual({f"las-report/{n}" for n in ("version.txt", "doctor.json", "verify.json", "hardware.json",
                                                          "operations.txt", "config.yaml", "las.log", "units.txt")},
                             set(content))
        for name, text in content.items():
            for what, secret in secrets.items():
                with self.subTest(file=name, secret=what):
                    self.assertNotIn(secret, text)
        everything = "".join(content.values())
        self.assertNotIn("fd12:3456", everything)
        if len(socket.gethostname()) > 3:
            self.assertNotIn(socket.gethostname(), everything)
        self.assertIn("REDACTED", content["las-report/config.yaml"])
        self.assertIn("las serve", content["las-report/operations.txt"])
        json.loads(content["las-report/hardware.json"])
        json.loads(content["las-report/doctor.json"])
        self.assertIn("there already", self.las("doctor", "--bundle", file, status=1).stderr)

    def test_a_bundle_is_made_also_when_the_state_is_damaged(self):
        with open(self.state / "db/data.mdb", "r+b") as file:
            file.truncate(5000)
        self.las("doctor", "--bundle", self.folder / "report.tar")
        with tarfile.open(self.folder / "report.tar") as tar:
            told = tar.extractfile("las-report/verify.json").read().decode()
        self.assertIn("state-damaged", told)


class OtherPlaces(Damage):
    """Another locale, no root, the user scope."""

    def test_in_another_locale_ids_json_and_exit_statuses_are_the_same(self):
        self.damage_current_link_wrong()
        for locale in ("de_DE.UTF-8", "zh_CN.UTF-8", "C"):
            with self.subTest(locale=locale):
                findings = self.las_json("verify", status=1, LANG=locale, LC_ALL=locale, LANGUAGE=locale)["findings"]
                self.assertEqual([(f["id"], f["mend"]) for f in findings], [("current-link-wrong", "las repair")])
                self.las("doctor", status=1, LC_ALL=locale)
        self.las("repair", "--yes", LC_ALL="de_DE.UTF-8")
        self.check_whole()

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_without_root_the_state_of_root_can_be_read_and_not_changed(self):
        somebody = pwd.getpwnam("nobody")
        for folder in (self.folder, self.root):
            folder.chmod(0o755)

        def as_nobody(*arguments):
            return subprocess.run(self.command(*arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                  env=self.environment, timeout=60, user=somebody.pw_uid, group=somebody.pw_gid,
                                  extra_groups=[])

        before = self.tree()
        operation = self.last()["id"]
        for reader in (["list"], ["history"], ["log", operation], ["diff", "1", "2"], ["audit"], ["audit", "verify"],
                       ["gc", "--dry-run", "--keep", "1"]):
            with self.subTest(reader=reader):
                result = as_nobody(*reader)
                self.assertEqual(result.returncode, 0, result.stderr)
        for writer in (["gc", "--yes", "--keep", "1"], ["undo", "--yes", operation], ["hold", "demo"], ["clean", "--yes"]):
            with self.subTest(writer=writer):
                result = as_nobody(*writer)
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertRegex(result.stderr, "(?m)^las: ")
                self.assertIn("--user", result.stderr)
        self.assertEqual(self.tree(), before)
        self.damage_current_link_wrong()
        result = as_nobody("repair", "--yes")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.look("current-link-wrong", "")

    def test_the_scope_of_a_user_has_the_same_commands_and_names_them_with_it(self):
        home = self.folder / "home"
        home.mkdir()
        environment = {"XDG_RUNTIME_DIR": str(self.folder / "run")}
        (self.folder / "run").mkdir(mode=0o700)
        folder = home / ".config/las/manifests.d"
        folder.mkdir(parents=True)
        shutil.copy(self.root / "etc/las/manifests.d/demo.yaml", folder)
        del self.environment["LAS_ROOT"]

        def las(*arguments, status=0):
            return self.las("--user", *arguments, status=status, **environment)

        las("install", "--yes", "demo")
        state = home / ".local/share/las"
        (state / "current").unlink()
        finding, = json.loads(las("verify", "--json", status=1).stdout)["findings"]
        self.assertEqual((finding["id"], finding["mend"]), ("current-link-wrong", "las --user repair"))
        self.assertIn("current-link-wrong", las("hold", "demo").stderr)
        las("repair", "--yes")
        las("verify")
        las("unhold", "demo")
        las("rollback", "--yes", "1")
        las("gc", "--yes", "--keep", "1")
        self.assertTrue(json.loads(las("audit", "verify", "--json").stdout)["clean"])
        self.assertIn("linger", las("doctor").stdout)
        self.assertEqual(names(state / "generations"), {"1"})


if __name__ == "__main__":
    unittest.main()
