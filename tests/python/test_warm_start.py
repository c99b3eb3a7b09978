# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A second process compiles nothing, starts no compiler worker and maps no compiler."""
import json
import re

import numpy as np

IMAGES = {"images": np.zeros((2, 1, 8, 8), np.float32)}
COMPILER = re.compile(r"LLVM|clang|lld|nvrtc", re.IGNORECASE)


def compiler_libraries(maps):
    """File names mapped by the process that belong to a compiler."""
    paths = {line.split(maxsplit=5)[5].strip() for line in maps.splitlines() if len(line.split(maxsplit=5)) == 6}
    return sorted(path for path in paths if COMPILER.search(path.rsplit("/", 1)[-1]))


def test_warm_start_compiles_nothing(jitney, cache, digits, tmp_path):
    cold = jitney.run(digits, IMAGES, cache)
    assert cold.kernels["compiled"] == cold.kernels["distinct"] > 0
    assert cold.report["workers_started"] >= 1
    assert cold.report["cache"]["published"] >= cold.kernels["distinct"]

    maps = tmp_path / "maps"
    warm = jitney.run(digits, IMAGES, cache, env={"JITNEY_DUMP_MAPS": str(maps)})
    assert warm.kernels["compiled"] == 0
    assert warm.kernels["from_cache"] == warm.kernels["distinct"] == cold.kernels["distinct"]
    assert warm.report["workers_started"] == 0
    assert warm.report["cache"]["hits"] >= warm.kernels["distinct"] and not any(warm.report["cache"]["misses"].values())
    assert "libjitney" in maps.read_text() or "/jitney" in maps.read_text(), "the maps are those of the right process"
    assert compiler_libraries(maps.read_text()) == []
    np.testing.assert_array_equal(cold.outputs["logits"], warm.outputs["logits"])


def test_the_application_never_maps_a_compiler_even_when_cold(jitney, cache, digits, tmp_path):
    maps = tmp_path / "maps"
    jitney.run(digits, IMAGES, cache, env={"JITNEY_DUMP_MAPS": str(maps)})
    assert compiler_libraries(maps.read_text()) == []


def test_the_search_for_compilers_finds_one():
    assert compiler_libraries("7f00-7f01 r-xp 00000000 08:01 42   /usr/lib/x86_64-linux-gnu/libLLVM-19.so.1\n"
                              "7f00-7f01 r-xp 00000000 08:01 42   /usr/lib/libc.so.6\n"
                              "7f00-7f01 rw-p 00000000 00:00 0 \n") == ["/usr/lib/x86_64-linux-gnu/libLLVM-19.so.1"]


def test_a_damaged_entry_costs_a_compile_and_nothing_else(jitney, cache, digits, tmp_path):
    cold = jitney.run(digits, IMAGES, cache)
    entries = [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.stat().st_size > 1000]
    assert len(entries) >= cold.kernels["distinct"]
    for path in entries:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x10
        path.chmod(0o600)
        path.write_bytes(content)
    mended = jitney.run(digits, IMAGES, cache)
    assert mended.kernels["compiled"] == cold.kernels["distinct"]
    np.testing.assert_array_equal(cold.outputs["logits"], mended.outputs["logits"])
    assert jitney.run(digits, IMAGES, cache).kernels["compiled"] == 0, "the damaged entries were replaced"


def test_without_a_cache_every_process_compiles(jitney, digits, tmp_path):
    for _ in range(2):
        assert jitney.run(digits, IMAGES, "none").kernels["compiled"] > 0
    assert not (tmp_path / "default-cache").exists(), "'none' writes nothing anywhere"
    assert not (tmp_path / "none").exists()


def test_the_default_cache_is_where_the_environment_says(jitney, digits, tmp_path):
    for expected in (True, False):
        result = jitney("run", digits, "--json", "--iterations", 0, "--shape", "images=1x1x8x8")
        assert result.code == 0, result.stderr
        assert (json.loads(result.stdout)["kernels"]["compiled"] > 0) == expected
    assert (tmp_path / "default-cache").is_dir()
    assert (tmp_path / "default-cache").stat().st_mode & 0o777 == 0o700
