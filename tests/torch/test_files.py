# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Programs with engines as files: exported programs, TorchScript, AOTInductor (H4, H4a, H5, I1, I2)."""
import os
import subprocess
import sys

import pytest
import small_models as models
import torch

import jitney
from jitney import UserError
from jitney.dynamo.runtime import JitneyModule, use_runtime
from jitney.runtime import RuntimeSettings, engines_of, runtime_config

pytestmark = pytest.mark.usefixtures("runtime")
OTHER = RuntimeSettings(dynamic_shapes_kernel_specialization_strategy="eager", runtime_cache=None)


class Net(torch.nn.Module):
    """Two engines with PyTorch between them."""

    def __init__(self, device="cpu"):
        super().__init__()
        self._run_on_acc_0 = JitneyModule(models.unary("Neg"), name="neg", device=device)
        self._run_on_gpu_1 = torch.nn.Linear(4, 3)
        self._run_on_acc_2 = JitneyModule(models.sum_and_difference(), name="both", device=device)

    def forward(self, x, y):
        h = self._run_on_gpu_1(self._run_on_acc_0(x))
        total, difference = self._run_on_acc_2(h, y)
        return total * 2, difference


X, Y = torch.randn(2, 4), torch.randn(2, 3)


def wanted(net, x, y):
    h = net._run_on_gpu_1(-x)
    return (h + y) * 2, h - y


def check(run, net, rows=2):
    x, y = torch.randn(rows, 4), torch.randn(rows, 3)
    for got, want in zip(run(x, y), wanted(net, x, y)):
        torch.testing.assert_close(got, want)


def saved(net, path, **options):
    rows = torch.export.Dim("rows", min=1, max=64)
    device = net._run_on_gpu_1.weight.device
    jitney.save(net, path, arg_inputs=(X.to(device), Y.to(device)), dynamic_shapes=({0: rows}, {0: rows}), **options)


def test_H4_shapes_of_outputs_are_symbolic():
    net = Net()
    rows = torch.export.Dim("rows", min=1, max=64)
    program = torch.export.export(net, (X, Y), dynamic_shapes=({0: rows}, {0: rows}), strict=False)
    output = next(node for node in program.graph.nodes if node.op == "output").args[0][0].meta["val"]
    assert isinstance(output.shape[0], torch.SymInt) and output.shape[1] == 3
    check(program.module(), net, rows=5)


def test_H4_expressions_of_extents():
    from jitney.dynamo.runtime.extents import bind, evaluate

    assert evaluate("2*n + floordiv(m - 1, 2) - mod(7, 4)", {"n": 5, "m": 9}) == 11
    assert evaluate("-n*(m + 1)", {"n": 2, "m": 3}) == -8 and evaluate("max(n, min(4, m))", {"n": 1, "m": 9}) == 4
    assert bind([("2*n + 1", "m")], [(9, 3)]) == {"n": 4, "m": 3}
    with pytest.raises(KeyError):
        evaluate("n", {})


def test_H4_an_output_whose_shape_follows_from_data():
    module = JitneyModule(models.nonzero())

    class Found(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.engine = module

        def forward(self, x):
            return self.engine(x) + 1

    x = torch.tensor([[0.0, 1, 0, 2], [0, 0, 3, 0]])
    program = torch.export.export(Found(), (x,), strict=False)
    assert torch.equal(program.module()(x), x.nonzero().t() + 1)


def test_torch_compile_takes_it_as_one_operator():
    net = Net()
    for backend in ("eager", "aot_eager", "jitney"):
        torch._dynamo.reset()
        compiled = torch.compile(net, fullgraph=True, backend=backend)
        with torch.no_grad():
            check(compiled, net)
            check(compiled, net, rows=7)
    assert all(child.engine.num_execution_contexts_created() == 1 for child in (net._run_on_acc_0, net._run_on_acc_2))


@pytest.mark.parametrize("after", ["cpp", "python"])
def test_H5_exported_program_into_either_runtime(tmp_path, after):
    net = Net()
    saved(net, tmp_path / "net.ep")
    with use_runtime(after):
        program = jitney.load(tmp_path / "net.ep")
        assert isinstance(program, torch.export.ExportedProgram)
        loaded = program.module()
        check(loaded, net, rows=9)
        children = {name: child for name, child in loaded.named_children() if isinstance(child, JitneyModule)}
        assert list(children) == ["_run_on_acc_0", "_run_on_acc_1"]
        assert {child.runtime for child in children.values()} == {after}
        assert {engine.name for engine in engines_of(program)} == {"neg", "both"}
        assert set(map(id, engines_of(program))) == set(map(id, engines_of(loaded)))


def test_D0_a_loaded_program_is_a_target_and_A7_its_module_has_settings(tmp_path):
    net = Net()
    saved(net, tmp_path / "net.ep")
    program = jitney.load(tmp_path / "net.ep")
    loaded = program.module()
    with runtime_config(program, dynamic_shapes_kernel_specialization_strategy="eager"):
        assert loaded.runtime_settings.dynamic_shapes_kernel_specialization_strategy == "eager"
        check(loaded, net)
    loaded.runtime_settings = OTHER
    assert all(engine.runtime_settings == OTHER for engine in engines_of(program))


@pytest.mark.parametrize("after", ["cpp", "python"])
def test_H5_in_another_process(tmp_path, after):
    net = Net()
    saved(net, tmp_path / "net.ep")
    torch.save((net._run_on_gpu_1.weight.detach(), net._run_on_gpu_1.bias.detach()), tmp_path / "linear.pt")
    code = f"""
import jitney, torch
run = jitney.load({str(tmp_path / 'net.ep')!r}).module()
weight, bias = torch.load({str(tmp_path / 'linear.pt')!r})
x, y = torch.randn(3, 4), torch.randn(3, 3)
h = -x @ weight.t() + bias
total, difference = run(x, y)
torch.testing.assert_close(total, (h + y) * 2)
torch.testing.assert_close(difference, h - y)
print(run._run_on_acc_0.runtime)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
                             env={**os.environ, "JITNEY_TORCH_RUNTIME": after, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert process.stdout == f"{after}\n", process.stderr


def test_H5_torchscript(tmp_path):
    net = Net()
    jitney.save(net, tmp_path / "net.ts", output_format="torchscript", arg_inputs=(X, Y))
    loaded = jitney.load(tmp_path / "net.ts")
    assert isinstance(loaded, torch.jit.ScriptModule)
    check(loaded, net)
    check(loaded, net, rows=6)
    assert jitney.apply_runtime_settings(loaded, OTHER) == 2
    assert {engine.name for engine in engines_of(loaded)} == {"neg", "both"}


def test_I1_I2_aot_inductor(tmp_path):
    net = Net()
    saved(net, tmp_path / "net.pt2", output_format="aot_inductor")
    loaded = jitney.load(tmp_path / "net.pt2")
    check(loaded, net)
    check(loaded, net, rows=6)
    engines = engines_of(loaded)
    assert {engine.name for engine in engines} == {"neg", "both"}
    before = [engine.num_execution_contexts_created() for engine in engines]
    assert before == [1, 1]
    assert jitney.apply_runtime_settings(loaded, OTHER) == 2
    check(loaded, net)
    assert [engine.num_execution_contexts_created() for engine in engines] == [2, 2]
    assert all(engine.runtime_settings == OTHER for engine in engines)


def test_I2_by_name():
    first, second = (JitneyModule(models.unary("Neg"), name="a name of two") for _ in range(2))
    for module in (first, second):
        module(torch.ones(1, 4))
    assert jitney.apply_runtime_settings("a name of two", OTHER) == 2
    assert first.runtime_settings == second.runtime_settings == OTHER
    assert jitney.apply_runtime_settings("a name of none", OTHER) == 0
    del first, module
    assert jitney.apply_runtime_settings("a name of two", OTHER) == 1


def test_H5_what_cannot_be_saved(tmp_path):
    net = Net()
    with pytest.raises(UserError, match=r"Invalid output_format: 'onnx'. Expected one of \['exported_program'"):
        jitney.save(net, tmp_path / "x", output_format="onnx", arg_inputs=(X, Y))
    for output_format in ("exported_program", "torchscript", "aot_inductor"):
        with pytest.raises(UserError, match="needs arg_inputs"):
            jitney.save(net, tmp_path / "x", output_format=output_format)


def test_H4a_without_the_library(tmp_path, monkeypatch):
    from jitney.dynamo.runtime import library

    monkeypatch.setattr(library, "_load", lambda: "it is not there")
    monkeypatch.setenv("JITNEY_TORCH_RUNTIME", "")
    net = Net()
    assert net._run_on_acc_0.runtime == "python"
    saved(net, tmp_path / "net.ep")
    check(jitney.load(tmp_path / "net.ep").module(), net)
    for output_format in ("torchscript", "aot_inductor"):
        with pytest.raises(jitney.EnvironmentError, match="libjitney_torch"):
            jitney.save(net, tmp_path / "x", output_format=output_format, arg_inputs=(X, Y))


def test_files_that_are_no_programs(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a/b", "c")
    with pytest.raises(UserError, match="is no exported program, TorchScript or AOTInductor package"):
        jitney.load(tmp_path / "other.zip")
