# SPDX-License-Identifier: Apache-2.0
"""Failures that other package managers are known for, each tried on las: answers of "no", a rollback that
cannot fetch again, cut caches, stale locks, probes that hang, progress mixed into JSON, deep graphs."""
import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))
from driver import archive, sha256  # noqa: E402
from harness import Case, StandInHost  # noqa: E402
from test_proof import Engines  # noqa: E402


class AnsweredNo(Engines):
    """mamba#3437: answered "n", still removed."""

    def answered(self, answer, *arguments):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.command(*arguments), stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment)
        if answer is None:
            os.write(ours, b"\x04")  # end of file
        else:
            os.write(ours, answer)
        _, errors = process.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        return process.returncode, errors.decode()

    def test_no_command_that_asks_does_it_after_a_no(self):
        self.serve()
        self.offer(release_1="well", release_2="well")
        self.las("upgrade", "--yes")
        upgrade = self.last()["id"]
        self.offer(release_1="well", release_2="well", release_3="well")
        self.las("lock", "-o", self.folder / "las.lock")
        (self.folder / "las.yaml").write_text("schema: 1\n")
        self.las("hold", "demo")
        self.las("unhold", "demo")
        (self.state / "generations/99").mkdir()  # something to repair
        before, view = self.tree(), self.view()
        for arguments in (["upgrade"], ["install", "demo=3"], ["install", "--reinstall", "demo"], ["remove", "demo"],
                          ["purge", "demo"], ["rollback"], ["rollback", "1"], ["undo", upgrade], ["gc", "--keep", "1"],
                          ["repair"], ["apply", "--prune", self.folder / "las.yaml"], ["model", "remove", "tiny"],
                          ["serve", "tiny", "--name", "second"]):
            for answer in (b"n\n", b"NO\n", b"what\nn\n", None):
                with self.subTest(arguments=arguments, answer=answer):
                    status, errors = self.answered(answer, *arguments)
                    self.assertNotEqual(status, 0, errors)
                    self.assertEqual(self.tree(), before)
        self.assertEqual(self.view(), view)
        self.assertEqual(self.answered(b"y\n", "repair")[0], 0)  # and a yes is a yes
        self.check_whole()


class Rollback(Engines):
    """mamba#2836: a rollback that does nothing, or cannot fetch again."""

    def test_it_needs_no_network_no_cache_and_no_catalog(self):
        self.serve()
        self.offer(release_1="well", release_2="well")
        self.las("upgrade", "--yes")
        self.las("clean", "--yes")
        for file in self.folder.glob("*.tgz"):
            file.unlink()
        (self.root / "etc/las/manifests.d/demo.yaml").unlink()
        self.las("rollback", "--yes")
        self.assertEqual(self.view()["services"], [("tiny", "running", "running", self.port, "1")])
        self.las("rollback", "--yes", "3")
        self.assertEqual(self.view()["services"], [("tiny", "running", "running", self.port, "2")])
        self.check_whole()

    def test_one_whose_payload_is_gone_is_refused_before_anything_is_changed(self):
        self.serve()
        self.offer(release_1="well", release_2="well")
        self.las("upgrade", "--yes")
        shutil.rmtree(next((self.state / "store").glob("demo-1-*")))
        before = self.view()
        error = self.las("rollback", "--yes", status=1).stderr
        self.assertIn("demo-1-", error)
        self.assertIn("las install", error)
        self.assertEqual(self.view(), before)
        self.check_whole()


class CutCache(Case):
    """pixi#434: a cached index is cut off, and every later run fails until somebody deletes it."""

    def setUp(self):
        super().setUp()
        content = archive([("tool", b"#!/bin/sh\n")])
        self.archive = self.folder / "t.tgz"
        self.archive.write_bytes(content)
        for name in ("demo", "other"):
            self.manifest(name, f"file://{self.archive}", sha256(content), executables=())
        self.cache = self.root / "var/cache/las"

    def test_a_cut_or_spoilt_cache_of_the_catalog_is_made_anew(self):
        self.las("install", "--yes", "demo")
        self.las("list", "--available")
        file = self.cache / "catalog/data.mdb"
        whole = file.read_bytes()
        spoilt = {f"cut to {size}": whole[:size] for size in (0, 1, 100, 4096, 8192, 12288, len(whole) // 2, len(whole) - 1)}
        spoilt |= {"zeros": bytes(len(whole)), "garbage": os.urandom(len(whole)),
                   "one page of zeros": whole[:16384] + bytes(4096) + whole[20480:]}
        for how, content in spoilt.items():
            with self.subTest(cache=how):
                file.write_bytes(content)
                (self.cache / "catalog/lock.mdb").unlink(missing_ok=True)
                available = {m["name"] for m in self.las_json("list", "--available")["modules"]}
                self.assertLessEqual({"demo", "other"}, available)
                self.assertEqual(self.las_json("plan", "other")["plan"]["actions"][0]["subject"], "other")
                self.las("install", "--yes", "other")
                self.las("remove", "--yes", "other")
                self.las("verify")

    def test_a_cache_that_cannot_be_a_folder_or_be_written_costs_time_only(self):
        for make in (lambda path: path.write_text("a file"), lambda path: path.symlink_to("/nonexistent/place"),
                     lambda path: path.symlink_to("/proc/self")):
            shutil.rmtree(self.cache, ignore_errors=True)
            self.cache.mkdir(parents=True)
            make(self.cache / "catalog")
            self.assertEqual(self.las_json("plan", "other")["plan"]["actions"][0]["subject"], "other")
            (self.cache / "catalog").unlink()

    def test_a_download_in_the_cache_that_is_cut_or_changed_is_fetched_again(self):
        content = self.archive.read_bytes()
        host = StandInHost({"/t.tgz": content})
        self.addCleanup(host.close)
        self.manifest("demo", f"{host.url}/t.tgz", sha256(content), executables=())
        self.las("install", "--yes", "demo")
        cached, = (self.cache / "downloads").glob("sha256-*")
        for spoilt in (b"", content[:10], content[:-1], bytes(len(content)), content + b"x"):
            with self.subTest(length=len(spoilt)):
                cached.chmod(0o644)
                cached.write_bytes(spoilt)
                shutil.rmtree(next((self.root / "var/lib/las/store").glob("demo-*")))  # else nothing is fetched
                self.las("install", "--reinstall", "--yes", "demo")
                self.las("verify")
                self.assertEqual(cached.read_bytes(), content)


class StaleLock(Case):
    """pacman, brew#1155: the lock of a process that is gone keeps everybody out; and lock calls that wait
    without end (NFS)."""

    def setUp(self):
        super().setUp()
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content), executables=())
        self.las("install", "--yes", "demo")
        self.lock = self.root / "var/lib/las/lock"

    def test_what_a_lock_file_says_keeps_nobody_out(self):
        for content in (b"", b"1\n", b'{"pid": 1}', f'{{"pid": {os.getpid()}}}'.encode(), os.urandom(1000), bytes(100000)):
            with self.subTest(content=content[:20]):
                self.lock.write_bytes(content)
                self.las("hold", "demo")
                self.las("unhold", "demo")
        self.lock.unlink()
        self.las("hold", "demo")

    def test_the_lock_of_a_killed_run_is_free_at_once(self):
        begun, release = threading.Event(), threading.Event()

        def stall(_):
            begun.set()
            release.wait(60)

        host = StandInHost({"/t.tgz": stall})
        self.addCleanup(host.close)
        self.addCleanup(release.set)
        self.manifest("slow", f"{host.url}/t.tgz", 64 * "0")
        process = subprocess.Popen(self.command("install", "--yes", "slow"), env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(begun.wait(60))
        self.las("hold", "demo", status=5)
        process.kill()
        process.wait()
        self.assertIn("interrupted", self.las("hold", "demo").stderr)
        self.las("verify")

    @unittest.skipUnless(shutil.which("strace"), "needs strace")
    def test_no_call_for_the_lock_waits_in_the_kernel(self):
        log = self.folder / "calls"
        subprocess.run(["strace", "-f", "-e", "trace=flock,fcntl", "-o", log, *self.command("hold", "demo")],
                       env=self.environment, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        text = log.read_text()
        locks = [line for line in text.splitlines() if "flock(" in line and "LOCK_UN" not in line]
        self.assertTrue(locks)
        self.assertEqual([line for line in locks if "LOCK_NB" not in line], [])


class OneDocument(Engines):
    """mamba#4201, #4284: progress and JSON mixed; success where it failed. dnf5#1137: goes on after Ctrl-C."""

    def judge(self, arguments, status):
        result = subprocess.run(self.command(*arguments, "--json", "--progress=json", "-v"), capture_output=True,
                                text=True, stdin=subprocess.DEVNULL, env=self.environment, timeout=120)
        told = result.stdout + result.stderr
        self.assertEqual(result.returncode, status, told)
        document = json.loads(result.stdout)
        self.assertIsInstance(document, dict)
        self.assertEqual(document["schema"], 1)
        for line in result.stderr.splitlines():
            if line.startswith("{"):
                self.assertIsInstance(json.loads(line), dict)
        if status != 0 and "error" in document:
            self.assertIs(document["success"], False)
            self.assertEqual(document["error"]["exit_status"], status)
            self.assertTrue(document["error"]["message"])
        elif "success" in document:
            self.assertIs(document["success"], status == 0)
        return document, result.stderr

    def test_standard_output_is_one_document_whatever_is_said_beside_it(self):
        self.offer(release_1="well")
        self.las("model", "import", self.folder / "tiny.gguf")
        for arguments in (["install", "--yes", "demo"], ["serve", "--yes", "tiny", "--port", self.port], ["list"],
                          ["status"], ["history"], ["verify"], ["verify", "--deep"], ["doctor"], ["health"], ["plan", "demo"],
                          ["show", "demo"], ["detect"], ["audit"], ["audit", "verify"], ["gc", "--dry-run"],
                          ["gc", "--yes", "--keep", "1"], ["repair", "--yes"], ["diff", "2", "2"], ["stop", "tiny"],
                          ["start", "tiny"], ["hold", "demo"], ["unhold", "demo"], ["model", "list"], ["clean", "--yes"],
                          ["install", "--reinstall", "--yes", "demo"], ["upgrade", "--yes"], ["outdated"],
                          ["rollback", "--dry-run"], ["remove", "--yes", "demo"], ["purge", "--yes", "demo"]):
            with self.subTest(command=arguments):
                self.judge(arguments, 0)

    def test_every_failure_says_success_false_with_its_status(self):
        self.serve()
        self.offer("1s", release_1="well", release_2="sick")
        self.manifest("gone", "http://127.0.0.1:9/t.tgz", 64 * "0", executables=())
        content = archive([("tool", b"x")])
        (self.folder / "wrong.tgz").write_bytes(content)
        self.manifest("wrong", f"file://{self.folder}/wrong.tgz", 64 * "0", executables=())
        for arguments, status in ((["install", "--yes", "absent"], 1), (["install", "demo", "--nonsense"], 2),
                                  (["install", "--yes", "demo=9"], 4), (["install", "--yes", "gone"], 7),
                                  (["install", "--yes", "wrong"], 6), (["upgrade", "--yes"], 8), (["undo", "--yes", "x"], 1),
                                  (["rollback", "--yes", "99"], 1), (["diff", "1", "x"], 2), (["log", "x"], 1),
                                  (["gc", "--keep", "0"], 2), (["audit", "verify", "--head", "x"], 6),
                                  (["start", "absent"], 1), (["model", "import", "/nonexistent"], 1),
                                  (["remove", "--yes", "absent"], 1), (["repair", "extra"], 2)):
            with self.subTest(command=arguments):
                self.judge(arguments, status)

    def test_progress_is_one_event_a_line_and_never_on_standard_output(self):
        self.offer(release_1="well")
        _, errors = self.judge(["install", "--yes", "demo"], 0)
        events = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
        self.assertTrue(events)
        self.assertTrue(all("event" in event or "type" in event for event in events), events[:2])

    def test_ctrl_c_is_told_to_a_script_and_nothing_goes_on(self):
        begun, release = threading.Event(), threading.Event()

        def stall(_):
            begun.set()
            release.wait(60)

        host = StandInHost({"/t.tgz": stall})
        self.addCleanup(host.close)
        self.addCleanup(release.set)
        self.manifest("slow", f"{host.url}/t.tgz", 64 * "0")
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            begun.clear()
            process = subprocess.Popen(self.command("install", "--yes", "slow", "--json", "--progress=json"), text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
            self.assertTrue(begun.wait(60))
            process.send_signal(number)
            output, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, status, errors)
            document = json.loads(output)
            self.assertEqual((document["success"], document["error"]["exit_status"]), (False, status))
            self.assertEqual(self.las_json("list")["modules"], [])
            self.assertEqual(self.last()["outcome"], "interrupted")
            self.check_whole()


class GpuProbe(Case):
    """pixi#2430: a GPU driver that does not answer blocks every command. The driver is a stand-in library whose
    first call never returns; that there is a driver at all is shown in a mount namespace of its own."""

    LIBRARY = """#include <unistd.h>
int nvmlInit_v2(void) { for (;;) pause(); }
#define STUB(name) int name(void) { return 1; }
STUB(nvmlShutdown) STUB(nvmlErrorString) STUB(nvmlSystemGetCudaDriverVersion_v2) STUB(nvmlDeviceGetCount_v2)
STUB(nvmlDeviceGetHandleByIndex_v2) STUB(nvmlDeviceGetName) STUB(nvmlDeviceGetUUID) STUB(nvmlDeviceGetPciInfo_v3)
STUB(nvmlDeviceGetMemoryInfo) STUB(nvmlDeviceGetCudaComputeCapability)
"""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or not shutil.which("unshare") or not os.path.isdir("/proc/driver"):
            self.skipTest("needs root, unshare and /proc/driver")
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            self.skipTest("needs a C compiler for the stand-in driver")
        (self.folder / "nvml.c").write_text(self.LIBRARY)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", self.folder / "libnvidia-ml.so.1", self.folder / "nvml.c"],
                       check=True)
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content), executables=())

    def with_driver(self, *arguments):
        words = " ".join(f"'{word}'" for word in self.command(*arguments))
        begun = time.monotonic()
        result = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc/driver && mkdir /proc/driver/nvidia "
                                 f"&& exec timeout -s KILL 15 {words}"], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, env=self.environment | {"LD_LIBRARY_PATH": str(self.folder)})
        return result, time.monotonic() - begun

    def test_commands_that_need_no_gpu_do_not_ask_it(self):
        for command in (["list"], ["status"], ["history"], ["--version"], ["audit"]):
            with self.subTest(command=command):
                result, seconds = self.with_driver(*command)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertLess(seconds, 3)

    def test_those_that_do_go_on_without_an_answer_and_say_so(self):
        result, seconds = self.with_driver("install", "--yes", "demo")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLess(seconds, 15)
        result, _ = self.with_driver("detect", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("NVML", result.stdout)

    def test_a_program_that_hangs_when_asked_for_its_version_is_given_up(self):
        tools = self.folder / "tools"
        tools.mkdir()
        for name in ("podman", "docker", "nvidia-smi", "nvcc", "node", "python3", "rocminfo", "vulkaninfo", "git"):
            (tools / name).write_text("#!/bin/sh\nexec sleep 1000\n")
            (tools / name).chmod(0o755)
        begun = time.monotonic()
        path = f"{tools}:{os.environ['PATH']}"
        self.las("list", PATH=path)
        self.assertLess(time.monotonic() - begun, 3)
        self.las("install", "--yes", "demo", PATH=path)
        self.las("detect", PATH=path)
        self.assertLess(time.monotonic() - begun, 60)
        left = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and self.runs(entry, tools)]
        self.assertEqual(left, [])

    @staticmethod
    def runs(entry, tools):
        with contextlib.suppress(OSError):
            return str(tools).encode() in (entry / "cmdline").read_bytes()
        return False


class DeepGraph(Case):
    """apt, apk, xbps, pacman: a deep graph ends in a crash, in "too deep", or takes quadratic time."""

    COUNT = int(os.environ.get("LAS_DEEP_GRAPH", "2000"))

    def write_chain(self, count):
        digest = sha256(self.archive.read_bytes())
        folder = self.root / "etc/las/manifests.d"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for number in range(count):
            needs = f"dependencies: {{modules: [m{number + 1}]}}\n" if number + 1 < count else ""
            (folder / f"m{number}.yaml").write_text(
                f"schema: 1\nname: m{number}\ncategory: tool\ndescription: a link of a chain\n{needs}releases:\n"
                f"- version: '1'\n  variants:\n  - name: any\n    sources:\n"
                f"    - archive: {{url: 'file://{self.archive}', digest: 'sha256:{digest}'}}\n")

    def plan(self):
        begun = time.monotonic()
        result = subprocess.run(self.command("plan", "m0", "--json"), capture_output=True, text=True, env=self.environment,
                                stdin=subprocess.DEVNULL, timeout=600)
        self.assertEqual(result.returncode, 0, result.stderr[-500:])
        return json.loads(result.stdout)["plan"]["actions"], time.monotonic() - begun

    def test_a_chain_is_planned_in_its_order_and_in_a_time_that_grows_with_its_length(self):
        self.archive = self.folder / "t.tgz"
        self.archive.write_bytes(archive([("tool", b"#!/bin/sh\n")]))
        seconds = {}
        for count in (self.COUNT // 4, self.COUNT):
            self.write_chain(count)
            self.plan()  # compiles the catalog
            actions, seconds[count] = self.plan()
            self.assertEqual([action["subject"] for action in actions], [f"m{n}" for n in reversed(range(count))])
        print(f"\na chain of {self.COUNT} is planned in {seconds[self.COUNT]:.2f} s, "
              f"{seconds[self.COUNT] / seconds[self.COUNT // 4]:.1f} times one of a quarter", file=sys.stderr)
        self.assertLess(seconds[self.COUNT] / seconds[self.COUNT // 4], 10)  # 16 would be quadratic
        # And back: what nobody needs any more goes in one step, the last of them first.
        if self.COUNT <= 2000:
            self.write_chain(100)
            self.las("install", "--yes", "m0")
            self.assertEqual(len(self.las_json("list")["modules"]), 100)
            self.las("remove", "--yes", "m0")
            self.assertEqual(self.las_json("list")["modules"], [])
            self.las("verify")


if __name__ == "__main__":
    unittest.main()
