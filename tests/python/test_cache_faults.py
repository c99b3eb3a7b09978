# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every system call of a save failed in turn, with every error, and killed in between: the cache holds what it held, or
that and what was saved; nothing is left beside it but by a kill. Numbers are those of the failure modes.

JITNEY_CHECK takes every call; without it a few of them. Where strace may not trace, it fails: a check that cannot run
has not passed."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import BUILD

TOOL = BUILD / "bin" / "jitney-test-cache"
CALLS = ["openat", "read", "write", "fsync", "close", "rename", "renameat", "mkdirat", "unlinkat", "flock", "fcntl",
         "newfstatat", "fstat", "getdents64", "futimens,utimensat"]
ERRORS = ["ENOSPC", "EIO", "EINTR", "EMFILE"]
EVERY = 1 if os.environ.get("JITNEY_CHECK") else 7


def tool(*arguments, prefix=(), timeout=120):
    return subprocess.run([*prefix, str(TOOL), *map(str, arguments)], capture_output=True, text=True, timeout=timeout)


def names_in(path):
    result = tool("check", path, "old", "new")
    assert result.returncode == 0, f"a wrong entry: {result.returncode} {result.stderr}"
    return set(result.stdout.split())


def traced_calls(path, log):
    """How often a save calls each system call, once the program's libraries are loaded."""
    result = tool("save", path, "new", prefix=["strace", "-f", "-o", str(log)])
    assert result.returncode == 0, result.stderr
    counts = {}
    for name in re.findall(r"^\d+\s+(\w+)\(", log.read_text(), re.MULTILINE):
        counts[name] = counts.get(name, 0) + 1
    return counts


def leftovers(folder):
    return [p for p in folder.rglob("*") if p.name.startswith(".jitney-tmp-")]


def prepare(folder, form):
    folder.mkdir()
    path = f"{folder}/store/" if form == "store" else f"{folder}/packed"
    assert tool("save", path, "old").returncode == 0
    return path


def places(tmp_path, form):
    """(system call, its number) of a save, spread over all of them."""
    counts = traced_calls(prepare(tmp_path / "count", form), tmp_path / "log")
    wanted = {name for group in CALLS for name in group.split(",")}
    found = [(name, n) for name in sorted(wanted & set(counts)) for n in range(1, counts[name] + 1)]
    assert len(found) > 20
    return found[:: EVERY]


@pytest.mark.parametrize("form", ["store", "packed"])
@pytest.mark.timeout(7200)
def test_mode01_killed_at_each_system_call(tmp_path, form):
    path = prepare(tmp_path / "c", form)
    for call, number in places(tmp_path, form):
        result = tool("save", path, "new", prefix=["strace", "-f", "-o", "/dev/null", "-e",
                                                   f"inject={call}:signal=SIGKILL:when={number}"])
        assert result.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL, 0), (call, number, result)
        assert "old" in names_in(path), (call, number)
    assert tool("save", path, "new").returncode == 0
    assert names_in(path) == {"old", "new"}


@pytest.mark.parametrize("form", ["store", "packed"])
@pytest.mark.timeout(7200)
def test_mode04_each_system_call_fails_with_each_error(tmp_path, form):
    failed = 0
    for i, (call, number) in enumerate(places(tmp_path, form)):
        for error in ERRORS if EVERY == 1 else [ERRORS[i % len(ERRORS)]]:
            path = prepare(tmp_path / f"{call}{number}{error}", form)
            result = tool("save", path, "new", prefix=["strace", "-f", "-o", "/dev/null", "-e",
                                                       f"inject={call}:error={error}:when={number}"])
            # 0: saved; 4: said why not; 127 and 1: a library was not loaded, before anything began
            assert result.returncode in (0, 4, 127, 1), (call, number, error, result)
            names = names_in(path)
            # A file that cannot be read or trusted just then is not merged into, and not replaced either.
            assert "old" in names, (call, number, error, result)
            assert result.returncode != 0 or "new" in names, (call, number, error, "it said that it was saved")
            if call != "unlinkat":
                assert leftovers(tmp_path / f"{call}{number}{error}") == [], (call, number, error)
            failed += result.returncode != 0
    assert failed > 0


@pytest.mark.parametrize("error", ["ENOLCK", "ENOSYS"])
def test_mode23_without_locks_a_store_is_right_and_a_packed_file_stays(tmp_path, error):
    no_locks = ["strace", "-f", "-o", "/dev/null", "-e", f"inject=flock:error={error}"]
    store = prepare(tmp_path / "s", "store")
    (tmp_path / "s" / "store" / ".jitney-locks").unlink()
    (tmp_path / "s" / "store" / ".jitney-locks").mkdir()  # so that nobody has a lock there
    assert tool("save", store, "new").returncode == 0
    assert names_in(store) == {"old", "new"}
    packed = prepare(tmp_path / "p", "packed")
    before = (tmp_path / "p" / "packed").read_bytes()
    result = tool("save", packed, "new", prefix=no_locks)
    assert result.returncode == 4 and "cannot lock" in result.stderr
    assert (tmp_path / "p" / "packed").read_bytes() == before


def test_mode02_a_packed_file_is_on_the_disk_before_it_gets_its_name(tmp_path):
    path = prepare(tmp_path / "c", "packed")
    log = tmp_path / "log"
    assert tool("save", path, "new", prefix=["strace", "-f", "-o", str(log), "-e",
                                             "trace=fsync,rename,renameat,renameat2"]).returncode == 0
    assert re.findall(r"^\d+\s+(fsync|rename)", log.read_text(), re.MULTILINE) == ["fsync", "rename", "fsync"]


def unshared(script):
    return subprocess.run(["unshare", "-rm", "sh", "-e", "-c", script], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("form", ["store", "packed"])
def test_mode03_a_full_disk(tmp_path, form):
    """A file system of 64 KiB: what does not fit stays in memory, what was there stays, nothing is left."""
    name = "c/" if form == "store" else "c"
    many = " ".join(f"n{i}" for i in range(20))
    result = unshared(f"mount -t tmpfs -o size=64k,mode=700 none {tmp_path}; cd {tmp_path}; {TOOL} save {name} old; "
                      f"{TOOL} save {name} {many} && exit 50 || code=$?; echo code $code; {TOOL} check {name} old; "
                      f"find . -name '.jitney-tmp-*'")
    assert result.returncode == 0, result
    assert result.stdout.split("\n")[:2] == ["code 4", "old"] and "tmp" not in result.stdout, result
    assert "No space left" in result.stderr
    assert result.stderr.count("\n") <= 2, "one warning a place"


@pytest.mark.parametrize("form", ["store", "packed"])
def test_mode06_a_read_only_file_system(tmp_path, form):
    path = prepare(tmp_path / "c", form)
    folder = tmp_path / "c"
    result = unshared(f"mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}; {TOOL} check {path} old; "
                      f"{TOOL} save {path} new && exit 50 || echo code $?")
    assert result.returncode == 0, result
    assert result.stdout.split() == ["old", "code", "4"], result
    assert names_in(path) == {"old"}


def test_mode20_the_claim_of_a_killed_process_is_free(tmp_path):
    path = prepare(tmp_path / "c", "store")
    holder = subprocess.Popen([str(TOOL), "hold", path, "x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "mine\n"
    late = subprocess.run([str(TOOL), "hold", path, "x"], input="", capture_output=True, text=True, timeout=20)
    assert late.stdout == "busy\n"
    holder.kill()
    holder.wait()
    late = subprocess.run([str(TOOL), "hold", path, "x"], input="", capture_output=True, text=True, timeout=20)
    assert late.stdout == "mine\n"


def test_mode29_a_setuid_program_uses_no_place_that_the_environment_names():
    """The same program with and without the bit, started by a user who says where caches lie."""
    assert os.geteuid() == 0, "giving a program to another user needs root"
    user, owner = 4242, 4343
    with tempfile.TemporaryDirectory(prefix="jitney-setuid-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        home = folder / "home"
        home.mkdir()
        os.chown(home, user, user)
        variables = {"JITNEY_CACHE_DIR": f"{home}/own", "XDG_CACHE_HOME": f"{home}/xdg", "HOME": f"{home}"}
        for bit in (False, True):
            copy = folder / f"tool{bit:d}"
            shutil.copy(TOOL, copy)
            os.chown(copy, owner, owner)
            copy.chmod(0o4755 if bit else 0o755)
            # The libraries of this machine: LD_LIBRARY_PATH does not count for such a program either.
            result = subprocess.run([copy, "place", "-", "x"], capture_output=True, text=True, timeout=60, user=user,
                                    group=user, extra_groups=[], env=variables, cwd="/")
            assert result.returncode == 0, result
            found = sorted(path.name for path in home.iterdir())
            if bit:
                assert result.stdout.startswith("memory (refused"), result.stdout
                assert found == [], "nothing was made where the environment said"
            else:
                assert result.stdout == f"store {home}/own\n" and found == ["own"]
                shutil.rmtree(home / "own")
