# SPDX-License-Identifier: Apache-2.0
"""What users ask the resolver: plans, holds, upgrades and what is kept back, why and why not, what needs
what, and what a purge deletes. The modules are one-file tools from local archives."""
import unittest
from pathlib import Path

from harness import Case, archive, sha256
from test_messages import ENGINE, SERVICE, small_model


class Change(Case):
    def setUp(self):
        super().setUp()
        content = archive([("tool", b"#!/bin/sh\necho tool\n")])
        self.archive = self.folder / "tool.tgz"
        self.archive.write_bytes(content)
        self.digest = sha256(content)

    def write(self, name, releases, extra=""):
        """A manifest with these releases, newest first: a version, or (version, lines of the release)."""
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True, exist_ok=True)
        text = f"schema: 1\nname: {name}\ncategory: tool\ndescription: a test tool\n{extra}releases:\n"
        for release in releases:
            version, lines = release if isinstance(release, tuple) else (release, "")
            text += (f"- version: '{version}'\n{lines}  variants:\n  - name: any\n    sources:\n"
                     f"    - archive:\n        url: file://{self.archive}\n        digest: sha256:{self.digest}\n"
                     f"      executables:\n        {name}: tool\n")
        (folder / f"{name}.yaml").write_text(text)

    def installed(self):
        return {m["name"]: (m["version"], m["reason"], m["held"]) for m in self.las_json("list")["modules"]}

    def needs(self, *modules):
        return "  dependencies: {modules: [" + ", ".join(f'"{m}"' for m in modules) + "]}\n"

    # --- plan

    def test_a_plan_of_everything_together_changes_nothing(self):
        self.write("app", ["2", "1"])
        self.write("other", ["1"])
        self.las("install", "--yes", "app=1", "other")
        before = self.tree()
        text = self.las("plan", "app", "--remove", "other", "--detailed-exitcode", status=10).stdout
        self.assertIn("remove other 1", text)
        plan = self.las_json("plan", "--upgrade", "app")
        self.assertEqual((plan["success"], plan["changed"], plan["plan"]["actions"]), (True, False, []))
        self.assertEqual(self.las_json("plan", "app=2")["plan"]["actions"][0]["action"], "upgrade")
        self.assertEqual(self.tree(), before)
        self.assertIn("Nothing to do", self.las("plan", "--upgrade-all").stderr)

    def test_the_same_question_gets_byte_identical_plans(self):
        for name in ("zeta", "alpha", "mid"):
            self.write(name, ["2", "1"], "interfaces: {provides: [thing]}\n")
        self.write("user", ["1"], "dependencies: {capabilities: [thing]}\n")
        first = self.las("plan", "user", "--json").stdout
        self.assertEqual(self.las("plan", "user", "--json").stdout, first)
        # The same manifests, written in another order and found in another shape of folder.
        folder = self.root / "etc/las/manifests.d"
        texts = {path.stem: path.read_text() for path in folder.iterdir()}
        for path in list(folder.iterdir()):
            path.unlink()
        for name in sorted(texts, reverse=True):
            (folder / f"{name}.yaml").write_text(texts[name])
        self.assertEqual(self.las("plan", "user", "--json").stdout, first)

    def test_a_preference_chooses_the_provider(self):
        for name in ("alpha", "beta"):
            self.write(name, ["1"], "interfaces: {provides: [thing]}\n")
        self.write("user", ["1"], "dependencies: {capabilities: [thing]}\n")
        subjects = [a["subject"] for a in self.las_json("plan", "user", "--prefer", "beta")["plan"]["actions"]]
        self.assertEqual(subjects, ["beta", "user"])
        self.las("install", "--yes", "user", "--prefer", "beta")
        self.assertEqual(set(self.installed()), {"beta", "user"})
        self.assertIn("--prefer beta", self.las("plan", "user", "--prefer", "bata", status=1).stderr)

    def test_suggested_modules_come_when_asked_and_leave_with_what_they_accompany(self):
        self.write("app", ["1"], "dependencies: {optional: [extra]}\n")
        self.write("extra", ["1"])
        self.assertIn("suggests: extra", self.las("plan", "app").stdout)
        self.assertEqual(self.las_json("plan", "app")["plan"]["actions"][0]["suggests"], ["extra"])
        self.las("install", "--yes", "app", "--with-optional")
        self.assertEqual(self.installed()["extra"], ("1", "optional", False))
        self.assertIn("suggested by app", self.las("why", "extra").stdout)
        self.las("remove", "--yes", "app")
        self.assertEqual(self.installed(), {})
        self.las("plan", "app", "--with-optional", "--no-optional", status=2)

    def test_a_tool_that_the_machine_lacks_is_told_and_one_nobody_knows_is_a_note(self):
        self.write("app", ["1"], "dependencies: {runtime: ['systemd>=9999']}\n")
        result = self.las("install", "--yes", "app", status=4)
        self.assertIn("needs systemd >= 9999", result.stderr)
        self.write("app", ["1"], "dependencies: {runtime: [abacus]}\n")
        self.assertIn("app needs abacus; las cannot tell", self.las("plan", "app").stdout)

    # --- why it cannot be

    def test_an_explanation_is_data_with_json_and_one_reason_a_line_without(self):
        self.write("app", ["1"], "dependencies: {modules: [middle]}\n")
        self.write("middle", ["1"], "dependencies: {modules: ['absent@>=2']}\n")
        error = self.las_json("install", "app", status=4)["error"]
        self.assertEqual(error["exit_status"], 4)
        self.assertEqual(error["explanation"], {
            "kind": "unsatisfiable", "wanted": "app", "suggestion": "las search absent", "denied": [],
            "reasons": [{"subject": "app 1", "text": "needs middle"},
                        {"subject": "middle 1", "text": "needs absent >=2, which is not in the catalog"}]})
        text = self.las("install", "app", status=4).stderr
        self.assertEqual(text.splitlines()[:3], ["las: cannot be done: app", "  app 1 needs middle",
                                                 "  middle 1 needs absent >=2, which is not in the catalog"])
        self.assertEqual(self.las_json("plan", "nap", status=1)["error"]["explanation"]["kind"], "unknown-name")

    # --- hold, upgrade, outdated

    def test_a_hold_keeps_a_module_as_it_is_until_it_is_lifted(self):
        self.write("app", ["2", "1"])
        self.las("install", "--yes", "app@<=2")  # a wish that the newest meets
        self.las("install", "--yes", "app@<2")
        self.las("install", "--yes", "app=1")
        self.las("install", "--yes", "app")
        self.assertEqual(self.installed()["app"], ("1", "user", False))
        self.assertIn("Would hold: app 1", self.las("hold", "app", "--dry-run").stderr)
        self.las("hold", "app", "--dry-run", "--detailed-exitcode", status=10)
        self.assertIn("las unhold app", self.las("hold", "app").stderr)
        self.assertIn("Held already", self.las("hold", "app").stderr)
        self.assertEqual(self.installed()["app"], ("1", "user", True))
        self.assertIn("held", self.las("list").stdout)
        self.assertIn(", held", self.las("show", "app").stdout)
        self.assertTrue(self.las_json("show", "app")["modules"][0]["installed"]["held"])

        upgrade = self.las("upgrade", "--yes")
        self.assertIn("kept back: app stays at 1, not 2\n      app is held at 1", upgrade.stdout)
        self.assertIn("las unhold app", self.las("remove", "--yes", "app", status=4).stderr)
        self.assertIn("las unhold app", self.las("install", "--yes", "app=2", status=4).stderr)
        self.assertEqual(self.installed()["app"], ("1", "user", True))

        self.assertEqual(self.las_json("unhold", "app")["changed"], True)
        self.assertEqual(self.las_json("unhold", "app")["changed"], False)
        self.las("upgrade", "--yes")
        self.assertEqual(self.installed()["app"], ("2", "user", False))
        changes = [change for o in self.las_json("history")["operations"] for change in o["changes"]]
        self.assertIn("hold app", changes)
        self.assertIn("unhold app", changes)

    def test_a_rollback_undoes_a_hold(self):
        self.write("app", ["1"])
        self.las("install", "--yes", "app")
        self.las("hold", "app")
        self.las("rollback", "--yes")
        self.assertEqual(self.installed()["app"], ("1", "user", False))

    def test_only_what_is_installed_can_be_held(self):
        self.write("app", ["1"])
        self.las("install", "--yes", "app")
        result = self.las("hold", "apq", status=1)
        self.assertIn("las hold app", result.stderr)
        self.assertEqual(self.las_json("hold", "apq", status=1)["error"]["kind"], "not-found")

    def test_what_is_outdated_says_what_an_upgrade_brings_and_why_not_the_newest(self):
        self.write("app", ["2", "1"])
        self.write("lib", [("3", "  dependencies: {modules: [absent]}\n"), "2", "1"])
        self.las("install", "--yes", "app=1", "lib=1")
        self.las("install", "--yes", "lib")  # any release from now on
        rows = {m["name"]: m for m in self.las_json("outdated")["modules"]}
        self.assertEqual((rows["app"]["possible"], rows["app"]["newest"]), ("1", "2"))
        self.assertEqual(rows["app"]["reasons"], [{"subject": "app", "text": "is wished for as ==1"}])
        self.assertEqual((rows["lib"]["installed"], rows["lib"]["possible"], rows["lib"]["newest"]),
                         ("1", "2", "3"))
        self.assertEqual(rows["lib"]["reasons"],
                         [{"subject": "lib 3", "text": "needs absent, which is not in the catalog"}])
        self.assertIn("KEPT BACK BECAUSE", self.las("outdated").stdout)
        self.las("outdated", "--detailed-exitcode", status=10)
        dry = self.las_json("upgrade", "--dry-run")
        self.assertEqual([k["name"] for k in dry["plan"]["kept_back"]], ["app", "lib"])
        self.las("upgrade", "--yes")
        self.assertEqual(self.installed()["lib"][0], "2")

    def test_nothing_outdated_is_status_0_also_with_detailed_exit_codes(self):
        self.write("app", ["1"])
        self.las("install", "--yes", "app")
        self.assertEqual(self.las_json("outdated", "--detailed-exitcode")["modules"], [])
        self.assertIn("as new as it can be", self.las("outdated").stderr)

    # --- autoremove

    def test_autoremove_takes_what_only_a_hold_kept(self):
        self.write("app", ["1"], "dependencies: {modules: [lib]}\n")
        self.write("lib", ["1"])
        self.las("install", "--yes", "app")
        self.las("hold", "lib")
        self.assertEqual(self.installed()["lib"], ("1", "dependency", True))
        self.las("remove", "--yes", "app")
        self.assertEqual(self.installed(), {"lib": ("1", "dependency", True)})
        self.assertIn("Nothing to do", self.las("autoremove", "--yes").stderr)
        self.assertIn("only its hold keeps it", self.las("why", "lib").stdout)
        self.las("unhold", "lib")
        self.assertIn("las autoremove", self.las("why", "lib").stdout)
        self.assertIn("remove lib 1", self.las("autoremove", "--dry-run").stdout)
        self.las("autoremove", "--yes")
        self.assertEqual(self.installed(), {})

    # --- why, depends, rdepends

    def test_why_tells_the_chain_the_version_and_why_not_another(self):
        self.write("app", ["1"], "dependencies: {modules: [middle]}\n")
        self.write("middle", ["1"], "dependencies: {modules: ['lib@<3']}\n")
        self.write("lib", ["3", "2", "1"])
        self.assertIn("it would be 1", self.las("why", "app").stdout)
        self.las("install", "--yes", "app")
        text = self.las("why", "lib").stdout
        self.assertIn("you asked for app: app -> middle -> lib", text)
        self.assertIn("needed by middle", text)
        self.assertIn("not the newest, 3:\n    app 1 needs middle\n    middle 1 needs lib <3", text)
        document = self.las_json("why", "lib")
        self.assertEqual(document["chain"], ["app", "middle", "lib"])
        self.assertEqual(document["needed_by"], [{"name": "middle", "optional": False}])
        self.assertEqual(self.las_json("why", "app")["chain"], ["app"])

        not_newest = self.las_json("why", "lib=3")
        self.assertFalse(not_newest["possible"])
        self.assertIn({"subject": "middle 1", "text": "needs lib <3"}, not_newest["reasons"])
        older = self.las_json("why", "lib", "--not", "1")
        self.assertEqual((older["possible"], older["suggestion"]), (True, "las install lib=1"))
        self.assertIn("has no variant fast", self.las("why", "lib", "--not", "fast").stdout)
        self.assertIn("las list --available", self.las("why", "xyzzy", status=1).stderr)

    def test_depends_and_rdepends_see_ranges_capabilities_tools_and_suggestions(self):
        self.write("app", ["1"], "dependencies: {modules: ['lib@>=1'], capabilities: [thing], runtime: [abacus],"
                                 " system: [libgomp1], optional: [extra]}\n")
        self.write("lib", ["2", "1"], "dependencies: {modules: [base]}\n")
        self.write("base", ["1"])
        self.write("extra", ["1"])
        self.write("giver", ["1"], "interfaces: {provides: [thing]}\n")
        needs = {(n["kind"], n["name"]): n for n in self.las_json("depends", "app")["modules"][0]["needs"]}
        self.assertEqual(set(needs), {("module", "lib"), ("capability", "thing"), ("tool", "abacus"),
                                      ("package", "libgomp1"), ("optional", "extra")})
        self.assertEqual(needs["capability", "thing"]["providers"], ["giver"])
        self.assertEqual(needs["module", "lib"]["range"], ">=1")
        self.assertIsNone(needs["tool", "abacus"]["present"])
        below = [m["name"] for m in self.las_json("depends", "app", "--recursive")["modules"]]
        self.assertEqual(below, ["app", "lib", "giver", "base"])
        self.assertEqual([u["name"] for u in self.las_json("rdepends", "base")["users"]], ["lib"])
        self.assertEqual([u["name"] for u in self.las_json("rdepends", "giver")["users"]], ["app"])
        self.assertEqual(self.las_json("rdepends", "base", "--installed")["users"], [])
        self.las("install", "--yes", "lib")
        self.assertEqual([u["name"] for u in self.las_json("rdepends", "base", "--installed")["users"]], ["lib"])
        self.assertIn("las list --available", self.las("depends", "xyzzy", status=1).stderr)

    def test_a_circle_of_needs_is_listed_once_and_installed_together(self):
        self.write("a", ["1"], "dependencies: {modules: [b]}\n")
        self.write("b", ["1"], "dependencies: {modules: [a]}\n")
        self.assertEqual([m["name"] for m in self.las_json("depends", "a", "-r")["modules"]], ["a", "b"])
        self.las("install", "--yes", "b")
        self.assertEqual(set(self.installed()), {"a", "b"})
        self.las("remove", "--yes", "b", status=0)
        self.assertEqual(self.installed(), {})


class TwoEngines(Case):
    """Two stand-in engines, each serving the same model, and what they wrote."""

    def setUp(self):
        super().setUp()
        content = archive([("tool", ENGINE.encode())])
        (self.folder / "t.tgz").write_bytes(content)
        for name in ("demo", "other"):
            self.manifest(name, f"file://{self.folder}/t.tgz", sha256(content), extra=SERVICE)
        (self.folder / "tiny.gguf").write_bytes(small_model())
        self.las("model", "import", self.folder / "tiny.gguf")
        self.las("install", "--yes", "demo", "other")
        for name in ("demo", "other"):
            self.las("serve", "--yes", "tiny", "--engine", name, "--name", f"by-{name}")
            self.data(name).joinpath("rows").write_bytes(b"r" * 5000)

    def data(self, name):
        return self.root / f"var/lib/las/data/by-{name}"


class ServedAgain(TwoEngines):
    def options(self):
        items = self.las_json("config", "list", "by-demo")["settings"]
        return {item["key"]: item["value"] for item in items}

    def test_a_model_that_is_served_again_keeps_the_options_that_were_set(self):
        self.las("config", "set", "--yes", "by-demo.limits.tasks", "99")
        port = self.options()["by-demo.port"]
        self.las("serve", "--yes", "tiny", "--engine", "demo", "--name", "by-demo", "--gpu", "none")
        self.assertEqual(self.options()["by-demo.limits.tasks"], "99")
        self.assertEqual(self.options()["by-demo.gpu"], "none")
        self.assertEqual(self.options()["by-demo.port"], port)

    def test_a_service_keeps_the_command_that_its_installed_release_has(self):
        def command():
            pid = next(s for s in self.las_json("status")["services"] if s["name"] == "by-demo")["pid"]
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")

        content = archive([("tool", ENGINE.encode()), ("more", b"")])
        (self.folder / "t2.tgz").write_bytes(content)
        newer = SERVICE.replace('"{port}"]', '"{port}", "--newer"]')
        self.manifest("demo", f"file://{self.folder}/t2.tgz", sha256(content), release="2.0", extra=newer)
        self.las("config", "set", "--yes", "by-demo.limits.tasks", "98")
        self.assertNotIn("--newer", command())
        self.las("serve", "--yes", "tiny", "--engine", "demo", "--name", "by-demo", "--gpu", "none")
        self.assertNotIn("--newer", command())
        self.las("upgrade", "--yes")
        self.assertIn("--newer", command())
        self.las("rollback", "--yes")
        self.las("config", "set", "--yes", "by-demo.limits.tasks", "99")
        self.assertNotIn("--newer", command())
        self.las("verify")

    def test_a_gpu_that_is_not_there_is_refused_and_nothing_changes(self):
        before = self.options()
        result = self.las("serve", "--yes", "tiny", "--engine", "demo", "--name", "by-demo", "--gpu", "77", status=1)
        self.assertIn("GPU", result.stderr)
        self.assertEqual(self.options(), before)


class Purge(TwoEngines):
    def test_a_purge_names_what_it_deletes_and_deletes_only_that(self):
        settings = self.root / "etc/systemd/system/las-by-demo.service.d"
        settings.mkdir(parents=True)
        settings.joinpath("mine.conf").write_text("[Service]\n")
        of_another = settings.with_name("las-by-other.service.d")
        of_another.mkdir()
        plan = self.las_json("purge", "demo", "--dry-run")["plan"]
        self.assertEqual(plan["purge"], [
            {"module": "demo", "service": "by-demo", "what": "data", "folder": str(self.data("demo")), "size": 5000},
            {"module": "demo", "service": "by-demo", "what": "settings", "folder": str(settings), "size": 10}])
        told = self.las("purge", "demo", "--dry-run").stdout
        self.assertRegex(told, r"delete for good: .*by-demo \(4\.9 KiB\), the data of by-demo")
        self.assertRegex(told, r"delete for good: .*las-by-demo.service.d \(10 B\), your settings for by-demo")
        self.las("purge", "demo", status=2)  # no terminal to ask on
        self.assertTrue(self.data("demo").joinpath("rows").exists())
        result = self.las("purge", "demo", "--yes")
        self.assertIn("deleted", result.stderr)
        self.assertFalse(self.data("demo").exists())
        self.assertFalse(settings.exists())
        self.assertTrue(of_another.exists())
        self.assertTrue(self.data("other").joinpath("rows").exists())
        self.assertEqual([s["name"] for s in self.las_json("status")["services"]], ["by-other"])
        self.las("verify")

    def test_what_a_removed_module_left_can_be_purged_later(self):
        self.las("remove", "--yes", "demo")
        self.assertTrue(self.data("demo").joinpath("rows").exists())
        self.las("purge", "--yes", "demo")
        self.assertFalse(self.data("demo").exists())
        told = self.las("purge", "--yes", "demo").stderr
        self.assertIn("Nothing to do", told)
        self.assertIn("demo is not installed, so it is not removed", told)
        self.assertIn("demo is not installed, so it is not removed", self.las("remove", "--yes", "demo").stderr)

    def test_data_that_another_module_uses_now_stay(self):
        self.las("remove", "--yes", "demo")
        self.las("serve", "--yes", "tiny", "--engine", "other", "--name", "by-demo")
        self.assertEqual(self.las_json("purge", "demo", "--dry-run")["plan"]["purge"], [])
        self.las("purge", "--yes", "demo")
        self.assertTrue(self.data("demo").joinpath("rows").exists())


if __name__ == "__main__":
    unittest.main()
