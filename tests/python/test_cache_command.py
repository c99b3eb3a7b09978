# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""jitney cache: what it prints, and that caches in both forms are shared, merged, packed, pruned and verified."""
import json

import pytest


def cache_json(jitney, *arguments, code=0):
    result = jitney("cache", *arguments, "--json")
    assert result.code == code, result.stderr
    return json.loads(result.stdout)


def fill(jitney, model, path):
    result = jitney("run", model, "--iterations", 0, "--runtime-cache", path, "--json")
    assert result.code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def store(jitney, digits, tmp_path):
    path = f"{tmp_path}/store/"
    assert fill(jitney, digits, path)["kernels"]["compiled"] > 0
    return path


def test_stats_ls_and_show_agree(jitney, store):
    stats = cache_json(jitney, "stats", store)
    assert stats["form"] == "store" and stats["exists"] and stats["writable"] and stats["bad"] == []
    assert stats["kinds"]["kernel"] > 0
    listed = cache_json(jitney, "ls", store)["entries"]
    assert len(listed) == stats["entries"] and sum(e["bytes"] for e in listed) == stats["bytes"]
    kernel = next(e for e in listed if e["kind"] == "kernel")
    shown = cache_json(jitney, "show", kernel["id"][:30], store)
    assert shown["id"] == kernel["id"] and "source" in shown["fields"] and "compiler" in shown["fields"]
    text = jitney("cache", "show", kernel["id"], store)
    assert text.code == 0 and "for (" in text.stdout, "the kernel's source"
    assert jitney("cache", "ls", store).stdout.count("\n") == len(listed)
    assert jitney("cache", "stats", store).code == 0


def test_pack_and_unpack_keep_every_kernel(jitney, digits, store, tmp_path):
    before = cache_json(jitney, "stats", store)["entries"]
    packed, second = tmp_path / "kernels.jkp", f"{tmp_path}/second/"
    assert cache_json(jitney, "pack", store, "-o", packed)["entries"] == before
    assert cache_json(jitney, "stats", packed)["form"] == "packed"
    assert cache_json(jitney, "stats", packed)["entries"] == before
    assert cache_json(jitney, "unpack", packed, "-o", second)["entries"] == before
    for path in (packed, second):
        report = fill(jitney, digits, path)
        assert report["kernels"]["compiled"] == 0 and report["kernels"]["from_cache"] > 0


@pytest.mark.parametrize("source", ["nowhere/", "nowhere.jkp"])
@pytest.mark.parametrize("command", ["pack", "unpack", "merge"])
def test_what_is_not_there_is_no_empty_cache(jitney, command, source, tmp_path):
    source, output = f"{tmp_path}/{source}", f"{tmp_path}/output{'/' if command == 'unpack' else ''}"
    result = jitney("cache", command, source, "-o", output)
    assert result.code == 2 and result.stderr == f"jitney: error: there is no cache '{source}'\n"
    assert list(tmp_path.iterdir()) == []


def test_a_packed_file_is_filled_by_running(jitney, digits, tmp_path):
    path = tmp_path / "kernels.jkp"
    assert fill(jitney, digits, path)["kernels"]["compiled"] > 0
    assert path.is_file()
    assert fill(jitney, digits, path)["kernels"]["compiled"] == 0


def test_merge_is_the_union(jitney, store, tmp_path):
    packed, empty, both = tmp_path / "a.jkp", tmp_path / "nothing", tmp_path / "both.jkp"
    cache_json(jitney, "pack", store, "-o", packed)
    empty.mkdir()
    cache_json(jitney, "merge", packed, store, empty, "-o", both)
    assert cache_json(jitney, "stats", both)["entries"] == cache_json(jitney, "stats", store)["entries"]


def test_verify_finds_what_is_damaged(jitney, store, tmp_path):
    cache_json(jitney, "verify", store)
    packed = tmp_path / "a.jkp"
    cache_json(jitney, "pack", store, "-o", packed)
    victim = max((tmp_path / "store").rglob("*.jk"))
    for path in (victim, packed):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        path.write_bytes(content)
    bad = cache_json(jitney, "verify", store, code=3)["bad"]
    assert [b["reason"] for b in bad] == ["damaged"] and bad[0]["where"].endswith(victim.name)
    assert [b["reason"] for b in cache_json(jitney, "verify", packed, code=3)["bad"]] == ["damaged"]


def test_prune_and_clear(jitney, store, tmp_path):
    packed = tmp_path / "a.jkp"
    cache_json(jitney, "pack", store, "-o", packed)
    for path in (store, packed):
        half = cache_json(jitney, "stats", path)["bytes"] // 2
        removed = cache_json(jitney, "prune", path, "--max-size", half)
        assert removed["removed"] > 0 and removed["bytes_left"] <= half
        cache_json(jitney, "clear", path)
        assert cache_json(jitney, "stats", path)["entries"] == 0
    assert jitney("cache", "prune", store, "--max-size", "2 GB").code == 2


def test_path_is_the_users_own(jitney, tmp_path):
    result = jitney("cache", "path", env={"JITNEY_CACHE_DIR": str(tmp_path / "own")})
    assert result.code == 0 and result.stdout.strip() == f"{tmp_path}/own/"
    assert not (tmp_path / "own").exists()


def test_what_is_not_there_and_what_is_not_ours(jitney, tmp_path):
    assert cache_json(jitney, "stats", tmp_path / "none")["exists"] is False
    (tmp_path / "text").write_text("no cache")
    result = jitney("cache", "stats", tmp_path / "text")
    assert result.code == 2 and "not a cache of Jitney's" in result.stderr
    assert jitney("cache", "pack", tmp_path / "none", "-o", tmp_path / "x").code == 2
    assert jitney("cache", "show", "zz", tmp_path / "none").code == 2
    assert (tmp_path / "text").read_text() == "no cache"


def test_warming_what_keeps_nothing_is_an_error(jitney, digits, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("no cache")
    for path, words in ((other, "is not a cache of Jitney's"), ("none", "keeps nothing")):
        result = jitney("warm", digits, "--runtime-cache", path)
        assert result.code == 2 and words in result.stderr and "Traceback" not in result.stderr
    assert other.read_text() == "no cache"
