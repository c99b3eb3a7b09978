# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A poor environment costs time and one sentence; results stay right wherever there can be any."""
import os
import resource
import shutil
import signal
import subprocess

import numpy as np
import pytest
from test_bad_input import CRASH, ENVIRONMENT, refused


@pytest.fixture
def images(digits):
    return np.load(digits.parent / "test_images.npy")[:4]


@pytest.fixture
def expected(jitney, digits, images, tmp_path):
    return jitney.run(digits, {"images": images}, f"{tmp_path / 'good-cache'}/").outputs["logits"]


def one_warning(result, *words):
    lines = result.stderr.splitlines()
    assert len(lines) == 1, f"expected one warning:\n{result.stderr}"
    assert not CRASH.search(lines[0]), lines[0]
    for word in words:
        assert word in lines[0].lower(), f"'{word}' is missing in: {lines[0]}"


def small_disk(folder, size):
    """A command prefix that runs what follows with a file system of `size` on `folder`; skips where not permitted."""
    # Not in a user namespace: there the real root is nobody, and a cache below nobody's folders is refused.
    script = f"mount -t tmpfs -o size={size},mode=700 none '{folder}' && exec \"$@\""
    prefix = ["unshare", "-m", "sh", "-c", script, "sh"]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting needs root in a container that permits it; the tests of the cache layer stand in")
    return prefix


def limit_files_to_16_kib():
    """A write past the limit fails with EFBIG, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))


def test_full_disk_under_the_cache(program, jitney, digits, images, expected, tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    jitney.program, *prefix = small_disk(folder, "4k")
    np.save(tmp_path / "in.npy", images)
    out = tmp_path / "out"
    out.mkdir()
    result = jitney(*prefix, program, "run", digits, "--input", f"images={tmp_path / 'in.npy'}", "--output-dir", out,
                    "--runtime-cache", f"{folder}/", "--iterations", "0")
    assert result.code == 0, result.stderr
    one_warning(result, "space")
    np.testing.assert_array_equal(np.load(out / "logits.npy"), expected)


def test_full_disk_under_the_engine_file(jitney, digits, tmp_path):
    target = tmp_path / "out" / "digits.jitney"
    target.parent.mkdir()
    refused(jitney("build", digits, "-o", target, preexec_fn=limit_files_to_16_kib), ENVIRONMENT, "digits.jitney")
    assert list(target.parent.iterdir()) == [], "nothing half-written stays behind"


def test_full_disk_under_the_outputs(jitney, digits, images, expected, tmp_path):
    many = np.repeat(images, 200, axis=0)  # 32 kB of logits
    np.save(tmp_path / "in.npy", many)
    out = tmp_path / "out"
    result = jitney("run", digits, "--input", f"images={tmp_path / 'in.npy'}", "--output-dir", out, "--iterations", "0",
                    "--runtime-cache", f"{tmp_path / 'good-cache'}/", preexec_fn=limit_files_to_16_kib)
    assert result.code == ENVIRONMENT, result.stderr
    one_warning(result, "logits")


def test_output_folder_that_cannot_be_made(jitney, digits, cache, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = jitney("run", digits, "--shape", "images=1x1x8x8", "--iterations", "0", "--runtime-cache", cache,
                    "--output-dir", tmp_path / "file" / "out")
    assert result.code in (2, ENVIRONMENT), result.stderr
    one_warning(result, "file/out")


def test_cache_folder_that_cannot_be_made(jitney, digits, images, expected, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = jitney.run(digits, {"images": images}, f"{tmp_path / 'file' / 'cache'}/")
    one_warning(result, "cache")
    assert result.kernels["compiled"] > 0
    np.testing.assert_array_equal(result.outputs["logits"], expected)


def test_cache_folder_that_others_may_write(jitney, digits, images, expected, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    result = jitney.run(digits, {"images": images}, f"{folder}/")
    one_warning(result, "shared")
    assert list(folder.iterdir()) == [], "nothing is written into a refused place"
    np.testing.assert_array_equal(result.outputs["logits"], expected)


def test_no_home_and_no_cache_folder(program, digits, images, tmp_path):
    np.save(tmp_path / "in.npy", images)
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME", "JITNEY_CACHE_DIR")}
    # A folder beneath a file cannot be made, whoever asks.
    for extra in ({}, {"HOME": str(tmp_path / "in.npy" / "home")}, {"HOME": "relative"}):
        process = subprocess.run([str(program), "run", str(digits), "--input", f"images={tmp_path / 'in.npy'}",
                                  "--iterations", "0"], env={**environment, **extra}, capture_output=True, text=True,
                                 timeout=60, cwd=tmp_path)
        assert process.returncode == 0, process.stderr
        assert len(process.stderr.splitlines()) <= 1, process.stderr
        assert not (tmp_path / "relative").exists()


def test_no_compiler_installed(jitney, digits, images, expected, cache, tmp_path):
    result = jitney.run(digits, {"images": images}, cache,
                        env={"JITNEY_COMPILER_CLANG": str(tmp_path / "no-such-compiler")})
    one_warning(result, "compiler")
    assert result.kernels["compiled"] == 0 and result.kernels["interpreted"] > 0
    np.testing.assert_allclose(result.outputs["logits"], expected, rtol=1e-4, atol=1e-4)


def test_a_compiler_that_is_another_program(jitney, digits, images, expected, cache):
    result = jitney.run(digits, {"images": images}, cache, env={"JITNEY_COMPILER_CLANG": "/bin/true"})
    assert result.kernels["compiled"] == 0
    assert 1 <= len(result.stderr.splitlines()) <= 2, result.stderr
    np.testing.assert_allclose(result.outputs["logits"], expected, rtol=1e-4, atol=1e-4)


def test_doctor_says_what_is_missing(jitney, tmp_path):
    well = jitney("doctor")
    assert well.code == 0 and "compiler" in well.stdout.lower() and "cache" in well.stdout.lower()
    ill = jitney("doctor", env={"JITNEY_COMPILER_CLANG": str(tmp_path / "no-such-compiler")})
    assert "no-such-compiler" in ill.stdout + ill.stderr
    assert ill.stdout != well.stdout
