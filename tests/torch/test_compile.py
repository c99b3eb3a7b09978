# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""jitney.compile and jitney.dynamo.compile: calling conventions, mutations, what stays in PyTorch, and what is said."""
import copy
import pickle

import pytest
import torch

import jitney
import jitney.dynamo
from jitney.dynamo import CompilationSettings, ConversionError, Input
from jitney.runtime import RuntimeSettings, default_runtime_settings

DYNAMIC = torch.export.Dim.DYNAMIC


def engines(module):
    return [child for name, child in module.named_children() if name.startswith("_run_on_acc_")]


def steps(module):
    """Kernels and library calls that ran: eager passing through is a failure."""
    stats = [engine.engine.stats() for engine in engines(module)]
    return sum(s["kernels"] + s["library_calls"] for s in stats)


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.LayerNorm(16),
                                          torch.nn.Linear(16, 4), torch.nn.Softmax(-1))

    def forward(self, x):
        return self.layers(x)


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield


def test_a_module_with_any_batch():
    model = Mlp().eval()
    compiled = jitney.compile(model, inputs=[Input(min_shape=(1, 8), opt_shape=(4, 8), max_shape=(64, 8))],
                              min_block_size=1)
    assert len(engines(compiled)) == 1 and not compiled.report.stayed
    for batch in (1, 4, 33, 64):
        x = torch.randn(batch, 8)
        torch.testing.assert_close(compiled(x), model(x))
    assert steps(compiled) > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_models_of_other_dtypes(dtype):
    model = Mlp().eval().to(dtype)
    x = torch.randn(5, 8, dtype=dtype)
    compiled = jitney.compile(model, inputs=[x], min_block_size=1)
    result = compiled(x)
    assert result.dtype == dtype and len(engines(compiled)) == 1
    torch.testing.assert_close(result, model(x), rtol=2e-2, atol=2e-2)


class Nested(torch.nn.Module):
    def forward(self, pair, *, options):
        a, b = pair
        total = a + b * options["factor"]
        return {"total": total, "none": None, "several": [total.sum(), (a.relu(),)], "same": a}


def test_nested_inputs_and_outputs_with_keywords_and_none():
    model = Nested()
    a, b, factor = torch.randn(3, 4), torch.randn(3, 4), torch.tensor(2.0)
    compiled = jitney.compile(model, arg_inputs=[(a, b)], kwarg_inputs={"options": {"factor": factor}},
                              min_block_size=1)
    result, wanted = compiled((a, b), options={"factor": factor}), model((a, b), options={"factor": factor})
    assert result["none"] is None and isinstance(result["several"][1], tuple)
    torch.testing.assert_close(result, wanted)
    assert engines(compiled) and steps(compiled) > 0


class Counter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x, state):
        self.calls.add_(1)
        self.mean.mul_(0.5).add_(x.mean(0), alpha=0.5)
        state[:, 1:3] = x[:, 1:3] * self.calls
        return x - self.mean


def test_mutated_buffers_and_inputs():
    reference = Counter()
    compiled = jitney.compile(Counter(), inputs=[torch.randn(3, 4), torch.randn(3, 4)], min_block_size=1)
    start = dict(compiled.named_buffers())
    for buffer in start.values():
        buffer.zero_()
    for _ in range(3):
        x, first, second = torch.randn(3, 4), torch.zeros(3, 4), torch.zeros(3, 4)
        torch.testing.assert_close(compiled(x, first), reference(x, second))
        torch.testing.assert_close(first, second)
    torch.testing.assert_close(dict(compiled.named_buffers()), dict(reference.named_buffers()))
    assert steps(compiled) > 0


class WithSolver(torch.nn.Module):
    def forward(self, x):
        y = (x @ x.mT + torch.eye(4)).relu() * 2 + 1
        solved = torch.linalg.inv(y + 10 * torch.eye(4))
        return (solved @ y).sigmoid() + y.shape[0]


def test_what_has_no_converter_stays_between_engines():
    model, x = WithSolver(), torch.randn(2, 4, 4)
    compiled = jitney.compile(model, inputs=[x], min_block_size=2)
    names = [name for name, _ in compiled.named_children()]
    assert names == ["_run_on_acc_0", "_run_on_gpu_1", "_run_on_acc_2"]
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)
    (entry,) = compiled.report.stayed
    assert entry.operator.startswith("aten.linalg_inv") and "test_compile.py:" in entry.line
    assert "there is no converter for it" in str(compiled.report) and entry.line in str(compiled.report)
    assert all(engine.engine.stats()["kernels"] + engine.engine.stats()["library_calls"] for engine in engines(compiled))


def test_symbols_between_engines_and_pytorch():
    class Model(torch.nn.Module):
        def forward(self, x):
            a = (x * 2).reshape(x.shape[0] * x.shape[1], 4)
            b = torch.linalg.svdvals(a.reshape(x.shape[0], x.shape[1], 4))
            return a.sum() + b.mean() * x.shape[1], torch.arange(x.shape[0]) + x.shape[1]

    model, x = Model(), torch.randn(3, 5, 4)
    program = torch.export.export(model, (x,), dynamic_shapes={"x": {0: DYNAMIC, 1: DYNAMIC}})
    compiled = jitney.dynamo.compile(program, min_block_size=1)
    for shape in ((3, 5, 4), (2, 7, 4), (6, 4, 4)):
        x = torch.randn(shape)
        torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-4)
    assert len(engines(compiled)) >= 1 and steps(compiled) > 0


def test_min_block_size_and_torch_executed_ops():
    model, x = Mlp().eval(), torch.randn(2, 8)
    whole = jitney.compile(model, inputs=[x], min_block_size=6)
    assert not engines(whole) and "min_block_size is 6" in str(whole.report)
    torch.testing.assert_close(whole(x), model(x))
    for operator in (torch.ops.aten.gelu.default, "torch.ops.aten.gelu", "aten.gelu.default"):
        compiled = jitney.compile(model, inputs=[x], min_block_size=1, torch_executed_ops={operator})
        assert len(engines(compiled)) == 2
        assert [entry.operator for entry in compiled.report.stayed] == ["aten.gelu.default"]
    torch.testing.assert_close(compiled(x), model(x))


def test_require_full_compilation_names_operator_and_line():
    with pytest.raises(ConversionError, match=r"aten\.linalg_inv.*test_compile\.py:\d+.*require_full_compilation"):
        jitney.compile(WithSolver(), inputs=[torch.randn(2, 4, 4)], require_full_compilation=True)


def test_dry_run_builds_nothing():
    program = torch.export.export(WithSolver(), (torch.randn(2, 4, 4),))
    report = jitney.dynamo.dry_run(program, min_block_size=1)
    assert report.compiled > 5 and len(report.stayed) == 1
    compiled = jitney.dynamo.compile(program, dryrun=True)
    assert not engines(compiled)


@pytest.mark.parametrize("mode, value", [("cuda_graph_strategy", "disabled"), ("runtime_cache_path", "x"),
                                         ("dynamic_shapes_kernel_specialization_strategy", "none")])
def test_runtime_modes_are_no_arguments(mode, value):
    with pytest.raises(TypeError, match=rf"'{mode}'.*runtime_settings=jitney.runtime.RuntimeSettings"):
        jitney.compile(Mlp(), inputs=[torch.randn(2, 8)], **{mode: value})


@pytest.mark.parametrize("options, error, match", [
    ({"min_block_size": 0}, ValueError, "min_block_size"),
    ({"min_block_size": "5"}, TypeError, "min_block_size"),
    ({"torch_executed_ops": "aten.add"}, TypeError, "torch_executed_ops"),
    ({"enabled_precisions": {torch.int8}}, ValueError, "enabled_precisions"),
    ({"runtime_settings": {}}, TypeError, "runtime_settings"),
    ({"workspace": 1}, TypeError, "Unknown compilation setting 'workspace'"),
    ({"ir": "ts"}, ValueError, "Invalid ir"),
])
def test_bad_settings(options, error, match):
    with pytest.raises(error, match=match):
        jitney.compile(Mlp(), inputs=[torch.randn(2, 8)], **options)


def test_bad_inputs():
    with pytest.raises(ValueError, match="needs inputs"):
        jitney.compile(Mlp())
    with pytest.raises(TypeError, match="a module or an exported program, found int"):
        jitney.compile(5, inputs=[torch.randn(2)])
    with pytest.raises(TypeError, match="ExportedProgram, found Mlp"):
        jitney.dynamo.compile(Mlp())


def test_runtime_settings_reach_the_engines():
    settings = RuntimeSettings(dynamic_shapes_kernel_specialization_strategy="eager")
    compiled = jitney.compile(Mlp().eval(), inputs=[torch.randn(2, 8)], min_block_size=1, runtime_settings=settings)
    assert [engine.runtime_settings for engine in engines(compiled)] == [settings]


def test_A7_settings_of_what_was_compiled():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU()).eval()
    module = jitney.compile(net, inputs=[torch.randn(2, 4)], min_block_size=1)
    wanted = RuntimeSettings("eager", runtime_cache=None)
    assert module.runtime_settings != wanted
    module.runtime_settings = wanted
    assert module.runtime_settings == wanted == module._run_on_acc_0.engine.runtime_settings
    again = pickle.loads(pickle.dumps(copy.deepcopy(module)))
    assert again.runtime_settings == default_runtime_settings()
    torch.testing.assert_close(again(torch.ones(2, 4)), module(torch.ones(2, 4)))


def test_progress():
    seen = []
    jitney.compile(WithSolver(), inputs=[torch.randn(2, 4, 4)], min_block_size=1,
                   progress=lambda done, total, name: seen.append((done, total, name)))
    assert seen == [(0, 2, "_run_on_acc_0"), (1, 2, "_run_on_acc_2"), (2, 2, "")]


def test_a_program_as_the_bytes_of_one_engine():
    model, x = Mlp().eval(), torch.randn(3, 8)
    program = torch.export.export(model, (x,), dynamic_shapes={"x": {0: DYNAMIC}})
    data = jitney.dynamo.convert_exported_program_to_serialized_engine(program, [x])
    assert isinstance(data, bytes)
    x = torch.randn(7, 8)
    torch.testing.assert_close(torch.from_numpy(jitney.load(data)(x)), model(x))
    with pytest.raises(ConversionError, match="linalg_inv"):
        jitney.dynamo.convert_exported_program_to_serialized_engine(
            torch.export.export(WithSolver(), (torch.randn(2, 4, 4),)))


def test_engines_for_windows_are_marked():
    program = torch.export.export(Mlp().eval(), (torch.randn(3, 8),))
    compiled = jitney.dynamo.cross_compile_for_windows(program, min_block_size=1)
    assert [engine.target_platform for engine in engines(compiled)] == ["windows_x86_64"]
    with pytest.raises(jitney.UserError, match="windows_x86_64"):
        compiled(torch.randn(3, 8))


def test_complex_numbers_and_data_dependent_extents_stay():
    class Model(torch.nn.Module):
        def forward(self, x):
            spectrum = torch.fft.rfft(x * 2 + 1).abs()
            return spectrum + 1, (x[x > 0] * 2).sum()

    model, x = Model(), torch.randn(16)
    compiled = jitney.compile(model, inputs=[x], min_block_size=1)
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-4)
    assert engines(compiled)


def test_own_converters():
    @torch.library.custom_op("jitney_tests::twice_plus", mutates_args=())
    def twice_plus(x: torch.Tensor, n: float) -> torch.Tensor:
        return 2 * x + n

    twice_plus.register_fake(lambda x, n: torch.empty_like(x))
    target = torch.ops.jitney_tests.twice_plus.default

    class Model(torch.nn.Module):
        def forward(self, x):
            return twice_plus(x.relu(), 3.0)

    x = torch.randn(4)
    assert len(jitney.compile(Model(), inputs=[x], min_block_size=1).report.stayed) == 1
    jitney.dynamo.converter(target)(lambda b, x, n: b.Add(b.Mul(x, 2.0), n))
    try:
        compiled = jitney.compile(Model(), inputs=[x], min_block_size=1)
        assert not compiled.report.stayed
        torch.testing.assert_close(compiled(x), Model()(x))
    finally:
        jitney.dynamo.conversion.remove_converter(target)
    with pytest.raises(TypeError, match="name them"):
        jitney.dynamo.converter(torch.ops.aten.add)


def test_settings_know_themselves():
    assert CompilationSettings().min_block_size == 5
    assert CompilationSettings(torch_executed_ops=["aten.add"]).stays_in_torch(torch.ops.aten.add.Tensor)
    assert not CompilationSettings(torch_executed_ops=["aten.add"]).stays_in_torch(torch.ops.aten.addmm.default)
