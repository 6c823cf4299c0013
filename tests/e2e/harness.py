# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: running the built binary below a temporary root, comparing trees,
and a loopback web server that stands in for a publisher's download host."""
import hashlib
import http.server
import io
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import tarfile
import tempfile
import threading
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LAS = Path(os.environ.get("LAS_BINARY", PROJECT / "build" / "dev" / "las")).resolve()

# What may differ after a failed run: the records of it, and partial downloads kept for resuming.
RECORDS = ("var/lib/las/db", "var/lib/las/lock", "var/log", "var/cache", "run")


def end_process(pid, send=os.kill):
    """Kills a process (with `send=os.killpg` its group) and waits for its end. A process that dies loses its
    command line, by which it might be known, before the kernel closes its sockets."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        send(pid, signal.SIGKILL)
        select.select([process], [], [])
    except ProcessLookupError:
        pass
    finally:
        os.close(process)


class Case(unittest.TestCase):
    """A temporary root with its own manifests folder, removed afterwards with all its services."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="las-e2e-"))
        self.root = self.folder / "root"
        self.root.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "LANG": "C.UTF-8",
            "LAS_DATA_DIR": str(PROJECT / "share"), "NO_COLOR": "1", "LAS_ROOT": str(self.root),
        }
        self.addCleanup(self._clean)

    def _clean(self):
        for record in self.folder.glob("*/run/las/services/*.json"):
            if process := json.loads(record.read_text()).get("process"):
                end_process(process["pid"], os.killpg)
        for folder, _, _ in os.walk(self.folder):
            os.chmod(folder, 0o755)
        shutil.rmtree(self.folder)

    def command(self, *arguments):
        return [str(LAS), *map(str, arguments)]

    def las(self, *arguments, status=0, input="", **environment):
        """Runs las and checks its exit status; returns the finished process."""
        result = subprocess.run(self.command(*arguments), input=input, text=True, capture_output=True,
                                env=self.environment | environment, timeout=120)
        self.assertEqual(result.returncode, status,
                         f"las {' '.join(map(str, arguments))}\n{result.stdout}\n{result.stderr}")
        return result

    def las_json(self, *arguments, status=0, **environment):
        return json.loads(self.las(*arguments, "--json", status=status, **environment).stdout)

    def manifest(self, name, archive, digest, *, strip=0, executables=("tool",), release="1.0", extra="",
                 size=None):
        """Puts a one-archive manifest into the root's manifests.d."""
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"        {tool}: {tool}\n" for tool in executables)
        size_line = f"        size: {size}\n" if size is not None else ""
        (folder / f"{name}.yaml").write_text(
            f"schema: 1\nname: {name}\ncategory: tool\nversion: '{release}'\ndescription: a test tool\n"
            f"releases:\n- version: '{release}'\n  variants:\n  - name: any\n    sources:\n"
            f"    - archive:\n        url: {archive}\n        digest: sha256:{digest}\n        strip: {strip}\n"
            f"{size_line}      executables:\n{lines}{extra}")

    def tree(self):
        """Every entry below the root: kind, mode, content digest or link target."""
        entries = {}
        for folder, folders, files in os.walk(self.root):
            for name in folders + files:
                path = Path(folder) / name
                relative = str(path.relative_to(self.root))
                # The records, and the folders that only lead to them.
                if relative.startswith(RECORDS) or any(r.startswith(relative + "/") for r in RECORDS):
                    continue
                status = path.lstat()
                if stat.S_ISLNK(status.st_mode):
                    content = os.readlink(path)
                elif stat.S_ISREG(status.st_mode):
                    content = hashlib.sha256(path.read_bytes()).hexdigest()
                else:
                    content = ""
                entries[relative] = (stat.filemode(status.st_mode), content)
        return entries


def archive(entries, compression="gz"):
    """A tar archive of (TarInfo or name, bytes) entries, as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}", format=tarfile.PAX_FORMAT) as tar:
        for entry, content in entries:
            info = entry
            if isinstance(entry, str):
                info = tarfile.TarInfo(entry)
                info.mode = 0o755
            if content is not None:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if content is not None else None)
    return buffer.getvalue()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class StandInHost:
    """A loopback web server in place of a publisher's host. `files`: path → bytes, or a callable that
    gets the request handler."""

    def __init__(self, files):
        host = self
        host.files = dict(files)
        host.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                host.requests.append((self.path, dict(self.headers)))
                content = host.files.get(self.path)
                if callable(content):
                    content(self)
                    return
                if content is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
