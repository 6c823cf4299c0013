#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""transactions.py LAS [--large] [--state-bench PROGRAM]: what transactions cost, beside bsdtar and pacman.

Everything lies on ext4 in RAM, so that no disk of the machine decides. The commands of one row take turns,
because a machine that others use drifts; given are medians and their ratios. Needs root, to mount."""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def why_not():
    """What is missing here, if anything."""
    if os.geteuid() != 0:
        return "needs root to mount an image"
    if subprocess.run(["losetup", "-f"], capture_output=True).returncode != 0:
        return "needs a free loop device"
    if subprocess.run(["mountpoint", "-q", "/dev/shm"]).returncode != 0:
        return "needs a tmpfs on /dev/shm"
    return None


class Bench:
    def __init__(self, las, folder, mount, runs):
        self.las, self.folder, self.mount, self.runs = las, folder, mount, runs
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8",
                            "LAS_DATA_DIR": str(PROJECT / "share"), "LAS_ROOT": str(mount / "root")}

    def run(self, *command):
        result = subprocess.run([str(part) for part in command], env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}\n{result.stderr}")

    def row(self, title, *commands, runs=None):
        """Medians of [name, prepare, command]s that take turns, in seconds; the first is ours."""
        times = [[] for _ in commands]
        for turn in range((runs or self.runs) + 1):
            for (_, prepare, command), taken in zip(commands, times):
                prepare()
                begun = time.monotonic()
                self.run(*command)
                if turn > 0:  # the first one warms up
                    taken.append(time.monotonic() - begun)
        medians = [statistics.median(taken) for taken in times]
        print(f"{title}: {1000 * medians[0]:.1f} ms", flush=True)
        for (name, _, _), median in list(zip(commands, medians))[1:]:
            print(f"    {medians[0] / median:.2f} of {name} ({1000 * median:.1f} ms)", flush=True)
        return medians

    # --- what is prepared

    def settle(self):
        self.run("sync", "-f", self.mount)

    def empty(self, *names):
        """Empties folders of the image."""
        for name in names:
            subprocess.run(["rm", "-rf", self.mount / name], check=True)
            (self.mount / name).mkdir(parents=True)
        self.settle()

    def payload(self, name, folders, files, size):
        """An archive of random bytes, which no compression makes smaller, and a manifest of it."""
        tree = self.folder / name
        for folder in range(folders):
            (tree / f"d{folder}").mkdir(parents=True)
            for file in range(files):
                (tree / f"d{folder}/f{file}").write_bytes(os.urandom(size))
        (tree / "tool").write_text("#!/bin/sh\n")
        (tree / "tool").chmod(0o755)
        archive = self.mount / f"{name}.tar.zst"
        subprocess.run(["tar", "--zstd", "-cf", archive, "-C", tree, "."], check=True)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        manifests = self.folder / "manifests"
        manifests.mkdir(exist_ok=True)
        (manifests / f"{name}.yaml").write_text(
            f"schema: 1\nname: {name}\ncategory: tool\nversion: '1.0'\ndescription: random bytes\nreleases:\n"
            "- version: '1.0'\n  variants:\n  - name: any\n    sources:\n"
            f"    - archive: {{url: 'file://{archive}', digest: 'sha256:{digest}', size: {archive.stat().st_size}}}\n"
            "      executables: {tool: tool}\n")
        return tree, archive

    def new_root(self, *more):
        """Nothing is installed; what las knows of the machine and the catalog stays, and what it has fetched."""
        for name in ("var/lib", "run", *more):
            subprocess.run(["rm", "-rf", self.mount / "root" / name], check=True)
        (self.mount / "root/etc/las").mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", self.folder / "manifests", "-T", self.mount / "root/etc/las/manifests.d"],
                       check=True)
        self.settle()

    def pacman_package(self, tree, name):
        """The same files as a package of pacman's, made as makepkg makes one. Nothing where pacman is not."""
        if not shutil.which("pacman") or not shutil.which("bsdtar"):
            return None
        (tree / ".PKGINFO").write_text(f"pkgname = {name}\npkgver = 1.0-1\npkgdesc = random bytes\n"
                                       "builddate = 1\nsize = 41000000\narch = any\n")
        package = self.mount / f"{name}.pkg.tar.zst"
        subprocess.run(["bsdtar", "--zstd", "-cf", package, "-C", tree, ".PKGINFO",
                        *sorted(entry.name for entry in tree.iterdir() if entry.name != ".PKGINFO")], check=True)
        (tree / ".PKGINFO").unlink()
        (self.folder / "pacman.conf").write_text("[options]\nArchitecture = auto\nSigLevel = Never\n"
                                                 "LocalFileSigLevel = Never\n")
        return package

    # --- rows

    def install(self, name, title, runs=None, pacman=False, folders=100, files=100, size=4096):
        tree, archive = self.payload(name, folders, files, size)
        package = self.pacman_package(tree, name) if pacman else None
        shutil.rmtree(tree)
        commands = [("las, the archive is fetched", self.new_root, [self.las, "install", "--yes", name]),
                    ("las, which first takes the archive into its cache",
                     lambda: self.new_root("var/cache/las/downloads"), [self.las, "install", "--yes", name])]
        if shutil.which("bsdtar"):
            commands.append(("`bsdtar -x; sync -f`", lambda: self.empty("out"),
                             ["sh", "-c", f"bsdtar -xf {archive} -C {self.mount}/out && sync -f {self.mount}/out"]))
        else:
            print("(not installed, left out: bsdtar)")
        if package is not None:
            root = self.mount / "pacman"
            commands.append((
                "`pacman -U; sync -f`", lambda: self.empty("pacman", "pacman/var/lib/pacman", "pacman/cache"),
                ["sh", "-c", f"pacman --config {self.folder}/pacman.conf --root {root} --dbpath "
                 f"{root}/var/lib/pacman --cachedir {root}/cache -U --noconfirm {package} && sync -f {root}"]))
        elif pacman:
            print("(not installed, left out: pacman)")
        self.row(f"durable install of {title}", *commands, runs=runs)
        self.empty("out", "pacman")

    def installed(self, name):
        """What can be done once it is installed."""
        las = self.las

        def present():
            self.run(las, "install", "--yes", name)
            self.settle()

        def absent():
            self.run(las, "remove", "--yes", name)
            self.settle()

        self.new_root()
        present()
        self.row("install again, the payload is in the store", ("las", absent, [las, "install", "--yes", name]))
        self.row("install of what is installed", ("las", lambda: None, [las, "install", "--yes", name]),
                 runs=4 * self.runs)
        self.row("verify --deep", ("las", lambda: None, [las, "verify", "--deep"]))
        self.rollback("rollback, without services")

    def rollback(self, title):
        """To and fro between the generations with a module and without it; no service is restarted."""
        def away():
            self.run(self.las, "rollback", "--yes", "0")
            self.settle()

        self.row(title, ("las", away, [self.las, "rollback", "--yes", "1"]),
                 ("las --version, which is started all the same", lambda: None, [self.las, "--version"]),
                 runs=4 * self.runs)

    def sync_ways(self, program):
        """One syncfs beside a sync of every file, of the same files just written."""
        results = {}
        for _ in range(self.runs):
            for way in ("syncfs", "fsync", "range+fsync"):
                self.empty("sync")
                line = subprocess.run([program, "sync", way, self.mount / "sync"], check=True, capture_output=True,
                                      text=True).stdout
                results.setdefault(way, []).append(json.loads(line)["ms"])
        best = statistics.median(results["syncfs"])
        print(f"10,000 new files made durable by one syncfs: {best:.1f} ms")
        for way in ("fsync", "range+fsync"):
            median = statistics.median(results[way])
            print(f"    {best / median:.2f} of {way} of every file ({median:.1f} ms)")
        self.empty("sync")

    def records(self, program, count):
        """A state with so many operations."""
        self.empty("root/var/lib/las")
        identity = subprocess.run([program, "records", self.mount / "root/var/lib/las/db", str(count)], check=True,
                                  capture_output=True, text=True).stdout.strip()
        self.settle()
        for what, argument in (("lookup", identity), ("list", "all"), ("visit", "all")):
            times = []
            for _ in range(self.runs):
                line = subprocess.run([program, what, self.mount / "root/var/lib/las/db", argument], check=True,
                                      capture_output=True, text=True).stdout
                times.append(json.loads(line)["ms"])
            print(f"{count} records: opening the state, and {what}: {statistics.median(times):.2f} ms", flush=True)
        started = ("las --version", lambda: None, [self.las, "--version"])
        self.row(f"{count} records: las log ID", ("las", lambda: None, [self.las, "log", identity]), started,
                 runs=4 * self.runs)
        self.row(f"{count} records: las history", ("las", lambda: None, [self.las, "history"]), started)
        self.run(self.las, "install", "--yes", "small")
        self.rollback(f"{count} records: rollback")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("las", type=Path)
    parser.add_argument("--program", type=Path, help="transaction_bench, for what is measured from inside")
    parser.add_argument("--large", action="store_true", help="also 1 GB in 50,000 files")
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    if reason := why_not():
        print(f"(left out, transactions: {reason})")
        return
    # The image is another tmpfs file than the folder, so that nothing but the file system is in its way.
    with tempfile.TemporaryDirectory(prefix="las-bench-", dir="/dev/shm") as folder:
        folder = Path(folder)
        mount = folder / "mount"
        mount.mkdir()
        with open(folder / "image", "wb") as image:
            image.truncate(8 << 30)
        subprocess.run(["mkfs.ext4", "-q", folder / "image"], check=True)
        subprocess.run(["mount", "-o", "loop", folder / "image", mount], check=True)
        try:
            bench = Bench(options.las.resolve(), folder, mount, options.runs)
            bench.install("small", "10,000 files of 4 KiB", pacman=True)
            bench.installed("small")
            if options.program:
                bench.sync_ways(options.program)
                bench.records(options.program, 100_000)
            if options.large:
                bench.install("large", "50,000 files, 1 GB", runs=5, folders=500, files=100, size=20_000)
        finally:
            subprocess.run(["umount", mount], check=True)


if __name__ == "__main__":
    main()
