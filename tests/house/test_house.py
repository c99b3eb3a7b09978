# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The house keeps its own rules: include directions, licence lines, file sizes, documentation that points somewhere."""
import re
import shutil
from pathlib import Path

import pytest
from check_includes import Rules, check

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "include", "python", "tests", "tools", "examples", "bench", "models")
CODE = {".h", ".cpp", ".c", ".def", ".py", ".pyi", ".sh", ".cmake"}


def code_files():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and (path.suffix in CODE or path.name == "CMakeLists.txt") and "__pycache__" not in path.parts:
                yield path


def test_includes_go_one_way():
    complaints, seen = check(ROOT)
    assert seen > 20 and not complaints, "\n".join(complaints)


@pytest.mark.parametrize("file,include,word", [
    ("src/util/bad.h", '"ir/graph.h"', "below"),
    ("src/cache/bad.cpp", '"runtime/context.h"', "below"),
    ("src/ir/bad.cpp", '  "backend/backend.h"', "below"),
    ("src/runtime/bad.cpp", '"backend/cpu/backend.h"', "private"),
    ("src/compiler/bad.cpp", '"compiler/worker/worker.h"', "private"),
    ("src/util/bad.cpp", '"nowhere/thing.h"', "no layer"),
    ("src/attic/bad.cpp", '"util/file.h"', "no layer"),
    ("src/util/bad.cpp", "<ir/graph.h>", "quotes"),
    ("include/jitney/bad.h", '"util/file.h"', "public"),
    ("include/jitney/bad.h", "<fmt/format.h>", "public"),
    ("python/bindings/bad.cpp", '"runtime/context.h"', "public API"),
    ("python/bindings/bad.cpp", "<fmt/format.h>", "public API"),
])
def test_a_bad_include_is_found(tmp_path, file, include, word):
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "architecture.md", tmp_path / "docs")
    good = {"src/passes/fine.cpp": '"backend/backend.h"', "src/runtime/fine.cpp": '"cache/store.h"',
            "src/backend/cpu/fine.cpp": '"backend/cpu/own.h"', "include/jitney/fine.h": "<jitney/tensor.h>",
            "src/library.cpp": '"runtime/context.h"', "python/bindings/fine.h": "<nanobind/nanobind.h>",
            "python/bindings/fine.cpp": '"bindings/fine.h"'}
    for name, target in good.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"#include {target}\n")
    assert check(tmp_path)[0] == []
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(f"// a comment\n#include {include}\n")
    (complaint,) = check(tmp_path)[0]
    assert complaint.startswith(file) and word in complaint


def test_the_page_names_every_layer():
    rules = Rules((ROOT / "docs" / "architecture.md").read_text())
    on_disk = {p.name for p in (ROOT / "src").iterdir() if p.is_dir()}
    assert on_disk == {layer.split("/")[0] for layer in rules.layers}


def test_every_file_starts_with_the_licence():
    missing = [str(p.relative_to(ROOT)) for p in code_files()
               if "Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0"
               not in "\n".join(p.read_text().splitlines()[:2])]
    assert not missing, missing


def test_files_are_small():
    long = {str(p.relative_to(ROOT)): n for p in code_files() if (n := len(p.read_text().splitlines())) > 500}
    assert not long, f"over 500 lines: {long}"


def test_links_in_the_documentation_lead_somewhere():
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken, broken


def test_every_failure_mode_has_a_test_with_its_number():
    """Of the 35 ways in which a shared cache of native code, an engine file and a model importer can fail."""
    names = set()
    for path in (ROOT / "tests").rglob("*"):
        if path.suffix in (".cpp", ".py") and path.is_file():
            names.update(re.findall(r"(?:TEST\w*\(\w+,\s*Mode|def test_mode)(\d\d)_", path.read_text()))
    assert sorted(names) == [f"{number:02}" for number in range(1, 36)]
