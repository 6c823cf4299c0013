# SPDX-License-Identifier: Apache-2.0
"""Bad input and bad luck: a one-line error with a hint, the documented exit code, and the root exactly
as before (trees are compared)."""
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import threading
import unittest

from harness import Case, StandInHost, archive, sha256

TOOL = ("tool", b"#!/bin/sh\necho tool\n")


def info(name, kind=tarfile.REGTYPE, **fields):
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.mode = fields.pop("mode", 0o755)
    for key, value in fields.items():
        setattr(entry, key, value)
    return entry


class Bench(Case):
    def host(self, files):
        host = StandInHost(files)
        self.addCleanup(host.close)
        return host

    def assert_refused(self, status, *words, name="demo", **options):
        """`las install` fails with `status`, says `words` in its error, and leaves the root as it was."""
        self.las("verify")  # makes nothing; the first tree is that of an untouched root
        before = self.tree()
        result = self.las("install", "--yes", name, status=status, **options)
        error = [line for line in result.stderr.splitlines() if line.startswith("las: ")]
        self.assertEqual(len(error), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertIn("hint: ", result.stderr)
        after = {k: v for k, v in self.tree().items()
                 if k not in ("var/lib/las/store", "var/lib/las/store/.staging", "var/lib/las/generations")}
        self.assertEqual(after, before)
        self.assertEqual(self.las_json("list")["modules"], [])
        self.assertEqual(self.las_json("history")["operations"][-1]["outcome"],
                         "interrupted" if status > 128 else "failed")
        return result

    def hostile(self, *entries):
        content = archive([TOOL, *entries])
        host = self.host({"/a.tgz": content})
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        self.assert_refused(6, "hint: ")
        self.assertFalse(os.path.exists(self.folder / "escaped"))
        self.assertFalse(os.path.exists("/tmp/las-escaped"))


class BadInput(Bench):
    def test_a_wrong_digest_is_refused(self):
        host = self.host({"/a.tgz": archive([TOOL])})
        self.manifest("demo", f"{host.url}/a.tgz", "0" * 64)
        self.assert_refused(6, "digest")

    def test_a_truncated_archive_is_refused(self):
        content = archive([("tool", os.urandom(200_000))])[:100_000]
        host = self.host({"/a.tgz": content})
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        self.assert_refused(1)

    def test_a_transfer_that_breaks_off_is_a_network_error(self):
        content = archive([("tool", os.urandom(200_000))])

        def half(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content[:1000])
            handler.close_connection = True

        host = self.host({"/a.tgz": half})
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        self.assert_refused(7, LAS_FETCH_ATTEMPTS="1")

    def test_a_file_that_is_no_archive_is_refused(self):
        content = b"<html>Not found</html>"
        host = self.host({"/a.tgz": content})
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        self.assert_refused(1)

    def test_an_absolute_path_is_refused(self):
        self.hostile(("/tmp/las-escaped", b"x"))

    def test_a_path_out_of_the_tree_is_refused(self):
        self.hostile(("../escaped", b"x"))

    def test_a_symlink_out_of_the_tree_is_refused(self):
        self.hostile((info("link", tarfile.SYMTYPE, linkname="../../../../etc"), None))

    def test_writing_through_a_symlink_is_refused(self):
        self.hostile((info("here", tarfile.SYMTYPE, linkname="."), None), ("here/x", b"x"))

    def test_a_hard_link_out_of_the_tree_is_refused(self):
        self.hostile((info("link", tarfile.LNKTYPE, linkname="../../../../../etc/passwd"), None))

    def test_a_device_node_is_refused(self):
        self.hostile((info("null", tarfile.CHRTYPE, devmajor=1, devminor=3), None))

    def test_a_fifo_is_refused(self):
        self.hostile((info("pipe", tarfile.FIFOTYPE), None))

    def test_a_setuid_bit_is_refused(self):
        self.hostile((info("su", mode=0o4755), b"x"))

    def test_a_duplicate_name_is_refused(self):
        self.hostile(("tool", b"other"))

    def test_ten_gigabytes_of_zeros_are_refused(self):
        # Packed once by a pipe, so that the test never holds them.
        path = self.folder / "bomb.tar.gz"
        header = info("zeros")
        header.size = 10 << 30
        with open(path, "wb") as out:
            gzip = subprocess.Popen(["gzip", "-1"], stdin=subprocess.PIPE, stdout=out)
            gzip.stdin.write(header.tobuf())
            block = bytes(1 << 20)
            try:
                for _ in range(1 << 10):  # a tenth is enough: the ratio is what gives it away
                    gzip.stdin.write(block)
                gzip.stdin.close()
            finally:
                gzip.wait()
        self.manifest("demo", f"file://{path}", sha256(path.read_bytes()))
        self.assert_refused(6)

    def test_an_unreachable_host_is_a_network_error_that_names_it(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.manifest("demo", f"http://127.0.0.1:{port}/a.tgz", "0" * 64)
        self.assert_refused(7, f"127.0.0.1:{port}")

    def test_a_plan_that_cannot_fit_on_the_disk_is_refused_before_it_starts(self):
        self.manifest("demo", "http://127.0.0.1:1/a.tgz", "0" * 64, size="4000TB")
        before = self.tree()
        result = self.las("install", "--yes", "demo", status=1)
        self.assertIn("not enough free space", result.stderr)
        after = {k: v for k, v in self.tree().items()
                 if k not in ("var/lib/las/store", "var/lib/las/store/.staging", "var/lib/las/generations")}
        self.assertEqual(after, before)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to mount a small disk")
    def test_a_disk_that_fills_up_on_the_way_leaves_nothing(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "las-e2e", self.root], check=True)
        self.addCleanup(subprocess.run, ["umount", self.root], check=True)
        content = archive([TOOL, ("big", os.urandom(6 << 20))])
        host = self.host({"/a.tgz": content})
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        self.assert_refused(1, "space")

    def test_a_missing_executable_in_the_payload_is_refused(self):
        content = archive([("other", b"x")])
        host = self.host({"/a.tgz": content})
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        self.assert_refused(1, "tool")

    def test_a_faulty_manifest_is_named_with_all_its_faults_and_left_out(self):
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True)
        (folder / "demo.yaml").write_text("name: demo\ncategory: toool\nlicence: MIT\n")
        result = self.las("show", "demo", status=1)
        self.assertIn("demo.yaml:2:", result.stderr)
        self.assertIn("did you mean 'tool'?", result.stderr)
        self.assertIn("did you mean 'license'?", result.stderr)

    def test_a_model_file_that_is_none_is_refused(self):
        for name, content in (("page.gguf", b"<!DOCTYPE html>"), ("empty.gguf", b""),
                              ("cut.gguf", b"GGUF\x03\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")):
            file = self.folder / name
            file.write_bytes(content)
            result = self.las("model", "import", str(file), status=1)
            self.assertIn("las: ", result.stderr)
        self.assertEqual(self.las_json("model", "list")["models"], [])
        self.assertEqual([k for k in self.tree() if "models/blobs/" in k], [])

    def test_a_model_file_that_does_not_exist_is_named(self):
        self.assertIn("/nowhere/x.gguf", self.las("model", "import", "/nowhere/x.gguf", status=1).stderr)


class TwoAtOnceAndSignals(Bench):
    def stalled_install(self):
        """An install that has begun its download and waits; returns (process, release)."""
        content = archive([TOOL, ("big", os.urandom(1 << 20))])
        begun, release = threading.Event(), threading.Event()

        def stall(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content[:65536])
            handler.wfile.flush()
            begun.set()
            release.wait(60)
            try:
                handler.wfile.write(content[65536:])
            except OSError:
                handler.close_connection = True

        host = self.host({"/a.tgz": stall})
        self.addCleanup(release.set)
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        process = subprocess.Popen(self.command("install", "--yes", "demo"), text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment)
        self.assertTrue(begun.wait(60))
        return process, release

    def test_a_second_las_is_told_who_holds_the_lock(self):
        process, release = self.stalled_install()
        result = self.las("install", "--yes", "demo", status=5)
        self.assertIn(f"pid {process.pid}", result.stderr)
        self.assertIn("install --yes demo", result.stderr)
        self.assertIn("--wait", result.stderr)
        self.las("list")  # readers never wait
        verified = self.las("verify")  # what runs was not interrupted
        self.assertIn(f"running: pid {process.pid}", verified.stderr)
        self.assertEqual(self.las_json("verify")["findings"], [])
        release.set()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_a_second_las_can_wait(self):
        process, release = self.stalled_install()
        second = subprocess.Popen(self.command("install", "--yes", "--wait", "60", "demo"), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
        self.assertIn("las", second.stderr.readline())  # it says that it waits, and for whom
        release.set()
        process.communicate(timeout=60)
        _, told = second.communicate(timeout=60)
        self.assertEqual((process.returncode, second.returncode), (0, 0))
        self.assertIn("Nothing to do", told)  # it planned on what the first one left

    def interrupted(self, number, status):
        before = self.tree()
        process, _ = self.stalled_install()
        before |= {k: v for k, v in self.tree().items() if k.startswith("etc")}
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, status, errors)
        self.assertIn("las: interrupted", errors)
        after = {k: v for k, v in self.tree().items()
                 if k not in ("var/lib/las/store", "var/lib/las/store/.staging", "var/lib/las/generations")}
        self.assertEqual(after, before)
        self.las("verify")

    def test_ctrl_c_during_a_download_leaves_everything_as_it_was(self):
        self.interrupted(signal.SIGINT, 130)

    def test_sigterm_during_a_download_leaves_everything_as_it_was(self):
        self.interrupted(signal.SIGTERM, 143)

    def test_a_killed_download_is_resumed_by_the_next_run(self):
        process, release = self.stalled_install()
        process.kill()
        process.communicate(timeout=60)
        release.set()
        self.assertEqual([f["id"] for f in self.las_json("verify", status=1)["findings"]], ["run-interrupted"])
        result = self.las("install", "--yes", "demo")
        self.assertIn("interrupted run", result.stderr)
        self.assertEqual([m["name"] for m in self.las_json("list")["modules"]], ["demo"])
        self.assertEqual(self.las_json("history")["operations"][0]["outcome"], "interrupted")


class DamagedState(Bench):
    """Whatever is wrong with the database: a documented exit code, never a signal, and advice that can be
    followed."""

    def setUp(self):
        super().setUp()
        content = archive([TOOL])
        (self.folder / "a.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/a.tgz", sha256(content))
        self.state = self.root / "var/lib/las"
        self.file = self.state / "db/data.mdb"

    def install(self):
        self.las("install", "--yes", "demo")
        return self.file.read_bytes()

    def assert_refused_with_the_way_out(self, *arguments):
        result = self.las(*arguments, status=1)
        self.assertEqual(len([line for line in result.stderr.splitlines() if line.startswith("las: ")]), 1)
        self.assertIn(f"hint: put {self.state}/db back from a backup, or begin anew with: "
                      f"mv {self.state} {self.state}.lost", result.stderr)
        self.assertNotIn("las verify", result.stderr)

    def assert_found(self):
        finding, = self.las_json("verify", status=1)["findings"]
        self.assertEqual(finding["id"], "state-damaged")
        self.assertIn(f"mv {self.state} {self.state}.lost", finding["mend"])
        return finding

    def test_a_database_that_was_cut_off_is_refused(self):
        whole = self.install()
        for length in (1, 100, 4096, 8191, 8192, 12288, len(whole) // 2):  # at its end may be free pages
            with self.subTest(length=length):
                self.file.write_bytes(whole[:length])
                self.assert_refused_with_the_way_out("list")
                self.assert_refused_with_the_way_out("remove", "--yes", "demo")
                # Shorter than LMDB's two heads it never held a transaction; the generations say that it did.
                self.assertIn("the file ends" if length >= 8192 else "but nothing is recorded",
                              self.assert_found()["evidence"])
                self.assertEqual(self.file.read_bytes(), whole[:length])

    def test_a_flipped_bit_never_ends_las_by_a_signal(self):
        whole = self.install()
        refused = 0
        for page in range(len(whole) // 4096):
            # The header of the page, where its records begin, and something of the rest.
            for at in (0, 10, 12, 15, 16, 17, *range(64, 4096, 800)):
                damaged = bytearray(whole)
                damaged[page * 4096 + at] ^= 1 << (page + at) % 8
                self.file.write_bytes(damaged)
                for arguments in (["verify"], ["list"]):
                    result = subprocess.run(self.command(*arguments), text=True, capture_output=True,
                                            env=self.environment, timeout=120)
                    self.assertIn(result.returncode, (0, 1), f"page {page}, byte {at}: {result.stderr}")
                    refused += result.returncode
        self.assertGreater(refused, len(whole) // 4096)

    def test_a_lost_database_beside_generations_is_no_new_machine(self):
        self.install()
        for lose in (self.file.unlink, lambda: shutil.rmtree(self.state / "db"),
                     lambda: (self.state / "db").mkdir(), lambda: self.file.write_bytes(b"")):
            lose()
            before = self.tree()
            self.assert_refused_with_the_way_out("list")
            self.assert_refused_with_the_way_out("install", "--yes", "demo")
            self.assertIn("generations/1 is there", self.assert_found()["evidence"])
            self.assertEqual(self.tree(), before)

    def test_the_way_out_of_a_lost_database_can_be_gone(self):
        self.install()
        backup = self.folder / "backup"
        shutil.copytree(self.state / "db", backup)
        shutil.rmtree(self.state / "db")
        finding = self.assert_found()
        shutil.copytree(backup, self.state / "db")
        self.las("verify")
        shutil.rmtree(self.state / "db")
        subprocess.run(finding["mend"].split(": ")[-1], shell=True, check=True)
        self.las("verify")
        self.las("install", "--yes", "demo")
        self.las("verify")

    def test_verify_names_every_damaged_record_and_goes_on(self):
        whole = self.install()
        operations = [o["id"] for o in self.las_json("history")["operations"]]
        shutil.rmtree(next((self.state / "store").glob("demo-*")))
        # In a page a record, packed, follows its key.
        key = operations[0].encode()
        damaged = whole.replace(key + b"\x01", key + b"\x02")
        self.assertTrue(damaged != whole)
        self.file.write_bytes(damaged)
        findings = [(f["id"], f["subject"]) for f in self.las_json("verify", status=1)["findings"]]
        self.assertEqual(findings, [("state-damaged", f"operations/{operations[0]}"),
                                    ("payload-missing", "demo")])
        checks = self.las_json("doctor", status=1)["checks"]
        self.assertIn(f"operations/{operations[0]}", {check["subject"] for check in checks})
        error = self.las("history", status=1).stderr
        self.assertIn("hint: 'las verify' lists everything that is damaged", error)

    def test_a_generation_that_cannot_be_read_is_a_finding(self):
        whole = self.install()
        damaged = whole.replace(b'{"command":"las ', b'["command":"las ')
        self.assertTrue(damaged != whole)
        self.file.write_bytes(damaged)
        findings = self.las_json("verify", status=1)["findings"]
        self.assertIn("generations/1", [f["subject"] for f in findings])
        for finding in findings:
            self.assertNotIn("rollback", finding["mend"])


class Fallback(Bench):
    def test_a_source_that_cannot_be_reached_gives_way_to_the_next_and_says_so(self):
        content = archive([TOOL])
        (self.folder / "a.tgz").write_bytes(content)
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True)
        digest = sha256(content)
        (folder / "demo.yaml").write_text(
            "schema: 1\nname: demo\ncategory: tool\nversion: '1'\ndescription: a test tool\nreleases:\n"
            "- version: '1'\n  variants:\n  - name: any\n    sources:\n"
            f"    - archive: {{url: 'http://127.0.0.1:1/a.tgz', digest: 'sha256:{digest}'}}\n"
            "      executables: {tool: tool}\n"
            f"    - archive: {{url: 'file://{self.folder}/a.tgz', digest: 'sha256:{digest}'}}\n"
            "      executables: {tool: tool}\n")
        result = self.las("install", "--yes", "demo")
        self.assertIn("trying the next", result.stderr)
        installed = self.las_json("list")["modules"][0]
        self.assertEqual(installed["from"], f"file://{self.folder}/a.tgz")
        tool = self.root / "var/lib/las/current/bin/tool"
        self.assertEqual(subprocess.run([tool], capture_output=True, text=True).stdout, "tool\n")

    def test_a_damaged_payload_is_found_and_reinstalled(self):
        content = archive([TOOL])
        host = self.host({"/a.tgz": content})
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))
        self.las("install", "--yes", "demo")
        self.las("verify")
        store = self.root / "var/lib/las/store" / self.las_json("list")["modules"][0]["store"]
        (store / "tool").write_bytes(b"tampered")
        finding = self.las_json("verify", status=1)["findings"][0]
        self.assertEqual((finding["id"], finding["subject"]), ("payload-damaged", "demo"))
        self.las(*finding["mend"].split()[1:], "--yes")
        self.las("verify")


class Documents(Case):
    def test_a_document_too_large_to_read_hides_no_fault_of_the_others(self):
        folder = self.folder / "manifests"
        folder.mkdir()
        (folder / "a-huge.yaml").write_bytes(b"a" * (5 << 20))
        (folder / "b-faulty.yaml").write_text("name: b-faulty\ncategory: tol\nversion: 1\n")
        result = self.las("lint", folder, status=1)
        self.assertIn("a-huge.yaml: error: the file is too large", result.stdout)
        self.assertIn("b-faulty.yaml:2:11: error: category", result.stdout)
        self.assertIn("2 documents checked, 2 faults", result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
