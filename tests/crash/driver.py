# SPDX-License-Identifier: Apache-2.0
"""What the crash tests share: a small world with an engine, a model and a running service; las under
strace with a fault at the N-th of one system call; and what must hold after every fault."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from harness import LAS, PROJECT, Case, StandInHost, archive, end_process, sha256  # noqa: E402,F401
from test_messages import small_model  # noqa: E402

# A kill leaves the page cache, so memory shows the same as a disk, and sooner.
if os.access("/dev/shm", os.W_OK):
    tempfile.tempdir = "/dev/shm"

# Whatever changes something outside the process. Of openat only the calls that create count.
CALLS = ("openat,creat,write,pwrite64,writev,pwritev,sendfile,copy_file_range,ftruncate,fallocate,"
         "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,"
         "fsync,fdatasync,syncfs,msync,sync_file_range,chmod,fchmod,fchmodat,utimensat,connect,"
         "clone,clone3,fork,vfork,kill,pidfd_send_signal").split(",")

# Exit statuses that las(1) documents.
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10}

# What verify must never say after a run that was stopped, wherever it was: that something is damaged or lost.
LOST = {"state-damaged", "generation-damaged", "payload-damaged", "payload-missing", "link-missing", "model-damaged",
        "model-missing", "package-missing"}

# Serves its version, which lies beside it, and starts fast. Where a format lies there too, its rows begin
# with it: it migrates older ones and cannot read newer ones.
ENGINE = f"""#!{os.path.realpath(sys.executable)} -IS
import os, socket, sys
here = os.path.dirname(sys.argv[0])
version = open(os.path.join(here, "version")).read()
if os.path.exists(os.path.join(here, "format")) and os.path.exists("rows"):
    form = open(os.path.join(here, "format")).read()
    found, _, rest = open("rows").read().partition(":")
    if found > form:
        sys.exit("the data has format " + found)
    if found < form:
        with open("rows.new", "w") as file:
            file.write(form + ":" + rest)
            file.flush()
            os.fsync(file.fileno())
        os.replace("rows.new", "rows")
        os.fsync(os.open(".", os.O_RDONLY))
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client = listener.accept()[0]
    try:
        client.recv(65536)
        client.sendall(f"HTTP/1.0 200 OK\\r\\nContent-Length: {{len(version)}}\\r\\n\\r\\n{{version}}".encode())
    except OSError:
        pass
    client.close()
"""
SERVICE = ("service:\n  kind: deployment\n  command: ['{exe.tool}', '{port}']\n"
           "  health: {http: /health, start_period: 30s}\n  formats: [gguf]\n  api: openai\n")


def points_wished(default):
    return int(os.environ.get("LAS_CRASH_POINTS", default))


def free_port():
    """Below the ports that the kernel gives away, and not where las itself begins."""
    for offset in range(5000):
        port = 20000 + (os.getpid() * 7 + offset) % 10000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no port is free")


def names(folder):
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


class CrashCase(Case):
    """A root whose state can be put back; `view` is what its user sees, `check_whole` what must hold."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.state = self.root / "var/lib/las"
        self.tried = 0
        self.failed = []

    def _clean(self):
        self.end_processes()
        super()._clean()

    # --- the world

    def make_world(self, files=20, formats=False):
        """Releases 1 and 2 of a stand-in engine with so many files more, each with a format of its own
        for its data if wished, and a model."""
        self.formats = formats
        for version in ("1", "2"):
            content = archive([("tool", ENGINE.encode()), ("version", version.encode()),
                               *([("format", version.encode())] if formats else []),
                               *[(f"share/file{i}", os.urandom(4096)) for i in range(files)]])
            (self.folder / f"{version}.tgz").write_bytes(content)
        (self.folder / "tiny.gguf").write_bytes(small_model())
        self.offer("1")

    def offer(self, newest):
        """Writes the manifest, with `newest` as its newest release."""
        releases = ""
        for version in ("2", "1") if newest == "2" else ("1",):
            file = self.folder / f"{version}.tgz"
            releases += (f"- version: '{version}'\n" + (f"  data: {{format: {version}}}\n" if self.formats else "") +
                         "  variants:\n  - name: any\n    sources:\n"
                         f"    - archive: {{url: 'file://{file}', digest: 'sha256:{sha256(file.read_bytes())}'}}\n"
                         "      executables: {tool: tool}\n")
        folder = self.root / "etc/las/manifests.d"
        folder.mkdir(parents=True, exist_ok=True)
        text = (f"schema: 1\nname: demo\ncategory: tool\nversion: '{newest}'\ndescription: a stand-in engine\n"
                f"releases:\n{releases}{SERVICE}")
        if not (folder / "demo.yaml").exists() or (folder / "demo.yaml").read_text() != text:
            (folder / "demo.yaml").write_text(text)

    def keep_state(self):
        """Remembers the state as it is now; no service may run."""
        kept = self.folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        for name in ("var", "run"):
            if (self.root / name).exists():
                subprocess.run(["cp", "-a", self.root / name, kept / name], check=True)

    def restore_state(self):
        self.end_processes()
        subprocess.run(["rm", "-rf", self.root / "var", self.root / "run"], check=True)
        for name in ("var", "run"):
            if (self.folder / "kept" / name).exists():
                subprocess.run(["cp", "-a", self.folder / "kept" / name, self.root / name], check=True)

    def processes(self):
        """Every process that runs a payload of this root, and whether it runs at all."""
        found = set()
        mark = f"{self.root}/var/lib/las/store/".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if mark in (entry / "cmdline").read_bytes() and \
                        (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                    found.add(int(entry.name))
            except OSError:
                continue
        return found

    def end_processes(self):
        while running := self.processes():
            for pid in running:
                end_process(pid)

    # --- what is seen

    def records(self, table):
        """Key → value of one table of the state, as LMDB's own tool reads it."""
        result = subprocess.run(["mdb_dump", "-s", table, self.state / "db"], capture_output=True, text=True)
        if result.returncode != 0:
            return {}
        plain = [bytes.fromhex(line) for line in result.stdout.splitlines() if line.startswith(" ")]
        return dict(zip(plain[::2], plain[1::2]))

    def rewrite(self, table, change):
        """Changes the records of one table behind the back of las, with LMDB's own tools: `change` gets
        and returns a list of [key, value]."""
        dump = subprocess.run(["mdb_dump", "-a", self.state / "db"], capture_output=True, text=True, check=True).stdout
        sections = []
        for section in dump.split("DATA=END\n")[:-1]:
            head, _, body = section.partition("HEADER=END\n")
            if f"\ndatabase={table}\n" in head:
                lines = [bytes.fromhex(line) for line in body.splitlines()]
                body = "".join(f" {key.hex()}\n {value.hex()}\n"
                               for key, value in change([list(pair) for pair in zip(lines[::2], lines[1::2])]))
            sections.append(f"{head}HEADER=END\n{body}DATA=END\n")
        made = self.folder / "db-made"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        subprocess.run(["mdb_load", made], input="".join(sections), text=True, capture_output=True, check=True)
        os.replace(made / "data.mdb", self.state / "db/data.mdb")

    def findings(self, *arguments):
        result = subprocess.run(self.command("verify", "--json", *arguments), capture_output=True, text=True,
                                env=self.environment, timeout=60)
        self.assertIn(result.returncode, (0, 1, 6), result.stderr)
        return json.loads(result.stdout)["findings"]

    def answer(self, port):
        """What the service answers; a process that was just started may still be getting ready."""
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as response:
                    return response.read().decode()
            except urllib.error.HTTPError as fault:
                return f"{fault.code}"
            except OSError as fault:
                if time.monotonic() > end:
                    return f"no answer: {fault}"
                time.sleep(0.01)

    def view(self):
        """The state as its user sees it: what is installed, what runs and answers, what is kept."""
        listed = self.las_json("list")
        services = []
        for service in self.las_json("status")["services"]:
            answer = self.answer(service["port"]) if service["state"] == "running" else None
            services.append((service["name"], service["state"], service["wanted"], service["port"], answer))
        tool = self.state / "current/bin/tool"
        version = tool.resolve().parent / "version"
        rows = self.state / "data/tiny/rows"
        snapshots = [json.loads(value) for value in self.records("snapshots").values()]
        return {
            "generation": listed["generation"],
            "generations": sorted(names(self.state / "generations")),
            "store": sorted(names(self.state / "store")),
            "modules": [(m["name"], m["version"]) for m in listed["modules"]],
            "services": services,
            "models": [m["name"] for m in self.las_json("model", "list")["models"]],
            "runs": version.read_text() if version.exists() else None,
            "rows": rows.read_bytes() if rows.exists() else None,
            "aside": sorted((s["format"], path.read_bytes()) for s in snapshots
                            if (path := Path(s["path"]) / "rows").exists()),
        }

    def faults(self):
        """What does not hold although no run is under way, all at once."""
        faults = [f"verify: {finding}" for finding in self.findings("--deep")]
        if b"journal" in self.records("meta"):
            faults.append("a run is in the journal")
        generations = [json.loads(value) for value in self.records("generations").values()]
        services = self.las_json("status")["services"]
        leases = [json.loads(value) for value in self.records("ports").values()]
        models = [json.loads(value) for value in self.records("models").values()]

        def compare(what, there, recorded):
            if there != recorded:
                faults.append(f"{what}: there are {sorted(there)}, recorded {sorted(recorded)}")

        compare("folders of generations", names(self.state / "generations"), {str(g["number"]) for g in generations})
        compare("leased ports", {(lease["port"], lease["owner"]) for lease in leases},
                {(s["port"], s["name"]) for s in services})
        compare("processes", self.processes(), {s["pid"] for s in services if s["state"] == "running"})
        compare("models", names(self.state / "models/blobs"), {m["digest"].replace(":", "-") for m in models})
        snapshots = [json.loads(value) for value in self.records("snapshots").values()]
        compare("data put aside", names(self.state / "data/.las-snapshots"), {s["id"] for s in snapshots})
        used = {m["store_name"] for g in generations for m in g["modules"]} | {".staging"}
        faults += [f"nothing refers to {name}" for name in names(self.state / "store") - used]
        faults += [f"left in the staging folder: {name}" for name in names(self.state / "store/.staging")]
        faults += [f"temporary file left: {path.relative_to(self.root)}"
                   for top in ("var/lib", "run") for path in (self.root / top).rglob(".las-*.tmp")]
        return faults

    def check_whole(self, garbage=False):
        """`garbage`: there may be payloads and models that nothing refers to, which `las gc` takes."""
        loose = ("nothing refers", "models: there") if garbage else ()
        self.assertEqual([fault for fault in self.faults() if not fault.startswith(loose)] if loose else self.faults(), [])

    # --- faults

    def traced(self, arguments, fault=None):
        """Runs las under strace, with `fault` (call, n, what) if there is one. Services are not followed.
        Returns the finished process and the log of its calls."""
        log = self.folder / "strace.log"
        command = ["strace", "-f", "-qq", "-b", "execve", "-o", str(log), "-e", "signal=none",
                   "-e", f"trace={','.join('?' + call for call in CALLS)}"]
        if fault is not None:
            call, number, what = fault
            command += ["-e", f"inject={call}:{what}:when={number}"]
        result = subprocess.run(command + self.command(*arguments), capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, env=self.environment, timeout=120)
        return result, log.read_text(errors="replace")

    def points(self, log, calls=CALLS):
        """Every (call, n) of a recorded run at which a fault can be put. strace counts for each thread on
        its own, and so it is the first thread to come to n that is hit."""
        seen, points = {}, []
        for line in log.splitlines():
            match = re.match(r"(\d+)\s+(\w+)\(", line)
            if not match or match[2] not in CALLS:
                continue
            key = match.groups()
            seen[key] = seen.get(key, 0) + 1
            if match[2] not in calls or (match[2] == "openat" and "O_CREAT" not in line):
                continue
            point = (match[2], seen[key])
            if point not in points:
                points.append(point)
        return points

    @staticmethod
    def sample(points, count):
        """Evenly spaced, with the first and the last: commit and converge come late."""
        count = min(count, len(points))
        return [points[i] for i in sorted({round(i * (len(points) - 1) / max(1, count - 1)) for i in range(count)})]

    def attempt(self, body, **what):
        """One point: counted, and told apart from the others when it fails."""
        self.tried += 1
        with self.subTest(**what):
            try:
                body()
            except Exception:
                self.failed.append(what)
                raise

    def tell(self, text):
        print(f"\n{text}: {self.tried} points tried, {len(self.failed)} failures", file=sys.stderr)
