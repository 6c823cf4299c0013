#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Policies and overrides as a user meets them: what is shown, refused, admitted and recorded."""
import json
import unittest

from harness import PROJECT, Case, archive, sha256

RULES = """policies:
  - {name: no-tool, description: not in this house, deny: [tool], instead: [ollama]}
"""


class Policy(Case):
    def setUp(self):
        super().setUp()
        # A machine of its own: the tests must not depend on the host's.
        self.machine = self.folder / "machine.json"
        fact = lambda value: {"value": value, "origin": "test"}
        self.machine.write_text(json.dumps({
            "schema": 1,
            "os": {"architecture": fact("x86_64"), "glibc": fact("2.36")},
            "memory": {"total": fact(64 << 30), "effective": fact(64 << 30)},
            "gpus": fact([{"vendor": "nvidia", "vram": fact(11 << 30), "compute_capability": fact("6.1"),
                           "driver_state": fact("working")}]),
            "tools": {"nvidia_driver": fact("560.35.03")}}))

    def site(self, text, name="site.yaml"):
        folder = self.root / "etc/las/policies.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    def here(self, *arguments, **options):
        return self.las(*arguments, "--hardware", self.machine, **options)

    def tool(self):
        content = archive([("tool", b"#!/bin/sh\n")])
        path = self.folder / "tool.tar.gz"
        path.write_bytes(content)
        self.manifest("tool", f"file://{path}", sha256(content))

    def test_an_explanation_names_both_numbers_the_rule_the_fact_and_what_would_help(self):
        text = self.here("policy", "explain", "vllm").stdout
        self.assertIn("It needs compute capability 7.5 or newer; this machine has 6.1.", text)
        self.assertIn("gpu-engines-compute-capability", text)
        self.assertIn("share/policies/engines.yaml, line", text)
        self.assertIn("gpu.compute_capability is 6.1, read from test", text)
        self.assertIn("A GPU with compute capability 7.5 or newer", text)
        self.assertIn("In its place: llama.cpp or ollama", text)
        self.assertIn('las override add vllm --reason "..."', text)

    def test_the_tier_is_explained_with_what_the_next_one_needs(self):
        text = self.here("policy", "explain").stdout
        self.assertIn("This machine is in tier 1", text)
        self.assertIn("gpu.vram_total is 11.0 GiB, read from test", text)
        self.assertIn("VRAM of at least 24GB; it has 11.0 GiB", text)

    def test_every_policy_command_has_its_data_as_json(self):
        show = json.loads(self.here("policy", "show", "--json").stdout)
        self.assertEqual((show["tier"], show["max_model_billions"]), ("1", 14))
        self.assertIn("cuda12", show["features"])
        rules = json.loads(self.here("policy", "list", "--json").stdout)["rules"]
        self.assertEqual({rule["layer"] for rule in rules}, {"shipped"})
        vllm = json.loads(self.here("policy", "explain", "vllm", "--json").stdout)
        self.assertFalse(vllm["allowed"])
        self.assertEqual(vllm["reasons"][0]["facts"][0]["value"], "6.1")
        self.assertEqual(vllm["reasons"][0]["facts"][0]["origin"], "test")

    def test_an_unknown_name_gets_a_suggestion(self):
        self.assertIn("did you mean 'vllm'?", self.here("policy", "explain", "vlm", status=1).stderr)

    def test_the_projects_own_table_of_machines_is_met(self):
        result = self.las_json("policy", "test", PROJECT / "tests/policy/machines.yaml")
        self.assertGreaterEqual(result["machines"], 40)
        self.assertEqual(result["mismatches"], [])

    def test_a_mismatch_is_shown_with_both_sides_and_exit_status_1(self):
        file = self.folder / "mine.yaml"
        file.write_text(f"machines:\n  this: {{hardware: machine.json, expect: {{tier: 2, deny: [vllm]}}}}\n")
        text = self.las("policy", "test", file, status=1).stdout
        self.assertIn(f"{file}:2: this: tier", text)
        self.assertIn("expected  2", text)
        self.assertIn("got       1", text)
        self.assertNotIn("vllm", text)

    def test_all_faults_of_a_broken_site_policy_stop_everything_that_needs_a_verdict(self):
        self.site("policies:\n  - {name: a, extends: nobody}\n  - {name: b, conditions: {gpu_vram_min: 8QB}}\n")
        for command in (["policy", "show"], ["install", "--dry-run", "llama.cpp"], ["detect"]):
            with self.subTest(command=command):
                error = self.here(*command, status=1).stderr
                self.assertIn("site.yaml:2:", error)
                self.assertIn("there is no rule 'nobody'", error)
                self.assertIn("site.yaml:3:", error)
                self.assertIn("'8QB' is not a size such as 24GB", error)
        self.assertIn("2 faults", self.las("policy", "lint", status=1).stderr)

    def test_a_rule_of_the_site_takes_the_place_of_a_shipped_one_by_saying_so(self):
        self.site("policies:\n  - {name: tier1-vram-8gb-memory-32gb, replaces: tier1-vram-8gb-memory-32gb,\n"
                  "     extends: tier1-vram-8gb-memory-32gb, tier: 1, allow: {max_model_size: 7B}}\n")
        show = json.loads(self.here("policy", "show", "--json").stdout)
        self.assertEqual((show["tier"], show["max_model_billions"]), ("1", 7))
        self.assertEqual(self.las("policy", "lint").stdout, "")

    def test_what_a_policy_denies_is_installed_only_with_an_override_that_the_plan_shows(self):
        self.tool()
        self.site(RULES)
        refused = self.here("install", "--yes", "tool", status=3)
        self.assertIn('las override add tool --reason "..."', refused.stderr)
        self.assertEqual(self.here("override", "add", "tool", "--reason", "we know").stdout, "ov-1\n")
        plan = self.here("install", "--dry-run", "tool").stdout
        self.assertIn("tool rests on ov-1 (we know); without it: tool is denied on every machine", plan)
        data = json.loads(self.here("install", "--dry-run", "tool", "--json").stdout)["plan"]["overrides"]
        self.assertEqual([(line["subject"], line["id"]) for line in data], [("tool", "ov-1")])
        self.here("install", "--yes", "tool")
        self.las("override", "revert", "ov-1")
        self.here("install", "--yes", "--reinstall", "tool", status=0)

    def test_overrides_are_kept_with_who_when_and_why(self):
        self.here("override", "add", "vllm", "--reason", "a fork", "--until", "2999-12-31", SUDO_USER="anna")
        self.las("override", "revert", "ov-1")
        self.assertEqual(self.las_json("override", "list")["overrides"], [])
        one, = self.las_json("override", "list", "--all")["overrides"]
        self.assertEqual((one["state"], one["until"], one["reason"]), ("reverted", "2999-12-31", "a fork"))
        self.assertTrue(one["added_by"].endswith("(sudo by anna)"))
        log = self.las_json("override", "log")
        self.assertEqual(log["version"], 2)
        self.assertEqual([event["action"] for event in log["events"]], ["add", "revert"])

    def test_an_override_that_cannot_be_or_is_not_needed_changes_nothing(self):
        self.here("override", "add", "vllm", status=2)
        self.here("override", "add", "vllm", "--reason", "x", "--until", "2020-01-01", status=2)
        self.assertIn("did you mean 'vllm'?",
                      self.here("override", "add", "vlm", "--reason", "x", status=1).stderr)
        self.assertIn("needs no override", self.here("override", "add", "ollama", "--reason", "x").stderr)
        self.here("override", "add", "vllm", "--reason", "x", "--dry-run", "--detailed-exitcode", status=10)
        self.assertEqual(self.las_json("override", "log")["events"], [])


if __name__ == "__main__":
    unittest.main()
