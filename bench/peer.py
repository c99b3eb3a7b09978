# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A peer's process, seen from the side that measures."""
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
TICK = 1 / os.sysconf("SC_CLK_TCK")
LIMIT = 600  # seconds for one answer


class Peer:
    """A worker process (see worker.py). `kind` is its name on the command line; Jitney's is a program of its own."""

    def __init__(self, kind, folder, options):
        self.kind = kind
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        environment = {**os.environ}
        if hasattr(options, "threads"):
            environment["OMP_NUM_THREADS"] = str(options.threads)
        if kind == "torch-jitney":
            environment["PYTHONPATH"] = f"{options.build / 'python'}:{environment.get('PYTHONPATH', '')}"
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(self.command(kind, options), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, env=environment)

    @staticmethod
    def command(kind, options):
        if kind in ("jitney", "jitney-generic"):
            return [str(options.build / "bin" / "jitney-bench-worker")]
        return [sys.executable, str(HERE / "worker.py"), kind]

    def ask(self, **request):
        """Raises RuntimeError with what the peer says, or with the end of its log when it died."""
        watchdog = threading.Timer(LIMIT, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            code = self.process.wait()
            last = (self.folder / "log").read_text(errors="replace").strip().splitlines()[-1:] or ["nothing"]
            raise RuntimeError(f"the process ended with code {code}; its last words: {last[0]}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def outputs(self):
        return [np.fromfile(o["file"], dtype=o["dtype"]).reshape(o["shape"])
                for o in self.ask(command="outputs", folder=str(self.folder))["outputs"]]

    def processor_time(self):
        """Seconds that all its threads have used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK

    def close(self):
        try:
            self.process.stdin.write('{"command": "quit"}\n')
            self.process.stdin.close()
            self.process.wait(20)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


def busy_time():
    """Seconds that everything on this machine has used, and what other guests of its host took away from it."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) * TICK


class Load:
    """What else runs: cores that others keep busy during a peer's blocks, and that the peer does while it should wait.

    Both falsify latencies: the first is noise, the second means that thread pools spin.
    """

    def __init__(self):
        self.own_idle = self.idle = 0.0
        self.left_at = None

    def run(self, peer, seconds):
        """One block. Gives its latencies and how many cores others used meanwhile."""
        begin, own, all_of_it = time.perf_counter(), peer.processor_time(), busy_time()
        if self.left_at is not None:
            self.idle += begin - self.left_at[0]
            self.own_idle += own - self.left_at[1]
        times = peer.ask(command="block", seconds=seconds)["times"]
        other = (busy_time() - all_of_it) - (peer.processor_time() - own)
        other = max(other, 0) / (time.perf_counter() - begin)
        time.sleep(0.02)  # thread pools spin a little after their work
        self.left_at = time.perf_counter(), peer.processor_time()
        return times, other

    def while_idle(self):
        """Cores that the peer used between its blocks."""
        return self.own_idle / self.idle if self.idle else 0.0


def disagreement(found, expected, tolerance):
    """What is wrong with the outputs, or None. The tolerance is relative to the largest expected value."""
    if [f.shape for f in found] != [e.shape for e in expected]:
        return f"shapes {[f.shape for f in found]} instead of {[e.shape for e in expected]}"
    for f, e in zip(found, expected):
        if f.size == 0:
            continue
        if not np.isfinite(f).all():
            return "values that are not finite"
        difference = float(np.abs(f - e).max() / max(np.abs(e).max(), 1e-30))
        if not difference <= tolerance:
            return f"outputs differ by {difference:.2g} of the largest value, allowed are {tolerance:.2g}"
    return None
