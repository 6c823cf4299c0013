#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that can lose power: one file in a FUSE file system, to be used through a loop device.
usage: cut_disk.py FOLDER IMAGE     shows IMAGE as FOLDER/disk until it is unmounted

Writing "KIND SEED PATH" to FOLDER/cut copies into PATH what the disk would hold if the power failed now.
Requests are served one by one, so the copy is of one instant. A disk with a cache keeps what was
written before the last flush; of each block that was written later it keeps, by KIND,
    all      the last write
    none     nothing
    some     the last write or nothing, block by block, by the random numbers of SEED
"""
import errno
import os
import random
import stat
import subprocess
import sys

BLOCK = 4096


class CutDisk:
    """The operations of FUSE on the two files."""

    def __init__(self, image):
        self.file = os.open(image, os.O_RDWR)
        self.image = image
        self.before = {}  # block written since the last flush → its content at that flush
        self.flushes = 0

    def __call__(self, operation, *arguments):
        if not hasattr(self, operation):
            raise OSError(errno.ENOSYS, operation)
        return getattr(self, operation)(*arguments)

    def init(self, path):
        pass

    destroy = init

    def getattr(self, path, handle=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path not in ("/disk", "/cut"):
            raise OSError(errno.ENOENT, path)
        size = os.fstat(self.file).st_size if path == "/disk" else 0
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": size}

    def readdir(self, path, handle):
        return [".", "..", "disk", "cut"]

    def open(self, path, flags):
        return 0

    def truncate(self, path, length, handle=None):
        if path == "/disk":
            raise OSError(errno.EPERM, path)

    def read(self, path, size, offset, handle):
        return os.pread(self.file, size, offset) if path == "/disk" else b""

    def write(self, path, data, offset, handle):
        if path == "/cut":
            kind, seed, target = data.decode().split(" ", 2)
            self.cut(kind, int(seed), target.strip())
            return len(data)
        for block in range(offset // BLOCK, (offset + len(data) - 1) // BLOCK + 1):
            if block not in self.before:
                self.before[block] = os.pread(self.file, BLOCK, block * BLOCK)
        return os.pwrite(self.file, data, offset)

    def fsync(self, path, data_only, handle):
        self.flushes += 1
        self.before.clear()

    def flush(self, path, handle):
        """At the close of a descriptor; a disk knows nothing of it."""

    def release(self, path, handle):
        pass

    def cut(self, kind, seed, target):
        subprocess.run(["cp", "--sparse=always", self.image, target], check=True)
        chance = random.Random(seed)
        copy = os.open(target, os.O_WRONLY)
        for block in sorted(self.before):
            if kind == "none" or (kind == "some" and chance.random() < 0.5):
                os.pwrite(copy, self.before[block], block * BLOCK)
        os.close(copy)


if __name__ == "__main__":
    try:
        import fusepy as fuse
    except ImportError:
        import fuse
    fuse.FUSE(CutDisk(sys.argv[2]), sys.argv[1], foreground=True, nothreads=True, big_writes=True,
              max_write=131072)
