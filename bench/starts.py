# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Whole processes, from exec to the first result: cold (an empty cache folder) and warm (a cache that was filled).

Every engine is driven by a small host, which for Jitney is a C++ program and for the peers Python; so what a process
needs that only imports numpy and the peer is measured, too, and reported beside. "jitney run" is the command line
until it has exited. Caches are used where a peer has one on disk: OpenVINO and torch.compile. Model files and libraries
are in the page cache.
"""
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from catalog import input_names
from peer import Peer

ENOUGH = 10  # seconds after which a slow start is not repeated


def start(kind, folder, options, request):
    """Seconds from exec to the answer, and the answer."""
    shutil.rmtree(folder / "process", ignore_errors=True)
    begin = time.perf_counter()
    peer = Peer(kind, folder / "process", options)
    try:
        reply = peer.ask(**request)
        return time.perf_counter() - begin, reply
    finally:
        peer.close()


def command_line(folder, options, request):
    command = [str(options.build / "bin" / "jitney"), "run", request["model"], "--iterations", "0", "--threads",
               str(options.threads), "--runtime-cache", request["runtime_cache"]]
    for name, made in zip(request["input_names"], request["inputs"]):
        command += ["--input", f"{name}={Path(made['file']).with_suffix('.npy')}"]
    if options.precision != "fp32":
        command += ["--precision", options.precision]
    begin = time.perf_counter()
    process = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if process.returncode:
        raise RuntimeError(process.stderr.strip())
    return time.perf_counter() - begin, {}


def repeat(what, times):
    """Calls until `times` are had or ENOUGH has gone. Gives the seconds and the last answer."""
    seconds = []
    reply = {}
    while len(seconds) < times and sum(seconds) < ENOUGH:
        elapsed, reply = what(len(seconds))
        seconds.append(elapsed)
    return seconds, reply


def in_turns(once, times):
    """Seconds of cold and of warm starts, and the last answer of each. In turns: what the machine does with memory that
    was not used for a while costs a start as much as compiling does, and would be the first ones' alone."""
    cold, warm, first, reply = [], [], {}, {}
    while len(cold) < times and sum(cold) + sum(warm) < 2 * ENOUGH:
        cache = f"cache{len(cold)}"
        elapsed, first = once(cache)
        cold.append(elapsed)
        elapsed, reply = once(cache)
        warm.append(elapsed)
    return cold, warm, first, reply


def summary(seconds):
    return {"median": statistics.median(seconds), "spread": [min(seconds), max(seconds)], "runs": len(seconds)}


def measure(name, kinds, folder, options, request):
    """{kind: {"cold", "warm", "imports", "first_call", "compiled_warm"}}; of the kinds that gave right results.
    first_call: seconds of the first run once a model is loaded, in a cold and in a warm process."""
    results = {}
    times = 1 if options.quick else 5
    if "jitney" in kinds:
        kinds = [*kinds, "jitney run"]
        request = {**request, "input_names": input_names(name)}
    for kind in kinds:
        own = Path(folder) / "starts" / kind.replace(" ", "-")

        def once(cache):
            asked = {**request, "runtime_cache": f"{own / cache}/"}
            return command_line(own, options, asked) if kind == "jitney run" else start(kind, own, options, asked)

        try:
            cold, warm, first, reply = in_turns(once, times)
            results[kind] = {"cold": summary(cold), "warm": summary(warm)}
            if not kind.startswith("jitney"):
                imports, _ = repeat(lambda _: start(kind, own, options, {"command": "imports"}), times)
                results[kind]["imports"] = summary(imports)
                results[kind]["first_call"] = [answer["first"] - answer["load"] for answer in (first, reply)]
            elif "compiled" in reply:
                results[kind]["compiled_warm"] = reply["compiled"]
        except RuntimeError as error:
            results[kind] = {"failed": str(error)}
        shutil.rmtree(own, ignore_errors=True)
    return results
