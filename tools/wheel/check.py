# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Whether a wheel needs nothing but what it holds and what every Linux with glibc has.

  python tools/wheel/check.py dist/jitney-*.whl      prints what is wrong; exit code 1 if anything is

Each library that a file of the wheel names must be in the wheel, where its run path finds it, or in ALLOWED; or be
loaded already when the file is opened, because its OPENER needs it too. Run paths
are relative to the file itself. The newest glibc and libstdc++ that are asked for are printed.
"""
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ALLOWED = {"libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libstdc++.so.6", "libgcc_s.so.1",
           "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
# Is not ours, has no run path, and is opened by one of ours.
OPENER = {"libdnnl.so.3": "jitney-backend-cpu.so"}
FORBIDDEN = ("include/", "lib/cmake/", "__pycache__")


def read(option, path):
    return subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True, check=True).stdout


def is_elf(path):
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def complaints(root):
    """Of an unpacked wheel."""
    found, versions = [], {"GLIBC": (0,), "GLIBCXX": (0,)}
    files = [p for p in root.rglob("*") if p.is_file()]
    needs = {p.name: set(re.findall(r"NEEDED.*\[(.*)\]", read("-d", p))) for p in files if is_elf(p)}
    for path in files:
        name = path.relative_to(root).as_posix()
        already = needs.get(OPENER.get(path.name, ""), set())
        if any(word in name for word in FORBIDDEN):
            found.append(f"{name}: does not belong into a wheel")
        if not is_elf(path):
            continue
        dynamic = read("-d", path)
        run_path = [e for line in re.findall(r"R(?:UN)?PATH\).*\[(.*)\]", dynamic) for e in line.split(":")]
        for entry in run_path:
            if not entry.startswith("$ORIGIN"):
                found.append(f"{name}: its run path names {entry}")
        folders = [Path(entry.replace("$ORIGIN", str(path.parent))).resolve() for entry in run_path]
        for needed in re.findall(r"NEEDED.*\[(.*)\]", dynamic):
            if needed in ALLOWED or needed in already:
                continue
            if not any((folder / needed).is_file() for folder in folders):
                found.append(f"{name}: needs {needed}, which is neither in the wheel nor allowed")
        for family, version in re.findall(r"Name: (GLIBC|GLIBCXX)_([0-9.]+)", read("-V", path)):
            versions[family] = max(versions[family], tuple(map(int, version.split("."))))
    if not any(p.name.startswith("_jitney.") for p in files):
        found.append("there is no module _jitney in it")
    return found, versions


def main():
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(sys.argv[1]) as wheel:
            wheel.extractall(folder)
            size = sum(info.file_size for info in wheel.infolist())
        found, versions = complaints(Path(folder))
    for line in found:
        print(line)
    needs = ", ".join(f"{family} {'.'.join(map(str, v))}" for family, v in versions.items())
    print(f"{sys.argv[1]}: {Path(sys.argv[1]).stat().st_size >> 20} MiB, unpacked {size >> 20} MiB; needs {needs}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
