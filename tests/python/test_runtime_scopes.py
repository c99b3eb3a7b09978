# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Scopes: which engines they reach (D0, D3), how they stack (D0, D1, D4, D6), one cache for a while (D2), graphs (D5, F1,
F4)."""
import gc
import io
import logging
import pathlib
import threading
import warnings
import weakref

import numpy as np
import pytest
from runtime_models import kernels_at, kernels_in, random, relu_model, softmax_model

import jitney
from jitney.runtime import (
    CudaGraphsMode,
    RuntimeCache,
    RuntimeSettings,
    enable_cudagraphs,
    engines_of,
    get_cudagraphs_mode,
    get_whole_cudagraphs_mode,
    runtime_cache,
    runtime_config,
    set_cuda_graph_strategy,
    set_cudagraphs_mode,
    set_dynamic_shapes_kernel_strategy,
)
from jitney.runtime import cudagraphs

MEMORY = RuntimeSettings("none", runtime_cache=None)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # graphs have no effect on a CPU, once a process
        yield


@pytest.fixture
def engine():
    return jitney.load(relu_model(), runtime_settings=MEMORY)


class Module:
    """As much of a torch.nn.Module as scopes look at."""

    def __init__(self, *children, engines=()):
        self.children, self.engines = children, engines

    def modules(self):
        yield self
        for child in self.children:
            yield from child.modules()

    def _jitney_engines_(self):
        return self.engines


class Plain(Module):
    _jitney_engines_ = None  # a module of another kind

    def __getattribute__(self, name):
        if name == "_jitney_engines_":
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_D0_targets():
    a, b, c = (jitney.load(relu_model(), runtime_settings=MEMORY) for _ in "abc")
    inner = Module(Plain(), engines=(b, c))
    outer = Plain(inner, Module(engines=(a,)), inner)
    assert engines_of(a) == (a,) and engines_of([a, (b, a)]) == (a, b) and engines_of([]) == ()
    assert engines_of(outer) == (b, c, a) and engines_of((c, outer)) == (c, b, a)
    assert engines_of(Plain()) == ()
    for bad in (None, 3, "engine", {a: 1}, [a, 3]):
        with pytest.raises(TypeError, match="a target is an Engine, a module, or a list or tuple of these, found"):
            engines_of(bad)


def test_D1_settings_for_a_while(engine):
    before = engine.runtime_settings
    with runtime_config(engine, cuda_graph_strategy="whole_graph_capture") as target:
        assert target is engine
        assert engine.runtime_settings == before.merge(cuda_graph_strategy="whole_graph_capture")
    assert engine.runtime_settings == before
    targets = (engine, [engine])
    with runtime_config(targets, runtime_cache=None) as target:
        assert target is targets


def test_D1_what_is_wrong_is_said_at_construction(engine):
    with pytest.raises(TypeError, match=r"Unknown RuntimeSettings field\(s\): \['strategy'\]"):
        runtime_config(engine, strategy="lazy")
    with pytest.raises(ValueError, match="Invalid cuda_graph_strategy: 'x'"):
        runtime_config(engine, cuda_graph_strategy="x")
    with pytest.raises(TypeError, match="runtime_cache must be"):
        runtime_config(engine, runtime_cache=3)
    with pytest.raises(TypeError, match="a target is"):
        runtime_config(3).__enter__()


def test_D1_one_instance_is_entered_again_and_nested(engine):
    scope = set_cuda_graph_strategy(engine, "whole_graph_capture")
    for _ in range(2):
        with scope, scope:
            assert engine.runtime_settings.cuda_graph_strategy == "whole_graph_capture"
        assert engine.runtime_settings == MEMORY


def test_D1_at_most_two_contexts_for_a_scope(engine):
    x = random(2, 3)
    engine(x)
    with runtime_config([engine, engine], cuda_graph_strategy="whole_graph_capture", runtime_cache=RuntimeCache()):
        engine(x)
        engine(x)
        assert engine.num_execution_contexts_created() == 2
    engine(x)
    engine(x)
    assert engine.num_execution_contexts_created() == 3
    with runtime_config(engine, cuda_graph_strategy="whole_graph_capture"):
        pass
    engine(x)
    assert engine.num_execution_contexts_created() == 3


def test_D0_scopes_stack_and_end_in_any_order(engine):
    strategy = lambda: engine.runtime_settings.dynamic_shapes_kernel_specialization_strategy  # noqa: E731
    a = set_dynamic_shapes_kernel_strategy(engine, "lazy")
    b = set_dynamic_shapes_kernel_strategy(engine, "eager")
    a.__enter__()
    b.__enter__()
    assert strategy() == "eager"
    a.__exit__(None, None, None)
    assert strategy() == "eager"
    engine.runtime_settings = MEMORY.merge(cuda_graph_strategy="whole_graph_capture")
    assert engine.runtime_settings.fields() == (1, 1, None)
    b.__exit__(None, None, None)
    assert engine.runtime_settings.fields() == (2, 1, None)


def test_D0_an_error_inside_and_while_entering_restores(engine):
    with pytest.raises(KeyError):
        with set_cuda_graph_strategy(engine, "whole_graph_capture"):
            raise KeyError
    assert engine.runtime_settings == MEMORY
    closed = jitney.load(relu_model())
    closed.close()
    with pytest.raises(ValueError, match="is closed"):
        with runtime_config([engine, closed], cuda_graph_strategy="whole_graph_capture"):
            pass
    assert engine.runtime_settings == MEMORY
    with set_cuda_graph_strategy(engine, "whole_graph_capture"):
        engine.close()  # its scope ends all the same


def test_D3_without_engines():
    with runtime_config([], cuda_graph_strategy="disabled") as target:
        assert target == []
    with set_cuda_graph_strategy(Plain(), "disabled"), set_dynamic_shapes_kernel_strategy(Plain(), "lazy"):
        pass
    with pytest.raises(RuntimeError, match="requires at least one"):
        runtime_cache(Plain(), "p").__enter__()


# One cache for a while


def test_D2_in_memory(engine):
    other = jitney.load(relu_model(), runtime_settings=MEMORY)
    x = random(2, 3)
    with runtime_cache([engine, other]) as handle:
        assert isinstance(handle, RuntimeCache) and handle.path == "" and not handle.has_cache()
        assert engine.runtime_cache is handle is other.runtime_cache
        engine(x)
        assert handle.has_cache() and kernels_in(handle) == 1
        other(x)
        assert other.stats()["compiled"] == 0 and other.stats()["from_cache"] == 1
    assert engine.runtime_cache is None is other.runtime_cache


@pytest.mark.parametrize("make", [str, pathlib.Path], ids=["str", "PathLike"])
def test_D2_a_path_is_loaded_and_saved(engine, tmp_path, make):
    path = tmp_path / "deep" / "er" / "kernels.jkp"
    with runtime_cache(engine, make(path)) as handle:
        assert handle.path == str(path) and not path.exists()
        engine(random(2, 3))
        assert not path.exists()
    assert path.is_file()
    fresh = jitney.load(relu_model(), runtime_settings=MEMORY)
    with runtime_cache(fresh, path):
        fresh(random(4, 4))
    assert fresh.stats()["compiled"] == 0


def test_D2_one_save_a_scope(engine, tmp_path):
    path = tmp_path / "kernels.jkp"
    with runtime_cache(engine, path) as handle:
        engine(random(2, 3))
    saved = path.stat()
    del handle
    engine(random(2, 3))  # now the engine holds it no longer
    gc.collect()
    engine.close()
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (saved.st_ino, saved.st_mtime_ns)


def test_D2_one_save_when_the_handle_is_collected_inside(engine, tmp_path):
    path = tmp_path / "kernels.jkp"
    with runtime_cache(engine, path) as handle:
        engine(random(2, 3))
        gone = weakref.ref(handle)
        del handle
        gc.collect()
        assert not path.exists(), "nothing is saved before the scope ends"
        assert gone() is None or gone() is engine.runtime_cache
    assert path.is_file() and kernels_at(path) == 1


def test_D2_not_saved_without_autosave(engine, tmp_path):
    path, copy = tmp_path / "kernels.jkp", tmp_path / "copy.jkp"
    with runtime_cache(engine, path, autosave=False) as handle:
        engine(random(2, 3))
        handle.save(copy)
    del handle
    engine.close()
    gc.collect()
    assert not path.exists() and kernels_at(copy) == 1


def test_D2_a_stream_is_read_once_written_once_and_stays_open(engine):
    class Stream(io.BytesIO):
        calls = []

        def read(self, *arguments):
            self.calls.append("read")
            return super().read(*arguments)

        def write(self, data):
            self.calls.append("write")
            return super().write(data)

    stream = Stream()
    with runtime_cache(engine, stream):
        engine(random(2, 3))
    assert stream.calls == ["read", "write"] and not stream.closed
    fresh = jitney.load(relu_model(), runtime_settings=MEMORY)
    with runtime_cache(fresh, io.BytesIO(stream.getvalue())):
        fresh(random(2, 3))
    assert fresh.stats()["compiled"] == 0


def test_D2_streams_that_only_read_or_only_write(engine, tmp_path):
    path = tmp_path / "kernels.jkp"

    class Writer:
        data = b""

        def write(self, data):  # a raw stream takes what it likes
            taken = data[:100]
            self.data += taken
            return len(taken)

    writer = Writer()
    with runtime_cache(engine, writer):
        engine(random(2, 3))
    path.write_bytes(writer.data)
    assert kernels_at(path) == 1
    fresh = jitney.load(relu_model(), runtime_settings=MEMORY)
    with path.open("rb", buffering=0) as file, runtime_cache(fresh, file, autosave=False):
        fresh(random(2, 3))
    assert fresh.stats()["compiled"] == 0


@pytest.mark.parametrize("bad", [3, None, b"p", ["p"], object()])
def test_D2_anything_else_is_named(engine, bad):
    with pytest.raises(TypeError, match=f"found {type(bad).__name__}"):
        runtime_cache(engine, bad)


def test_D2_a_text_stream_is_refused_and_nothing_leaks(engine):
    with pytest.raises(TypeError, match="binary"):
        with runtime_cache(engine, io.StringIO("text")):
            pass
    assert engine.runtime_cache is None


def test_B6_a_load_failure_propagates_and_nothing_leaks(engine, tmp_path):
    path = tmp_path / "foreign"
    path.write_bytes(b"not a cache of Jitney's, and never overwritten")
    with pytest.raises(jitney.Error, match="foreign"):
        with runtime_cache(engine, path):
            pass
    assert engine.runtime_cache is None and engine.runtime_settings == MEMORY
    engine(random(2, 3))
    assert path.read_bytes().startswith(b"not a cache")


def test_B6_a_save_failure_warns(engine, tmp_path, caplog):
    folder = tmp_path / "folder"
    with caplog.at_level(logging.WARNING):
        with runtime_cache(engine, folder / "kernels.jkp"):
            engine(random(2, 3))
            folder.write_text("a file where a folder has to be")
    assert "did not save its cache" in caplog.text
    assert engine.runtime_settings == MEMORY


@pytest.mark.parametrize("order", ["config outside", "cache outside"])
def test_D6_nesting_in_either_order(engine, tmp_path, order):
    path = str(tmp_path / "kernels.jkp")
    scopes = [runtime_config(engine, runtime_cache=path), runtime_cache(engine, path)]
    if order == "cache outside":
        scopes.reverse()
    x = random(2, 3)
    with scopes[0]:
        engine(x)
        with scopes[1]:
            engine(x)
        engine(x)
        assert engine.runtime_cache.path == path and kernels_in(engine.runtime_cache) == 1
    engine(x)
    assert engine.runtime_settings == MEMORY and engine.runtime_cache is None
    assert engine.num_execution_contexts_created() == 4 and engine.stats()["compiled"] == 1
    assert kernels_at(path) == 1


def test_D6_in_several_threads_at_once(tmp_path):
    path = str(tmp_path / "kernels.jkp")
    engines = [jitney.load(relu_model([operator]), runtime_settings=MEMORY)
               for operator in ("Relu", "Neg", "Abs", "Sigmoid")]
    errors = []

    def work(engine, flip):
        try:
            for _ in range(5):
                a, b = runtime_config(engine, runtime_cache=path), runtime_cache(engine, path)
                outer, inner = (a, b) if flip else (b, a)
                with outer, inner:
                    engine(random(2, 3))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(engine, i % 2)) for i, engine in enumerate(engines * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors
    assert all(engine.runtime_settings == MEMORY and engine.stats()["compiled"] == 1 for engine in engines)
    assert kernels_at(path) == 4, "the union of what all of them compiled"


# CUDA graphs


def test_F1_modes():
    assert [mode.value for mode in CudaGraphsMode] == [0, 1, 2]
    assert [mode.name for mode in CudaGraphsMode] == ["STANDARD", "SUBGRAPH_CUDAGRAPHS", "WHOLE_GRAPH_CUDAGRAPHS"]
    assert not get_cudagraphs_mode() and not get_whole_cudagraphs_mode()
    set_cudagraphs_mode(True)
    assert get_cudagraphs_mode() and not get_whole_cudagraphs_mode()
    set_cudagraphs_mode(CudaGraphsMode.WHOLE_GRAPH_CUDAGRAPHS)
    assert not get_cudagraphs_mode() and get_whole_cudagraphs_mode()
    set_cudagraphs_mode(False)
    assert not get_cudagraphs_mode() and not get_whole_cudagraphs_mode()
    with pytest.raises(ValueError):
        set_cudagraphs_mode(7)


def test_F1_the_mode_is_the_processs_and_restored_exactly(engine):
    for before in CudaGraphsMode:
        set_cudagraphs_mode(before)
        with pytest.raises(KeyError):
            with enable_cudagraphs(engine) as model:
                assert model is engine and get_cudagraphs_mode()
                seen = []
                thread = threading.Thread(target=lambda: seen.append(get_cudagraphs_mode()))
                thread.start(), thread.join()
                assert seen == [True]
                raise KeyError
        assert get_cudagraphs_mode() == (before == 1) and get_whole_cudagraphs_mode() == (before == 2)
    set_cudagraphs_mode(False)


def test_D5_strategy_first_and_restored_last(engine):
    with enable_cudagraphs(engine, cuda_graph_strategy="whole_graph_capture"):
        engine(random(2, 3))
        assert engine.num_execution_contexts_created() == 1
        assert engine.runtime_settings.cuda_graph_strategy == "whole_graph_capture"
    assert engine.runtime_settings == MEMORY
    with pytest.raises(ValueError, match="Invalid cuda_graph_strategy"):
        enable_cudagraphs(engine, cuda_graph_strategy="x")
    with pytest.raises(TypeError, match="a target is"):
        with enable_cudagraphs(3):
            pass
    assert not get_cudagraphs_mode()


def test_D5_the_wrappers_seam(engine, monkeypatch):
    monkeypatch.setattr(cudagraphs, "_wrappers", [])
    log = []

    class Wrapper:
        def __init__(self, model):
            self.model = model

        def __enter__(self):
            log.append(("up", get_whole_cudagraphs_mode(), engine.runtime_settings.cuda_graph_strategy))
            if self.model == "bad":
                raise OSError
            return self

        def __exit__(self, *error):
            log.append(("down", get_whole_cudagraphs_mode(), engine.runtime_settings.cuda_graph_strategy))

    cudagraphs.register_whole_graph_wrapper(lambda target: Wrapper(target) if target is model else None)
    model = Module(engines=(engine,))
    with enable_cudagraphs(model, cuda_graph_strategy="whole_graph_capture") as wrapped:
        assert isinstance(wrapped, Wrapper) and get_whole_cudagraphs_mode()
    assert log == [("up", True, "whole_graph_capture"), ("down", True, "whole_graph_capture")]
    assert engine.runtime_settings == MEMORY and not get_whole_cudagraphs_mode()
    with enable_cudagraphs(engine) as plain:
        assert plain is engine and get_cudagraphs_mode()
    cudagraphs.register_whole_graph_wrapper(lambda target: Wrapper("bad"))
    with pytest.raises(OSError):
        with enable_cudagraphs(engine, cuda_graph_strategy="whole_graph_capture"):
            pass
    assert engine.runtime_settings == MEMORY and not get_whole_cudagraphs_mode(), "nothing leaks"


def test_F4_a_run_under_subgraph_mode_switches_the_engine():
    engine = jitney.load(softmax_model(), runtime_settings=MEMORY)
    x = random(2, 3)
    engine(x)
    with enable_cudagraphs(engine):
        assert engine.runtime_settings == MEMORY
        engine(x)
        engine(x)
        assert engine.runtime_settings == MEMORY.merge(cuda_graph_strategy="whole_graph_capture")
        assert engine.num_execution_contexts_created() == 2
    engine(x)
    assert engine.runtime_settings == MEMORY.merge(cuda_graph_strategy="whole_graph_capture"), "and it stays so"
    assert engine.num_execution_contexts_created() == 2
    np.testing.assert_array_equal(engine(x), jitney.load(softmax_model(), runtime_settings=MEMORY)(x))


def test_F4_one_warning_an_engine_that_names_both_ways():
    """On the null device, which has graphs."""
    engine = jitney.load(relu_model(), "null", runtime_settings=MEMORY)
    with warnings.catch_warnings(record=True) as caught, enable_cudagraphs(engine):
        warnings.simplefilter("always")
        for _ in range(3):
            engine(random(2, 3))
    assert len(caught) == 1 and caught[0].category is UserWarning
    text = str(caught[0].message)
    assert "whole_graph_capture" in text and "RuntimeSettings" in text and "set_cuda_graph_strategy" in text
