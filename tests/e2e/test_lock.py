# SPDX-License-Identifier: Apache-2.0
"""A machine as a document (las lock) and a document made true (las apply): what CI provisioning scripts
use. The engine is the stand-in of test_messages, a loopback web server; everything else is real."""
import hashlib
import json
import os
import re
import socket
import subprocess
import unittest
from pathlib import Path

from harness import Case, StandInHost, archive, end_process, sha256
from test_messages import ENGINE, SERVICE, small_model

ENGINE_OPTIONS = SERVICE.replace('["{exe.tool}", "{port}"]', '["{exe.tool}", "{port}", "{option.context}"]') + """\
options:
- {name: context, type: integer, description: tokens, default: "2048"}
"""


POINTS = int(os.environ.get("LAS_CRASH_POINTS", "12"))
CALLS = "rename,unlink,unlinkat,mkdir,symlink,fsync,fdatasync,pwrite64,write"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bench(Case):
    """Two machines: self.root and self.other, with the same catalog. `on` chooses one."""

    def setUp(self):
        super().setUp()
        self.first = self.root
        self.other = self.folder / "other"
        self.other.mkdir()
        self.contents = {}
        for name, files in {"engine": [("tool", ENGINE.encode())],
                            "demo-1": [("demo", b"#!/bin/sh\necho 1\n")],
                            "demo-2": [("demo", b"#!/bin/sh\necho 2\n")],
                            "base-1": [("base", b"#!/bin/sh\necho base\n")]}.items():
            self.contents[name] = archive(files)
        self.host = StandInHost({f"/{name}.tgz": content for name, content in self.contents.items()})
        self.addCleanup(self.host.close)
        self.model = self.folder / "files/tiny.gguf"
        self.model.parent.mkdir()
        self.model.write_bytes(small_model("tiny"))
        for root in (self.first, self.other):
            self.on(root)
            self.catalog()
        self.on(self.first)

    def publish(self, name, content):
        """The publisher's host gives these bytes, and its sums say so."""
        self.host.files[f"/{name}.tgz"] = content
        self.host.files["/sums"] = f"{sha256(content)}  {name}.tgz\n".encode()

    def on(self, root):
        self.root = root
        self.environment["LAS_ROOT"] = str(root)

    def catalog(self, demo=("2", "1"), digests={}, needs="", variant="any"):
        """`digests`: what the manifests say instead of the truth; None: what the publisher's sums say."""
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True, exist_ok=True)

        def release(version, name, tool):
            digest = digests.get(name, "sha256:" + sha256(self.contents[name]))
            line = (f"digest: '{digest}'" if digest else
                    f"checksum: {{url: '{self.host.url}/sums', format: sums}}")
            return (f"- version: '{version}'\n  variants:\n  - name: {variant}\n{needs}    sources:\n"
                    f"    - archive: {{url: '{self.host.url}/{name}.tgz', {line}}}\n"
                    f"      executables: {{{tool}: {tool}}}\n")

        def manifest(name, newest, releases, extra=""):
            (folder / f"{name}.yaml").write_text(
                f"schema: 1\nname: {name}\ncategory: tool\nversion: '{newest}'\ndescription: a test module\n"
                f"{extra}releases:\n{releases}")

        manifest("engine", "1", release("1", "engine", "tool"), ENGINE_OPTIONS)
        manifest("base", "1", release("1", "base-1", "base"))
        manifest("demo", demo[0], "".join(release(v, f"demo-{v}", "demo") for v in demo),
                 "dependencies: {modules: [base]}\n")

    def furnish(self):
        """A machine with two user modules, a dependency, a model and a served model."""
        self.las("install", "--yes", "engine", "demo=1")
        self.las("model", "import", self.model, "--name", "tiny")
        self.las("serve", "--yes", "tiny", "--port", str(free_port()), "--name", "chat")

    def locked(self):
        file = self.folder / "files/las.lock"
        self.las("lock", "-o", file)
        return file

    def modules(self):
        return {m["name"]: m["version"] for m in self.las_json("list")["modules"]}

    def service(self, name="chat"):
        return next((s for s in self.las_json("status")["services"] if s["name"] == name), None)

    def yaml(self, text, name="las.yaml"):
        file = self.folder / "files" / name
        file.write_text(text)
        return file

    def drift(self, file, *arguments):
        result = self.las_json("apply", file, "--check", *arguments, status=10)
        self.assertTrue(result["drift"])
        return {(d["kind"], d["subject"], d["what"]) for d in result["differences"] if d["drift"]}

    def assert_refused(self, file, status, *words, arguments=()):
        before, generation = self.tree(), self.las_json("list")["generation"]
        result = self.las("apply", "--yes", file, *arguments, status=status)
        for word in (*words, "hint: "):
            self.assertIn(word, result.stderr)
        self.assertEqual(self.las_json("list")["generation"], generation)
        after = {k: v for k, v in self.tree().items()
                 if k not in ("var/lib/las/store", "var/lib/las/store/.staging", "var/lib/las/generations")}
        self.assertEqual(after, before)
        return result


class Lock(Bench):
    def test_an_empty_machine_becomes_the_same_to_the_byte(self):
        self.furnish()
        file = self.locked()
        text = file.read_text()
        for word in ("demo-1.tgz", sha256(self.contents["demo-1"]), sha256(self.model.read_bytes()), "reason: dependency",
                     "architecture:", "tiers.yaml"):
            self.assertIn(word, text)
        self.assertNotIn(str(self.folder), text)
        self.assertEqual(self.las("lock").stdout, text)
        self.assertEqual(self.las_json("lock")["lock"]["kind"], "lock")
        self.las("stop", "chat")  # its port is wanted elsewhere now
        self.assertEqual(self.drift(file), {("service", "chat", "state")})

        self.on(self.other)
        before = self.tree()
        differences = self.drift(file)
        self.assertIn(("module", "demo", "missing"), differences)
        self.assertIn(("service", "chat", "missing"), differences)
        plan = self.las_json("apply", file, "--dry-run")
        self.assertEqual([m["name"] for m in plan["models"]], ["tiny"])
        self.assertEqual(self.tree(), before)
        self.las("apply", "--yes", file)
        self.assertEqual(self.las("lock").stdout, text)
        self.las("apply", file, "--check")
        self.assertEqual(self.service()["state"], "running")
        self.las("verify", "--deep")
        operations = self.las_json("history")["operations"]
        self.assertEqual([o["outcome"] for o in operations], ["done"])
        self.assertEqual(operations[0]["changes"][0], "import model tiny")
        self.assertEqual(self.las_json("list")["generation"], 1)

        # Nothing to do, and nothing asked: no terminal and no --yes.
        pid, tree = self.service()["pid"], self.tree()
        self.assertIn("Nothing to do.", self.las("apply", file).stderr)
        self.assertEqual((self.service()["pid"], self.tree()), (pid, tree))

    def test_every_kind_of_drift_is_seen_and_settled(self):
        self.furnish()
        file = self.locked()
        text = file.read_text()

        def settle(*expected):
            self.assertEqual(self.drift(file), set(expected))
            self.las("apply", "--yes", file)
            self.assertEqual(self.las("lock").stdout, text)

        self.las("upgrade", "--yes", "demo")
        self.assertEqual(self.modules()["demo"], "1")  # the wish was for 1
        self.las("install", "--yes", "demo@>=2")
        settle(("module", "demo", "version"), ("wish", "demo", "wish"))
        self.las("install", "--yes", "base")
        settle(("module", "base", "reason"), ("wish", "base", "extra"))
        self.las("stop", "chat")
        settle(("service", "chat", "state"))
        end_process(self.service()["pid"], os.killpg)
        settle(("service", "chat", "state"))
        self.las("remove", "--yes", "demo")
        settle(("module", "demo", "missing"), ("module", "base", "missing"), ("wish", "demo", "missing"))
        self.las("remove", "--yes", "engine")
        settle(("module", "engine", "missing"), ("wish", "engine", "missing"), ("service", "chat", "missing"))
        self.las("serve", "--yes", "tiny", "--name", "second")
        self.las("serve", "--yes", "tiny", "--name", "chat", "--port", str(free_port()))
        settle(("service", "chat", "port"), ("service", "second", "extra"))

    def test_what_the_lock_does_not_name_is_removed_and_models_only_when_pruned(self):
        self.las("install", "--yes", "base")
        file = self.locked()
        text = file.read_text()
        self.furnish()
        self.las("apply", "--yes", file)
        self.assertEqual(self.modules(), {"base": "1"})
        self.assertEqual(self.las_json("status")["services"], [])
        self.assertEqual([m["name"] for m in self.las_json("model", "list")["models"]], ["tiny"])
        self.las("apply", file, "--check")
        self.assertEqual(self.drift(file, "--prune"), {("model", "tiny", "extra")})
        self.las("apply", "--yes", "--prune", file)
        self.assertEqual(self.las("lock").stdout, text)

    def test_other_bytes_than_the_locks_are_refused_and_nothing_changes(self):
        self.las("install", "--yes", "demo=1")
        file = self.locked()
        self.on(self.other)
        # The catalog names other bytes than the lock: known before anything is fetched.
        self.catalog(digests={"demo-1": "sha256:" + "0" * 64})
        self.las("verify")
        self.assert_refused(file, 6, "demo-1.tgz", "0" * 64, sha256(self.contents["demo-1"]))
        # The catalog does not say, and the publisher delivers other bytes.
        self.catalog(digests={"demo-1": None})
        self.publish("demo-1", archive([("demo", b"#!/bin/sh\necho replaced\n")]))
        self.assert_refused(file, 6, sha256(self.contents["demo-1"]))
        self.publish("demo-1", self.contents["demo-1"])
        self.las("apply", "--yes", file)
        self.assertEqual(self.las("lock").stdout, file.read_text())

    def test_an_installed_module_of_other_bytes_is_got_anew(self):
        self.catalog(digests={"demo-1": None})
        self.publish("demo-1", self.contents["demo-1"])
        self.las("install", "--yes", "demo=1")
        file = self.locked()
        self.on(self.other)
        self.catalog(digests={"demo-1": None})
        self.publish("demo-1", archive([("demo", b"#!/bin/sh\necho replaced\n")]))
        self.las("install", "--yes", "demo=1")
        self.publish("demo-1", self.contents["demo-1"])
        self.assertEqual(self.drift(file), {("module", "demo", "artifacts")})
        self.las("apply", "--yes", file)
        self.assertEqual(self.las("lock").stdout, file.read_text())
        tool = self.other / "var/lib/las/current/bin/demo"
        self.assertEqual(subprocess.run([tool], capture_output=True, text=True).stdout, "1\n")

    def test_another_model_than_the_locks_is_refused_and_nothing_changes(self):
        self.furnish()
        file = self.locked()
        self.las("stop", "chat")
        self.on(self.other)
        self.las("verify")
        self.model.write_bytes(small_model("other"))
        self.assert_refused(file, 6, "tiny.gguf", "wanted sha256:")
        self.model.unlink()
        self.assert_refused(file, 1, "tiny (tiny.gguf)", "--models DIR")
        # Another machine's library will do.
        self.las("apply", "--yes", "--models", self.first / "var/lib/las/models/blobs", file)
        self.assertEqual(self.service()["state"], "running")
        self.assertEqual(self.las("lock").stdout, file.read_text())

    def test_a_model_that_is_here_under_another_name_needs_no_file(self):
        self.las("model", "import", self.model, "--name", "tiny")
        file = self.locked()
        self.on(self.other)
        self.las("model", "import", self.model, "--name", "first")
        self.model.unlink()
        self.las("apply", "--yes", file)
        self.las("apply", "--check", file)
        self.las("verify", "--deep")

    def test_a_model_with_other_content_under_the_locks_name_is_replaced(self):
        self.furnish()
        file = self.locked()
        text = file.read_text()
        other = self.folder / "other.gguf"
        other.write_bytes(small_model("another content"))
        self.on(self.other)
        self.las("install", "--yes", "engine")
        self.las("model", "import", other, "--name", "tiny")
        self.las("serve", "--yes", "tiny", "--name", "chat", "--port", str(free_port()))
        self.assertEqual({d for d in self.drift(file) if d[0] in ("model", "service")},
                         {("model", "tiny", "digest"), ("service", "chat", "model_digest"), ("service", "chat", "port")})
        self.on(self.first)
        self.las("stop", "chat")
        self.on(self.other)
        self.las("apply", "--yes", file)
        self.assertEqual(self.las("lock").stdout, text)
        self.las("verify", "--deep")

    def test_a_release_that_the_catalog_lost_is_named_with_what_to_type(self):
        self.las("install", "--yes", "demo=1")
        file = self.locked()
        self.on(self.other)
        self.catalog(demo=("2",))
        self.las("verify")
        self.assert_refused(file, 4, "demo 1: the catalog has 2", "las install demo")
        self.catalog(variant="cpu")
        self.assert_refused(file, 4, "the catalog has no variant any")
        (self.other / "etc/las/manifests.d/demo.yaml").unlink()
        self.assert_refused(file, 4, "demo: the catalog has no such module")
        # What is installed already needs no catalog.
        self.on(self.first)
        self.catalog(demo=("2",))
        self.las("install", "--yes", "engine")
        self.las("apply", "--yes", file)
        self.assertEqual(self.modules(), {"base": "1", "demo": "1"})

    def test_a_lock_of_another_machine_is_refused_with_both_facts(self):
        self.las("install", "--yes", "demo=1")
        file = self.locked()
        text = file.read_text()
        machine = os.uname().machine
        other = "aarch64" if machine == "x86_64" else "x86_64"
        self.on(self.other)
        self.las("verify")
        file.write_text(text.replace(f"architecture: {machine}", f"architecture: {other}"))
        self.assert_refused(file, 4, "another machine", other, machine)
        self.las("apply", file, "--check", status=4)
        file.write_text(text.replace("machine:\n", "machine:\n  gpu_vendor: nvidia\n  compute_capability_min: \"7.5\"\n"
                                                   "  vram_min: 24GB\n  glibc_min: \"99\"\n"))
        profile = self.folder / "profile.json"
        self.las("detect", "--save", profile)
        facts = json.loads(profile.read_text())
        facts["gpus"] = {"value": [], "origin": "test"}
        profile.write_text(json.dumps(facts))
        self.assert_refused(file, 4, "NVIDIA GPU", "glibc >= 99", "this machine has",
                            arguments=("--hardware", str(profile)))

    def test_a_lock_says_what_its_builds_need_of_a_machine(self):
        self.catalog(needs="    hardware: {cpu: {architectures: [" + os.uname().machine + "]}, glibc_min: '2.17'}\n")
        self.las("install", "--yes", "demo=1")
        self.assertIn('  glibc_min: "2.17"\n', self.las("lock").stdout)

    def strace(self, arguments, *inject):
        log = self.folder / "strace.log"
        # Not with -f: what las starts as a service is to live on.
        command = ["strace", "-qq", "-o", str(log), "-e", f"trace={CALLS}", *inject]
        result = subprocess.run(command + self.command(*arguments), capture_output=True, text=True,
                                env=self.environment, timeout=120)
        self.assertIn(result.returncode, (0, 137, -9), result.stderr)
        return log.read_text(), result.returncode

    def test_a_killed_apply_is_finished_by_the_next(self):
        self.host.server.handle_error = lambda *_: None  # connections of the killed
        self.furnish()
        file = self.locked()
        text = file.read_text()
        self.las("stop", "chat")
        self.on(self.other)
        log, status = self.strace(["apply", "--yes", file])
        self.assertEqual(status, 0)
        seen, points = {}, []
        for line in log.splitlines():
            if match := re.match(r"(\w+)\(", line):
                seen[match[1]] = seen.get(match[1], 0) + 1
                points.append((match[1], seen[match[1]]))
        count = min(POINTS, len(points))
        states = set()
        for point in {points[round(i * (len(points) - 1) / max(1, count - 1))] for i in range(count)}:
            with self.subTest(killed_at=point):
                self.las("stop", "chat")
                subprocess.run(["rm", "-rf", str(self.other / "var"), str(self.other / "run")], check=True)
                self.strace(["apply", "--yes", file], "-e", f"inject={point[0]}:signal=SIGKILL:when={point[1]}")
                # All modules and services or none; models come before.
                state = (self.las_json("list")["generation"], len(self.modules()), self.service() is not None)
                self.assertIn(state, {(0, 0, False), (1, 3, True)})
                states.add(state)
                self.las("apply", "--yes", file)
                self.assertEqual(self.las("lock").stdout, text)
                self.las("verify", "--deep")
        self.assertEqual(len(states), 2, f"{count} of {len(points)} points")

    def test_a_failed_step_says_what_was_done_before_and_the_next_run_goes_on(self):
        self.furnish()
        file = self.locked()
        self.las("stop", "chat")
        self.on(self.other)
        self.host.files["/engine.tgz"] = None
        result = self.las("apply", "--yes", file, status=7, LAS_FETCH_ATTEMPTS="1")
        self.assertIn("model tiny was taken in; the same command goes on from there", result.stderr)
        self.assertEqual(self.modules(), {})
        self.host.files["/engine.tgz"] = self.contents["engine"]
        self.las("apply", "--yes", file)
        self.assertEqual(self.las("lock").stdout, file.read_text())

    def test_a_service_that_does_not_become_healthy_takes_everything_back(self):
        self.furnish()
        file = self.locked()
        self.las("stop", "chat")
        self.on(self.other)
        file.write_text(file.read_text().replace("running: true", "options:\n    context: \"1\"\n  running: true"))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            lines = file.read_text().splitlines(keepends=True)
            file.write_text("".join(f"  port: {port}\n" if line.startswith("  port:") else line for line in lines))
            self.las("verify")
            self.assert_refused(file, 5, str(port))
        broken = archive([("tool", b"#!/bin/sh\nexit 3\n")])
        self.host.files["/engine.tgz"] = broken
        file.write_text(file.read_text().replace(sha256(self.contents["engine"]), sha256(broken)))
        self.catalog(digests={"engine": "sha256:" + sha256(broken)})
        self.las("apply", "--yes", file, status=8)
        self.assertEqual((self.modules(), self.service()), ({}, None))
        self.las("verify")

    def test_without_an_answer_nothing_is_done(self):
        self.las("install", "--yes", "demo=1")
        file = self.locked()
        self.on(self.other)
        self.assertIn("--yes", self.las("apply", file, status=2).stderr)
        self.assertEqual(self.modules(), {})

    def test_a_lock_is_written_whole_and_never_over_what_is_no_file(self):
        os.mkfifo(self.folder / "pipe")
        self.assertIn("not a regular file", self.las("lock", "-o", self.folder / "pipe", status=2).stderr)
        self.las("lock", "-o", self.folder, status=2)
        self.las("lock", "-o", self.folder / "no/such/folder/las.lock", status=1)
        self.las("lock", "-o", self.folder / "dry.lock", "--dry-run")
        self.assertFalse((self.folder / "dry.lock").exists())


class Wishes(Bench):
    def test_a_las_yaml_brings_modules_models_and_services(self):
        port = free_port()
        file = self.yaml(f"""schema: 1
modules:
- engine
- {{name: demo, version: "<2", hold: true}}
models:
- {{name: tiny, path: tiny.gguf, digest: "sha256:{sha256(self.model.read_bytes())}"}}
services:
- {{model: tiny, name: chat, port: {port}, options: {{context: "4096"}}}}
""")
        self.las("apply", "--yes", file)
        self.assertEqual(self.modules(), {"base": "1", "demo": "1", "engine": "1"})
        service = self.service()
        self.assertEqual((service["state"], service["port"], service["module"]), ("running", port, "engine"))
        command = Path(f"/proc/{service['pid']}/cmdline").read_bytes().decode().split("\0")
        self.assertIn("4096", command)
        self.assertIn("Nothing to do.", self.las("apply", file).stderr)
        self.assertIn("hold: true", self.las("lock").stdout)
        self.assertIn("context: \"4096\"", self.las("lock").stdout)

        # A lock of it makes another machine so, options included.
        lock = self.locked()
        self.las("stop", "chat")
        self.on(self.other)
        self.las("apply", "--yes", lock)
        self.assertEqual(self.las("lock").stdout, lock.read_text())
        self.las("stop", "chat")
        self.on(self.first)

        # The option is part of the file: without it the service stays, with another it changes.
        self.yaml(file.read_text().replace('"4096"', '"512"'))
        self.assertEqual(self.drift(file), {("service", "chat", "options"), ("service", "chat", "state")})
        self.las("apply", "--yes", file)
        self.assertEqual(self.drift_free(file), [])
        self.yaml(file.read_text().replace("version: \"<2\", hold: true", "version: \"2\", hold: false"))
        self.las("apply", "--yes", file)
        self.assertEqual(self.modules()["demo"], "2")
        self.assertNotIn("hold: true", self.las("lock").stdout)

    def drift_free(self, file):
        result = self.las_json("apply", file, "--check")
        self.assertFalse(result["drift"])
        return [d for d in result["differences"] if d["drift"]]

    def test_what_a_las_yaml_does_not_name_stays_unless_pruned(self):
        self.furnish()
        file = self.yaml("schema: 1\nmodules: [base]\n")
        self.las("apply", "--yes", file)
        self.assertEqual(self.modules(), {"base": "1", "demo": "1", "engine": "1"})
        self.las("apply", file, "--check")
        self.assertEqual(self.drift(file, "--prune"),
                         {("wish", "demo", "extra"), ("wish", "engine", "extra"), ("service", "chat", "extra"),
                          ("model", "tiny", "extra")})
        self.las("apply", "--yes", "--prune", file)
        self.assertEqual(self.modules(), {"base": "1"})
        self.assertEqual(self.las_json("status")["services"], [])
        self.assertEqual(self.las_json("model", "list")["models"], [])
        self.las("verify")

    def test_a_pruned_wish_that_others_need_becomes_a_dependency(self):
        self.las("install", "--yes", "base", "demo")
        file = self.yaml("schema: 1\nmodules: [demo]\n")
        self.las("apply", "--yes", "--prune", file)
        self.assertEqual(self.modules(), {"base": "1", "demo": "2"})
        self.las("remove", "--yes", "demo")
        self.assertEqual(self.modules(), {})

    def test_a_service_may_be_wished_for_stopped(self):
        text = "schema: 1\nmodules: [engine]\nmodels: [{name: tiny, path: tiny.gguf}]\nservices: [{model: tiny, running: false}]\n"
        file = self.yaml(text)
        self.las("apply", "--yes", file)
        self.assertEqual(self.service("tiny")["state"], "stopped")
        self.assertIn("Nothing to do.", self.las("apply", file).stderr)
        self.yaml(text.replace("false", "true"))
        self.las("apply", "--yes", file)
        self.assertEqual(self.service("tiny")["state"], "running")

    def test_every_fault_is_told_with_its_line_and_a_suggestion(self):
        file = self.yaml("""schema: 1
modles: []
modules:
- demo@nonsense>>
- {name: demo, versoin: "1"}
- {name: engine, mode: nativ, hold: maybe}
- engine
models:
- {name: tiny}
- {name: big, digest: md5:1}
services:
- {name: chat, port: 99999}
- [1]
""")
        result = self.las("apply", file, "--check", status=1)
        for line, word in ((2, "did you mean 'modules'?"), (4, "not a version range"), (5, "did you mean 'version'?"),
                           (5, "'demo' is named twice"), (6, "did you mean 'native'?"), (6, "hold"),
                           (7, "'engine' is named twice"), (9, "neither path nor digest"), (10, "not a digest"),
                           (12, "missing key"), (12, "not a port"), (13, "")):
            self.assertTrue(any(f"las.yaml:{line}:" in text and word in text for text in result.stderr.splitlines()),
                            f"{line}: {word}\n{result.stderr}")

    def test_a_document_that_is_none_is_refused(self):
        for text in ("", "[]", "- a\n- b\n", "schema: 2\n", "a: [", "\xff", "schema: 1\nmodules: {}\n"):
            with self.subTest(text=text):
                self.assertIn("hint: " if text == "none" else "las: ",
                              self.las("apply", self.yaml(text), "--check", status=1).stderr)
        self.las("apply", self.folder / "nothing.yaml", "--check", status=1)
        self.las("apply", self.folder, "--check", status=2)

    def test_services_that_cannot_be_are_told_together(self):
        file = self.yaml("""schema: 1
modules: [engine, demo]
models: [{name: tiny, path: tiny.gguf}]
services:
- {name: a, model: tiny, options: {contxt: "1"}}
- {name: b, model: tiny, options: {context: many}}
- {name: c, model: tiny, engine: demo}
- {name: d, model: tiny, engine: nobody}
- {name: e, model: unknown}
""")
        result = self.las("apply", "--yes", file, status=1)
        for line, word in ((5, "did you mean 'context'?"), (6, "'many' is not a whole number"),
                           (7, "demo does not serve gguf models"), (8, "neither installed nor named"),
                           (9, "no model unknown")):
            self.assertTrue(any(f"las.yaml:{line}:" in text and word in text for text in result.stderr.splitlines()),
                            f"{line}: {word}\n{result.stderr}")
        self.assertEqual(self.modules(), {})

    def test_a_policy_that_denies_a_wish_ends_it_before_anything_is_done(self):
        policies = self.root / "etc/las/policies.d"
        policies.mkdir(parents=True)
        (policies / "site.yaml").write_text("policies:\n- {name: no-demo, description: not here, deny: [demo]}\n")
        file = self.yaml("schema: 1\nmodules: [engine, demo]\n")
        result = self.las("apply", "--yes", file, status=3)
        self.assertIn("no-demo", result.stderr)
        self.assertEqual(self.modules(), {})

    def test_an_override_that_a_lock_rests_on_is_named_in_it(self):
        policies = self.root / "etc/las/policies.d"
        policies.mkdir(parents=True)
        (policies / "site.yaml").write_text("policies:\n- {name: no-demo, description: not here, deny: [demo]}\n")
        self.las("override", "add", "demo", "--reason", "we tried it")
        self.las("install", "--yes", "demo")
        lock = self.las_json("lock")["lock"]
        self.assertEqual(lock["policy"]["overrides"], [{"capability": "demo", "reason": "we tried it"}])
        self.assertIn(hashlib.sha256((policies / "site.yaml").read_bytes()).hexdigest(), str(lock["policy"]["documents"]))


if __name__ == "__main__":
    unittest.main()
