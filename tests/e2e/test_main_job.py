# SPDX-License-Identifier: Apache-2.0
"""The main job on the bare machine, with the real engine under the process supervisor: from an empty
root to an answered chat, and back. The tiny model is real GGUF with random weights."""
import os
import select
import signal
import socket
import subprocess
import unittest
from pathlib import Path

from harness import Case, PROJECT, end_process

MODEL = PROJECT / "build" / "tiny.gguf"
# The wheel is fetched once by pip and kept in pip's own cache between the tests.
PIP = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}


def alive(pid):
    """Whether the process runs; one that waits to be reaped by PID 1 does not. A pidfd tells when the
    last thread has ended: /proc says "Z" as soon as the first one has."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        return not select.select([process], [], [], 0)[0]
    finally:
        os.close(process)


@unittest.skipUnless(MODEL.exists(), "build/tiny.gguf is made by scripts/tiny-model.sh")
class MainJob(Case):
    def setUp(self):
        super().setUp()
        cache = os.environ.get("PIP_CACHE_DIR") or str(Path.home() / ".cache" / "pip")
        self.environment |= PIP | {"PIP_CACHE_DIR": cache}

    def install_and_import(self):
        self.las("install", "--yes", "llama.cpp")
        self.las("model", "import", MODEL, "--name", "tiny")

    def service(self):
        return self.las_json("status", "tiny")["services"][0]

    def test_from_nothing_to_an_answer_and_back(self):
        install = self.las("install", "--yes", "llama.cpp")
        if not self.reachable():  # then the next source is tried, and the user is told
            self.assertIn("cannot be used", install.stderr)
        imported = self.las_json("model", "import", MODEL, "--name", "tiny")["model"]
        self.assertIn("nonsense", imported["note"])
        served = self.las("serve", "--yes", "tiny")
        self.assertIn("las chat tiny", served.stderr)

        service = self.service()
        self.assertEqual((service["state"], service["model"], service["module"]), ("running", "tiny", "llama.cpp"))
        command = Path(f"/proc/{service['pid']}/cmdline").read_bytes().decode().split("\0")
        self.assertIn("--port", command)
        self.assertEqual(command[command.index("--port") + 1], str(service["port"]))

        chat = self.las("chat", "tiny", "--max-tokens", "16", "hello")
        self.assertTrue(chat.stdout.strip())
        self.assertIn("tokens", chat.stderr)
        answer = self.las_json("chat", "tiny", "--max-tokens", "16", "--temperature", "0", "hello")
        self.assertEqual(answer["completion_tokens"], 16)
        self.assertEqual(answer["finish_reason"], "length")
        self.assertGreater(answer["tokens_per_second"], 0)

        self.las("verify")  # running it changed nothing in the store
        self.assertTrue(self.las("logs", "tiny", "--lines", "3").stdout.strip())
        self.assertIn("healthy", self.las("health").stdout)
        metrics = self.las("metrics").stdout
        self.assertIn('las_service_healthy{service="tiny",module="llama.cpp"} 1', metrics)
        outcomes = [o["outcome"] for o in self.las_json("history")["operations"]]
        self.assertEqual(outcomes, ["done", "done", "done"])

        self.las("stop", "tiny")
        self.assertEqual(self.service()["state"], "stopped")
        self.assertFalse(alive(service["pid"]))
        self.las("rollback", "--yes")
        self.assertEqual(self.las_json("status")["services"], [])
        self.las("remove", "--yes", "llama.cpp")
        self.assertEqual(self.las_json("list")["modules"], [])
        self.las("verify")
        self.assertFalse((self.root / "var/lib/las/current/bin/llama-server").exists())

    def reachable(self):
        """Whether the publisher's host can be reached from here; then the first source is used."""
        try:
            socket.getaddrinfo("github.com", 443)
            return True
        except OSError:
            return False

    def test_serving_twice_changes_nothing_and_a_second_install_neither(self):
        self.install_and_import()
        self.las("serve", "--yes", "tiny")
        pid = self.service()["pid"]
        generation = self.las_json("list")["generation"]
        self.las("serve", "--yes", "tiny")
        self.assertIn("Nothing to do.", self.las("install", "--yes", "llama.cpp").stderr)
        self.assertEqual((self.service()["pid"], self.las_json("list")["generation"]), (pid, generation))

        # A crash is seen, told with the last words of the process, and start brings it back.
        end_process(pid)
        self.assertEqual(self.service()["state"], "failed")
        self.las("health", status=1)
        error = self.las("chat", "tiny", "hello", status=7)
        self.assertIn("las start tiny", error.stderr)
        self.las("start", "tiny")
        self.assertEqual(self.service()["state"], "running")

        # Removing the engine takes its services along.
        self.las("remove", "--yes", "llama.cpp")
        self.assertEqual(self.las_json("status")["services"], [])
        self.las("verify")

    def test_a_port_in_use_is_refused_with_the_way_out(self):
        self.install_and_import()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = self.las("serve", "--yes", "tiny", "--port", str(port), status=5)
            self.assertIn(str(port), result.stderr)
            self.assertIn("--port", result.stderr)
        self.assertEqual(self.las_json("status")["services"], [])

    def test_a_service_that_does_not_become_healthy_is_taken_back(self):
        self.install_and_import()
        blob = next((self.root / "var/lib/las/models/blobs").iterdir())
        blob.chmod(0o644)
        blob.write_bytes(b"GGUF" + bytes(blob.stat().st_size - 4))  # only reading it tells
        before = self.las_json("list")["generation"]
        result = self.las("serve", "--yes", "tiny", status=8)
        self.assertIn("everything is as it was before", result.stderr)
        # The service is gone, and las logs with it.
        log = self.root / "var/log/las/tiny.log"
        self.assertIn(f"see its output with: less {log}", result.stderr)
        self.assertIn("GGUF", log.read_text(errors="replace"))
        self.assertEqual(self.las_json("list")["generation"], before)
        self.assertEqual(self.las_json("status")["services"], [])
        self.assertEqual(self.las_json("history")["operations"][-1]["outcome"], "rolled-back")
        self.assertIn("model-damaged", self.las("verify", "--deep", status=1).stdout)

    def test_serving_without_an_engine_says_what_to_install(self):
        self.las("model", "import", MODEL, "--name", "tiny")
        self.assertIn("las install llama.cpp", self.las("serve", "--yes", "tiny", status=4).stderr)

    def test_ctrl_c_while_waiting_for_health_takes_everything_back(self):
        self.install_and_import()
        process = subprocess.Popen(self.command("serve", "--yes", "tiny"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment)
        for line in process.stderr:
            if "Waiting for tiny" in line:
                break
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        # Either the signal came first, or the service was ready first: both are whole states.
        services = self.las_json("status")["services"]
        if process.returncode == 0:
            self.assertEqual([s["state"] for s in services], ["running"])
        else:
            self.assertEqual((process.returncode, services), (130, []), errors)
        self.las("verify")


if __name__ == "__main__":
    unittest.main()
