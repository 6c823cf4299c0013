# SPDX-License-Identifier: Apache-2.0
"""Packages of npm's registry, for real: two small ones, by a lock beside the manifest. Their versions and
digests are the registry's."""
import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import Case, StandInHost, archive, sha256

WHICH = "sha512-JEdGzHwwkrbWoGOlIHqQ5gtprKGOenpDHpxE9zVR1bWbOtYRyPPHMe9FaP6x61CmNaTThSkb0DAJte5jD+DmzQ=="
ISEXE = "sha512-6B3tLtFqtQS4ekarvLVMZ+X+VlvQekbe4taUkf/rhVO3d/h0M2rfARm/pXLcPEsjjMsFgrFgSrhQIxcSVrBz8w=="
# What this machine says of its registry and of how to reach it.
NPM = {name: value for name, value in os.environ.items()
       if name.lower().startswith("npm_config_") or name.lower().endswith("_proxy") or
       name == "NODE_EXTRA_CA_CERTS"}


def lock(which=WHICH):
    return {"name": "payload", "lockfileVersion": 3, "requires": True, "packages": {
        "": {"name": "payload", "dependencies": {"which": "5.0.0"}},
        "node_modules/isexe": {"version": "3.1.5", "integrity": ISEXE},
        "node_modules/which": {"version": "5.0.0", "integrity": which, "dependencies": {"isexe": "^3.1.1"},
                               "bin": {"node-which": "bin/which.js"}}}}


class NpmSource(Case):
    def setUp(self):
        super().setUp()
        self.environment |= NPM

    def manifest_of(self, content, more="", node=">=18"):
        folder = self.root / "etc/las/manifests.d/which"
        (folder / "files").mkdir(parents=True, exist_ok=True)
        (folder / "files/package-lock.json").write_text(json.dumps(content))
        (folder / "manifest.yaml").write_text(
            "schema: 1\nname: which\ncategory: tool\nreleases:\n- version: 5.0.0\n  variants:\n  - name: any\n"
            f"    sources:\n    - npm: {{lock: files/package-lock.json, node: '{node}'}}\n"
            f"      executables: {{node-which: node_modules/.bin/node-which}}\n{more}")

    def store(self):
        folder = self.root / "var/lib/las/store"
        return sorted(p.name for p in folder.iterdir() if p.name != ".staging") if folder.exists() else []

    @unittest.skipUnless(shutil.which("npm"), "npm is not installed")
    def test_locked_packages_are_installed_run_and_removed(self):
        self.manifest_of(lock())
        plan = self.las("install", "--dry-run", "which")
        self.assertIn("from npm: which@5.0.0 and 1 more package", plan.stdout + plan.stderr)
        self.las("install", "--yes", "which")
        payload = self.root / "var/lib/las/store" / self.store()[0]
        ran = subprocess.run([self.root / "var/lib/las/current/bin/node-which", "sh"], capture_output=True,
                             text=True, env={"PATH": os.environ["PATH"]})
        self.assertEqual((ran.returncode, ran.stdout.strip()), (0, shutil.which("sh")), ran.stderr)
        # Nothing in it knows where it was made or where it came from.
        for path in payload.rglob("*"):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                self.assertNotIn(b".staging", content, path)
                self.assertNotIn(b'"resolved"', content, path)
        self.assertFalse((self.folder / "home").exists(), "npm wrote into the home folder")
        self.las("verify")

        # The same lock gives the same payload; removing leaves it for a rollback, out of use.
        before = self.tree()
        self.las("install", "--yes", "--reinstall", "which")
        self.assertEqual(len(self.store()), 1)
        self.las("verify")
        self.las("remove", "--yes", "which")
        self.assertFalse((self.root / "var/lib/las/current/bin/node-which").exists())
        self.las("rollback", "--yes")
        self.las("verify")
        payloads = {k: v for k, v in self.tree().items() if k.startswith("var/lib/las/store/which")}
        self.assertEqual(payloads, {k: v for k, v in before.items() if k.startswith("var/lib/las/store/which")})

    @unittest.skipUnless(shutil.which("npm"), "npm is not installed")
    def test_bytes_that_are_not_those_of_the_lock_are_refused(self):
        self.manifest_of(lock(which="sha512-A" + WHICH[8:]))
        before = self.tree()
        result = self.las("install", "--yes", "which", status=6)
        self.assertIn("npm was given bytes that do not match the lock", result.stderr)
        self.assertEqual(self.store(), [])
        self.assertEqual(self.las_json("list")["modules"], [])
        after = {k: v for k, v in self.tree().items() if not k.startswith("var/lib/las")}
        self.assertEqual(after, {k: v for k, v in before.items() if not k.startswith("var/lib/las")})

    def fallback(self):
        content = archive([("node-which", b"#!/bin/sh\necho fallback\n")])
        host = StandInHost({"/which.tgz": content})
        self.addCleanup(host.close)
        return (f"    - archive: {{url: '{host.url}/which.tgz', digest: 'sha256:{sha256(content)}'}}\n"
                "      executables: {node-which: node-which}\n")

    def answer(self):
        return subprocess.run([self.root / "var/lib/las/current/bin/node-which"], capture_output=True,
                              text=True).stdout.strip()

    def test_without_npm_the_next_source_is_taken_and_the_way_to_it_told(self):
        self.manifest_of(lock(), self.fallback(), node=">=1000")
        result = self.las("install", "--yes", "which")
        self.assertRegex(result.stderr, "it needs node >=1000; this machine has|las install node, or apt install npm")
        self.assertEqual(self.answer(), "fallback")

    @unittest.skipUnless(shutil.which("npm"), "npm is not installed")
    def test_a_registry_that_cannot_be_reached_lets_the_next_source_be_taken(self):
        self.manifest_of(lock(), self.fallback())
        result = self.las("install", "--yes", "which", npm_config_registry="http://127.0.0.1:1",
                          NPM_CONFIG_FETCH_TIMEOUT="1000")
        self.assertIn("the npm source cannot be used", result.stderr)
        self.assertEqual(self.answer(), "fallback")

    def test_a_lock_that_is_none_is_told_by_lint_with_its_own_name(self):
        content = lock()
        del content["packages"]["node_modules/isexe"]["integrity"]
        content["packages"]["node_modules/which"]["resolved"] = "https://registry.example.org/which.tgz"
        self.manifest_of(content)
        result = self.las("lint", self.root / "etc/las/manifests.d/which/manifest.yaml", status=1)
        told = result.stdout + result.stderr
        self.assertIn("package-lock.json: error: node_modules/isexe.integrity: is not one sha512", told)
        self.assertIn("package-lock.json: error: node_modules/which.resolved: names a place", told)


if __name__ == "__main__":
    unittest.main()
