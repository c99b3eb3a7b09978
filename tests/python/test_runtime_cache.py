# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""RuntimeCache in Python: the handle (B1, B3, B9, B10), and who saves it when (B4, B5, B6, B8)."""
import copy
import gc
import io
import os
import pathlib
import pickle
import sys
import weakref

import filelock
import pytest
from runtime_models import kernels_at, kernels_in, random, relu_model

import jitney
from jitney.runtime import RuntimeCache, RuntimeSettings

MEMORY = RuntimeSettings("none", runtime_cache=None)
X = random(2, 3)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(autouse=True)
def nothing_is_unraisable(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    yield
    gc.collect()
    assert not seen


def engine_with(cache, *operators):
    return jitney.load(relu_model(operators or ("Relu",)), runtime_settings=MEMORY.merge(runtime_cache=cache))


def filled(path="", autosave=False, operators=("Relu",)):
    """A handle with one kernel, which no engine uses any more."""
    cache = RuntimeCache(path, autosave)
    engine_with(cache, *operators)(X)
    return cache


# The handle


def test_B1_what_it_is(tmp_path):
    cache = RuntimeCache()
    assert cache.path == "" and not cache.autosave_on_del and not cache.has_cache() and cache.entries() == []
    cache = RuntimeCache(tmp_path / "x", autosave_on_del=True)
    assert cache.path == str(tmp_path / "x") and cache.autosave_on_del
    with pytest.raises(AttributeError):
        cache.path = "y"
    assert RuntimeCache(None).path == "" and RuntimeCache(b"p").path == "p"
    assert RuntimeCache("p") != RuntimeCache("p") and len({cache, cache, RuntimeCache()}) == 2
    for bad in (3, ["p"], object()):
        with pytest.raises(TypeError):
            RuntimeCache(bad)
    with pytest.raises(ValueError, match="null"):
        RuntimeCache("a\0b")


def test_B1_repr():
    filled()  # the compiler's identity is known from here on, and not kept in the next one
    assert repr(filled("kernels.jkp")) == (
        "RuntimeCache(path='kernels.jkp', autosave_on_del=False) <packed file kernels.jkp, 1 entry in memory, in use>")
    assert "memory, 0 entries in memory, not in use" in repr(RuntimeCache())


def test_B1_has_cache_once_an_engine_has_a_context():
    cache = RuntimeCache()
    engine = engine_with(cache)
    assert not cache.has_cache()
    cache.deserialize(filled().serialize())
    assert not cache.has_cache(), "pending bytes do not count"
    engine(X)
    assert cache.has_cache() and engine.stats()["from_cache"] == 1


def test_B1_stats_and_entries():
    filled()
    cache = filled()
    stats = cache.stats()
    assert stats["entries"] == 1 and set(stats["misses"]) == {"absent"} and stats["hits"] == 0
    engine_with(cache)(X)
    assert cache.stats()["hits"] > 0
    (entry,) = cache.entries()
    assert "source" in entry["fields"] and entry["key"] and entry["bytes"] > 0 and entry["creator"] == ""
    assert cache.prune(0) > 0 and cache.entries() == []
    with pytest.raises(ValueError, match="-1"):
        cache.prune(-1)


def test_B1_merge():
    a, b = filled(), filled(operators=("Neg",))
    engine_with(a)(X)
    a.merge(b)
    a.merge(a)
    assert kernels_in(a) == 2 and kernels_in(b) == 1
    with pytest.raises(TypeError):
        a.merge(None)


@pytest.mark.parametrize("name", ["plain", "späße", "with space", b"\xff\xfe-not-utf8"])
def test_paths_are_the_file_systems(tmp_path, name):
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
    cache = filled(path)
    assert cache.path == os.fsdecode(path)
    cache.save()
    assert os.path.isfile(path)
    settings = RuntimeSettings("none", runtime_cache=os.fsdecode(path))
    engine = jitney.load(relu_model(), runtime_settings=settings)
    engine(X)
    assert engine.stats()["compiled"] == 0 and engine.runtime_settings == settings


# Bytes


def test_B3_pending_bytes():
    data = filled().serialize()
    cache = RuntimeCache()
    cache.deserialize(b"")
    assert cache.serialize() == b""
    cache.deserialize(bytearray(data))
    assert cache.serialize() == data and cache.entries() == [] and not cache.has_cache()
    cache.deserialize(memoryview(filled(operators=("Neg",)).serialize()))  # a later one is added
    engine, other = engine_with(cache), engine_with(cache, "Neg")
    engine(X), other(X)
    assert engine.stats()["compiled"] == other.stats()["compiled"] == 0
    assert kernels_in(cache) == 2


@pytest.mark.parametrize("bad", [b"x", b"not a cache at all" * 100])
def test_B3_foreign_bytes(bad):
    with pytest.raises(ValueError, match="no runtime cache"):
        RuntimeCache().deserialize(bad)
    with pytest.raises(TypeError):
        RuntimeCache().deserialize("text")


def test_B3_a_cut_cache_keeps_intact_entries():
    both = filled()
    both.merge(filled(operators=("Neg",)))
    data = both.serialize()
    cache = RuntimeCache()
    cache.deserialize(data[:-1])
    engines = engine_with(cache), engine_with(cache, "Neg")
    for engine in engines:
        engine(X)
    assert sum(engine.stats()["compiled"] for engine in engines) == 1


def test_streams():
    stream = io.BytesIO()
    count = filled().save_to_stream(stream)
    assert count == len(stream.getvalue()) > 0 and not stream.closed
    cache = RuntimeCache()
    stream.seek(0)
    assert cache.load_from_stream(stream) == count and cache.serialize() == stream.getvalue()
    assert RuntimeCache().load_from_stream(io.BytesIO()) == 0 == RuntimeCache().save_to_stream(io.BytesIO())
    with pytest.raises(TypeError, match="binary"):
        cache.load_from_stream(io.StringIO("text"))

    class Broken:
        def write(self, data):
            raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        cache.save_to_stream(Broken())


# Copies


@pytest.mark.parametrize("copied", [lambda c: pickle.loads(pickle.dumps(c)), copy.deepcopy, copy.copy],
                         ids=["pickle", "deepcopy", "copy"])
def test_B10_copies_are_another_cache_with_the_same_bytes(tmp_path, copied):
    cache = filled(tmp_path / "p", autosave=True)
    other = copied(cache)
    assert other is not cache and other != cache and (other.path, other.autosave_on_del) == (cache.path, True)
    assert not other.has_cache() and other.entries() == [] and other.serialize() == cache.serialize()
    engine = engine_with(other)
    engine(X)
    assert engine.stats()["compiled"] == 0
    engine_with(other, "Neg")(X)
    assert kernels_in(other) == 2 and kernels_in(cache) == 1


def test_B10_pending_bytes_survive_pickling():
    cache = RuntimeCache("p")
    cache.deserialize(filled().serialize())
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(cache))))
    assert again.serialize() == cache.serialize() and again.path == "p" and not again.has_cache()


def test_B10_an_autosaving_copy_saves_itself(tmp_path):
    path = tmp_path / "p"
    cache = filled(path)
    other = pickle.loads(pickle.dumps(RuntimeCache(path, autosave_on_del=True)))
    engine_with(other, "Neg")(X)
    del other
    gc.collect()
    assert kernels_at(path) == 1
    del cache
    gc.collect()
    assert kernels_at(path) == 1, "one that was built without autosave is not saved by itself"


# Files


def test_B7_load_and_save_of_nothing(tmp_path):
    cache = RuntimeCache()
    cache.load(), cache.save(), cache.autosave()
    cache.load(tmp_path / "nowhere"), cache.save(tmp_path / "empty")
    assert not (tmp_path / "empty").exists()
    kept = filled()
    kept.save(tmp_path / "full")
    before = (tmp_path / "full").read_bytes()
    cache.save(tmp_path / "full")
    assert (tmp_path / "full").read_bytes() == before, "an empty cache never replaces a file"


def test_B7_saving_merges_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b" / "c"
    filled(path).save()
    filled(path, operators=("Neg",)).save()
    assert kernels_at(path) == 2


def test_B7_an_external_filelock_blocks_a_save(tmp_path, monkeypatch):
    path = tmp_path / "p"
    filled(path).save()
    before = path.read_bytes()
    cache = filled(path, operators=("Neg",))
    with filelock.FileLock(f"{path}.lock"):
        with pytest.raises(jitney.Error, match="lock"):
            cache.save()
        assert path.read_bytes() == before
    cache.save()
    assert kernels_at(path) == 2


def test_B6_a_file_that_is_not_jitneys_is_never_overwritten(tmp_path):
    path = tmp_path / "mine"
    path.write_bytes(b"my own notes" * 50)
    with pytest.raises(jitney.Error):
        RuntimeCache(path).load()
    with pytest.raises(jitney.Error):
        filled(path).save()
    cache = filled(path, autosave=True)
    del cache
    gc.collect()
    assert path.read_bytes() == b"my own notes" * 50


# Who saves


def test_B5_a_user_built_handle_is_not_saved_on_collection(tmp_path):
    cache = filled(tmp_path / "p")
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None and not (tmp_path / "p").exists()


def test_B5_with_autosave_it_is_saved_on_collection_once(tmp_path):
    path = tmp_path / "p"
    cache = filled(path, autosave=True)
    assert not path.exists()
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None and kernels_at(path) == 1, "exit hooks do not keep it alive"


def test_B6_autosave_again_writes_nothing(tmp_path):
    path = tmp_path / "p"
    cache = filled(path, autosave=True)
    cache.autosave()
    saved = path.stat()
    cache.autosave()
    del cache
    gc.collect()
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (saved.st_ino, saved.st_mtime_ns)


def test_B6_a_failing_autosave_is_silent(tmp_path, capfd):
    folder = tmp_path / "folder"
    cache = filled(folder / "p", autosave=True)
    folder.write_text("a file where a folder has to be")
    del cache
    gc.collect()
    captured = capfd.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err


def test_B4_a_path_makes_a_handle_that_the_engine_owns(tmp_path):
    path = tmp_path / "p"
    engine = engine_with(path)
    handle = engine.runtime_cache
    assert handle.path == str(path) and handle.autosave_on_del and engine.runtime_cache is handle
    assert engine.runtime_settings.runtime_cache == str(path), "the setting stays a path"
    engine(X)
    assert not path.exists()
    engine.runtime_settings = engine.runtime_settings.merge(dynamic_shapes_kernel_specialization_strategy="lazy")
    assert engine.runtime_cache is handle and not path.exists(), "the same path reuses the handle"
    del handle
    engine.close()
    assert kernels_at(path) == 1


def test_B4_saved_on_collection(tmp_path):
    path = tmp_path / "p"
    engine = engine_with(path)
    engine(X)
    del engine
    gc.collect()
    assert kernels_at(path) == 1


@pytest.mark.parametrize("to", ["path", "None", "handle"])
def test_B4_a_swap_saves_the_prior_one_at_once(tmp_path, to):
    a, b = tmp_path / "a", tmp_path / "b"
    engine = engine_with(a)
    engine(X)
    assert not a.exists()
    replacement = {"path": str(b), "None": None, "handle": RuntimeCache(b)}[to]
    engine.runtime_settings = engine.runtime_settings.merge(runtime_cache=replacement)
    assert kernels_at(a) == 1 and not b.exists()
    engine(X)
    assert engine.stats()["compiled"] == 1, "nothing is compiled again"
    assert not b.exists()
    saved = a.stat().st_mtime_ns
    engine.close()
    del engine, replacement
    gc.collect()
    assert a.stat().st_mtime_ns == saved
    assert b.exists() == (to == "path")
    if to == "path":
        assert kernels_at(b) == 1


def test_B4_loaded_at_once_and_a_failure_warns(tmp_path, capfd):
    good, bad = tmp_path / "good", tmp_path / "bad"
    filled(good).save()
    bad.write_bytes(b"something else" * 20)
    engine = engine_with(None)
    engine.runtime_settings = MEMORY.merge(runtime_cache=str(good))
    assert engine.num_execution_contexts_created() == 0 and kernels_in(engine.runtime_cache) == 1
    assert capfd.readouterr().err == ""
    engine.runtime_settings = MEMORY.merge(runtime_cache=str(bad))
    assert "bad" in capfd.readouterr().err
    engine(X)
    assert bad.read_bytes() == b"something else" * 20


def test_B4_owned_handles_on_one_path_share_their_entries(tmp_path):
    path = tmp_path / "p"
    a, b = engine_with(path), engine_with(path, "Neg")
    a(X), b(X)
    assert a.runtime_cache is not b.runtime_cache
    assert kernels_in(a.runtime_cache) == 2 == kernels_in(b.runtime_cache)
    own = RuntimeCache(path)
    assert own.entries() == [], "one that a user built has its own"


def test_B8_none_reads_and_writes_nothing(tmp_path, monkeypatch):
    engine = engine_with(None)
    engine(X)
    engine.close()
    assert list(tmp_path.iterdir()) == []


def test_B7a_a_store_is_published_to_as_kernels_are_compiled(tmp_path):
    folder = f"{tmp_path / 'store'}/"
    engine = engine_with(folder)
    assert not os.path.exists(folder)
    engine(X)
    files = [p for p in pathlib.Path(folder).rglob("*") if p.is_file() and p.suffix != ".lock"]
    assert files
    again = engine_with(folder)
    again(X)
    assert again.stats()["compiled"] == 0 and again.runtime_cache.describe().startswith("store ")
    mine = RuntimeCache(f"{tmp_path / 'mine'}/")
    engine_with(mine)(X)
    assert not (tmp_path / "mine").exists() or not any(p.is_file() for p in (tmp_path / "mine").rglob("*.jke"))
    mine.save()
    assert engine_with(f"{tmp_path / 'mine'}/").runtime_cache is not None


def test_B9_attaching_a_cache_adds_what_the_engine_holds(tmp_path):
    engine = engine_with(None)
    engine(X)
    cache = RuntimeCache()
    engine.runtime_settings = MEMORY.merge(runtime_cache=cache)
    engine(X)
    assert kernels_in(cache) == 1 and engine.stats()["compiled"] == 1
