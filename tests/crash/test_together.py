# SPDX-License-Identifier: Apache-2.0
"""Eight las at once: installations, removals, upgrades, rollbacks and readers. No deadlock, no torn
state, every exit status a documented one, and a reader never waits for a writer.

LAS_CRASH_SECONDS sets for how long they run together (default 12; the full run takes 120)."""
import collections
import json
import os
import random
import subprocess
import sys
import threading
import time
import unittest

from driver import DOCUMENTED, CrashCase, StandInHost, archive, sha256

SECONDS = float(os.environ.get("LAS_CRASH_SECONDS", "12"))
PATIENCE = 60  # seconds after which a command counts as stuck


class Together(CrashCase):
    def write_module(self, name, versions, content, extra=""):
        releases = ""
        for version in versions:
            file = self.folder / f"{name}.tgz"
            file.write_bytes(content)
            releases += (f"- version: '{version}'\n  variants:\n  - name: any\n    sources:\n"
                         f"    - archive: {{url: 'file://{file}', digest: 'sha256:{sha256(content)}'}}\n"
                         f"      executables: {{{name}: tool}}\n")
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(
            f"schema: 1\nname: {name}\ncategory: tool\ndescription: a test tool\n{extra}releases:\n{releases}")

    def timed(self, *arguments):
        """(exit status, output, errors, seconds) of one command, which must end."""
        begun = time.monotonic()
        result = subprocess.run(self.command(*arguments), capture_output=True, text=True, env=self.environment,
                                stdin=subprocess.DEVNULL, timeout=PATIENCE)
        return result.returncode, result.stdout, result.stderr, time.monotonic() - begun

    # --- everybody at once

    CHANGES = [["install", "--yes", "a"], ["install", "--yes", "b=1"], ["install", "--yes", "c"],
               ["remove", "--yes", "a"], ["remove", "--yes", "b"], ["remove", "--yes", "c"], ["upgrade", "--yes"],
               ["rollback", "--yes"], ["hold", "b"], ["unhold", "b"], ["install", "--yes", "a", "c"],
               ["autoremove", "--yes"], ["model", "import", "FOLDER/tiny.gguf"], ["model", "remove", "--yes", "tiny"]]
    READS = [["list"], ["status"], ["history"], ["model", "list"], ["plan", "a"], ["show", "b"]]

    def worker(self, number, until):
        """Runs commands until the time is over; keeps what must not have been."""
        choice = random.Random(number)
        changes = number < 4
        while time.monotonic() < until:
            if changes:
                arguments = [a.replace("FOLDER", str(self.folder)) for a in choice.choice(self.CHANGES)]
                arguments = [f"--wait={choice.choice([0, 0, 1, 5])}", *arguments]
            else:
                arguments = [*choice.choice([*self.READS, ["verify"]]), "--json"]
            try:
                status, output, errors, _ = self.timed(*arguments)
            except subprocess.TimeoutExpired:
                self.wrong.append(f"{arguments}: stuck for {PATIENCE} s")
                continue
            with self.guard:
                self.statuses[f"{'change' if changes else 'read'} {status}"] += 1
            if fault := self.judge(arguments, changes, status, output, errors):
                self.wrong.append(f"{arguments}: {status}: {fault}\n{output}\n{errors}")

    def judge(self, arguments, changes, status, output, errors):
        if status not in DOCUMENTED:
            return "no documented exit status"
        if "internal error" in errors + output or "damaged" in errors + output:
            return "a torn state"
        if changes:
            # 1 and 4: not installed, held, no generation to go back to; 5: another las is at work.
            return None if status in (0, 1, 4, 5) else "not to be expected here"
        try:
            document = json.loads(output)
        except ValueError:
            return "no JSON"
        if arguments[0] == "verify":
            # What a writer is changing at this moment may be listed; it is never called damaged.
            known = {"current-link-wrong", "link-missing", "payload-missing", "model-missing"}
            findings = {finding["id"] for finding in document.get("findings", [])}
            return None if findings <= known else f"findings {findings}"
        return None if status == 0 else "a reader failed"

    def test_eight_at_once_neither_block_each_other_nor_tear_the_state(self):
        self.make_world()
        for name in ("a", "b", "c"):
            content = archive([("tool", f"#!/bin/sh\necho {name}\n".encode()),
                               *[(f"share/f{i}", os.urandom(4096)) for i in range(50)]])
            self.write_module(name, ["2", "1"], content, "dependencies: {modules: [b]}\n" if name == "c" else "")
        self.las("install", "--yes", "b=1")
        self.statuses, self.wrong, self.guard = collections.Counter(), [], threading.Lock()
        until = time.monotonic() + SECONDS
        workers = [threading.Thread(target=self.worker, args=(number, until)) for number in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(f"\neight at once for {SECONDS:.0f} s: {sum(self.statuses.values())} commands tried, "
              f"{len(self.wrong)} failures {dict(sorted(self.statuses.items()))}", file=sys.stderr)
        self.assertEqual(self.wrong[:5], [])
        self.assertGreater(self.statuses["change 0"], 0)
        self.assertGreater(self.statuses["read 0"], 0)
        self.check_whole()

    # --- readers and a writer

    def lock_is_held(self):
        """Whether some las holds the writer lock, by the kernel's own list and without touching it."""
        inode = os.stat(self.state / "lock").st_ino
        with open("/proc/locks") as locks:
            return any(line.split()[1] == "FLOCK" and line.split()[3] == "WRITE" and
                       line.split()[5].endswith(f":{inode}") for line in locks if "->" not in line)

    def test_a_reader_ends_while_a_writer_holds_the_lock(self):
        content = archive([("tool", b"#!/bin/sh\n")])
        asked, go_on = threading.Event(), threading.Event()

        def slow(handler):  # a stand-in for a publisher whose download takes long
            asked.set()
            go_on.wait(PATIENCE)
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)

        host = StandInHost({"/t.tgz": slow})
        self.addCleanup(host.close)
        self.addCleanup(go_on.set)
        self.manifest("demo", f"{host.url}/t.tgz", sha256(content))
        writer = subprocess.Popen(self.command("install", "--yes", "demo"), env=self.environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(writer.wait)
        self.addCleanup(writer.kill)
        self.assertTrue(asked.wait(PATIENCE))
        for arguments in (["list"], ["status"], ["history"], ["verify"], ["plan", "demo"], ["model", "list"]):
            with self.subTest(reader=arguments):
                self.assertTrue(self.lock_is_held())
                status, output, errors, _ = self.timed(*arguments)
                self.assertEqual(status, 0, output + errors)
                self.assertTrue(self.lock_is_held())
                self.assertIsNone(writer.poll())
        status, output, errors, _ = self.timed("start", "tiny")
        self.assertEqual(status, 5, output + errors)
        self.assertIn(f"{writer.pid}", errors)
        go_on.set()
        self.assertEqual(writer.wait(timeout=PATIENCE), 0)
        self.assertFalse(self.lock_is_held())
        self.check_whole()

    def test_listing_beside_a_long_install_is_measured(self):
        content = archive([("tool", b"#!/bin/sh\n"), *[(f"d{i // 100}/f{i}", os.urandom(4096)) for i in range(4000)]])
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content))
        (self.folder / "t.tgz").write_bytes(content)
        self.las("install", "--yes", "demo")
        count = max(20, int(SECONDS * 3))
        alone = [self.timed("list")[3] for _ in range(count)]
        beside, ended = [], 0
        while len(beside) < count:
            writer = subprocess.Popen(self.command("install", "--yes", "--reinstall", "demo"), env=self.environment,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not self.lock_is_held() and writer.poll() is None:
                pass
            while writer.poll() is None:
                held = self.lock_is_held()
                status, _, errors, seconds = self.timed("list")
                self.assertEqual(status, 0, errors)
                if held and self.lock_is_held():
                    ended += 1
                    beside.append(seconds)
            self.assertEqual(writer.returncode, 0)
        self.assertGreater(ended, 0)

        def percentile(values, part):
            return sorted(values)[min(len(values) - 1, int(len(values) * part))]

        print(f"\nlas list beside a long install, against alone: {len(beside)} beside, "
              + ", ".join(f"p{100 * part:.0f} {1000 * percentile(alone, part):.0f} ms alone, "
                          f"{percentile(beside, part) / percentile(alone, part):.1f} times that beside"
                          for part in (0.5, 0.99)), file=sys.stderr)
        self.check_whole()


if __name__ == "__main__":
    unittest.main()
