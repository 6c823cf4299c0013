# SPDX-License-Identifier: Apache-2.0
"""What las says: text of others cannot steer a terminal, hints say what works, wrong arguments are
refused before anything is begun, and progress leaves a clean terminal."""
import fcntl
import json
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
import unittest

from harness import Case, StandInHost, archive, end_process, sha256

HOSTILE = b"a\x1b[31mb\nc\xc2\x9bd\xff"  # an escape code, a newline, C1, and no UTF-8

# What a stand-in engine says: escape codes that come in pieces, among newlines and tabs.
PIECES = ["red \x1b[3", "1mtext\x1b[0m\n", "\tnext\x1b]0;owned", "\x07 line"]
ENGINE = f"""#!{sys.executable}
import http.server, json, sys
print("engine \\x1b[31mspeaking\\x1b[0m", flush=True)
class StandInEngine(http.server.BaseHTTPRequestHandler):
    def answer(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def do_GET(self):
        self.answer(b"ok")
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"".join(b"data: " + json.dumps({{"choices": [{{"delta": {{"content": piece}}}}]}}).encode() +
                             b"\\n\\n" for piece in {PIECES!r}) + b"data: [DONE]\\n\\n")
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), StandInEngine).serve_forever()
"""
SERVICE = """service:
  kind: deployment
  command: ["{exe.tool}", "{port}"]
  health: {http: /health, start_period: 60s}
  formats: [gguf]
  api: openai
"""


def text(value):
    content = value.encode()
    return struct.pack("<Q", len(content)) + content


def small_model(description=""):
    """The smallest file that las takes for a model: GGUF 3 with one tensor of 32 zeros."""
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
    header += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    header += text("general.description") + struct.pack("<I", 8) + text(description)
    header += text("blk.0.weight") + struct.pack("<IQIQ", 1, 32, 0, 0)
    return header + bytes(-len(header) % 32) + bytes(128)


class Bench(Case):
    def demo(self, name="demo", **options):
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest(name, f"file://{self.folder}/t.tgz", sha256(content), **options)

    def raw(self, *arguments, **options):
        """Runs las with arguments and output as bytes."""
        return subprocess.run([*map(os.fsencode, self.command()), *map(os.fsencode, arguments)],
                              stdin=subprocess.DEVNULL, stdout=options.pop("stdout", subprocess.PIPE),
                              stderr=subprocess.PIPE, env=self.environment | options, timeout=120)

    def on_terminal(self, *arguments, width=80, streams=("stdout", "stderr"), read=None, input=None, **environment):
        """Runs las with some of its streams on a terminal; returns (status, what the terminal got, the
        rest)."""
        ours, theirs = pty.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST  # newlines as they were written
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        full = {k: v for k, v in self.environment.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | environment
        pipes = {name: theirs if name in streams else subprocess.PIPE for name in ("stdout", "stderr")}
        if read is not None:
            pipes["stdout"] = read
        process = subprocess.Popen(self.command(*arguments), env=full,
                                   stdin=theirs if input is not None else subprocess.DEVNULL, **pipes)
        os.close(theirs)
        if input is not None:
            os.write(ours, input)
        output = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # EIO: nobody has the other end any more
                break
            if not piece:
                break
            output += piece
        rest = b"".join(pipe.read() for pipe in (process.stdout, process.stderr) if pipe)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        os.close(ours)
        return process.wait(timeout=120), output.decode(), rest.decode()

    def serve_stand_in_engine(self):
        content = archive([("tool", ENGINE.encode())])
        (self.folder / "engine.tgz").write_bytes(content)
        self.manifest("engine", f"file://{self.folder}/engine.tgz", sha256(content), extra=SERVICE)
        self.las("install", "--yes", "engine")
        (self.folder / "tiny.gguf").write_bytes(small_model())
        self.las("model", "import", self.folder / "tiny.gguf")
        self.las("serve", "--yes", "tiny")


class ForeignText(Bench):
    def assert_harmless(self, output):
        for line in output.decode().splitlines():  # decoding fails where it is no UTF-8
            self.assertTrue(all(c.isprintable() for c in line), repr(line))

    def test_a_hostile_name_is_one_harmless_line(self):
        result = self.raw("show", HOSTILE)
        self.assertEqual(result.stderr, b"las: no such module: a?[31mb c?d?\n"
                                        b"hint: see the modules with: las list --available\n")

    def test_no_command_hands_an_argument_to_the_terminal(self):
        for words in (["show"], ["install"], ["remove"], ["upgrade"], ["search"], ["model", "import"],
                      ["model", "remove"], ["serve"], ["chat"], ["status"], ["start"], ["stop"], ["logs"],
                      ["health"], ["verify"], ["lint"], ["rollback"], ["config", "get"], ["config", "set", "color"],
                      ["install", "--variant", "x", "--mode"], ["list", "--hardware"], ["list", "--wait"],
                      ["completion"], ["serve", "x", "--port"], []):
            result = self.raw(*words, HOSTILE)
            self.assert_harmless(result.stdout + result.stderr)
            if words not in (["search"], ["list", "--hardware"]):
                self.assertNotEqual(result.returncode, 0, words)
                self.assertIn(b"hint: ", result.stderr)

    def test_json_has_the_real_text(self):
        document = json.loads(self.raw("show", "--json", HOSTILE).stdout)
        self.assertEqual(document["error"]["subject"], "a\x1b[31mb\nc\x9bd\ufffd")

    def test_a_very_long_name_is_bounded(self):
        for words in (["show"], ["remove"], ["serve"], ["--"], ["list", "--wait"]):
            result = self.raw(*words, b"x" * 100_000)
            self.assertLess(len(result.stderr), 6000, words)
            self.assertIn(b"xxx...", result.stderr, words)
        self.assertIn(b": " + b"x" * 197 + b"...\n", self.raw("show", b"x" * 201).stderr)

    def test_history_and_log_are_harmless(self):
        file = os.fsencode(self.folder / "m") + HOSTILE + b".gguf"
        with open(file, "wb") as model:
            model.write(small_model("says \x1b]0;owned\x07 and\nmore"))
        result = self.raw("model", "import", file, "--name", "tiny")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_harmless(result.stdout + result.stderr)
        for words in (["history"], ["model", "list"]):
            self.assert_harmless(self.raw(*words).stdout)
        operation = self.las_json("history")["operations"][0]
        self.assertIn("\x1b[31mb\nc", operation["command"])
        log = (self.root / "var/log/las/las.log").read_bytes()
        self.assert_harmless(log)
        self.assertEqual(len(log.splitlines()), len(re.findall(rb"^\d{4}-", log, re.M)))

    def test_a_hostile_manifest_is_harmless_in_every_list(self):
        self.demo()
        file = self.root / "etc/las/manifests.d/demo.yaml"
        file.write_text(file.read_text().replace("description: a test tool",
                                                 'description: "one\\u202etwo ' + "x" * 300 + '"'))
        for words in (["list", "--available"], ["search", "one"], ["show", "demo"], ["install", "-n", "demo"]):
            result = self.raw(*words)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assert_harmless(result.stdout + result.stderr)
        table = self.las("list", "--available").stdout
        self.assertIn("one?two xxx", table)
        self.assertTrue(all(len(line) < 260 for line in table.splitlines()), table)
        modules = self.las_json("search", "one")["modules"]
        self.assertIn("one\u202etwo", modules[0]["description"])
        file.write_text(file.read_text().replace("\\u202e", "\\e[31m"))  # is a fault, and quoted as one
        result = self.raw("list", "--available")
        self.assertIn(b"control character", result.stderr)
        self.assert_harmless(result.stderr)

    def test_an_answer_keeps_its_lines_and_loses_its_escape_codes_on_a_terminal(self):
        self.serve_stand_in_engine()
        status, output, rest = self.on_terminal("chat", "tiny", "hello", streams=("stdout",))
        self.assertEqual((status, output), (0, "red text\n\tnext line\n"), rest)
        self.assertEqual(self.las("chat", "tiny", "hello").stdout, "".join(PIECES) + "\n")
        self.assertEqual(self.las_json("chat", "tiny", "hello")["text"], "".join(PIECES))
        # What a service prints is as foreign.
        self.assertEqual(self.on_terminal("logs", "tiny", "--lines", "1", streams=("stdout",))[1],
                         "engine speaking\n")
        self.assertEqual(self.las("logs", "tiny", "--lines", "1").stdout, "engine \x1b[31mspeaking\x1b[0m\n")

    def test_columns_are_aligned_by_what_a_terminal_shows(self):
        self.demo()
        self.las("install", "--yes", "demo")
        file = self.root / "etc/las/config.yaml"
        file.write_text("fetch: {ca-file: /本地/证书}\n")
        lines = self.las("config", "list").stdout.splitlines()
        wide = next(line for line in lines if "fetch.ca-file" in line)
        other = next(line for line in lines if "fetch.attempts" in line)
        # Four wide characters take eight columns.
        self.assertEqual(wide.index("certificates") + 4, other.index("tries"))


class Refusals(Bench):
    def test_numbers_out_of_range_are_refused_in_one_short_sentence(self):
        for words, wrong in ((["chat", "x", "--max-tokens"], ["0", "-1", "1.5", "nan", "9" * 30, "010", "1e3"]),
                             (["chat", "x", "--temperature"], ["nan", "inf", "-inf", "-0.1", "2.1", "1e999", "warm"]),
                             (["logs", "x", "--lines"], ["0", "-1", "nan", "9" * 30, "010"]),
                             (["serve", "x", "--port"], ["0", "-1", "65536", "080", "0x50", "1e3"]),
                             (["list", "--wait"], ["-1", "nan", "9" * 30, "1.5"]),
                             (["rollback", "--yes", "--"], ["-1", "nan", "9" * 30, "1.5"])):
            for value in wrong:
                result = self.las(*words, value, status=2)
                self.assertIn(f"'{value}'", result.stderr)
                self.assertIn("hint: ", result.stderr)
                self.assertLess(len(result.stderr), 200)
        self.las("serve", "x", "--port", "8080", status=1)  # no such model: the number was taken
        self.las("chat", "x", "--temperature", "0.0", "--max-tokens", "1", status=1)

    def test_an_empty_argument_is_not_an_argument_that_was_left_out(self):
        for words in (["serve", "x", "--name", ""], ["serve", "x", "--engine", ""], ["serve", ""],
                      ["model", "import", "x.gguf", "--name", ""], ["model", "import", ""], ["model", "remove", ""],
                      ["install", ""], ["install", "demo", ""], ["install", "demo", "--variant", ""], ["remove", ""],
                      ["upgrade", ""], ["show", ""], ["search", ""], ["status", ""], ["start", ""], ["stop", ""],
                      ["logs", ""], ["health", ""], ["verify", ""], ["lint", ""], ["detect", "--save", ""],
                      ["list", "--hardware", ""], ["list", "--sysroot", ""], ["list", "--wait", ""],
                      ["config", "get", ""], ["config", "set", "", "x"], ["chat", ""], ["chat", "x", ""]):
            self.assertIn("must not be empty", self.las(*words, status=2).stderr, words)
        result = subprocess.run([self.command()[0], "--root", "", "list"], capture_output=True, text=True,
                                env=self.environment)
        self.assertEqual(result.returncode, 2)
        self.assertIn("must not be empty", result.stderr)
        self.las("config", "set", "fetch.rate-limit", "")  # no limit: a value may be empty

    def test_what_is_refused_for_its_arguments_is_not_in_the_history(self):
        (self.folder / "good.gguf").write_bytes(small_model())
        (self.folder / "bad.gguf").write_bytes(b"<!DOCTYPE html>")
        self.las("model", "import", self.folder / "good.gguf", "--name", "A B", status=2)
        self.las("model", "import", self.folder / "good.gguf", "--name", "", status=2)
        self.las("model", "import", self.folder, status=1)
        self.las("model", "import", "/nowhere/x.gguf", status=1)
        self.las("model", "import", self.folder / "bad.gguf", status=1)
        self.las("model", "remove", "--yes", "nope", status=1)
        self.las("serve", "--yes", "nope", status=1)
        self.assertEqual(self.las_json("history")["operations"], [])
        self.assertFalse((self.root / "var/lib/las").exists())
        self.las("model", "import", self.folder / "good.gguf")
        self.las("serve", "--yes", "good", "--name", "A B", status=4)
        self.assertEqual([o["outcome"] for o in self.las_json("history")["operations"]], ["done"])

    def test_an_unknown_model_is_said_before_anything_is_asked(self):
        self.assertIn("no such model", self.las("model", "remove", "nope", status=1).stderr)
        self.assertIn("no such model", self.las("model", "remove", "-n", "nope", status=1).stderr)


class Hints(Bench):
    def test_an_error_names_its_subject_once(self):
        self.demo()
        for words, error in ((["remove", "nope"], "cannot be done: nope: is not installed"),
                             (["upgrade", "nope"], "cannot be done: nope: is not installed"),
                             (["install", "demo=9.9"], "cannot be done: demo: no release is ==9.9; the newest is 1.0")):
            status = 4 if words[0] == "install" else 1
            self.assertEqual(self.las(*words, status=status).stderr.splitlines()[0], "las: " + error)

    def test_an_unknown_name_is_answered_with_what_finds_it(self):
        self.demo()
        for words, hint in ((["install", "photo-album"], "las search photo-album"), (["install", "deno"], "las install demo"),
                            (["remove", "nope"], "las list"), (["show", "photo-album"], "las list --available"),
                            (["serve", "nope"], "las model import FILE"), (["status", "nope"], "las serve MODEL")):
            error = self.las(*words, status=1).stderr
            self.assertIn(hint, error.splitlines()[-1])
        self.assertIn("las list --available", self.las("search", "photo-album", status=1).stderr)

    def test_a_file_that_is_not_there_is_answered_with_a_hint_about_files(self):
        for words in (["model", "import", "nowhere.gguf"], ["lint", "nowhere"], ["lint", "/etc/passwd/x"],
                      ["install", "-n", "llama.cpp", "--hardware", "nowhere.json"]):
            error = self.las(*words, status=1).stderr
            self.assertIn("nowhere" if "nowhere" in words[-1] else "passwd", error)
            self.assertIn("hint: check the path", error)

    def test_a_folder_is_no_model_and_not_damaged(self):
        error = self.las("model", "import", self.folder, status=1).stderr
        self.assertIn("this is a folder", error)
        self.assertNotIn("damaged", error)

    def test_what_mends_a_model_file_works_while_it_is_served(self):
        self.serve_stand_in_engine()
        blob = next(self.root.glob("var/lib/las/models/blobs/sha256-*"))
        content = blob.read_bytes()
        for damage in (lambda: None, lambda: blob.write_bytes(b"short"), lambda: blob.write_bytes(bytes(len(content)))):
            blob.unlink()
            damage()
            finding = self.las_json("verify", "--deep", status=1)["findings"][0]
            self.assertEqual(finding["subject"], "tiny")
            if not blob.exists() or blob.stat().st_size != len(content):
                self.las("stop", "tiny")
                for words in (["start", "tiny"], ["serve", "--yes", "tiny"]):
                    error = self.las(*words, status=1).stderr
                    self.assertIn("the model's file in the library is", error)
                    self.assertIn("hint: make it whole with: " + finding["mend"], error)
            self.las(*shlex.split(finding["mend"])[1:])
            self.assertEqual(blob.read_bytes(), content)
            self.las("start", "tiny")
            self.las("verify", "--deep")

    def test_the_status_of_a_failed_service_says_what_to_type(self):
        self.serve_stand_in_engine()
        end_process(self.las_json("status")["services"][0]["pid"])
        self.assertIn("hint: see its output with: las logs tiny\n", self.las("status").stdout)
        next(self.root.glob("var/lib/las/models/blobs/sha256-*")).unlink()
        hint = f"make it whole with: las model import {self.folder}/tiny.gguf --name tiny"
        self.assertIn(hint, self.las("status").stdout)
        self.assertIn(hint, self.las_json("status")["services"][0]["hint"])

    def test_a_model_whose_source_is_gone_is_imported_from_a_file_of_ones_own(self):
        (self.folder / "tiny.gguf").write_bytes(small_model())
        self.las("model", "import", self.folder / "tiny.gguf")
        (self.folder / "tiny.gguf").rename(self.folder / "moved.gguf")
        next(self.root.glob("var/lib/las/models/blobs/sha256-*")).unlink()
        finding = self.las_json("verify", status=1)["findings"][0]
        self.assertEqual(finding["mend"], "las model import FILE --name tiny")
        self.las(*finding["mend"].replace("FILE", str(self.folder / "moved.gguf")).split()[1:])
        self.las("verify", "--deep")


class OutputThatIsLost(Bench):
    def test_a_change_whose_output_is_lost_is_said_to_be_done(self):
        self.demo()
        for words, left in ((["install", "--yes", "demo"], ["demo"]), (["remove", "--yes", "demo"], []),
                            (["install", "--yes", "--json", "demo"], ["demo"])):
            with open("/dev/full", "w") as full:
                result = self.raw(*words, stdout=full)
            self.assertEqual(result.returncode, 1)
            self.assertIn(b"las: all of it was done; only its output could not be written", result.stderr)
            self.assertIn(b"hint: see what was done with: las history", result.stderr)
            self.assertEqual([m["name"] for m in self.las_json("list")["modules"]], left)
            self.assertEqual(self.las_json("history")["operations"][-1]["outcome"], "done")

    def test_output_that_was_only_to_be_looked_at_is_lost_without_that(self):
        self.demo()
        for words in (["list", "--available"], ["install", "-n", "demo"], ["list", "--available", "--json"]):
            with open("/dev/full", "w") as full:
                result = self.raw(*words, stdout=full)
            self.assertEqual(result.returncode, 1)
            self.assertTrue(result.stderr.startswith(b"las: could not write to standard output\n"), result.stderr)

    def test_nobody_is_asked_about_a_plan_that_could_not_be_shown(self):
        self.demo()
        with open("/dev/full", "w") as full:
            status, output, _ = self.on_terminal("install", "demo", streams=("stderr",), read=full, input=b"y\n")
        self.assertEqual(status, 1)
        self.assertIn("could not write to standard output", output)
        self.assertEqual(self.las_json("list")["modules"], [])


class Progress(Bench):
    def setUp(self):
        super().setUp()
        content = archive([("tool", b"#!/bin/sh\n"), ("big", os.urandom(3_000_000))])

        def in_pieces(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.close_connection = True
            try:
                for start in range(0, len(content), 100_000):
                    handler.wfile.write(content[start:start + 100_000])
            except OSError:
                pass  # who was interrupted reads no more

        host = StandInHost({"/a.tgz": in_pieces})
        self.addCleanup(host.close)
        self.manifest("demo", f"{host.url}/a.tgz", sha256(content))

    def rows(self, output):
        """The rows that a terminal shows after `output`; nothing but carriage return, newline and erasing
        to the end of the line may be asked of it."""
        self.assertIsNone(re.search(r"\x1b(?!\[K)|[\x00-\x09\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]", output), repr(output))
        rows, column = [""], 0
        for token in re.findall(r"\x1b\[K|[^\x1b]", output):
            if token == "\x1b[K":
                rows[-1] = rows[-1][:column]
            elif token == "\r":
                column = 0
            elif token == "\n":
                rows.append("")
                column = 0
            else:
                rows[-1] = rows[-1][:column] + token + rows[-1][column + 1:]
                column += 1
        return rows

    def bars(self, output):
        return re.findall(r"\r([^\r\n\x1b]+)\x1b\[K", output)

    def test_the_bar_fits_the_terminal_and_is_gone_at_the_end(self):
        for width in (20, 80, 200):
            status, output, rest = self.on_terminal("install", "--yes", "demo", width=width, streams=("stderr",))
            self.assertEqual(status, 0, output)
            bars = self.bars(output)
            self.assertTrue(bars)
            for bar in bars:
                self.assertLess(len(bar), width)
            rows = self.rows(output)
            self.assertEqual(rows[-1], "")  # the cursor begins a line of its own
            for row in rows:
                self.assertNotIn("%", row)
            self.assertEqual(rows[-2], "Done.")
            if width > 50:
                self.assertTrue(any(re.match(r"\[#*\.*\] +\d+% ", bar) for bar in bars), bars)
            self.las("remove", "--yes", "demo")
            self.las("gc", "--yes", "--keep", "1")  # else the next one finds it in the store

    def test_the_bar_is_written_over_and_not_erased_first(self):
        output = self.on_terminal("install", "--yes", "demo", streams=("stderr",))[1]
        self.assertTrue(self.bars(output))
        self.assertNotRegex(output, r"\r\x1b\[K\[")
        for one, next_one in zip(self.bars(output), self.bars(output)[1:]):
            self.assertNotEqual(one, next_one)

    def test_a_dumb_terminal_and_a_pipe_get_plain_lines(self):
        for environment in ({"TERM": "dumb"}, {"TERM": ""}):
            status, output, _ = self.on_terminal("install", "--yes", "demo", **environment)
            self.assertEqual(status, 0)
            self.assertNotIn("\x1b", output)
            self.assertNotIn("\r", output)
            self.las("remove", "--yes", "demo")

    def test_no_color_means_no_colour(self):
        for words, environment in ((["--no-color"], {}), ([], {"NO_COLOR": "1"})):
            output = self.on_terminal("install", "--yes", "demo", *words, **environment)[1]
            self.assertNotRegex(output, r"\x1b\[[0-9;]*m")
            self.las("remove", "--yes", "demo")
        # Set to nothing, it says nothing (no-color.org).
        self.assertIn("\x1b[1m", self.on_terminal("install", "-n", "demo", NO_COLOR="")[1])

    def test_colours_are_closed_and_only_where_the_terminal_is(self):
        output = self.on_terminal("install", "--yes", "demo")[1]
        codes = re.findall(r"\x1b\[([0-9;]*)m", output)
        self.assertTrue(codes)
        self.assertEqual(codes[1::2], ["0"] * (len(codes) // 2))
        self.assertNotIn("0", codes[0::2])
        # A warning on the terminal is coloured though standard output is a file, and the other way round.
        folder = self.root / "etc/las/manifests.d"
        (folder / "faulty.yaml").write_text("name: faulty\n")
        self.assertIn("\x1b[33m", self.on_terminal("list", "--available", streams=("stderr",))[1])
        self.assertNotIn("\x1b", self.on_terminal("list", "--available", streams=("stdout",))[2])

    def test_ctrl_c_leaves_no_half_bar_behind(self):
        ours, theirs = pty.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        process = subprocess.Popen(self.command("install", "--yes", "demo"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=theirs,
                                   env=self.environment | {"TERM": "xterm", "LAS_FETCH_RATE_LIMIT": "200KB"})
        os.close(theirs)
        output = b""
        while b"%" not in output:  # the bar is there
            output += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                output += os.read(ours, 65536)
            except OSError:
                break
        os.close(ours)
        self.assertEqual(process.wait(timeout=60), 130)
        rows = self.rows(output.decode())
        self.assertFalse([row for row in rows if "%" in row], rows)
        self.assertEqual(rows[-1], "")


class Scope(Bench):
    def test_advice_names_the_scope_of_the_run_that_gives_it(self):
        del self.environment["LAS_ROOT"]
        root = self.folder / "a root"
        told = self.las("--root", root, "remove", "nope", status=1).stderr
        self.assertIn(f"las --root '{root}' list", told)
        self.assertIn(f"las --root '{root}' list",
                      json.loads(self.las("--root", root, "remove", "nope", "--json", status=1).stdout)["error"]["hint"])
        home = {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)}
        self.assertIn("las --user list", self.las("--user", "remove", "nope", status=1, **home).stderr)
        self.assertIn("las --user serve MODEL", self.las("--user", "status", **home).stderr)


if __name__ == "__main__":
    unittest.main()
