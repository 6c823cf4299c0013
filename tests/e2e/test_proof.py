# SPDX-License-Identifier: Apache-2.0
"""A rollback that proves itself: an upgrade of a running stand-in engine from 1 to 2, where 2 does not
become healthy or 1 does not want to go. Whatever 2 does, las ends with 8, 1 answers again with the same
data, and the history tells it. The engines are small but real HTTP servers, packed as releases."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))
from driver import CrashCase, archive, sha256, small_model  # noqa: E402

# Behaves as the file "how" beside it says; its working directory is its data.
ENGINE = f"""#!{os.path.realpath(sys.executable)} -IS
import os, signal, socket, sys
here = os.path.dirname(sys.argv[0])
version, *how = open(os.path.join(here, "how")).read().split()
if "stubborn" in how:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "lingers" in how:  # gives its port free and stays for a moment
    signal.signal(signal.SIGTERM, lambda *_: listener.close())
if "writes" in how:
    open("rows", "w").write("as version " + version + " keeps it")
if "ends" in how:
    sys.exit("version " + version + " cannot start")
if "sleeps" in how:
    while True:
        signal.pause()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
kept = []
while True:
    try:
        client = listener.accept()[0]
    except OSError:
        while True:
            signal.pause()
    kept.append(client)
    if "hangs" in how:
        continue
    kept.remove(client)
    try:
        client.recv(65536)
        if "dies-when-asked" in how:
            os.kill(os.getpid(), signal.SIGSEGV)
        status = "503 Service Unavailable" if "sick" in how else "200 OK"
        client.sendall(f"HTTP/1.0 {{status}}\\r\\nContent-Length: {{len(version)}}\\r\\n\\r\\n{{version}}".encode())
    except OSError:
        pass
    client.close()
"""


class Engines(CrashCase):
    """Releases of the engine "demo" that behave as told, and the service tiny."""

    def setUp(self):
        super().setUp()
        (self.folder / "tiny.gguf").write_bytes(small_model())
        self.rows = self.state / "data/tiny/rows"

    def offer(self, start_period="30s", **releases):
        """release_1="well" and the like, and release_1_data for the format of its data."""
        text = ""
        for version in sorted((name for name in releases if not name.endswith("_data")), reverse=True):
            number = version.removeprefix("release_")
            file = self.folder / f"{number}.tgz"
            if not file.exists():
                file.write_bytes(archive([("tool", ENGINE.encode()), ("how", f"{number} {releases[version]}".encode())]))
            form = releases.get(f"{version}_data")
            text += (f"- version: '{number}'\n" + (f"  data: {{format: {form}}}\n" if form else "") +
                     "  variants:\n  - name: any\n    sources:\n"
                     f"    - archive: {{url: 'file://{file}', digest: 'sha256:{sha256(file.read_bytes())}'}}\n"
                     "      executables: {tool: tool}\n")
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "demo.yaml").write_text(
            "schema: 1\nname: demo\ncategory: tool\ndescription: a stand-in engine\n"
            f"releases:\n{text}service:\n  kind: deployment\n  command: ['{{exe.tool}}', '{{port}}']\n"
            f"  health: {{http: /health, start_period: {start_period}}}\n  stop_timeout: 1s\n"
            "  formats: [gguf]\n  api: openai\n")

    def serve(self, how="well", **more):
        """Version 1 runs and has data."""
        self.offer(release_1=how, **more)
        self.las("model", "import", self.folder / "tiny.gguf")
        self.las("install", "--yes", "demo")
        self.las("serve", "--yes", "tiny", "--port", self.port)
        self.rows.write_bytes(b"what a user would miss")

    def last(self):
        return self.las_json("history")["operations"][-1]


class Proof(Engines):
    def rejected(self, how, first="well", start_period="1s", **more):
        """An upgrade to a version 2 that behaves so is taken back; returns what las said."""
        self.serve(first, **more)
        self.offer(start_period, release_1=first, release_2=how, **more)
        before = self.view()
        pid = self.las_json("status", "tiny")["services"][0]["pid"]
        result = self.las("upgrade", "--yes", status=8)
        self.assertEqual(self.view(), before)
        self.assertEqual(before["services"], [("tiny", "running", "running", self.port, "1")])
        self.assertEqual(before["rows"], b"what a user would miss")
        self.assertNotEqual(self.las_json("status", "tiny")["services"][0]["pid"], pid)
        self.check_whole()
        last = self.last()
        self.assertEqual((last["outcome"], last["generation_after"]), ("rolled-back", before["generation"]))
        self.assertIn("tiny", last["error"])
        self.assertIn("everything is as it was before", result.stderr)
        log = self.las_json("log", last["id"])
        self.assertEqual((log["outcome"], log["error"]), ("rolled-back", last["error"]))
        return result.stderr

    def test_a_version_that_starts_but_answers_503_for_ever_is_taken_back(self):
        self.assertIn("not ready after 1 s: 503 from /health", self.rejected("sick"))

    def test_a_version_that_ends_at_once_is_taken_back_with_its_last_words(self):
        self.assertIn("version 2 cannot start", self.rejected("ends", start_period="30s"))

    def test_the_next_attempt_is_taken_back_again_and_a_script_is_told(self):
        self.rejected("ends")
        before = self.view()
        document = json.loads(self.las("upgrade", "--yes", "--json", status=8).stdout)
        self.assertEqual((document["success"], document["error"]["exit_status"]), (False, 8))
        self.assertEqual(self.view(), before)
        self.check_whole()

    def test_a_version_that_dies_of_the_first_question_is_taken_back(self):
        self.rejected("dies-when-asked", start_period="30s")

    def test_a_version_that_accepts_and_never_answers_is_taken_back(self):
        self.rejected("hangs")

    def test_a_version_that_never_listens_is_taken_back(self):
        self.rejected("sleeps")

    def test_a_version_that_neither_answers_nor_ends_on_sigterm_is_taken_back(self):
        self.rejected("sick stubborn")

    def test_the_old_version_comes_back_although_it_had_to_be_killed(self):
        self.assertIn("did not stop within 1 s and is killed", self.rejected("sick", first="well stubborn"))

    def test_what_a_rejected_version_made_of_the_data_is_taken_back_where_the_format_differs(self):
        self.rejected("sick writes", release_1_data="one", release_2_data="two")
        self.assertEqual(sorted(p.name for p in (self.state / "data").iterdir()), ["tiny"])

    def test_a_stubborn_old_version_is_killed_and_the_new_one_takes_its_place(self):
        self.serve("well stubborn")
        old = self.processes()
        self.offer(release_1="well stubborn", release_2="well")
        self.assertIn("did not stop within 1 s and is killed", self.las("upgrade", "--yes").stderr)
        self.assertEqual(self.view()["services"], [("tiny", "running", "running", self.port, "2")])
        self.assertEqual(self.processes() & old, set())
        self.check_whole()

    def test_somebody_else_who_answers_on_the_port_proves_nothing(self):
        """A stranger takes the port as soon as version 2, which never listens, has started; and leaves with it."""
        self.serve()
        self.offer("1s", release_1="well", release_2="sleeps")
        before, old = self.view(), self.processes()
        answered = threading.Event()

        def stranger():
            while not (new := self.processes() - old):
                time.sleep(0.001)
            listener = socket.create_server(("127.0.0.1", self.port))
            listener.settimeout(0.01)
            while new & self.processes():
                try:
                    client = listener.accept()[0]
                    client.recv(65536)
                    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    client.close()
                    answered.set()
                except OSError:
                    continue
            listener.close()

        thread = threading.Thread(target=stranger, daemon=True)
        thread.start()
        result = subprocess.run(self.command("upgrade", "--yes"), capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, env=self.environment, timeout=120)
        told = result.stdout + result.stderr
        self.assertTrue(answered.is_set(), told)
        self.assertEqual(result.returncode, 8, told)
        thread.join(timeout=30)
        # It held the port until version 2 was gone: the way back may have found it taken.
        self.las("repair", "--yes")
        self.assertEqual(self.view(), before)
        self.check_whole()

    def test_a_way_back_that_is_barred_is_not_called_done(self):
        """Version 1 gives its port free before it ends, and somebody else takes it and stays."""
        self.serve("well lingers")
        self.offer("1s", release_1="well lingers", release_2="well")
        before = self.view()
        taken = []

        def stranger():
            while not taken:
                try:
                    taken.append(socket.create_server(("127.0.0.1", self.port)))
                except OSError:
                    time.sleep(0.001)

        thread = threading.Thread(target=stranger, daemon=True)
        thread.start()
        result = self.las("upgrade", "--yes", status=8)
        thread.join(timeout=30)
        self.assertNotIn("everything is as it was before", result.stderr)
        self.assertIn("las repair", result.stderr)
        self.assertEqual({f["id"] for f in self.findings()}, {"service-stopped", "port-taken"})
        taken.pop().close()
        self.las("repair", "--yes")
        self.assertEqual(self.view(), before)
        self.check_whole()


class Keep(Engines):
    """--no-rollback."""

    def kept(self, how, state, **more):
        """Version 2 stays although it is not healthy, and the way back is whole."""
        self.serve(**more)
        self.offer("1s", release_1="well", release_2=how, **more)
        before = self.view()
        result = self.las("upgrade", "--yes", "--no-rollback", status=1)
        self.assertIn("--no-rollback", result.stderr)
        after = self.view()
        self.assertEqual(after["modules"], [("demo", "2")])
        self.assertEqual(after["services"][0][1:3], (state, "running"))
        self.assertEqual(self.last()["outcome"], "unhealthy")
        self.assertIn("tiny", self.last()["error"])
        self.las("rollback", "--yes")
        view = self.view()
        for key in ("services", "modules", "rows", "runs", "generation"):
            self.assertEqual(view[key], before[key], key)
        self.check_whole()

    def test_a_version_that_answers_503_stays_and_rollback_returns(self):
        self.kept("sick", "running")

    def test_a_version_that_ends_stays_and_rollback_returns(self):
        self.kept("ends", "failed")

    def test_what_it_made_of_the_data_is_exchanged_for_what_was_put_aside(self):
        self.kept("sick writes", "running", release_1_data="one", release_2_data="two")
        kept = list((self.state / "data/.las-snapshots").iterdir())
        self.assertEqual([(f / "rows").read_text() for f in kept], ["as version 2 keeps it"])

    def test_an_install_keeps_it_too(self):
        self.serve()
        self.offer("1s", release_1="well", release_2="sick")
        error = json.loads(self.las("install", "--yes", "demo=2", "--no-rollback", "--json", status=1).stdout)["error"]
        self.assertEqual(error["exit_status"], 1)
        self.assertEqual(self.view()["modules"], [("demo", "2")])
        self.assertEqual(self.last()["outcome"], "unhealthy")


class Interrupted(Engines):
    def test_ctrl_c_while_the_new_version_is_proved_brings_the_old_one_back(self):
        for name, status in (("SIGINT", 130), ("SIGTERM", 143)):
            with self.subTest(signal=name):
                if not self.rows.exists():
                    self.serve()
                self.offer("60s", release_1="well", release_2="sick")
                before = self.view()
                process = subprocess.Popen(self.command("upgrade", "--yes"), stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, text=True, env=self.environment)
                for line in process.stderr:
                    if "Waiting for tiny" in line:
                        break
                process.send_signal(getattr(signal, name))
                errors = process.communicate(timeout=60)[1]
                self.assertEqual(process.returncode, status, errors)
                self.assertEqual(self.view(), before)
                self.assertEqual(self.last()["outcome"], "interrupted")
                self.check_whole()


if __name__ == "__main__":
    unittest.main()
