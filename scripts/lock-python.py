#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the lock of a python source: hash-locked lines of pip for Linux (glibc) on x86-64 and arm64.

usage: lock-python.py REQUIREMENT... --python ">=3.11,<3.15" > files/requirements.lock

Resolves with uv against the index that pip is set to use, and keeps of each package the wheels that
such a machine can take. Sizes of the chosen wheels are told on standard error, for download_size.
Needs Python 3.11, pip and uv. Everything it writes was published by the index; nothing is computed.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from pip._vendor.packaging.markers import Marker
from pip._vendor.packaging.specifiers import SpecifierSet
from pip._vendor.packaging.utils import canonicalize_name, parse_wheel_filename

PYTHONS = [f"3.{minor}" for minor in range(9, 20)]
PLATFORM = re.compile(r"^(any|(many)?linux\w*_(x86_64|aarch64))$")


def resolve(requirements, oldest):
    index = subprocess.run(["pip", "config", "get", "global.index-url"], capture_output=True, text=True).stdout.strip()
    environment = os.environ | ({"UV_DEFAULT_INDEX": index} if index else {})
    with tempfile.TemporaryDirectory() as folder:
        wanted, locked = Path(folder) / "in.txt", Path(folder) / "pylock.toml"
        wanted.write_text("\n".join(requirements) + "\n")
        subprocess.run(["uv", "pip", "compile", "--quiet", "--universal", "--python-version", oldest,
                        "--only-binary", ":all:", "--format", "pylock.toml", "-o", locked, wanted],
                       check=True, env=environment, stdout=subprocess.DEVNULL)
        return tomllib.loads(locked.read_text())["packages"]


def machines(pythons):
    for version in pythons:
        for architecture in ("x86_64", "aarch64"):
            yield {"python_version": version, "python_full_version": f"{version}.99", "os_name": "posix",
                   "sys_platform": "linux", "platform_system": "Linux", "platform_machine": architecture,
                   "platform_python_implementation": "CPython", "implementation_name": "cpython", "extra": ""}


def fits(tag, pythons):
    python = re.fullmatch(r"(py|cp)(3)(\d*)", tag.interpreter)
    if not python or not PLATFORM.match(tag.platform):
        return False
    if tag.abi in ("none", "abi3"):
        return python[1] == "py" or tag.abi == "abi3" or f"3.{python[3]}" in pythons
    return tag.abi == f"cp3{python[3]}" and f"3.{python[3]}" in pythons


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("requirement", nargs="+")
    parser.add_argument("--python", default=">=3.10", help="range of the interpreter")
    options = parser.parse_args()
    allowed = SpecifierSet(options.python)
    pythons = [version for version in PYTHONS if f"{version}.99" in allowed]
    sizes = {"x86_64": 0, "aarch64": 0}
    asked = {canonicalize_name(re.split(r"[^\w.-]", requirement)[0]) for requirement in options.requirement}
    packages = resolve(options.requirement, pythons[0])
    # What was asked for comes first: a plan shows the first line.
    packages.sort(key=lambda package: (canonicalize_name(package["name"]) not in asked, package["name"]))
    for package in packages:
        marker = package.get("marker")
        if marker and not any(Marker(marker).evaluate(machine) for machine in machines(pythons)):
            continue
        hashes = set()
        largest = {"x86_64": 0, "aarch64": 0}
        for wheel in package.get("wheels", []):
            tags = parse_wheel_filename(wheel["url"].rsplit("/", 1)[1].split("#")[0])[3]
            suited = [tag for tag in tags if fits(tag, pythons)]
            if not suited:
                continue
            hashes.add(wheel["hashes"]["sha256"])
            for architecture in sizes:
                if any(tag.platform == "any" or tag.platform.endswith(architecture) for tag in suited):
                    largest[architecture] = max(largest[architecture], wheel.get("size", 0))
        if not hashes:
            print(f"{package['name']} {package['version']}: no wheel for Linux: left out", file=sys.stderr)
            continue
        for architecture in sizes:
            sizes[architecture] += largest[architecture]
        line = f"{package['name']}=={package['version']}" + (f" ; {marker}" if marker else "")
        print(line + "".join(f" --hash=sha256:{digest}" for digest in sorted(hashes)))
    for architecture, size in sizes.items():
        print(f"{architecture}: at most {size} bytes to download", file=sys.stderr)


if __name__ == "__main__":
    main()
