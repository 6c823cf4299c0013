# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, exit codes, streams, JSON, configuration, completion."""
import json
import os
import pty
import subprocess
import unittest

from harness import LAS, Case, PROJECT, archive, sha256


class CommandLine(Case):
    def test_version_is_one_line(self):
        self.assertRegex(self.las("--version").stdout, r"^las \d+\.\d+\.\d+\n$")

    def test_no_command_shows_help_on_stderr_and_is_a_usage_error(self):
        result = self.las(status=2)
        self.assertEqual(result.stdout, "")
        self.assertIn("Usage: las COMMAND", result.stderr)

    def test_help_lists_every_visible_command(self):
        text = self.las("--help").stdout
        for command in ("detect", "install", "model import", "serve", "chat", "rollback", "config set"):
            self.assertIn(f"  {command} ", text)
        self.assertNotIn("complete ", text.replace("completion ", ""))

    def test_every_command_has_help(self):
        for line in self.las("--help").stdout.splitlines():
            words = line[2:18].split()
            if not line.startswith("  ") or line.startswith("  -") or not words or line.startswith("   "):
                continue
            text = self.las(*words, "--help").stdout
            self.assertTrue(text.startswith("Usage: las " + " ".join(words)), text)

    def test_a_mistyped_command_gets_a_suggestion_and_status_2(self):
        result = self.las("instal", "x", status=2)
        self.assertEqual(result.stderr, "las: no such command: instal\nhint: did you mean 'install'?\n")

    def test_a_mistyped_nested_command_gets_a_suggestion(self):
        self.assertIn("did you mean 'import'?", self.las("model", "imprt", "x", status=2).stderr)

    def test_an_unknown_option_is_a_usage_error_with_a_hint(self):
        result = self.las("list", "--frobnicate", status=2)
        self.assertIn("--frobnicate", result.stderr)
        self.assertIn("hint: las list --help", result.stderr)

    def test_an_unknown_module_gets_the_nearest_name(self):
        result = self.las("show", "llama.ccp", status=1)
        self.assertIn("llama.cpp", result.stderr)

    def test_errors_are_json_with_json(self):
        document = self.las_json("show", "nothing-like-it", status=1)
        self.assertEqual(document["success"], False)
        self.assertEqual(document["error"]["kind"], "not-found")
        self.assertEqual(document["error"]["exit_status"], 1)

    def test_global_options_work_before_and_after_the_command(self):
        self.assertEqual(self.las("--json", "list").stdout, self.las("list", "--json").stdout)

    def test_a_closed_pipe_is_no_crash(self):
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run(self.command("--help"), stdout=writer, stderr=subprocess.PIPE,
                                env=self.environment, timeout=60)
        os.close(writer)
        self.assertEqual(result.returncode, 1)

    def test_without_a_terminal_a_question_is_a_usage_error(self):
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content))
        result = self.las("install", "demo", status=2)
        self.assertIn("--yes", result.stderr)
        self.assertEqual(self.las_json("list")["modules"], [])

    def test_answering_no_changes_nothing(self):
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content))
        before = self.tree()
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.command("install", "demo"), stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment)
        os.write(ours, b"n\n")
        process.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(self.tree(), before)

    def test_dry_run_changes_nothing_and_can_tell_by_its_status(self):
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content))
        before = self.tree()
        self.assertIn("install demo 1.0", self.las("install", "demo", "--dry-run").stdout)
        self.las("install", "demo", "--dry-run", "--detailed-exitcode", status=10)
        self.assertEqual(self.tree(), before)

    def test_empty_and_negative_arguments_never_mean_something_dangerous(self):
        for generation in ("", "-1", "1x", "99999999999999999999"):
            self.assertIn("hint: ", self.las("rollback", "--yes", "--", generation, status=2).stderr)
        result = subprocess.run([str(LAS), "--root", "", "list"], text=True, capture_output=True,
                                env=self.environment)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        result = subprocess.run([str(LAS), "--root", __file__, "list"], text=True, capture_output=True,
                                env=self.environment)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.las("model", "import", "", status=2)

    def test_a_fifo_in_place_of_a_document_is_refused_not_waited_for(self):
        folder = self.root / "etc/las"
        folder.mkdir(parents=True)
        os.mkfifo(folder / "config.yaml")
        self.assertIn("not a regular file", self.las("list", status=1).stderr)

    def test_usage_errors_are_json_too_when_json_was_asked_for(self):
        for arguments in (["instal"], ["install", "--variant"]):
            self.assertEqual(self.las_json(*arguments, status=2)["error"]["kind"], "usage")

    def test_a_damaged_generation_folder_is_found(self):
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content))
        self.las("install", "--yes", "demo")
        self.las("verify")
        (self.root / "var/lib/las/generations/1/bin/tool").unlink()
        finding = self.las_json("verify", status=1)["findings"][0]
        self.assertEqual(finding["id"], "link-missing")
        self.las(*finding["mend"].split()[1:], "--yes")
        self.las("verify")

    def test_another_locale_changes_no_number(self):
        for locale in ("de_DE.UTF-8", "tr_TR.UTF-8", "C"):
            self.assertEqual(self.las("config", "get", "fetch.parallel", LC_ALL=locale).stdout, "4\n")


class Configuration(Case):
    def test_layers_override_each_other_in_order(self):
        def origin():
            settings = self.las_json("config", "list")["settings"]
            return next((s["value"], s["origin"]) for s in settings if s["key"] == "fetch.parallel")

        self.assertEqual(origin(), ("4", "default"))
        system = self.root / "etc/las/config.yaml"
        system.parent.mkdir(parents=True)
        system.write_text("fetch:\n  parallel: 5\n")
        self.assertEqual(origin(), ("5", str(system)))
        drop_in = self.root / "etc/las/config.d/10-site.yaml"
        drop_in.parent.mkdir()
        drop_in.write_text("fetch: {parallel: 6}\n")
        self.assertEqual(origin(), ("6", str(drop_in)))
        user = self.folder / "home/.config/las/config.yaml"
        user.parent.mkdir(parents=True)
        user.write_text("fetch:\n  parallel: 7\n")
        self.assertEqual(origin(), ("7", str(user)))
        self.environment["LAS_FETCH_PARALLEL"] = "8"
        self.assertEqual(origin(), ("8", "LAS_FETCH_PARALLEL"))

    def test_set_keeps_comments_and_unset_takes_back(self):
        file = self.root / "etc/las/config.yaml"
        file.parent.mkdir(parents=True)
        file.write_text("# ours\nfetch:\n  parallel: 2 # few\n")
        self.las("config", "set", "fetch.attempts", "9")
        self.assertIn("# ours", file.read_text())
        self.assertIn("# few", file.read_text())
        self.assertEqual(self.las("config", "get", "fetch.attempts").stdout, "9\n")
        self.assertEqual(self.las("config", "get", "fetch.parallel").stdout, "2\n")
        self.las("config", "unset", "fetch.attempts")
        self.assertEqual(self.las("config", "get", "fetch.attempts").stdout, "3\n")

    def test_an_unknown_key_in_a_file_is_an_error_with_line_and_suggestion(self):
        file = self.root / "etc/las/config.yaml"
        file.parent.mkdir(parents=True)
        file.write_text("fetch:\n  paralel: 2\n  attempts: many\n")
        result = self.las("list", status=1)
        self.assertIn(f"{file}:2:", result.stderr)
        self.assertIn("did you mean 'fetch.parallel'?", result.stderr)
        self.assertIn(f"{file}:3:", result.stderr)

    def test_wrong_values_and_keys_are_usage_errors(self):
        self.assertIn("not a whole number", self.las("config", "set", "fetch.parallel", "many", status=2).stderr)
        self.assertIn("did you mean 'fetch.parallel'?", self.las("config", "set", "fetch.paralel", "2", status=2).stderr)
        self.las("list", status=2, LAS_FETCH_PARALLEL="0")


class Completion(Case):
    def complete(self, *words):
        return self.las("complete", str(len(words) - 1), "--", *words).stdout.split()

    def test_commands_options_and_names_are_offered(self):
        self.assertEqual(self.complete("las", "ins"), ["install"])
        self.assertEqual(self.complete("las", "model", ""), ["import", "list", "remove"])
        self.assertIn("--variant", self.complete("las", "install", "--"))
        self.assertIn("--root", self.complete("las", "install", "--r"))
        self.assertEqual(self.complete("las", "install", "llama"), ["llama.cpp"])
        self.assertEqual(self.complete("las", "model", "import", ""), ["__files__"])
        self.assertEqual(self.complete("las", "--root", ""), ["__dirs__"])
        self.assertNotIn("manual", self.complete("las", "ma"))

    def test_the_bash_script_works_in_bash(self):
        script = (f"PATH={LAS.parent}:$PATH; eval \"$(las completion bash)\"; "
                  "COMP_WORDS=(las roll); COMP_CWORD=1; _las; echo \"${COMPREPLY[@]}\"")
        result = subprocess.run(["bash", "-c", script], text=True, capture_output=True, env=self.environment)
        self.assertEqual(result.stdout, "rollback\n", result.stderr)


class Generated(Case):
    def test_manual_and_completions_in_the_tree_are_what_the_binary_prints(self):
        for path, arguments in (("man/las.1", ["manual"]), ("completions/las.bash", ["completion", "bash"]),
                                ("completions/_las", ["completion", "zsh"]),
                                ("completions/las.fish", ["completion", "fish"])):
            self.assertEqual((PROJECT / path).read_text(), self.las(*arguments).stdout,
                             f"{path} is out of step: run scripts/generate.sh")


class Detection(Case):
    def test_a_saved_profile_plans_for_that_machine(self):
        profile = self.folder / "profile.json"
        self.las("detect", "--save", str(profile))
        facts = json.loads(profile.read_text())
        facts["os"]["architecture"] = {"value": "aarch64", "origin": "test"}
        facts["os"]["glibc"] = {"value": "2.40", "origin": "test"}
        profile.write_text(json.dumps(facts))
        plan = self.las_json("install", "llama.cpp", "--dry-run", "--hardware", str(profile))["plan"]
        self.assertIn("arm64", plan["actions"][0]["sources"][0]["from"])

    def test_facts_name_their_origin_or_why_they_are_unknown(self):
        profile = self.las_json("detect")["profile"]
        self.assertEqual(profile["memory"]["total"]["origin"], "/proc/meminfo")
        for section in ("os", "cpu", "memory", "tools"):
            for name, fact in profile[section].items():
                known = fact["value"] is not None
                self.assertTrue(fact.get("origin") if known else fact.get("unknown"), f"{section}.{name}: {fact}")


if __name__ == "__main__":
    unittest.main()
