# SPDX-License-Identifier: Apache-2.0
"""Writes catalogs of any size to measure with: the same arguments give the same files.

usage: make_catalog.py DIR COUNT [--seed N] [--apt DIR] [--pacman FILE]

--apt and --pacman write the same modules as a repository of the peer, to measure it on an equal
problem.

Module m<i> needs modules of higher numbers, so that there are no cycles. What they form:
  top        needs m0, m200, m400 ... : closures of some 200 modules each
  chain-<i>  a chain of 200            (chain-0 needs chain-1 ... )
  diamond-<i> pairs that meet again    (each layer needs both of the next)
  many       one module of 50 releases
The others are m<i>, in groups of 200 that need each other at random, with ranges.
"""
import argparse
import io
import random
import tarfile
from pathlib import Path

GROUP = 200


def manifest(name, versions, needs, provides=()):
    lines = [f"name: {name}", "category: tool",
             f"description: {{en: Module {name} of a generated catalog, zh: 生成的模块 {name}}}", "license: MIT"]
    if provides:
        lines.append(f"interfaces: {{provides: [{', '.join(provides)}]}}")
    if needs:
        quoted = ", ".join('"%s"' % need for need in needs)
        lines.append("dependencies: {modules: [" + quoted + "]}")
    lines.append("releases:")
    for version in versions:
        lines += [f'- version: "{version}"', "  variants:",
                  "  - name: cpu", "    priority: 1", f"    sources: [{{apt: {{packages: [{name}]}}}}]",
                  "  - name: cuda12", "    priority: 10",
                  '    hardware: {gpu: {vendor: nvidia, compute_capability_min: "7.0", driver_min: "525"}}',
                  f"    sources: [{{apt: {{packages: [{name}-cuda]}}}}]"]
    return "\n".join(lines) + "\n"


def modules(count, rng):
    """(name, versions, needs, provides) of `count` modules."""
    depth = min(GROUP, max(2, count // 20))
    for i in range(depth):
        yield f"chain-{i}", ["1.1", "1.0"], [f"chain-{i + 1}@>=1.0"] if i + 1 < depth else [], ()
    layers = min(GROUP // 2, max(2, count // 40))
    for i in range(layers):
        below = [f"diamond-{i + 1}-a", f"diamond-{i + 1}-b@<2"] if i + 1 < layers else []
        for side in "ab":
            yield f"diamond-{i}-{side}", ["2.0", "1.5", "1.0"], below, ()
    yield "many", [f"{n // 10}.{n % 10}" for n in range(50, 0, -1)], [], ()
    rest = max(1, count - depth - 2 * layers - 2)
    yield "top", ["1.0"], [f"m{i}" for i in range(0, min(rest, 5 * GROUP), GROUP)], ()
    for i in range(rest):
        last = min(rest, (i // GROUP + 1) * GROUP) - 1
        # The next one, so that a group is one closure, and up to three others at random.
        others = {i + 1} | {rng.randint(i + 1, last) for _ in range(3)} if i < last else set()
        needs = [f"m{n}" + rng.choice(["", "@>=1.0", "@>=1.1", "@<3"]) for n in sorted(others)]
        versions = [f"{major}.{minor}" for major in (2, 1) for minor in range(rng.randint(0, 2), -1, -1)]
        yield f"m{i}", versions, needs, ([f"capability-{i % 50}"] if i % 20 == 0 else ())


def bound(need):
    """"a@>=1.0" as ("a", ">=", "1.0"), "a" as ("a", "", "")."""
    name, _, text = need.partition("@")
    operator = text.rstrip("0123456789.")
    return name, operator, text[len(operator):]


def write_apt(folder, catalog):
    folder.mkdir(parents=True, exist_ok=True)
    spelling = {"<": "<<", ">=": ">="}
    stanzas = []
    for name, versions, needs, _ in catalog:
        depends = [f"{other} ({spelling[op]} {version})" if op else other
                   for other, op, version in map(bound, needs)]
        for version in versions:
            stanzas.append(f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: nobody\n"
                           + (f"Depends: {', '.join(depends)}\n" if depends else "")
                           + f"Filename: ./{name}_{version}.deb\nSize: 1\nSHA256: {'0' * 64}\n"
                           + f"Description: Module {name} of a generated catalog\n")
    (folder / "Packages").write_text("\n".join(stanzas) + "\n", encoding="utf-8")


def write_pacman(file, catalog):
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:gz") as archive:
        for name, versions, needs, _ in catalog:
            depends = ["".join(bound(need)) for need in needs]
            full = f"{versions[0]}-1"
            text = (f"%FILENAME%\n{name}-{full}-any.pkg.tar.zst\n\n%NAME%\n{name}\n\n%VERSION%\n{full}\n\n"
                    f"%DESC%\nModule {name} of a generated catalog\n\n%CSIZE%\n1\n\n%ISIZE%\n1\n\n"
                    f"%ARCH%\nany\n\n" + (f"%DEPENDS%\n" + "\n".join(depends) + "\n\n" if depends else ""))
            info = tarfile.TarInfo(f"{name}-{full}/desc")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--apt", type=Path)
    parser.add_argument("--pacman", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    catalog = list(modules(arguments.count, random.Random(arguments.seed)))
    for name, versions, needs, provides in catalog:
        (arguments.folder / f"{name}.yaml").write_text(manifest(name, versions, needs, provides), encoding="utf-8")
    if arguments.apt:
        write_apt(arguments.apt, catalog)
    if arguments.pacman:
        write_pacman(arguments.pacman, catalog)


if __name__ == "__main__":
    main()
