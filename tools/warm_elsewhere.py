#!/usr/bin/env python3
# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Kernels for a GPU, made where there is none, and used on it without compiling anything.

  python tools/warm_elsewhere.py make FOLDER --program build/bin/jitney     anywhere (needs numpy and onnx)
  python3 tools/warm_elsewhere.py check FOLDER --program bin/jitney         on the GPU (needs neither)

`make` puts small models, their kernels for --target (default sm_90) and cases.json into FOLDER: the one thing to carry.
With --full also larger models of tests/models, some 200 MB. `check` runs each case twice, with an empty cache and with
a copy of what was carried and every compile forbidden: the second must find all kernels, run the very same ones, and
give the same bytes. Both programs must be the same version of Jitney, and both machines have the same NVRTC.
Exit code: 0 when every case passed.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def transformer(width=128, heads=2):
    """A block in float16 over [batch, sequence, width]: attention, GELU, and products whose rows the shape decides."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    rng = np.random.default_rng(0)
    constants, nodes = {}, []

    def constant(name, array):
        constants[name] = numpy_helper.from_array(np.asarray(array), name)
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def dense(x, name, rows, columns):
        w = constant(f"{name}.w", (rng.normal(size=(rows, columns)) / rows ** 0.5).astype(np.float16))
        b = constant(f"{name}.b", (rng.normal(size=columns) / 10).astype(np.float16))
        return node("Add", [node("MatMul", [x, w], f"{name}.p"), b], name)

    def heads_of(x, name, order):
        shape = constant(f"{name}.shape", np.array([0, 0, heads, width // heads], np.int64))
        return node("Transpose", [node("Reshape", [x, shape], f"{name}.r")], name, perm=order)

    q, k, v = (heads_of(dense("x", f"{name}", width, width), f"{name}h", order)
               for name, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])))
    scale = constant("scale", np.float16((width // heads) ** -0.5))
    scores = node("Softmax", [node("Mul", [node("MatMul", [q, k], "qk"), scale], "scaled")], "scores", axis=-1)
    mixed = node("Transpose", [node("MatMul", [scores, v], "sv")], "mixed", perm=[0, 2, 1, 3])
    joined = node("Reshape", [mixed, constant("join", np.array([0, 0, width], np.int64))], "joined")
    attended = node("Add", [dense(joined, "out", width, width), "x"], "attended")
    normal = node("LayerNormalization", [attended, constant("g", np.ones(width, np.float16)),
                                         constant("z", np.zeros(width, np.float16))], "normal", axis=-1)
    up = node("Gelu", [dense(normal, "up", width, 4 * width)], "gelu")
    node("Add", [dense(up, "down", 4 * width, width), attended], "y")
    f16 = onnx.TensorProto.FLOAT16
    info = [helper.make_tensor_value_info(name, f16, ["batch", "sequence", width]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "transformer", info[:1], info[1:], list(constants.values()))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def models(folder, full):
    """NAME, its file, and the arguments of each run."""
    import onnx

    digits = ROOT / "models" / "digits" / "digits.onnx"
    onnx.save(transformer(), folder / "transformer.onnx")
    cases = [("digits", digits, [["--shape", f"images={n}x1x8x8", "--precision", p] for n in (1, 8)
                                 for p in ("fp32", "bf16")]),
             ("transformer", folder / "transformer.onnx",
              [["--shape", f"x={s}x128"] for s in ("1x8", "2x8", "1x100", "16x64")])]
    if full:
        sys.path.insert(0, str(ROOT / "tools"))
        from models import fill_file

        for name, shapes in [("encoder", ["ids=1x8", "ids=4x128"]), ("mlp", ["x=8x1024"]),
                             ("mobilenet_v2", ["input=1x3x224x224"]), ("resnet18", ["input=8x3x224x224"])]:
            fill_file(ROOT / "tests" / "models" / f"{name}.onnx", folder / f"{name}.onnx")
            model = onnx.load(folder / f"{name}.onnx", load_external_data=False)
            shapes = [f"{model.graph.input[0].name}={s.split('=')[1]}" for s in shapes]
            cases.append((name, folder / f"{name}.onnx", [["--shape", s, "--precision", p] for s in shapes
                                                          for p in ("fp32", "bf16")]))
    return cases


def call(words, env=None):
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stderr[-4000:]}")
    return done


def make(folder, program, target, full):
    folder.mkdir(parents=True)
    kernels, cases, compiled, begin = folder / "kernels", [], 0, time.monotonic()
    kernels.mkdir()
    for name, model, runs in models(folder, full):
        engine, shapes = folder / f"{name}.jitney", [w for w in runs[0] if w.startswith("--shape") or "=" in w]
        call([program, "build", model, "-o", engine, "--precompile", target, *shapes])
        for arguments in runs:
            made = json.loads(call([program, "warm", engine, *arguments, "--target", target, "--runtime-cache", kernels,
                                    "--json"]).stdout)[0]
            compiled += made["compiled"]
            cases.append({"engine": engine.name, "arguments": arguments, "precompiled": arguments == runs[0]})
        if model.parent == folder:
            model.unlink()
    (folder / "cases.json").write_text(json.dumps({"target": target, "cases": cases}, indent=1))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {compiled} kernels for {target} in {time.monotonic() - begin:.0f} s, {len(cases)} cases, "
          f"{size / 2**20:.1f} MiB to carry")


def run(program, folder, case, cache, outputs, env, *more):
    """The report, who does which step, and the bytes of the outputs."""
    outputs.mkdir()
    done = call([program, "run", folder / case["engine"], *case["arguments"], "--device", "cuda:0", "--iterations", 2,
                 "--runtime-cache", cache, "--dynamic-shapes-kernel-specialization-strategy", "eager", "--json",
                 "--output-dir", outputs, *more], {"JITNEY_LOG": "debug", **env})
    by = sorted(set(re.findall(r"'([^']*)' is done by (\S+)", done.stderr)))
    # Which of cuBLASLt's algorithms it is does not matter here, but who does a step.
    return (json.loads(done.stdout), by, len(re.findall(r"ms in the compiler", done.stderr)),
            {path.name: path.read_bytes() for path in sorted(outputs.iterdir())})


def check(folder, program):
    given = json.loads((folder / "cases.json").read_text())
    # Whatever else it finds fault with.
    doctor = subprocess.run([program, "doctor"], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL).stdout
    if not re.search(rf"device cuda:0: works: .* target {re.escape(given['target'])}$", doctor, re.MULTILINE):
        sys.exit(f"cuda:0 is not a {given['target']}:\n{doctor}")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        shutil.copytree(folder / "kernels", scratch / "carried")
        # Whoever carried it may have left it open to others, and such a cache is refused.
        for path in [scratch / "carried", *(scratch / "carried").rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        for n, case in enumerate(given["cases"]):
            cold = run(program, folder, case, f"{scratch}/cold{n}/", scratch / f"a{n}", {})
            forbid = {"JITNEY_NO_COMPILE": "error"}
            tries = [("carried", run(program, folder, case, f"{scratch}/carried/", scratch / f"b{n}", forbid))]
            if case["precompiled"] and "bf16" not in case["arguments"]:
                tries.append(("in the engine", run(
                    program, folder, case, "none", scratch / f"c{n}", {**forbid, "JITNEY_COMPILER_NVRTC": "/nonexistent"},
                    "--trust-precompiled")))
            for name, (report, by, compiles, outputs) in tries:
                kernels, problems = report["kernels"], []
                there = kernels["from_cache"] + kernels["precompiled"]
                if compiles or kernels["compiled"]:
                    problems.append(f"{max(compiles, kernels['compiled'])} compiled")
                if there != kernels["distinct"] or kernels["distinct"] != cold[0]["kernels"]["distinct"]:
                    problems.append(f"{there} found of {kernels['distinct']}, {cold[0]['kernels']['distinct']} when cold")
                if kernels["failed"] or kernels["interpreted"] != cold[0]["kernels"]["interpreted"]:
                    problems.append("steps are interpreted")
                if by != cold[1]:
                    problems.append(f"steps are done by others: {sorted(set(by) ^ set(cold[1]))}")
                if outputs != cold[3]:
                    problems.append("other outputs")
                failed += bool(problems)
                own = len({who for _, who in by if who.startswith("own:")})
                misses = ", ".join(f"{count} {why}" for why, count in report["cache"]["misses"].items()) or "none"
                print(f"{'FAILED' if problems else 'passed'}  {case['engine']} {' '.join(case['arguments'])}, {name}: "
                      f"{there} of {kernels['distinct']} kernels were there, {len(by)} library calls ({own} sorts of "
                      f"own kernels), first result {report['total_ms']:.0f} ms instead of {cold[0]['total_ms']:.0f} "
                      f"(cold: {cold[2]} compiled); misses, of algorithms' choices: {misses}"
                      f"{': ' + '; '.join(problems) if problems else ''}", flush=True)
    print(f"warm_elsewhere: {'NOT PASSED' if failed else 'passed'}, {len(given['cases'])} cases")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "check"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--program", type=Path, required=True, help="the jitney to use")
    parser.add_argument("--target", default="sm_90", help="make: for which GPU (default sm_90)")
    parser.add_argument("--full", action="store_true", help="make: larger models, too")
    options = parser.parse_args()
    if options.what == "make":
        return make(options.folder, options.program.resolve(), options.target, options.full)
    return check(options.folder, options.program.resolve())


if __name__ == "__main__":
    sys.exit(main())
