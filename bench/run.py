# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney side by side with the engines a user would pick instead: ./dev bench [OPTION ...]

Every peer runs in a process of its own, because thread pools that spin in one process falsify each other; the processes
take turns in blocks of half a second, and the first tenth of a block does not count. Outputs are compared with ONNX
Runtime's before any time counts: a peer that gives other results is reported as wrong and not timed. Reported is the
median over rounds of each block's median; ratios are medians over rounds of the ratio in that round, with their spread.
Rounds in which other processes used the processor are repeated; of up to three times as many, the quietest count.
"""
import argparse
import fcntl
import json
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]
import fusion  # noqa: E402
import report  # noqa: E402
import starts  # noqa: E402
from catalog import MODELS, make_inputs, model_file, skeleton  # noqa: E402
from peer import Load, Peer, disagreement  # noqa: E402

# jitney-generic: with kernels for any shape alone; torch-jitney: torch.compile(backend="jitney").
PEERS = ["jitney", "jitney-generic", "onnxruntime", "openvino", "openvino-default", "torch", "torch-compile", "torch-jitney"]
OURS = ("jitney", "jitney-generic", "torch-jitney")
REFERENCE = "onnxruntime"
# The largest difference to the reference, relative to its largest value.
TOLERANCE = {"f32": 1e-3, "low": 6e-2}
# Cores that others may use in a block before its round is repeated.
QUIET = 0.15


class WrongResult(Exception):
    pass


def load(kind, folder, options, request, expected):
    """A peer whose outputs are right (all are, when nothing is expected yet), its figures and its outputs."""
    peer = Peer(kind, Path(folder) / kind, options)
    try:
        if kind == "jitney-generic":
            request = {**request, "generic": True}
        figures = {"start": peer.ask(**request, runtime_cache=f"{peer.folder / 'cache'}/")}
        figures["precision"] = figures["start"].get("precision", "f32" if options.precision == "fp32" else "bf16")
        found = peer.outputs()
        judged = [f + 1 for f in found] if kind == options.spoil else found
        tolerance = TOLERANCE["f32" if figures["precision"] == "f32" else "low"]
        if problem := disagreement(judged, found if expected is None else expected, tolerance):
            raise WrongResult(problem)
        # The first runs allocate; what a long life adds to that is not a matter of the model.
        for _ in range(10):
            peer.ask(command="block", seconds=0)
        figures["peak_memory"] = peer.ask(command="memory")["peak"]
        return peer, figures, found
    except BaseException:
        peer.close()
        raise


def measure(name, options):
    """One model: {peer: figures}. A peer that cannot run or is wrong has only "failed", a sentence."""
    peers, figures, expected = {}, {}, None
    with tempfile.TemporaryDirectory(prefix="jitney-bench-") as folder:
        request = {"command": "load", "model": str(model_file(name)), "name": skeleton(name).stem,
                   "inputs": make_inputs(name, folder), "threads": options.threads, "precision": options.precision}
        try:
            # The reference comes first, and also when it is not to be timed.
            for kind in [REFERENCE, *(k for k in options.peers if k != REFERENCE)]:
                try:
                    peer, its_figures, found = load(kind, folder, options, request, expected)
                    expected = found if expected is None else expected
                    if kind in options.peers:
                        peers[kind], figures[kind] = peer, its_figures
                    else:
                        peer.close()
                except (RuntimeError, WrongResult) as error:
                    figures[kind] = {"failed": f"{'wrong: ' if isinstance(error, WrongResult) else ''}{error}"}
                    if expected is None and not isinstance(error, WrongResult):
                        raise SystemExit(f"{name}: without {REFERENCE}, nothing can be checked: {error}")
            time_in_turns(peers, figures, options)
        finally:
            for peer in peers.values():
                peer.close()
        if not options.no_starts:
            for kind, its_starts in starts.measure(name, list(peers), folder, options, request).items():
                figures.setdefault(kind, {})["process"] = its_starts
    return figures


def quiet_rounds(peers, loads, options):
    """Rounds [{kind: (latency, cores that others used)}]; ones that others disturbed are repeated, within reason."""
    rounds = []
    quiet = 0
    while quiet < options.rounds and len(rounds) < options.rounds * (1 if options.quick else 3):
        measured = {}
        # Every other round backwards, so that nobody always follows the same neighbour.
        for kind in sorted(peers, reverse=bool(len(rounds) % 2)):
            times, other = loads[kind].run(peers[kind], options.block)
            measured[kind] = (statistics.median(times), other)
        rounds.append(measured)
        quiet += disturbance(measured) <= QUIET
    return sorted(rounds, key=disturbance)[:options.rounds]


def disturbance(measured):
    return max(other for _, other in measured.values())


def time_in_turns(peers, figures, options):
    if not peers:
        return
    loads = {kind: Load() for kind in peers}
    rounds = quiet_rounds(peers, loads, options)
    blocks = {kind: [r[kind][0] for r in rounds] for kind in peers}
    for kind in peers:
        figures[kind].update(latency=statistics.median(blocks[kind]), blocks=blocks[kind],
                             other_load=statistics.mean(r[kind][1] for r in rounds), idle_load=loads[kind].while_idle())
        if "jitney" in peers:
            figures[kind]["jitney_ratio"], figures[kind]["ratio_spread"] = ratio(blocks["jitney"], blocks[kind])
    # Who computes in f32 is compared with its like; who does not is compared with everybody.
    for comparison, kinds in (("f32", [k for k in peers if figures[k]["precision"] == "f32"]), ("any", list(peers))):
        rivals = [k for k in kinds if k not in OURS]
        if not rivals:
            continue
        best = min(rivals, key=lambda k: figures[k]["latency"])
        for kind in kinds:
            if comparison == "f32" or figures[kind]["precision"] != "f32":
                median, spread = ratio(blocks[kind], blocks[best])
                figures[kind]["to_best"] = {"peer": best, "ratio": median, "spread": spread}


def ratio(own, other):
    ratios = [a / b for a, b in zip(own, other)]
    return statistics.median(ratios), [min(ratios), max(ratios)]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="./dev bench")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), metavar="MODEL",
                        help=f"of {', '.join(MODELS)}")
    parser.add_argument("--peers", nargs="+", choices=PEERS, metavar="PEER",
                        default=[kind for kind in PEERS if kind not in OURS[1:]], help=f"of {', '.join(PEERS)}")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32",
                        help="Jitney's; the peers have their own")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--block", type=float, default=0.5, help="seconds of one turn (default 0.5)")
    parser.add_argument("--seconds", type=float, help="time for each peer and model, instead of a number of rounds")
    parser.add_argument("--no-starts", action="store_true", help="leave out the starts of whole processes")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 0.1 s: whether it works, not how fast it is")
    parser.add_argument("--json", type=Path, help="write all figures and the machine's description")
    parser.add_argument("--markdown", type=Path, help="write the tables between the bench markers of this file")
    parser.add_argument("--update-readme", action="store_true", help="the same as --markdown README.md")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS)
    parser.add_argument("--spoil", help=argparse.SUPPRESS)  # a peer whose outputs are made wrong, for the test
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.block = 3, 0.1
    if options.seconds:
        options.rounds = max(1, round(options.seconds / options.block))
    if options.update_readme:
        options.markdown = ROOT / "README.md"
    if options.markdown:
        report.check_markers(options.markdown)  # now, not after minutes
    return options


def wait_for_other_runs():
    """Two at once would measure each other. The lock goes when this process ends."""
    folder = ROOT / ".cache" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    lock = open(folder / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another benchmark is running: waiting for its end", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the peers and removes their files
    _lock = None if options.quick else wait_for_other_runs()
    begin = time.time()
    results, fused = {}, {}
    for name in options.models:
        results[name] = measure(name, options)
        fused[name] = fusion.measure(name, options)
        print(report.text(name, results[name]), *report.promises(results[name], fused[name], options), sep="\n",
              flush=True)
    document = {"machine": report.machine(options), "seconds": round(time.time() - begin), "models": results,
                "fusion": fused}
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.markdown:
        report.write_markdown(options.markdown, document)
    everything = [(kind, f["failed"]) for r in results.values() for kind, f in r.items() if "failed" in f]
    return 1 if any(kind == "jitney" or failed.startswith("wrong") for kind, failed in everything) else 0


if __name__ == "__main__":
    sys.exit(main())
