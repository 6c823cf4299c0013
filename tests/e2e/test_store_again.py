# SPDX-License-Identifier: Apache-2.0
"""A payload that lies in the store already is used again: nothing is fetched or unpacked for it, and
nothing runs from one that is damaged."""
import unittest

from harness import Case, archive, sha256


class StoreAgain(Case):
    def setUp(self):
        super().setUp()
        self.content = archive([("tool", b"#!/bin/sh\necho works\n"), ("share/text", b"text")])
        self.file = self.folder / "a.tgz"
        self.file.write_bytes(self.content)
        self.manifest("demo", f"file://{self.file}", sha256(self.content))
        self.las("install", "--yes", "demo")
        self.las("remove", "--yes", "demo")
        self.las("clean", "--yes")
        self.payload, = (path for path in (self.root / "var/lib/las/store").iterdir()
                         if path.name.startswith("demo-"))

    def test_it_is_installed_again_without_its_archive(self):
        self.file.unlink()
        self.las("install", "--yes", "demo")
        self.assertEqual(self.las_json("verify", "--deep")["findings"], [])
        module, = self.las_json("list")["modules"]
        self.assertEqual(module["name"], "demo")
        self.assertTrue((self.root / "var/lib/las/current/bin/tool").exists())

    def test_a_damaged_one_is_replaced_by_what_is_fetched(self):
        (self.payload / "share/text").write_bytes(b"tExt")
        self.las("install", "--yes", "demo")
        self.assertEqual((self.payload / "share/text").read_bytes(), b"text")
        self.assertEqual(self.las_json("verify", "--deep")["findings"], [])

    def test_a_damaged_one_is_not_used_where_nothing_can_be_fetched(self):
        (self.payload / "tool").write_bytes(b"#!/bin/sh\necho changed\n")
        self.file.unlink()
        self.las("install", "--yes", "demo", status=7)
        self.assertEqual(self.las_json("list")["modules"], [])

    def test_another_release_of_the_same_files_is_unpacked(self):
        self.manifest("demo", f"file://{self.file}", sha256(self.content), release="2.0")
        self.las("install", "--yes", "demo")
        self.assertEqual(self.las_json("verify", "--deep")["findings"], [])


if __name__ == "__main__":
    unittest.main()
