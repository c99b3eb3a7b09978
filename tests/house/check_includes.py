# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Checks that every #include in src/, include/ and python/ goes the way that docs/architecture.md allows.

  python tests/house/check_includes.py [ROOT]     prints each include that goes the wrong way; exit code 1 if any

The order of the layers, the seam and the private folders are read from the fenced blocks `layers`, `seam` and
`private` of docs/architecture.md, so that the page and the code cannot drift apart.
"""
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
# Only these may hold includes; data tables such as ops.def count as well.
SUFFIXES = {".h", ".cpp", ".c", ".def", ".inc"}


class Rules:
    def __init__(self, text):
        def block(name):
            found = re.search(rf"^```{name}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
            if not found:
                raise SystemExit(f"docs/architecture.md has no ```{name} block")
            return [line.split() for line in found.group(1).splitlines() if line.strip()]

        self.layers = [words[0] for words in block("layers")]
        self.seam = {words[0]: set(words[1:]) for words in block("seam")}
        self.private = [words[0] for words in block("private")]

    def layer_of(self, path):
        """The layer that `path`, relative to src/, lies in; None for a file directly in src/."""
        return next((layer for layer in self.layers if path.startswith(layer + "/")), None)

    def complaint(self, source, target):
        """Why `source` may not include `target`, both relative to src/; None if it may."""
        for folder in self.private:
            if target.startswith(folder + "/") and not source.startswith(folder + "/"):
                return f"{folder} is private: only files in it may include its headers"
        there = self.layer_of(target)
        if there is None:
            return "it belongs to no layer of docs/architecture.md"
        here = self.layer_of(source)
        if here is None or target in self.seam.get(here, ()):  # src/library.cpp assembles all layers
            return None
        if self.layers.index(there) > self.layers.index(here):
            return f"layer '{here}' may not include layer '{there}', which lies below it"
        return None


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def check(root):
    """All complaints about the tree at `root`, and how many includes were looked at."""
    rules = Rules((root / "docs" / "architecture.md").read_text(encoding="utf-8"))
    complaints, seen = [], 0
    src = root / "src"
    for path in sorted(p for p in src.rglob("*") if p.suffix in SUFFIXES):
        name = path.relative_to(src).as_posix()
        if rules.layer_of(name) is None and "/" in name:
            complaints.append(f"src/{name}: its folder is no layer of docs/architecture.md")
            continue
        for number, quote, target in includes(path):
            if quote == "<":
                if rules.layer_of(target):
                    complaints.append(f"src/{name}:{number}: write \"{target}\" with quotes")
                continue
            seen += 1
            # Generated headers and a folder's own files without a path are found beside the includer.
            if "/" not in target and ((path.parent / target).exists() or target.endswith(".pb.h")):
                continue
            why = rules.complaint(name, target)
            if why:
                complaints.append(f"src/{name}:{number}: includes \"{target}\": {why}")
    for path in sorted((root / "include").rglob("*.h")):
        for number, quote, target in includes(path):
            seen += 1
            # The standard library's headers have no folder and no suffix.
            if quote == '"' or not (target.startswith("jitney/") or re.fullmatch(r"[a-z_]+", target)):
                complaints.append(f"{path.relative_to(root)}:{number}: includes \"{target}\": public headers include only "
                                  "<jitney/...> and the standard library")
    for path in sorted(p for p in (root / "python").rglob("*") if p.suffix in SUFFIXES):
        for number, quote, target in includes(path):
            seen += 1
            own, others = ("jitney/torch/", ("torch/", "ATen/", "c10/", "nlohmann/")) if "torch" in path.parts else \
                ("bindings/", ("nanobind/",))
            if "calls" in path.parts:  # which is the one part of jitney/torch/ that knows Python
                others += ("nanobind/",)
            fine = target.startswith(own) if quote == '"' else \
                target.startswith(("jitney/", *others)) or re.fullmatch(r"[a-z_]+", target)
            if not fine:
                complaints.append(f"{path.relative_to(root)}:{number}: includes \"{target}\": the Python package is a user of "
                                  f"the public API and includes only <jitney/...>, <{'...>, <'.join(others)}...> and its own "
                                  f"\"{own}...\"")
    return complaints, seen


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    complaints, seen = check(root)
    for complaint in complaints:
        print(complaint)
    if not seen:
        print("no includes were found: this is not the root of the tree")
    print(f"{len(complaints)} of {seen} includes go the wrong way")
    return 1 if complaints or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
