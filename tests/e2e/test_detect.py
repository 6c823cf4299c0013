# SPDX-License-Identifier: Apache-2.0
"""`las detect`: sections, saved profiles, captures and captured trees."""
import json
import os
import tarfile
import unittest

from harness import PROJECT, Case

MACHINES = PROJECT / "tests" / "data" / "hardware"
SECTIONS = ("os", "board", "cpu", "memory", "gpu", "accelerators", "storage", "tools")


def values(node):
    """The profile without where its facts were read: a replayed one may come from another place."""
    if isinstance(node, dict):
        return {key: values(child) for key, child in node.items() if key not in ("origin", "unknown")}
    return [values(child) for child in node] if isinstance(node, list) else node


class Sections(Case):
    def test_every_section_prints_each_of_its_facts_with_its_place(self):
        profile = self.las_json("detect")["profile"]
        for section in SECTIONS:
            text = self.las("detect", "--section", section).stdout
            part = self.las_json("detect", "--section", section)["profile"]
            self.assertEqual(set(part) - {"schema", "nvlink"}, {"gpus" if section == "gpu" else section})
            facts = profile.get(section, {})
            names = facts[0] if section == "storage" else {} if "value" in facts else facts
            for name in set(names) - {"purpose"}:
                self.assertIn(f"  {name} ", text)

    def test_an_unknown_section_is_a_usage_error_with_the_nearest_name(self):
        result = self.las("detect", "--section", "memoy", status=2)
        self.assertIn("memoy", result.stderr)
        self.assertIn("did you mean 'memory'?", result.stderr)

    def test_the_text_for_people_shows_support_and_the_gpu_state(self):
        tree = MACHINES / "reconstruction-of-rtx-4090-desktop"
        text = self.las("detect", "--sysroot", tree).stdout
        self.assertRegex(text, r"Support +full \(a tested distribution\)")
        self.assertIn("NVIDIA GeForce RTX 4090", text)

    def test_what_is_no_regular_file_is_not_replaced(self):
        pipe, folder, link = self.folder / "pipe", self.folder / "folder", self.folder / "link"
        os.mkfifo(pipe)
        folder.mkdir()
        link.symlink_to(self.folder / "behind.json")
        (self.folder / "behind.json").write_text("old")
        for option in ("--save", "--capture"):
            for target in (pipe, folder):
                before = os.lstat(target)
                self.assertIn(str(target), self.las("detect", option, target, status=2).stderr)
                self.assertEqual(os.lstat(target).st_ino, before.st_ino)
        self.las("detect", "--save", link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(json.loads((self.folder / "behind.json").read_text())["schema"], 1)

    def test_save_section_and_capture_exclude_each_other(self):
        self.las("detect", "--save", self.folder / "a", "--capture", self.folder / "b", status=2)
        self.las("detect", "--section", "cpu", "--save", self.folder / "a", status=2)


class Captures(Case):
    def capture(self, *arguments):
        archive = self.folder / "machine.tar"
        profile = self.las_json("detect", "--capture", archive, *arguments)["profile"]
        tree = self.folder / "tree"
        with tarfile.open(archive) as tar:
            names = tar.getnames()
            for member in tar.getmembers():
                self.assertTrue(member.isreg() or member.isdir() or member.issym(), member.name)
                self.assertFalse(member.name.startswith("/") or ".." in member.name.split("/"), member.name)
                self.assertFalse(member.linkname.startswith("/"), member.linkname)
            tar.extractall(tree)
        return profile, tree, names

    def test_an_unpacked_capture_of_this_machine_gives_the_same_facts(self):
        profile, tree, names = self.capture()
        self.assertIn("las-capture/README", names)
        self.assertIn("proc/cpuinfo", names)
        again = self.las_json("detect", "--sysroot", tree)["profile"]
        self.assertEqual(values(again), values(profile))

    def test_a_capture_holds_no_secret_places(self):
        _, tree, names = self.capture()
        for secret in ("etc/machine-id", "proc/cmdline", "etc/passwd", "var/lib/dpkg/status"):
            self.assertNotIn(secret, names)
        for name in names:
            self.assertNotRegex(name, "serial|uuid|asset_tag")

    def test_a_captured_machine_can_be_captured_again(self):
        profile, tree, _ = self.capture("--sysroot", MACHINES / "reconstruction-of-rx-7900-xtx-desktop")
        again = self.las_json("detect", "--sysroot", tree)["profile"]
        for gpu in (again["gpus"]["value"] + profile["gpus"]["value"]):
            del gpu["uuid"]
        self.assertEqual(values(again), values(profile))

    def test_a_profile_of_another_machine_cannot_be_captured(self):
        profile = self.folder / "profile.json"
        self.las("detect", "--save", profile)
        self.las("detect", "--capture", self.folder / "x.tar", "--hardware", profile, status=2)

    def test_the_plan_for_a_captured_tree_is_the_plan_for_its_saved_profile(self):
        tree = MACHINES / "reconstruction-of-rtx-4090-desktop"
        profile = self.folder / "profile.json"
        self.las("detect", "--save", profile, "--sysroot", tree)
        for command in (("detect",), ("install", "llama.cpp", "--dry-run")):
            by_tree = self.las_json(*command, "--sysroot", tree)
            by_file = self.las_json(*command, "--hardware", profile)
            self.assertEqual(by_tree, by_file)

    def test_the_users_own_hwloc_topology_is_used(self):
        xml = str(MACHINES / "hwloc-of-2-nodes-with-4-cores.xml")
        tree = MACHINES / "capture-of-a-cpu-only-vm"
        cpu = json.loads(self.las("detect", "--section", "cpu", "--json", "--sysroot", tree,
                                  HWLOC_XMLFILE=xml).stdout)["profile"]["cpu"]
        self.assertEqual(cpu["cores"]["value"], 8)
        other = MACHINES / "reconstruction-of-rtx-4090-desktop"
        cpu = json.loads(self.las("detect", "--section", "cpu", "--json", "--sysroot", other,
                                  HWLOC_FSROOT=str(tree)).stdout)["profile"]["cpu"]
        self.assertEqual(cpu["cores"]["value"], 2)


if __name__ == "__main__":
    unittest.main()
