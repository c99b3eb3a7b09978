# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Copies, pickles and files of modules, in each runtime and from one to the other (H3)."""
import copy
import io
import os
import pickle
import subprocess
import sys
import textwrap

import pytest
import small_models as models
import torch

from jitney.dynamo.runtime import JitneyModule, use_runtime
from jitney.runtime import RuntimeSettings

pytestmark = pytest.mark.usefixtures("runtime")
X = torch.arange(8.0).reshape(2, 4)
OTHER = RuntimeSettings(dynamic_shapes_kernel_specialization_strategy="eager", runtime_cache=None)


def made():
    module = JitneyModule(models.sum_and_difference(), ["b", "a"], ["difference", "sum"], name="both", metadata={"k": [1]})
    module.runtime_settings = OTHER
    return module


def check(module):
    a, b = torch.randn(2, 3), torch.randn(2, 3)
    difference, total = module(b, a)
    assert torch.equal(difference, a - b) and torch.equal(total, a + b)
    assert module.name == "both" and module.metadata == {"k": [1]}
    assert module.input_binding_names == ["b", "a"] and module.output_binding_names == ["difference", "sum"]


def through_torch_save(module):
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("way", [lambda m: pickle.loads(pickle.dumps(m)), through_torch_save], ids=["pickle", "save"])
@pytest.mark.parametrize("after", ["cpp", "python"])
def test_H3_pickled_without_settings_into_either_runtime(way, after):
    module = made()
    check(module)
    with use_runtime(after):
        loaded = way(module)
    assert loaded.runtime == after and loaded.runtime_settings != OTHER and module.runtime_settings == OTHER
    assert loaded.engine is not module.engine
    check(loaded)


def test_H3_state_dict_in_a_file_read_as_weights_only(tmp_path):
    torch.save(torch.nn.Sequential(made()).state_dict(), tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    for target in (JitneyModule(), JitneyModule(models.unary("Neg"))):
        target.runtime_settings = OTHER
        net = torch.nn.Sequential(target)
        net.load_state_dict(state)
        assert net[0].runtime_settings == OTHER
        check(net[0])


def test_H3_copies_share_the_engine():
    module = made()
    check(module)
    for other in (copy.deepcopy(module), copy.copy(module), copy.deepcopy(torch.nn.Sequential(module))[0]):
        assert other is not module and other.engine is module.engine
        check(other)
    assert module.engine.num_execution_contexts_created() == 1


def test_H3_a_process_that_is_spawned(tmp_path):
    """torch.multiprocessing with spawn: the module goes as an argument, results come back."""
    (tmp_path / "worker.py").write_text(textwrap.dedent("""
        import torch

        def work(module, queue):
            x = torch.arange(8.0).reshape(2, 4)
            queue.put(module(x).tolist())
            queue.put(module.runtime)
            queue.put(module.engine.num_execution_contexts_created())

        def main():
            import small_models, torch.multiprocessing as mp
            from jitney.dynamo.runtime import JitneyModule
            module = JitneyModule(small_models.unary("Neg"), name="neg")
            x = torch.arange(8.0).reshape(2, 4)
            module(x)
            context = mp.get_context("spawn")
            queue = context.Queue()
            process = context.Process(target=work, args=(module, queue))
            process.start()
            assert queue.get(timeout=100) == (-x).tolist()
            assert queue.get(timeout=10) == module.runtime
            assert queue.get(timeout=10) == 1
            process.join(60)
            assert process.exitcode == 0, process.exitcode
            print("fine")

        if __name__ == "__main__":
            main()
        """))
    process = subprocess.run([sys.executable, str(tmp_path / "worker.py")], capture_output=True, text=True, timeout=200,
                             env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert process.stdout == "fine\n", process.stderr


def test_H3_in_another_process_and_the_other_runtime(tmp_path, runtime):
    torch.save(made(), tmp_path / "module.pt")
    other = {"cpp": "python", "python": "cpp"}[runtime]
    code = f"""
import torch
module = torch.load({str(tmp_path / 'module.pt')!r}, weights_only=False)
a, b = torch.randn(2, 3), torch.randn(2, 3)
difference, total = module(b, a)
assert torch.equal(difference, a - b) and torch.equal(total, a + b)
print(module.runtime)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
                             env={**os.environ, "JITNEY_TORCH_RUNTIME": other, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert process.stdout == f"{other}\n", process.stderr


def test_H3_a_handle_of_the_library_by_itself():
    handle = JitneyModule(models.unary("Neg"), name="neg", runtime="cpp").engine_handle
    for other in (pickle.loads(pickle.dumps(handle)), copy.deepcopy(handle)):
        assert torch.equal(torch.ops.jitney.execute_engine([X], other)[0], -X)
        assert other.slots() == handle.slots() and not other == handle and handle == handle
