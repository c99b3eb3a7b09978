# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""All cases over a few worker processes. A worker that dies or hangs is replaced; its case is 'crashed' or 'hung'."""
import dataclasses
import multiprocessing
import multiprocessing.connection
import time

from onnx_suite import worker
from onnx_suite.cases import all_cases

CRASHED, HUNG = "crashed", "hung"
SECONDS = 60  # for one case


@dataclasses.dataclass(frozen=True)
class Result:
    case: object
    verdict: str  # pass, refused, wrong, crashed or hung
    reason: str = ""
    interpreted: int = 0  # operators that the reference interpreter ran


class _Worker:
    # Forked: the cases are collected once. Nothing of Jitney is loaded before the fork.
    _fork = multiprocessing.get_context("fork")

    def __init__(self):
        self.pipe, theirs = self._fork.Pipe()
        self.process = self._fork.Process(target=worker.serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.index = None

    def give(self, index):
        self.index, self.until = index, time.monotonic() + SECONDS
        self.pipe.send(index)

    def take(self):
        """The result, or None while there is none. Afterwards `alive` says whether it can go on."""
        case, self.alive = all_cases()[self.index], True
        if self.pipe.poll():
            try:
                return Result(case, *self.pipe.recv())
            except (EOFError, OSError):
                self.alive = False
                self.process.join()
                return Result(case, CRASHED, f"the process ended with exit code {self.process.exitcode}")
        if time.monotonic() > self.until:
            self.alive = False
            self.process.kill()
            self.process.join()
            return Result(case, HUNG, f"no result in {SECONDS} s")
        return None

    def stop(self):
        if self.process.is_alive():
            self.pipe.send(None)
        self.process.join()


def run(indices=None, processes=2, progress=None):
    """Results in the order of the cases."""
    waiting = list(reversed(range(len(all_cases())) if indices is None else indices))
    results, idle, busy = [], [], []
    while waiting or busy:
        while waiting and len(busy) < processes:
            one = idle.pop() if idle else _Worker()
            one.give(waiting.pop())
            busy.append(one)
        multiprocessing.connection.wait([one.pipe for one in busy], timeout=1)
        for one in list(busy):
            result = one.take()
            if result is None:
                continue
            busy.remove(one)
            if one.alive:
                idle.append(one)
            results.append((one.index, result))
            if progress:
                progress(result)
    for one in idle:
        one.stop()
    return [result for _, result in sorted(results, key=lambda pair: pair[0])]
