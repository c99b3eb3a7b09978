# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Each bad input is an exception of the right class with one sentence, from Python as from the command line."""
import os
import re
import subprocess
import sys

import bad_models
import numpy as np
import pytest
from conftest import BUILD

import jitney

IMAGES = np.zeros((1, 1, 8, 8), np.float32)


pytestmark = pytest.mark.usefixtures("own_cache")


def refused(error, words, call):
    """`call` raises this very class; its text is one sentence with the words."""
    with pytest.raises(error) as info:
        call()
    text = str(info.value)
    assert info.type in (error, *error.__subclasses__()) and "\n" not in text and len(text) < 600, text
    assert not isinstance(info.value, jitney.InternalError)
    for word in words:
        assert re.search(word, text, re.IGNORECASE), f"'{word}' is missing in: {text}"


MODELS = {
    "cyclic": (bad_models.cyclic, ["cycl|order|before", "first|second|one|two"]),
    "operator": (bad_models.unknown_operator, ["Frobnicate", "strange"]),
    "domain": (lambda path: bad_models.unknown_operator(path, "Relu", "com.example"), [r"com\.example"]),
    "initializer": (bad_models.missing_initializer, ["forgotten_weight"]),
    "duplicate": (bad_models.duplicate_value, ["twice"]),
    "short": (bad_models.short_initializer, ["'w'", "16"]),
    "huge": (bad_models.huge_initializer, ["'w'"]),
    "overflow": (bad_models.overflowing_initializer, ["'w'"]),
    "outside": (lambda path: bad_models.external(path, "../outside.bin"), [r"\.\./outside\.bin"]),
    "device": (lambda path: bad_models.external(path, "/dev/zero"), ["/dev/zero"]),
    "missing": (lambda path: bad_models.external(path, "w.bin"), [r"w\.bin"]),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(tmp_path, name):
    make, words = MODELS[name]
    path = make(tmp_path / "bad.onnx")
    refused(jitney.UserError, words, lambda: jitney.load(path))
    refused(jitney.UserError, words, lambda: jitney.build(path, tmp_path / "bad.jitney"))
    assert not (tmp_path / "bad.jitney").exists()
    refused(jitney.UserError, [], lambda: jitney.load(path.read_bytes()))


def test_files(digits, tmp_path):
    refused(jitney.UserError, ["nowhere.onnx"], lambda: jitney.load(tmp_path / "nowhere.onnx"))
    refused(jitney.UserError, ["folder|directory"], lambda: jitney.load(tmp_path))
    content = digits.read_bytes()
    for bad in (b"", b"\xff" * 100, b"hello", content[:-10], content[:len(content) // 2]):
        (tmp_path / "m.onnx").write_bytes(bad)
        refused(jitney.UserError, ["m.onnx"], lambda: jitney.load(tmp_path / "m.onnx"))
        refused(jitney.UserError, [], lambda: jitney.load(bad))
    refused(ValueError, ["null"], lambda: jitney.load("a\0b.onnx"))


def test_a_file_name_that_is_no_text(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\xfe.onnx"
    refused(jitney.UserError, [r"\.onnx"], lambda: jitney.load(os.fsdecode(name)))
    with open(name, "wb") as file:
        file.write(b"garbage")
    refused(jitney.UserError, [r"\.onnx"], lambda: jitney.load(os.fsdecode(name)))


def test_names_in_a_model_that_are_no_text(tmp_path):
    """The message must be made all the same."""
    content = bad_models.unknown_operator(tmp_path / "m.onnx", op="Frobnicate").read_bytes()
    refused(jitney.UserError, ["not supported|not an ONNX"],
            lambda: jitney.load(content.replace(b"Frobnicate", b"Frob\xff\xfecate")))
    add = bad_models.add(tmp_path / "add.onnx").read_bytes()
    assert len(jitney.load(add.replace(b"\x01a", b"\x01\xff")).input_names) == 2


def test_engine_files(digits, tmp_path):
    jitney.build(digits, tmp_path / "digits.jitney")
    content = (tmp_path / "digits.jitney").read_bytes()
    for bad in (content[:20], content[:-1], content[:len(content) // 2],
                content[:100] + bytes([content[100] ^ 4]) + content[101:]):
        (tmp_path / "bad.jitney").write_bytes(bad)
        refused(jitney.UserError, ["bad.jitney"], lambda: jitney.load(tmp_path / "bad.jitney"))


def test_arrays(digits):
    engine = jitney.load(digits)
    refused(jitney.UserError, ["images", "float32", "float64"], lambda: engine(IMAGES.astype(np.float64)))
    refused(jitney.UserError, ["images", "4 dimensions", "3"], lambda: engine(IMAGES[0]))
    refused(jitney.UserError, ["images", "axis 2", "8"], lambda: engine(np.zeros((1, 1, 9, 8), np.float32)))
    refused(TypeError, ["images", "array"], lambda: engine("an image"))
    refused(ValueError, ["missing", "unknown", "image"], lambda: engine.run({"image": IMAGES}))
    refused(jitney.UserError, ["expected 1 inputs"], lambda: engine())
    assert engine(IMAGES).shape == (1, 10)  # it works on


def test_extents_that_conflict(tmp_path):
    engine = jitney.load(bad_models.add(tmp_path / "add.onnx"))
    refused(jitney.UserError, ["'N'|N is"], lambda: engine(np.zeros((2, 4), np.float32), np.zeros((3, 4), np.float32)))


def test_an_array_of_2_to_the_40_elements(tmp_path):
    """It takes no memory itself, for its strides are 0."""
    engine = jitney.load(bad_models.add(tmp_path / "add.onnx"))
    x = np.broadcast_to(np.float32(0), (2**38, 4))
    refused(jitney.EnvironmentError, ["memory|bytes|GiB|TiB"], lambda: engine(x, x))
    assert engine(np.ones((1, 4), np.float32), np.ones((1, 4), np.float32))[0, 0] == 2


def test_a_model_that_makes_2_to_the_40_elements(tmp_path):
    path = bad_models.huge_constant(tmp_path / "m.onnx")
    refused(jitney.Error, ["memory|bytes|large|GiB|TiB"], lambda: jitney.load(path)(np.ones(1, np.float32)))


@pytest.mark.parametrize("keywords,error,words", [
    ({"device": "abacus"}, jitney.UserError, ["abacus", "cpu"]), ({"device": "cuda:-1"}, jitney.UserError, ["cuda:-1"]),
    ({"device": 3}, TypeError, ["device"]), ({"threads": 2.5}, TypeError, ["threads"]),
    ({"threads": -1}, ValueError, ["threads"]), ({"precision": "fp7"}, ValueError, ["fp7", "bf16"]),
    ({"denormals": "maybe"}, ValueError, ["maybe", "keep"]), ({"colour": "red"}, TypeError, ["colour"]),
])
def test_options(digits, keywords, error, words):
    refused(error, words, lambda: jitney.load(digits, **keywords))


def test_places_to_save(digits, tmp_path):
    engine = jitney.load(digits)
    refused(jitney.Error, ["nowhere"], lambda: engine.save(tmp_path / "nowhere" / "m.jitney"))
    refused(jitney.Error, [], lambda: engine.save(tmp_path))
    with pytest.raises(TypeError):
        engine.save(3)


def child(code, *arguments, **environment):
    """The code's output. A process of its own, for what is read once."""
    process = subprocess.run([sys.executable, "-c", "import sys, numpy as np, jitney\n" + code, *map(str, arguments)],
                             env={**os.environ, "PYTHONPATH": str(BUILD / "python"), **environment},
                             capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    return process.stdout + process.stderr


RUN = "print(jitney.load(sys.argv[1])(np.zeros((1, 1, 8, 8), np.float32)).shape)"


def test_no_compiler(digits, tmp_path):
    said = child(RUN, digits, JITNEY_COMPILER_CLANG=str(tmp_path / "nothing"))
    assert "(1, 10)" in said and "reference interpreter" in said


def test_no_compiler_where_that_is_an_error(digits):
    code = "try:\n    " + RUN + "\nexcept jitney.EnvironmentError as e:\n    print('refused:', e)"
    assert "refused: 1 of 1 kernels would have to be compiled" in child(code, digits, JITNEY_NO_COMPILE="error")


@pytest.mark.parametrize("folder", ["/proc/nothing", "/dev/null/cache"])
def test_a_cache_that_cannot_be(digits, folder):
    assert "(1, 10)" in child(RUN, digits, JITNEY_CACHE_DIR=folder)


def test_a_settings_variable_that_is_wrong(digits):
    code = "try:\n    " + RUN + "\nexcept ValueError as e:\n    print('refused:', e)"
    said = child(code, digits, JITNEY_SPECIALIZED_SHAPES="many")
    assert "refused:" in said and "JITNEY_SPECIALIZED_SHAPES" in said


@pytest.mark.parametrize("shapes,error,words", [
    ({"images": (1, 1, 8, 8)}, TypeError, ["list with a set of shapes"]), (["images"], TypeError, ["mapping of names", "str"]),
    (None, TypeError, ["NoneType"]), ([None], TypeError, ["NoneType"]), ([{"images": (1, 1, 8, 8.0)}], TypeError, ["float"]),
    ([{"images": "1188"}], TypeError, ["sequence of ints, found str"]), ([{"images": 5}], TypeError, ["found int"]),
    ([{"images": (2**70, 1, 8, 8)}], jitney.UserError, ["no size"]), ([[(1, 1, 8)]], jitney.UserError, ["images"])])
def test_shapes_to_warm(digits, shapes, error, words):
    engine = jitney.load(digits)
    refused(error, words, lambda: engine.warm(shapes))
    engine.warm([{"images": np.array([2, 1, 8, 8])}])


@pytest.mark.parametrize("budget", ["a", 1.5, None])
def test_weight_budgets(digits, budget):
    refused(TypeError, ["weight_budget must be an int"], lambda: setattr(jitney.load(digits), "weight_budget", budget))
