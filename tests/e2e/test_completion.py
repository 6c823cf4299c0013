# SPDX-License-Identifier: Apache-2.0
"""The completion scripts in the shells they are for: each shell loads the script that the binary
prints, completes lines, and says what it would offer. A shell that is not installed is skipped by
name."""
import os
import pty
import shutil
import subprocess
import unittest

from harness import Case, LAS, PROJECT, archive, sha256

MODEL = PROJECT / "build" / "tiny.gguf"

# Asks what COMPREPLY holds for the words of a line that readline would have split.
BASH = r"""
source <(las completion bash)
compopt() { printf '%s\n' "compopt $*"; }
line=$1
read -ra COMP_WORDS <<<"${line//=/ = }"
[ "${line: -1}" = ' ' ] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_las
printf '%s\n' "${COMPREPLY[@]}"
"""

# A real interactive zsh: `compadd` is asked what it would add, and a widget says when it is done.
ZSH = r"""
PS1= PS2=
autoload -Uz compinit
compinit -u -D
source <(las completion zsh)
setopt no_auto_list no_list_beep no_beep
compadd() {
  local -a hits
  # With -O, -A or -D nothing is added: _files asks so what a path's folders would match.
  if [[ " $* " != *' '-[OAD]' '* ]]; then
    builtin compadd -O hits "$@"
    (( $#hits )) && print -rl -- $IPREFIX$^hits >>$ANSWER
  fi
  builtin compadd "$@"
}
complete-and-tell() {
  zle complete-word
  print -r -- done >$DONE
  BUFFER=
}
zle -N complete-and-tell
bindkey '^X' complete-and-tell
print -r -- ready >$DONE
"""


class Shell(Case):
    """What a shell offers for a line; the root has a module and a model."""

    def setUp(self):
        super().setUp()
        self.environment |= {"PATH": f"{LAS.parent}:{os.environ['PATH']}", "LAS_ROOT": str(self.root),
                             "TERM": "dumb"}
        content = archive([("tool", b"#!/bin/sh\n")])
        (self.folder / "t.tgz").write_bytes(content)
        self.manifest("demo", f"file://{self.folder}/t.tgz", sha256(content))
        self.las("install", "--yes", "demo")
        (self.folder / "files").mkdir()
        (self.folder / "files/model.gguf").touch()
        (self.folder / "files/models").mkdir()

    def offers(self, line):
        raise NotImplementedError



class Completions:
    """What is true in every shell."""

    def test_commands(self):
        self.assertEqual(self.offers("las inst"), ["install"])
        offered = self.offers("las ")
        for command in ("detect", "install", "model", "serve", "config", "completion"):
            self.assertIn(command, offered)
        self.assertNotIn("manual", offered)
        self.assertNotIn("complete", offered)

    def test_nested_commands(self):
        self.assertEqual(self.offers("las model "), ["import", "list", "remove"])
        self.assertEqual(self.offers("las config s"), ["set"])

    def test_every_option_of_every_command(self):
        for words in ("list", "install", "model import", "serve", "chat", "logs", "verify"):
            text = self.las(*words.split(), "--help").stdout
            options = sorted({word.rstrip(",") for line in text.splitlines() if line.startswith("  -")
                              for word in line.split("  ")[1].split() if word.startswith("--")})
            self.assertGreater(len(options), 10)
            self.assertEqual(self.offers(f"las {words} --"), options)

    def test_global_options_before_the_command(self):
        self.assertIn("--root", self.offers("las --ro"))
        self.assertEqual(self.offers("las -y --json rem"), ["remove"])

    def test_modules_of_the_catalog(self):
        self.assertEqual(self.offers("las install llama"), ["llama.cpp"])
        self.assertEqual(self.offers("las install demo llama"), ["llama.cpp"])

    def test_modules_of_this_site(self):
        self.assertEqual(self.offers("las install de"), ["demo"])

    def test_installed_modules(self):
        self.assertEqual(self.offers("las remove "), ["demo"])

    @unittest.skipUnless(MODEL.exists(), "build/tiny.gguf is made by scripts/tiny-model.sh")
    def test_models(self):
        self.las("model", "import", MODEL, "--name", "tiny-one")
        self.assertEqual(self.offers("las serve "), ["tiny-one"])
        self.assertEqual(self.offers("las model remove ti"), ["tiny-one"])

    @unittest.skipUnless(MODEL.exists(), "build/tiny.gguf is made by scripts/tiny-model.sh")
    def test_a_word_in_quotes(self):
        self.las("model", "import", MODEL, "--name", "tiny-one")
        self.assertEqual(self.offers('las serve "ti'), ["tiny-one"])

    def test_settings_and_values_of_options(self):
        self.assertEqual(self.offers("las config get fetch.p"), ["fetch.parallel"])
        self.assertEqual(self.offers("las install --mode "), ["native", "container"])
        self.assertEqual(self.offers("las completion "), ["bash", "zsh", "fish"])

    def test_a_value_after_the_equals_sign(self):
        self.assertEqual([word.rpartition("=")[2] for word in self.offers("las install --mode=n")], ["native"])

    def test_nothing_for_a_command_that_is_none(self):
        self.assertEqual(self.offers("las nosuch "), [])

    def test_the_root_on_the_line_is_the_one_that_is_looked_at(self):
        self.assertEqual(self.offers(f"las --root {self.folder}/files remove "), [])
        self.environment["LAS_ROOT"] = str(self.folder / "files")
        self.assertEqual(self.offers(f"las --root {self.root} remove "), ["demo"])

    def test_files_and_folders(self):
        folder = self.folder / "files"
        self.assertEqual(sorted(os.path.basename(word.rstrip("/"))
                                for word in self.offers(f"las model import {folder}/mod")),
                         ["model.gguf", "models"])
        self.assertEqual([os.path.basename(word.rstrip("/"))
                          for word in self.offers(f"las --root {folder}/mod")], ["models"])


@unittest.skipUnless(shutil.which("bash"), "bash is not installed")
class Bash(Completions, Shell):
    def offers(self, line):
        result = subprocess.run(["bash", "--norc", "-c", BASH, "bash", line], text=True, capture_output=True,
                                env=self.environment, timeout=60)
        self.assertEqual(result.stderr, "")
        return result.stdout.split()

    def test_files_and_folders(self):
        # Readline is what looks for files; the script tells it to.
        self.assertEqual(self.offers("las model import mod"), ["compopt", "-o", "default"])
        self.assertEqual(self.offers("las --root mod"), ["compopt", "-o", "dirnames"])


@unittest.skipUnless(shutil.which("fish"), "fish is not installed")
class Fish(Completions, Shell):
    def offers(self, line):
        result = subprocess.run(
            ["fish", "--no-config", "-c", "las completion fish | source; complete -C $argv[1]", line],
            text=True, capture_output=True, env=self.environment, timeout=60)
        self.assertEqual(result.stderr, "")
        offered = [word.partition("\t")[0] for word in result.stdout.splitlines()]
        # fish sorts what it shows; the order that las gives is tested in the other shells.
        return [word for word in ("native", "container", "bash", "zsh", "fish") if word in offered] or offered


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(Completions, Shell):
    def setUp(self):
        super().setUp()
        self.answer, self.done = self.folder / "answer", self.folder / "done"
        os.mkfifo(self.done)

    def offers(self, line):
        self.answer.write_text("")
        (self.folder / "setup.zsh").write_text(ZSH)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"],
                       self.environment | {"ANSWER": str(self.answer), "DONE": str(self.done)})
        try:
            os.write(terminal, f"source {self.folder}/setup.zsh\r".encode())
            self.assertEqual(self.done.read_text(), "ready\n")
            os.write(terminal, line.encode() + b"\x18")
            self.assertEqual(self.done.read_text(), "done\n")
        finally:
            os.close(terminal)  # the shell hangs up with its terminal
            os.waitpid(pid, 0)
        return list(dict.fromkeys(self.answer.read_text().splitlines()))


class Complete(Case):
    """`las complete` itself, which all of the scripts ask."""

    def complete(self, *words):
        return self.las("complete", str(len(words) - 1), "--", *words).stdout.split()

    def test_a_file_with_an_impossible_name_among_the_manifests_is_not_offered(self):
        share = self.folder / "share"
        (share / "manifests").mkdir(parents=True)
        (share / "manifests/good.yaml").touch()
        (share / "manifests/two\nlines.yaml").touch()
        self.environment["LAS_DATA_DIR"] = str(share)
        self.assertEqual(self.complete("las", "install", ""), ["good"])

    def test_bash_splits_a_value_off_at_the_equals_sign(self):
        self.assertEqual(self.complete("las", "install", "--mode", "="), ["native", "container"])
        self.assertEqual(self.complete("las", "install", "--mode", "=", "c"), ["container"])
        self.assertEqual(self.complete("las", "install", "--mode", "=", "native", "llama"), ["llama.cpp"])


if __name__ == "__main__":
    unittest.main()
