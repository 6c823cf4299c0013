# SPDX-License-Identifier: Apache-2.0
"""Power cuts. The root lies on ext4 on a loop device over a disk that can tell what it would hold if the
power failed now (tests/support/cut_disk.py): all that was written, only what was flushed, or a random
part of the rest. What it tells is mounted, so that the journal of ext4 is replayed, and las must show
the old or the new state, and what was there when a command ended with 0.

LAS_CRASH_CUTS sets the number of cuts (default 16; the full run has 100). Needs root, FUSE and loop
devices."""
import os
import shutil
import subprocess
import time
import unittest

from driver import LOST, PROJECT, CrashCase

CUTS = int(os.environ.get("LAS_CRASH_CUTS", "16"))
PYTHON = "/usr/bin/python3"  # the one that the distribution's FUSE module is for
KINDS = ("some", "none", "all")


def why_not():
    """What is missing here, if anything."""
    if os.geteuid() != 0:
        return "needs root to mount"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "needs /dev/fuse"
    if subprocess.run(["losetup", "-f"], capture_output=True).returncode != 0:
        return "needs a free loop device"
    if subprocess.run([PYTHON, "-c", "try: import fusepy\nexcept ImportError: import fuse"],
                      capture_output=True).returncode != 0:
        return "needs the package python3-fusepy"
    return None


class PowerCutCase(CrashCase):
    """A root on a disk whose power can be cut."""

    def setUp(self):
        if reason := why_not():
            self.skipTest(reason)
        super().setUp()
        self.shown = self.folder / "shown"
        self.shown.mkdir()
        self.disk = None

    def _clean(self):
        self.power_off()
        super()._clean()

    # --- the machine

    def power_on(self, image):
        """Mounts the image through the disk that can be cut."""
        self.disk = subprocess.Popen([PYTHON, PROJECT / "tests/support/cut_disk.py", self.shown, image])
        while not (self.shown / "disk").exists():
            self.assertIsNone(self.disk.poll(), "the disk ended")
            time.sleep(0.01)
        loop = subprocess.run(["losetup", "--find", "--show", self.shown / "disk"], check=True,
                              capture_output=True, text=True).stdout.strip()
        # Goes with the mount, so that nothing is left behind.
        subprocess.run(["mount", loop, self.root], check=True)
        subprocess.run(["losetup", "--detach", loop], check=True)

    def boot(self, image):
        """Mounts what a cut left, without the processes and the /run of before."""
        subprocess.run(["mount", "-o", "loop", image, self.root], check=True)
        shutil.rmtree(self.root / "run", ignore_errors=True)

    def power_off(self):
        self.end_processes()
        # A process that was forked and has not become the service yet cannot be told for one.
        self.unmount(self.root, self.end_processes)
        if self.disk is not None:
            # The loop device lets go of its file a moment after the unmount.
            self.unmount(self.shown, lambda: None)
            self.disk.wait(timeout=60)
            self.disk = None

    def unmount(self, place, meanwhile):
        end = time.monotonic() + 60
        while os.path.ismount(place):
            result = subprocess.run(["umount", place], capture_output=True, text=True)
            if result.returncode != 0:
                self.assertLess(time.monotonic(), end, result.stderr)
                meanwhile()
                time.sleep(0.01)

    def new_image(self, size):
        image = self.folder / "image"
        subprocess.run(["truncate", "-s", size, image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", "-E",
                        "nodiscard,lazy_itable_init=0,lazy_journal_init=0", image], check=True)
        return image


class PowerCut(PowerCutCase):
    def steps(self):
        """The commands, each on the state that the one before left. Both releases keep their data in formats
        of their own."""
        return [["model", "import", self.folder / "tiny.gguf"],
                ["install", "--yes", "demo"],
                ["serve", "--yes", "tiny", "--port", self.port],
                ["upgrade", "--yes"],
                ["rollback", "--yes"],
                ["gc", "--yes", "--keep", "1"],
                ["remove", "--yes", "demo"],
                ["purge", "--yes", "demo"]]  # the data that the removal left

    def lasting(self):
        """What the disk holds of the view; that services run is no matter of the disk."""
        view = self.view()
        view["services"] = [(name, wanted, port) for name, _, wanted, port, _ in view["services"]]
        return view

    def record(self):
        """Runs all commands once: the image before each, the view before and after, and how long it takes."""
        image = self.new_image("192M")
        self.power_on(image)
        self.make_world(files=400, formats=True)
        self.images, self.before, self.after, self.lengths = [], [], [], []
        for number, arguments in enumerate(self.steps()):
            if arguments[0] == "upgrade":
                self.offer("2")
                (self.state / "data/tiny/rows").write_bytes(b"1:what a user would miss")
            self.before.append(self.lasting())
            shutil.rmtree(self.root / "run", ignore_errors=True)
            self.power_off()
            self.images.append(self.folder / f"image-{number}")
            subprocess.run(["cp", "--sparse=always", image, self.images[-1]], check=True)
            self.power_on(image)
            begun = time.monotonic()
            self.las(*arguments)
            self.lengths.append(time.monotonic() - begun)
            self.after.append(self.lasting())
        self.power_off()

    def cut(self, number, part, kind, seed):
        """Cuts the power at a part of the command's time, or right after it has ended."""
        # A name of its own: a loop device that lets go of its file late would show what was in it before.
        image, left = self.folder / "running", self.folder / f"left-{number}-{part}-{kind}-{seed}"
        subprocess.run(["cp", "--sparse=always", self.images[number], image], check=True)
        self.power_on(image)
        arguments = self.steps()[number]
        begun = time.monotonic()
        process = subprocess.Popen(self.command(*arguments), env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if part is None:
            self.assertEqual(process.wait(timeout=120), 0)
        else:
            # This instant is the fault itself.
            time.sleep(max(0, part * self.lengths[number] - (time.monotonic() - begun)))
        done = process.poll() == 0
        (self.shown / "cut").write_text(f"{kind} {seed} {left}")
        process.kill()
        process.wait()
        self.power_off()

        self.boot(left)
        findings = {finding["id"] for finding in self.findings()}
        self.assertEqual(findings & LOST, set())
        if done:
            self.assertLessEqual(findings, {"unit-missing"})  # it lay in /run, which is gone
            self.assertEqual(self.lasting(), self.after[number], "lost although the command had ended")
        # Some are not in the journal: the same command finishes them. Any changing one will do else.
        if arguments[0] in ("model", "gc"):
            self.las(*arguments)
        else:
            self.las("start", "none", status=1)
        view = self.lasting()
        self.assertIn(view, (self.before[number], self.after[number]))
        if view["services"]:
            self.las("start", "tiny")
        self.check_whole()
        self.assertEqual([str(path.relative_to(self.root)) for path in self.state.rglob("*")
                          if path.is_file() and path.name != "lock" and path.stat().st_size == 0], [], "empty files")
        self.outcomes["old" if view == self.before[number] else "new"] += 1
        self.power_off()
        left.unlink()

    def test_after_a_power_cut_there_is_the_old_or_the_new_state_and_nothing_that_was_done_is_lost(self):
        self.record()
        self.outcomes = {"old": 0, "new": 0}
        for n in range(CUTS):
            number, turn = n % len(self.images), n // len(self.images)
            part = None if turn % 2 else (0.6 + 0.618 * (turn // 2) + number / len(self.images)) % 1
            kind = KINDS[(turn // 2 + number) % len(KINDS)]
            name = " ".join(map(str, self.steps()[number][:1]))
            try:
                self.attempt(lambda: self.cut(number, part, kind, n), command=name, kind=kind, seed=n,
                             at="its end" if part is None else f"{part:.2f} of it")
            finally:
                self.power_off()
        self.tell(f"power cuts ({self.outcomes})")


if __name__ == "__main__":
    unittest.main()
