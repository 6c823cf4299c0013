#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Remote registries as their keepers and users meet them: built and served by a loopback web server,
added, updated, refused; and either way round with the real minisign."""
import hashlib
import json
import os
import shutil
import stat
import subprocess
import time
import unittest
from pathlib import Path

from harness import Case, StandInHost, archive, sha256


class TreeFiles:
    """The files of a tree as a web server gives them: with an ETag, and 304 to who has it."""

    def __init__(self, tree):
        self.tree = tree

    def get(self, path, default=None):
        file = self.tree / path.removeprefix("/lab/")
        if not path.startswith("/lab/") or not file.is_file():
            return default

        def answer(handler):
            content = file.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            same = handler.headers.get("If-None-Match") == etag
            handler.send_response(304 if same else 200)
            handler.send_header("ETag", etag)
            handler.send_header("Content-Length", "0" if same else str(len(content)))
            handler.end_headers()
            if not same:
                handler.wfile.write(content)
        return answer


class Registry(Case):
    def setUp(self):
        super().setUp()
        self.environment |= {"no_proxy": "127.0.0.1", "SOURCE_DATE_EPOCH": ""}
        self.source = self.folder / "manifests"
        self.source.mkdir()
        self.tree_folder = self.folder / "tree"
        self.key = self.folder / "lab.key"
        self.public_key = self.las("registry", "keygen", self.key).stdout.strip()
        self.host = StandInHost({})
        self.host.files = TreeFiles(self.tree_folder)
        self.addCleanup(self.host.close)
        self.url = f"{self.host.url}/lab"

    def publish_tool(self, name, release="1.0", content=b"#!/bin/sh\necho tool\n"):
        """A manifest whose archive is a file of this machine."""
        packed = archive([("tool", content)])
        path = self.folder / f"{name}-{release}.tar.gz"
        path.write_bytes(packed)
        self.manifest(name, f"file://{path}", sha256(packed), release=release)
        folder = self.source / name
        folder.mkdir(exist_ok=True)
        (self.root / f"etc/las/manifests.d/{name}.yaml").rename(folder / "manifest.yaml")

    def build(self, *options, status=0, **environment):
        return self.las("registry", "build", self.source, "--key", self.key, "--out", self.tree_folder,
                        "--name", "lab", *options, status=status, **environment)

    def add(self, *options, status=0, key=None):
        return self.las("registry", "add", "lab", self.url, "--key", key or self.public_key, *options,
                        status=status)

    def asked(self):
        return [path for path, _ in self.host.requests]

    def record(self):
        found = [r for r in self.las_json("registry", "list")["registries"] if r["kind"] == "remote"]
        return found[0] if found else None

    def offered(self):
        return self.las("list", "--available").stdout

    def test_a_module_of_a_registry_is_found_installed_and_upgraded(self):
        self.publish_tool("engine")
        self.build()
        self.add()
        self.assertIn("engine", self.offered())
        self.assertEqual(self.las_json("show", "engine")["modules"][0]["origin"], "lab")
        self.las("install", "engine", "--yes")
        self.publish_tool("engine", "1.1")
        self.build()
        self.assertIn("0 new, 1 changed, 0 gone", self.las("update").stderr)
        self.las("upgrade", "--yes")
        self.assertIn("1.1", self.las("list").stdout)
        history = self.las("history").stdout
        self.assertIn("trust registry lab", history)
        self.assertIn("update registry lab to version 2", history)

    def test_an_update_asks_once_when_nothing_changed_and_fetches_only_what_did(self):
        for name in ("one", "two", "three", "four"):
            self.publish_tool(name)
        self.build()
        self.add()
        # Head, signature, shard, and a pack instead of four objects.
        self.assertEqual(len(self.asked()), 4)
        self.host.requests.clear()
        self.assertIn("nothing new", self.las("update").stderr)
        self.assertEqual(self.asked(), ["/lab/index.json"])
        self.publish_tool("two", "1.1")
        self.build()
        self.host.requests.clear()
        result = self.las_json("update")["registries"][0]
        self.assertEqual(result["changes"], [{"name": "two", "before": "1.0", "after": "1.1"}])
        self.assertEqual(result["objects_fetched"], 2)
        changed = sha256((self.source / "two/manifest.yaml").read_bytes())
        self.assertEqual([path.split("/")[2] for path in self.asked()],
                         ["index.json", "index.json.minisig", "shards", "objects"])
        self.assertTrue(self.asked()[-1].endswith(changed))

    def test_minisign_verifies_what_las_signed(self):
        self.publish_tool("engine")
        self.build()
        done = subprocess.run(["minisign", "-V", "-p", self.folder / "lab.pub", "-m",
                               self.tree_folder / "index.json"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("registry:lab\tversion:1\t", done.stdout)
        done = subprocess.run(["minisign", "-V", "-P", self.public_key, "-m",
                               self.tree_folder / "index.json"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_las_believes_an_index_that_minisign_signed_with_either_algorithm(self):
        self.publish_tool("engine")
        self.build()
        for options in ([], ["-l"]):
            subprocess.run(["minisign", "-S", *options, "-s", self.key, "-m", self.tree_folder / "index.json",
                            "-t", "by hand"], check=True, capture_output=True)
            self.las("registry", "verify", self.tree_folder, "--key", self.folder / "lab.pub")
            self.add()
            self.las("registry", "remove", "lab")

    def test_las_signs_with_a_key_that_minisign_made_under_a_passphrase(self):
        self.key = self.folder / "locked.key"
        subprocess.run(["minisign", "-G", "-p", self.folder / "locked.pub", "-s", self.key], check=True,
                       input="open sesame\nopen sesame\n", text=True, capture_output=True)
        self.publish_tool("engine")
        refused = self.build(status=1)
        self.assertIn("LAS_KEY_PASSPHRASE", refused.stderr)
        self.assertFalse(self.tree_folder.exists())
        self.build(status=2, LAS_KEY_PASSPHRASE="open barley")
        self.build(LAS_KEY_PASSPHRASE="open sesame")
        passphrase = self.folder / "passphrase"
        passphrase.write_text("open sesame\n")
        self.build("--passphrase-file", passphrase)
        subprocess.run(["minisign", "-V", "-p", self.folder / "locked.pub", "-m",
                        self.tree_folder / "index.json"], check=True, capture_output=True)

    def test_a_new_key_is_readable_by_its_owner_alone_and_never_overwritten(self):
        self.assertEqual(stat.S_IMODE(self.key.stat().st_mode), 0o600)
        self.assertIn(self.public_key, (self.folder / "lab.pub").read_text())
        before = self.key.read_bytes()
        self.las("registry", "keygen", self.key, status=2)
        self.assertEqual(self.key.read_bytes(), before)

    def test_a_wrong_key_adds_nothing(self):
        self.publish_tool("engine")
        self.build()
        other = self.las("registry", "keygen", self.folder / "other.key").stdout.strip()
        self.add()
        self.las("registry", "remove", "lab")
        before = self.tree()
        refused = self.add(key=other, status=6)
        self.assertIn("not signed by the key of this registry", refused.stderr)
        self.assertEqual(self.tree(), before)
        self.assertIsNone(self.record())
        self.add(key="RWnonsense", status=2)
        self.add(key=self.key, status=2)
        self.assertNotIn("engine", self.offered())

    def test_a_registry_that_is_down_is_told_and_the_others_go_on(self):
        self.publish_tool("engine")
        self.build()
        other = self.folder / "other"
        self.las("registry", "build", self.source, "--key", self.key, "--out", other, "--name", "other")
        self.add()
        self.las("registry", "add", "other", f"file://{other}", "--key", self.folder / "lab.pub")
        self.host.close()
        self.publish_tool("engine", "1.1")
        self.las("registry", "build", self.source, "--key", self.key, "--out", other)
        result = self.las("update", status=7)
        self.assertIn("lab: no answer", result.stderr)
        self.assertIn("other: version 1 -> 2", result.stderr)
        # The copy of the one that is down is in use, and later ones win.
        self.assertEqual(self.las_json("show", "engine")["modules"][0]["origin"], "other")
        self.las("registry", "remove", "other")
        self.assertEqual(self.las_json("show", "engine")["modules"][0]["origin"], "lab")
        self.las("install", "engine", "--yes")

    def test_an_index_that_was_changed_or_is_older_leaves_the_copy_in_use(self):
        self.publish_tool("engine")
        self.build()
        old = self.folder / "old"
        shutil.copytree(self.tree_folder, old)
        self.publish_tool("engine", "1.1")
        self.build()
        self.add()
        before = self.tree()
        head = self.tree_folder / "index.json"
        good = head.read_text()
        head.write_text(good.replace('"version": 2', '"version": 3'))
        refused = self.las("update", status=6)
        self.assertIn("not signed by the key", refused.stderr)
        head.write_bytes((old / "index.json").read_bytes())
        shutil.copy(old / "index.json.minisig", self.tree_folder)
        refused = self.las_json("update", status=6)["registries"][0]["error"]
        self.assertEqual((refused["kind"], refused["exit_status"]), ("integrity", 6))
        self.assertIn("older than the one that was accepted", refused["message"])
        self.assertEqual(self.tree(), before)
        self.assertIn("1.1", self.las("show", "engine").stdout)

    def test_an_index_that_was_published_too_late_is_refused_and_the_copy_goes_on(self):
        self.publish_tool("engine")
        self.build()
        self.add()
        # Signed two days ago, for one day.
        two_days_ago = str(int(time.time()) - 2 * 86400)
        self.build("--expires", "1", SOURCE_DATE_EPOCH=two_days_ago)
        refused = self.las("update", status=6)
        self.assertIn("the index has expired", refused.stderr)
        self.las("registry", "verify", self.tree_folder, "--key", self.public_key, status=6)
        # The copy is of the version before, which is good for 90 days.
        self.assertEqual(self.record()["version"], 1)
        self.las("install", "engine", "--yes")

    def test_the_key_changes_only_after_the_new_one_proved_itself(self):
        self.publish_tool("engine")
        self.build("--set-version", "1000000")
        self.add()
        old_key = self.public_key
        shutil.rmtree(self.tree_folder)
        self.key = self.folder / "second.key"
        new_key = self.las("registry", "keygen", self.key).stdout.strip()
        before = self.tree()
        # Nothing is there yet, so nothing proves the key.
        self.las("registry", "trust", "lab", "--key", new_key, "--yes", status=7)
        self.assertEqual(self.record()["public_key"], old_key)
        self.build()
        self.las("update", status=6)
        asked = self.las("registry", "trust", "lab", "--key", new_key, status=2)
        self.assertIn(old_key, asked.stderr)
        self.assertIn(new_key, asked.stderr)
        self.assertEqual(self.tree(), before)
        self.las("registry", "trust", "lab", "--key", new_key, "--yes")
        self.assertEqual((self.record()["public_key"], self.record()["version"]), (new_key, 1))
        self.assertIn("nothing new", self.las("update").stderr)

    def test_looking_changes_nothing(self):
        self.publish_tool("engine")
        self.las("registry", "build", self.source, "--key", self.key, "--out", self.tree_folder, "--name",
                 "lab", "--dry-run")
        self.assertFalse(self.tree_folder.exists())
        self.build()
        self.add("--dry-run")
        self.las("registry", "add", "lab", self.url, "--key", self.public_key, "--dry-run",
                 "--detailed-exitcode", status=10)
        self.assertIsNone(self.record())
        self.add()
        self.publish_tool("engine", "1.1")
        self.build()
        before = self.tree()
        self.las("update", "--dry-run", "--detailed-exitcode", status=10)
        self.las("registry", "remove", "lab", "--dry-run")
        self.las("registry", "keygen", self.folder / "never.key", "--dry-run")
        self.assertFalse((self.folder / "never.key").exists())
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.record()["version"], 1)

    def test_adding_twice_is_once_and_a_removed_registry_leaves_nothing(self):
        self.publish_tool("engine")
        self.build()
        self.add()
        self.assertFalse(self.las_json("registry", "add", "lab", self.url, "--key", self.public_key)["changed"])
        self.las("registry", "add", "lab", f"{self.host.url}/elsewhere", "--key", self.public_key, status=2)
        wrong = self.las("registry", "remove", "lob", status=1)
        self.assertIn("did you mean 'lab'?", wrong.stderr)
        self.las("registry", "remove", "lab")
        self.assertEqual(list((self.root / "var/lib/las/registries").iterdir()), [])
        self.assertNotIn("engine", self.offered())

    def test_every_place_of_manifests_is_listed_in_the_order_in_which_it_wins(self):
        self.publish_tool("engine")
        self.build()
        self.add()
        listed = self.las_json("registry", "list", LAS_REGISTRIES="/srv/manifests")["registries"]
        self.assertEqual([(r["name"], r["kind"]) for r in listed],
                         [("built-in", "built-in"), ("lab", "remote"), ("local", "local"),
                          ("/srv/manifests", "folder")])
        self.assertEqual(listed[1]["public_key"], self.public_key)
        self.assertIn("lab", self.las("complete", "3", "--", "las", "registry", "remove", "").stdout)
        self.assertIn("engine", self.las("complete", "2", "--", "las", "show", "en").stdout)

    def test_a_copy_that_somebody_changed_is_named_and_mended(self):
        self.publish_tool("engine")
        self.build()
        self.add()
        self.las("registry", "verify", "lab")
        copy = next((self.root / "var/lib/las/registries/lab").glob("*/engine/manifest.yaml"))
        good = copy.read_bytes()
        copy.write_bytes(good.replace(b"a test tool", b"a bad  tool"))
        bad = self.las("registry", "verify", "lab", status=6)
        self.assertIn(str(copy), bad.stdout)
        self.assertIn("las update --again lab", bad.stderr)
        self.las("update", "--again", "lab")
        self.las("registry", "verify", "lab")
        self.assertEqual(copy.read_bytes(), good)

    def test_every_fault_of_every_manifest_is_told_before_anything_is_published(self):
        self.publish_tool("engine")
        (self.source / "broken.yaml").write_text("name: broken\ncategory: nonsense\nversion: '1'\n")
        (self.source / "other.yaml").write_text("name: somebody\ncategory: tool\nversion: '1'\n")
        result = self.build(status=1)
        self.assertIn("broken.yaml:2", result.stderr)
        self.assertIn("it is the manifest of somebody", result.stderr)
        self.assertFalse(self.tree_folder.exists())

    def test_the_same_input_gives_the_same_tree_and_the_version_never_falls(self):
        self.publish_tool("engine")
        self.build("--set-version", "7", SOURCE_DATE_EPOCH="1795690184")
        first = {p.relative_to(self.tree_folder): p.read_bytes()
                 for p in self.tree_folder.rglob("*") if p.is_file()}
        again = self.folder / "again"
        self.las("registry", "build", self.source, "--key", self.key, "--out", again, "--name", "lab",
                 "--set-version", "7", SOURCE_DATE_EPOCH="1795690184")
        self.assertEqual(first, {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()})
        self.assertEqual(json.loads(first[Path("index.json")])["created"], "2026-11-26T10:49:44Z")
        refused = self.build("--set-version", "7", status=2)
        self.assertIn("only grows", refused.stderr)
        self.build()
        self.assertEqual(json.loads((self.tree_folder / "index.json").read_text())["version"], 8)

    def test_a_signed_manifest_is_refused_when_its_signature_is_anothers(self):
        self.publish_tool("engine")
        manifest = self.source / "engine/manifest.yaml"
        manifest.write_text(manifest.read_text() + "integrity:\n  signature: manifest.yaml.minisig\n")
        subprocess.run(["minisign", "-S", "-s", self.key, "-m", manifest], check=True, capture_output=True)
        self.build()
        self.add()
        self.las("registry", "remove", "lab")
        manifest.write_text(manifest.read_text() + "# changed after it was signed\n")
        refused = self.build(status=1)
        self.assertIn("its content is not what was signed", refused.stderr)

    def test_credentials_are_refused_and_appear_nowhere(self):
        url = self.url.replace("http://", "http://me:secret@")
        refused = self.las("registry", "add", "lab", url, "--key", self.public_key, status=2)
        self.assertIn("must not hold credentials", refused.stderr)
        for folder, _, names in os.walk(self.root):
            for name in names:
                self.assertNotIn(b"secret", Path(folder, name).read_bytes(), name)
        self.assertNotIn("secret", refused.stderr)
        self.las("registry", "add", "lab", "http://example.test/x", "--key", self.public_key, status=2)
        self.las("registry", "add", "built-in", self.url, "--key", self.public_key, status=2)


if __name__ == "__main__":
    unittest.main()
