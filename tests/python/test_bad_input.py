# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Each bad input gets one sentence on stderr, the right exit code, and nothing else.

Exit codes: 0 it worked, 1 a bug in Jitney, 2 the user's (model, setting, shape, file), 3 the environment's.
"""
import os
import re

import bad_models
import numpy as np
import onnx
import pytest

USER, ENVIRONMENT = 2, 3
CRASH = re.compile(r"terminate called|what\(\)|Segmentation|Sanitizer|bug|report|internal", re.IGNORECASE)
SHAPE = "images=1x1x8x8"
QUICK = 60  # seconds; a bad file must not cost minutes either


def refused(result, code, *words):
    """One line on stderr with all `words` (regular expressions, any case), nothing on stdout, this exit code."""
    codes = code if isinstance(code, tuple) else (code,)
    assert result.code in codes, f"exit code {result.code}, stderr: {result.stderr}"
    lines = result.stderr.splitlines()
    assert len(lines) == 1, f"expected exactly one line on stderr:\n{result.stderr}"
    assert result.stdout == ""
    assert not CRASH.search(lines[0]), lines[0]
    assert len(lines[0]) < 600, "one sentence, not a dump"
    for word in words:
        assert re.search(word, lines[0], re.IGNORECASE), f"'{word}' is missing in: {lines[0]}"


@pytest.fixture
def run(jitney, cache):
    """run(MODEL, ...): `jitney run` with an empty cache of its own."""

    def call(model, *arguments, **how):
        return jitney("run", model, "--iterations", "0", "--runtime-cache", cache, *arguments, timeout=QUICK, **how)

    return call


# The model file


def test_missing_model(run, tmp_path):
    refused(run(tmp_path / "nowhere.onnx"), USER, "nowhere.onnx", "no such file|not exist|not found|missing")


def test_model_is_a_folder(run, tmp_path):
    refused(run(tmp_path), USER, re.escape(str(tmp_path)), "folder|directory")


def test_unreadable_model(program, jitney, cache, tmp_path):
    path = bad_models.add(tmp_path / "secret.onnx")
    path.chmod(0)
    if os.geteuid() == 0:  # root reads everything unless it gives that up
        jitney.program = "setpriv"
        before = ["--bounding-set=-dac_override,-dac_read_search", program]
    else:
        before = []
    refused(jitney(*before, "run", path, "--runtime-cache", cache), (USER, ENVIRONMENT), "secret.onnx",
            "permission|denied|unreadable|cannot be read")


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, -1])
def test_truncated_model(run, digits, tmp_path, keep):
    content = digits.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    refused(run(path, "--shape", SHAPE), USER, "cut.onnx")


@pytest.mark.parametrize("seed", range(3))
def test_garbage_model(run, tmp_path, seed):
    path = tmp_path / "noise.onnx"
    path.write_bytes(np.random.default_rng(seed).bytes(5000))
    refused(run(path), USER, "noise.onnx")


def test_text_instead_of_a_model(run, tmp_path):
    (tmp_path / "readme.onnx").write_text("This is not a model.\n" * 20)
    refused(run(tmp_path / "readme.onnx"), USER, "readme.onnx")


def test_unfilled_skeleton(run):
    from conftest import ROOT

    refused(run(ROOT / "tests" / "models" / "mlp.onnx"), USER, "weight|bias|bytes|data")


# The engine file


def engine_file(jitney, digits, tmp_path):
    path = tmp_path / "digits.jitney"
    built = jitney("build", digits, "-o", path)
    assert built.code == 0, built.stderr
    return path


@pytest.mark.parametrize("keep", [0, 10, 0.5, -1])
def test_truncated_engine(run, jitney, digits, tmp_path, keep):
    path = engine_file(jitney, digits, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    refused(run(path, "--shape", SHAPE), USER, "digits.jitney")


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_damaged_engine(run, jitney, digits, tmp_path, where):
    path = engine_file(jitney, digits, tmp_path)
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 4
    path.write_bytes(content)
    refused(run(path, "--shape", SHAPE), USER, "digits.jitney")


# The graph


def test_cyclic_graph(run, tmp_path):
    refused(run(bad_models.cyclic(tmp_path / "m.onnx")), USER, "cycl|order|before", "first|second|one|two")


def test_unknown_operator(run, tmp_path):
    refused(run(bad_models.unknown_operator(tmp_path / "m.onnx")), USER, "Frobnicate", "strange")


def test_unknown_operator_domain(run, tmp_path):
    model = bad_models.unknown_operator(tmp_path / "m.onnx", "Relu", "com.example")
    refused(run(model), USER, r"com\.example")


def test_missing_initializer(run, tmp_path):
    refused(run(bad_models.missing_initializer(tmp_path / "m.onnx")), USER, "forgotten_weight")


def test_value_defined_twice(run, tmp_path):
    refused(run(bad_models.duplicate_value(tmp_path / "m.onnx")), USER, "'?twice'?")


def test_initializer_with_too_few_bytes(run, tmp_path):
    refused(run(bad_models.short_initializer(tmp_path / "m.onnx")), USER, "'w'|\"w\"", "16")


# External data


@pytest.mark.parametrize("location", ["../outside.bin", "sub/../../outside.bin", "/etc/passwd", "/dev/zero", "."])
def test_mode31_external_data_outside_the_models_folder(run, tmp_path, location):
    (tmp_path / "model").mkdir()
    (tmp_path / "outside.bin").write_bytes(b"\0" * 16)
    refused(run(bad_models.external(tmp_path / "model" / "m.onnx", location)), USER, re.escape(location))


def test_mode31_external_data_through_a_symlink(run, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "outside.bin").write_bytes(b"\0" * 16)
    (tmp_path / "model" / "w.bin").symlink_to("../outside.bin")
    refused(run(bad_models.external(tmp_path / "model" / "m.onnx", "w.bin")), USER, "w.bin")


def test_external_data_missing(run, tmp_path):
    refused(run(bad_models.external(tmp_path / "m.onnx", "w.bin")), USER, "w.bin")


@pytest.mark.parametrize("offset,length", [(8, 16), (-4, 16), (2**62, 16), (0, 2**62), (0, 8)])
def test_mode32_external_data_outside_its_file(run, tmp_path, offset, length):
    (tmp_path / "w.bin").write_bytes(b"\0" * 16)
    refused(run(bad_models.external(tmp_path / "m.onnx", "w.bin", offset, length)), USER, "w.bin|'w'|\"w\"")


def test_external_data_in_the_models_folder_is_fine(jitney, cache, tmp_path):
    np.array([1, 2, 3, 4], np.float32).tofile(tmp_path / "w.bin")
    model = bad_models.external(tmp_path / "m.onnx", "w.bin")
    result = jitney.run(model, {"x": np.ones(4, np.float32)}, cache)
    np.testing.assert_array_equal(result.outputs["y"], [2, 3, 4, 5])


# The inputs


def with_input(run, digits, tmp_path, array, name="images"):
    np.save(tmp_path / "in.npy", array)
    return run(digits, "--input", f"{name}={tmp_path / 'in.npy'}")


def test_wrong_input_name(run, digits, tmp_path):
    refused(with_input(run, digits, tmp_path, np.zeros((1, 1, 8, 8), np.float32), "pictures"), USER, "pictures",
            "images")


def test_wrong_name_in_shape(run, digits):
    refused(run(digits, "--shape", "pictures=1x1x8x8"), USER, "pictures", "images")


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint8, np.float16])
def test_wrong_dtype(run, digits, tmp_path, dtype):
    refused(with_input(run, digits, tmp_path, np.zeros((1, 1, 8, 8), dtype)), USER, "images", "float32",
            np.dtype(dtype).name)


def test_wrong_rank(run, digits, tmp_path):
    refused(with_input(run, digits, tmp_path, np.zeros((8, 8), np.float32)), USER, "images", "rank|dimensions", "4")


def test_wrong_rank_in_shape(run, digits):
    refused(run(digits, "--shape", "images=64"), USER, "images", "rank|dimensions", "4")


def test_wrong_shape(run, digits, tmp_path):
    refused(with_input(run, digits, tmp_path, np.zeros((1, 3, 8, 8), np.float32)), USER, "images", "3", "1")


def test_conflicting_dimension(run, tmp_path):
    model = bad_models.add(tmp_path / "add.onnx")
    refused(run(model, "--shape", "a=2x4", "--shape", "b=3x4"), USER, r"\bN\b", "2", "3")


@pytest.mark.parametrize("text", ["images", "images=", "images=1xx8", "images=-1x1x8x8", "images=1x1x8x1e3",
                                  "images=99999999999999999999x1x8x8"])
def test_malformed_shape(run, digits, text):
    refused(run(digits, "--shape", text), USER, "shape|images")


def test_missing_input_file(run, digits, tmp_path):
    refused(run(digits, "--input", f"images={tmp_path / 'none.npy'}"), USER, "none.npy")


def npy_header(shape, descr="<f4", order="False"):
    text = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY", npy_header("(1, 1, 8, 8)"),
                                     npy_header("(1, 1, 8, 8)") + b"\0" * 255, npy_header("(1, 1, 8, 8)", ">f4") + b"\0" * 256,
                                     npy_header("(1, 1, 8, 8)", "|O") + b"\0" * 512, npy_header("(-1, 1, 8, 8)"),
                                     npy_header("(4294967296, 4294967296, 8, 8)")],
                         ids=["empty", "text", "magic", "no-data", "short", "big-endian", "object", "negative", "overflow"])
def test_bad_npy(run, digits, tmp_path, content):
    (tmp_path / "bad.npy").write_bytes(content)
    refused(run(digits, "--input", f"images={tmp_path / 'bad.npy'}"), USER, "bad.npy")


# More than the machine has


def test_mode32_input_of_2_to_the_40_elements(run, digits):
    refused(run(digits, "--shape", "images=17179869184x1x8x8"), (USER, ENVIRONMENT), "memory|bytes|large|GiB|TiB")


def test_mode32_model_that_makes_2_to_the_40_elements(run, tmp_path):
    refused(run(bad_models.huge_constant(tmp_path / "m.onnx")), (USER, ENVIRONMENT), "memory|bytes|large|GiB|TiB")


def test_mode32_initializer_that_claims_2_to_the_40_elements(run, tmp_path):
    refused(run(bad_models.huge_initializer(tmp_path / "m.onnx")), USER, "'w'|\"w\"")


def test_mode32_initializer_whose_size_overflows(run, tmp_path):
    refused(run(bad_models.overflowing_initializer(tmp_path / "m.onnx")), USER, "'w'|\"w\"")


# The command line


@pytest.mark.parametrize("arguments", [["run"], ["frob"], ["run", "MODEL", "--frob"], ["run", "MODEL", "--iterations", "-1"],
                                       ["run", "MODEL", "--iterations", "many"], ["run", "MODEL", "--threads", "-3"],
                                       ["run", "MODEL", "--device", "abacus"], ["build", "MODEL"], ["inspect"], []])
def test_usage(jitney, digits, arguments):
    result = jitney(*[digits if a == "MODEL" else a for a in arguments], timeout=QUICK)
    refused(result, USER)


def test_device_that_is_not_there(run, digits):
    refused(run(digits, "--device", "cuda:99", "--shape", SHAPE), (USER, ENVIRONMENT), "cuda", "cpu")


def test_inspect_refuses_what_is_no_model(jitney):
    refused(jitney("inspect", "/dev/null", timeout=QUICK), USER, "/dev/null")


def test_the_small_model_itself_is_right(jitney, cache, tmp_path):
    """Every refusal above would be worthless if such models were refused for being made this way."""
    a, b = np.arange(8, dtype=np.float32).reshape(2, 4), np.ones((2, 4), np.float32)
    result = jitney.run(bad_models.add(tmp_path / "add.onnx"), {"a": a, "b": b}, cache)
    np.testing.assert_array_equal(result.outputs["y"], a + b)
    onnx.checker.check_model(onnx.load(tmp_path / "add.onnx"))
