#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of ARCHITECTURE.md that a machine can check. Exits 1 and names every breach.

usage: architecture.py [ROOT]
"""
import re
import sys
from pathlib import Path

# The rows of the house: a room may include from the rooms named here (and from itself).
ROWS = {
    "base": "",
    "document": "base",
    "platform": "base",
    "state": "base platform",
    "fetch": "base platform",
    "hardware": "base platform",
    "policy": "base platform document hardware",
    "catalog": "base platform document hardware state",
    "registry": "base platform document hardware catalog fetch state",
    "resolve": "base platform document hardware policy catalog state",
    # Documents in and out; records.hpp of state holds the plain values they speak of.
    "lockfile": "base document state",
    "plan": "base platform document hardware policy catalog state resolve",
    "source": "base platform document hardware state catalog fetch",
    # records.hpp of state holds plain values that the service room renders.
    "service": "base platform document hardware catalog fetch state",
    "model": "base platform state fetch",
    "transaction": "base platform document hardware policy catalog state resolve plan source service fetch",
    "app": "base platform document hardware policy catalog state resolve plan source service fetch model registry lockfile transaction",
    "cli": "base platform document hardware policy catalog state resolve plan source service fetch model registry lockfile transaction app",
}
PURE = {"policy", "resolve", "lockfile", "plan"}
# What only one room may touch.
OWNERS = {
    r"<lmdb\.h>": {"state"},
    r"<curl/": {"fetch"},
    r"<archive": {"source"},
    r"<solv/": {"resolve"},
    r"<yaml-cpp/": {"document"},
    r"<systemd/": {"platform"},
    r"<hwloc": {"hardware"},
    r"<openssl/": {"platform"},
    r"<CLI/": {"cli"},
}
WORLD = re.compile(r"#include <(unistd\.h|fcntl\.h|sys/[^>]*|fstream|filesystem|iostream)>")
STREAMS = re.compile(r"\bstd::(cout|cerr|clog)\b|\b(printf|puts)\s*\(|\bfprintf\s*\(")
PRODUCTS = re.compile(
    r"\b(ollama|vllm|sglang|llama[._-]?cpp|llama-server|openvino|comfyui|ragflow|"
    r"postgres(?:ql)?|mariadb|redis|clickhouse|open-webui|xllamacpp)\b", re.I)


def room_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).parts
    return parts[2] if parts[0] == "include" else parts[1]


def check(root: Path) -> list[str]:
    breaches = []
    files = sorted(p for top in ("include", "src") for p in (root / top).rglob("*.[ch]pp"))
    if not files:
        return [f"{root}: no source files: wrong folder?"]
    for path in files:
        name = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        if not text.startswith("// SPDX-License-Identifier: Apache-2.0\n"):
            breaches.append(f"{name}: no SPDX line")
        if path == root / "src" / "main.cpp":
            continue
        room = room_of(path, root)
        if room not in ROWS:
            breaches.append(f"{name}: no such room '{room}'")
            continue
        allowed = set(ROWS[room].split()) | {room}
        for number, line in enumerate(text.splitlines(), 1):
            where = f"{name}:{number}"
            if match := re.match(r'#include "las/([a-z]+)/', line):
                if match[1] not in allowed:
                    breaches.append(f"{where}: room '{room}' must not include from '{match[1]}'")
            for pattern, owners in OWNERS.items():
                if re.match(r"#include " + pattern, line) and room not in owners:
                    breaches.append(f"{where}: only {', '.join(sorted(owners))} may include {pattern}")
            if room in PURE and WORLD.match(line):
                breaches.append(f"{where}: the pure room '{room}' must not touch the world")
            code = line.split("//", 1)[0]
            if room != "cli" and STREAMS.search(code):
                breaches.append(f"{where}: only cli writes to a stream")
            if match := PRODUCTS.search(line):
                breaches.append(f"{where}: product name '{match[0]}' (software belongs into share/)")
    return breaches


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    breaches = check(root)
    for breach in breaches:
        print(breach)
    print(f"architecture: {len(breaches)} breaches", file=sys.stderr)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
