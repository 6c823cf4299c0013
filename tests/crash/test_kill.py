# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at sampled state-changing system calls of a real run. Afterwards las must show the old or the
new state, never something between, and the next run must finish or undo what was begun.

LAS_CRASH_POINTS sets how many points are sampled per kind of transaction (default 12)."""
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from harness import Case, archive, sha256  # noqa: E402

POINTS = int(os.environ.get("LAS_CRASH_POINTS", "12"))
CALLS = "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,symlink,symlinkat,link,linkat,fsync,fdatasync,syncfs,pwrite64,msync,write"


class Kill(Case):
    def setUp(self):
        super().setUp()
        for version in ("1", "2"):
            content = archive([("tool", f"#!/bin/sh\necho {version}\n".encode()),
                               *[(f"share/file{i}", os.urandom(4096)) for i in range(20)]])
            (self.folder / f"{version}.tgz").write_bytes(content)
        self.write_manifest("1")

    def write_manifest(self, newest):
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True, exist_ok=True)
        releases = ""
        for version in ("2", "1") if newest == "2" else ("1",):
            file = self.folder / f"{version}.tgz"
            releases += (f"- version: '{version}'\n  variants:\n  - name: any\n    sources:\n"
                         f"    - archive: {{url: 'file://{file}', digest: 'sha256:{sha256(file.read_bytes())}'}}\n"
                         "      executables: {tool: tool}\n")
        (folder / "demo.yaml").write_text("schema: 1\nname: demo\ncategory: tool\n"
                                          f"version: '{newest}'\ndescription: a test tool\nreleases:\n{releases}")

    def strace(self, arguments, *, kill_at=None):
        """Runs las under strace, killed at the n-th of one call if wished; returns the log and the status."""
        log = self.folder / "strace.log"
        command = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}"]
        if kill_at is not None:
            call, number = kill_at
            command += ["-e", f"inject={call}:signal=SIGKILL:when={number}"]
        result = subprocess.run(command + self.command(*arguments), capture_output=True, text=True,
                                env=self.environment, timeout=120)
        if result.returncode not in (0, 137, -9):
            self.fail(f"{arguments}: {result.returncode}\n{result.stderr}")
        return log.read_text(), result.returncode

    def points(self, log):
        """Evenly sampled (call, n-th of that call) pairs of a recorded run."""
        seen, all_points = {}, []
        for line in log.splitlines():
            match = re.match(r"\d+\s+(\w+)\(", line)
            if match and match[1] in CALLS.split(","):
                seen[match[1]] = seen.get(match[1], 0) + 1
                all_points.append((match[1], seen[match[1]]))
        count = min(POINTS, len(all_points))
        # The last calls matter most: commit and converge are there.
        chosen = {round(i * (len(all_points) - 1) / max(1, count - 1)) for i in range(count)}
        return [all_points[i] for i in sorted(chosen)], len(all_points)

    def state(self):
        """What a user can see: version in the records, what the current link runs, verify's findings
        except that a run was interrupted."""
        modules = self.las_json("list")["modules"]
        version = modules[0]["version"] if modules else None
        tool = self.root / "var/lib/las/current/bin/tool"
        runs = subprocess.run([tool], capture_output=True, text=True).stdout.strip() if tool.exists() else None
        findings = json.loads(subprocess.run(self.command("verify", "--json"), capture_output=True, text=True,
                                             env=self.environment).stdout)["findings"]
        return version, runs, sorted(f["id"] for f in findings)

    def sweep(self, name, arguments, prepare, old, new):
        prepare()
        log, status = self.strace(arguments)
        self.assertEqual(status, 0)
        self.assertEqual(self.state(), (new, new, []))
        points, total = self.points(log)
        outcomes = {"old": 0, "new": 0}
        for point in points:
            with self.subTest(transaction=name, killed_at=point):
                prepare()
                _, status = self.strace(arguments, kill_at=point)
                if status == 0:
                    self.assertEqual(self.state()[:2], (new, new))
                    continue
                version, runs, findings = self.state()
                self.assertIn(version, (old, new))
                # Between commit and the flip of the link the records are ahead; verify says so.
                if runs != version:
                    self.assertIn("current-link-wrong", findings)
                self.assertLessEqual(set(findings), {"run-interrupted", "current-link-wrong"})
                # Any command that changes something recovers first, even one that then fails.
                recovery = self.las("start", "none", status=1).stderr
                if "run-interrupted" in findings:
                    self.assertIn("interrupted run", recovery)
                after, runs, findings = self.state()
                self.assertEqual(findings, [])
                self.assertEqual(after, runs)
                outcomes["old" if after == old else "new"] += 1
                leftovers = list((self.root / "var/lib/las/store/.staging").iterdir())
                self.assertEqual(leftovers, [])
        print(f"\n{name}: {len(points)} of {total} points killed: {outcomes}", file=sys.stderr)

    def reset(self):
        subprocess.run(["rm", "-rf", str(self.root / "var"), str(self.root / "run")], check=True)

    def test_a_killed_install_is_all_or_nothing(self):
        self.sweep("install", ["install", "--yes", "demo"], self.reset, None, "1")

    def test_a_killed_remove_is_all_or_nothing(self):
        def prepare():
            self.reset()
            self.las("install", "--yes", "demo")

        self.sweep("remove", ["remove", "--yes", "demo"], prepare, "1", None)

    def test_a_killed_rollback_is_all_or_nothing(self):
        def prepare():
            self.reset()
            self.las("install", "--yes", "demo")

        self.sweep("rollback", ["rollback", "--yes"], prepare, "1", None)


if __name__ == "__main__":
    unittest.main()
