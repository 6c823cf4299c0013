# SPDX-License-Identifier: Apache-2.0
"""The kinds of transaction that faults are put into, and what is told by their views."""
import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from driver import CrashCase, archive, sha256


class Kind(NamedTuple):
    arguments: str
    # Whether the journal makes any other changing command finish or undo it; else the same command finishes it.
    journaled: bool = True
    status: int = 0


class Transactions(CrashCase):
    """The kinds of transaction, each from a state that is prepared once and put back for each point."""

    KINDS = {
        "install": Kind("install --yes demo"),
        "serve": Kind("serve --yes tiny --port PORT"),
        "upgrade": Kind("upgrade --yes"),
        "rejected": Kind("upgrade --yes", status=8),  # to a release whose engine ends at once
        "rollback": Kind("rollback --yes"),
        "undo": Kind("undo --yes OPERATION"),  # of the upgrade, with a later installation that stays
        "migrate": Kind("upgrade --yes"),  # to a release that keeps its data in another format
        "migrate-rejected": Kind("upgrade --yes", status=8),  # which changes the data and ends then
        "migrate-back": Kind("rollback --yes"),
        "remove": Kind("remove --yes demo"),
        "purge": Kind("purge --yes demo"),
        "stop": Kind("stop tiny", journaled=False),
        "start": Kind("start tiny", journaled=False),
        "import": Kind("model import FOLDER/tiny.gguf", journaled=False),
        "gc": Kind("gc --yes --keep 1", journaled=False),
        "repair": Kind("repair --yes", journaled=False),
    }

    def arguments(self, kind):
        return [word.replace("FOLDER", str(self.folder)).replace("PORT", str(self.port)).replace("OPERATION", self.operation)
                for word in self.KINDS[kind].arguments.split()]

    def prepare(self, kind):
        """Brings the root to the state before the transaction and keeps it."""
        self.end_processes()
        subprocess.run(["rm", "-rf", self.root / "var", self.root / "run", self.root / "etc"], check=True)
        migrates = kind.startswith("migrate")
        self.make_world(formats=migrates)
        self.operation = ""
        self.damaged = False
        if kind != "import":
            self.las("model", "import", self.folder / "tiny.gguf")
        if kind.endswith("rejected"):
            self.make_bad_release(migrates)
        if kind != "install":
            self.las("install", "--yes", "demo")
        if kind not in ("install", "serve", "import"):
            self.las(*self.arguments("serve"))
            (self.state / "data/tiny/rows").write_bytes((b"1:" if migrates else b"") + b"what a user would miss")
        if kind in ("upgrade", "rejected", "rollback", "undo", "gc") or migrates:
            self.offer("2")
        if kind in ("rollback", "undo", "gc", "migrate-back"):
            self.las("upgrade", "--yes")
        if kind == "undo":
            self.operation = self.las_json("history")["operations"][-1]["id"]
            self.manifest("later", f"file://{self.folder}/1.tgz", sha256((self.folder / "1.tgz").read_bytes()),
                          executables=())
            self.las("install", "--yes", "later")
        self.runs_before = kind not in ("install", "serve", "import", "start")
        if self.runs_before or kind == "start":
            self.las("stop", "tiny")
        self.keep_state()
        self.damaged = kind == "repair"

    def make_bad_release(self, migrates):
        spoil = b"printf '2:spoilt' >rows\n" if migrates else b""
        (self.folder / "2.tgz").write_bytes(archive([("tool", b"#!/bin/sh\n" + spoil + b"exit 3\n"), ("version", b"2")]))

    def put_back(self):
        self.restore_state()
        if self.runs_before:
            self.las("start", "tiny")
        if self.damaged:
            self.damage()

    def damage(self):
        """A file of the running payload, a link of the generation, the link to it, and the process."""
        self.end_processes()
        for file in self.state.glob("store/demo-*/share/file3"):
            file.chmod(0o644)
            file.write_bytes(b"damaged")
        for link in (*self.state.glob("generations/*/bin/tool"), self.state / "current"):
            link.unlink()

    def whole_run(self, kind):
        """The transaction without a fault: the state before and after it, and its calls."""
        self.prepare(kind)
        self.put_back()
        old = self.seen(kind)
        if not self.damaged:
            self.check_whole()
        result, log = self.traced(self.arguments(kind))
        self.assertEqual(result.returncode, self.KINDS[kind].status, result.stderr)
        new = self.seen(kind)
        self.check_whole()
        self.assertEqual(old == new, self.KINDS[kind].status == 8)
        return old, new, log

    def recover(self, kind, by="any"):
        """One further changing command. Any will do where the journal knows of the run, even one that
        then fails; the others are finished by the same command."""
        if by == "repair":
            return self.las("repair", "--yes")
        if self.KINDS[kind].journaled:
            return self.las("start", "none", status=1)
        return self.las(*self.arguments(kind))

    def judge_error(self, kind, result, told):
        """One clear error with what to type next; a repair lists what is left instead."""
        if kind == "repair" and "What is left:" in result.stdout:
            self.assertIn("mend it with", result.stdout.partition("What is left:")[2], told)
            return
        self.assertEqual(len(re.findall("^las: ", result.stderr, re.M)), 1, told)
        self.assertEqual(len(re.findall("^hint: ", result.stderr, re.M)), 1, told)

    def lost(self, kind, old):
        """What was written under the old format is in place, or put aside where las knows of it: by its
        records, or by the journal of a run that was stopped."""
        if kind == "purge" or old["rows"] is None:
            return None
        folders = [self.state / "data/tiny", *(Path(json.loads(v)["path"]) for v in self.records("snapshots").values())]
        journal = json.loads(self.records("meta").get(b"journal", b"{}"))
        folders += [Path(move["snapshot"]["path"]) for move in journal.get("data", [])]
        kept = [path.read_bytes() for folder in folders if (path := folder / "rows").exists()]
        return None if old["rows"] in kept else f"lost: {old['rows']}, there are {kept}"

    def seen(self, kind):
        """The view, without the numbers of generations where a second attempt makes one more."""
        view = self.view()
        if kind in ("repair", "purge"):
            view["generation"] = view["generations"] = None
        return view

    def between(self, kind, view, old, new):
        """Whether this is neither old nor new, but may be after a run that has no journal was stopped: a
        collection removes one thing after another that nobody needs."""
        if kind != "gc" or view["generations"] not in (old["generations"], new["generations"]):
            return False
        loose = {"generations", "store"}
        return {k: v for k, v in view.items() if k not in loose} == {k: v for k, v in old.items() if k not in loose}
