# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""PyTorch on a GPU in a process of its own, with the commands of worker.py and one more:

  {"command": "load", ..., "layout": "plain" or "channels-last"}
                                           -> "device": seconds until CUDA was up, before "load" and "first" begin
  {"command": "burst", "runs": N}          -> {"enqueue", "each"}: seconds of processor time to enqueue one run, and of
                                              N runs enqueued back to back, then waited for, divided by N
  {"command": "enqueue", "runs": N}        -> {"times": [seconds]}: to enqueue each of N runs, the last one being done
  {"command": "dynamo", "runs": N}         -> {"times": [seconds]}: of N calls of the model through torch.compile with a
                                              backend that does nothing, which no backend can be faster than

PEER is f32 (eager, without TF32: the reference), eager, graph, reduce-overhead, max-autotune, or torch-jitney, which is
torch.compile(backend="jitney"); all but the first in float16.
"""
import json
import os
import sys
import time

import numpy as np


class Peer:
    def __init__(self, kind):
        self.kind = kind

    def load(self, request):
        if request.get("runtime_cache"):
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = request["runtime_cache"]
        import torch
        from torch_models import build
        self.torch = torch
        begin = time.perf_counter()
        torch.zeros(1, device="cuda")
        torch.cuda.synchronize()
        up = time.perf_counter()
        exact = self.kind == "f32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = not exact
        model = build(request["name"], request["model"]).eval()
        model = model.float().cuda() if exact else model.half().cuda()
        inputs = [torch.from_numpy(np.fromfile(s["file"], dtype=s["dtype"]).reshape(s["shape"])).cuda()
                  for s in request["inputs"]]
        self.inputs = [i.float() if exact and i.is_floating_point() else i for i in inputs]
        if request.get("layout") == "channels-last":
            model = model.to(memory_format=torch.channels_last)
            self.inputs = [i.to(memory_format=torch.channels_last) if i.dim() == 4 else i for i in self.inputs]
        self.model = self.plain = model
        if self.kind in ("reduce-overhead", "max-autotune"):
            self.model = torch.compile(model, mode=self.kind)
        if self.kind == "torch-jitney":
            from jitney.runtime import RuntimeSettings
            settings = RuntimeSettings("lazy", "whole_graph_capture", runtime_cache=request.get("runtime_cache"))
            self.model = torch.compile(model, backend="jitney", options={"runtime_settings": settings, "min_block_size": 1})
        if self.kind == "graph":
            self.capture()
        loaded = time.perf_counter()
        self.run()
        torch.cuda.synchronize()
        first = time.perf_counter() - up
        for _ in range(3):  # compiled models record their graphs in the runs after the first
            self.run()
        torch.cuda.synchronize()
        return {"device": up - begin, "load": loaded - up, "first": first, "gpu": torch.cuda.get_device_name(),
                "version": torch.__version__, "cuda": torch.version.cuda}

    def capture(self):
        torch = self.torch
        with torch.inference_mode():
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self.model(*self.inputs)
            torch.cuda.current_stream().wait_stream(side)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.result = self.model(*self.inputs)

    def run(self):
        if self.kind == "graph":
            self.graph.replay()
            return
        with self.torch.inference_mode():
            self.result = self.model(*self.inputs)

    def outputs(self, folder):
        self.run()
        self.torch.cuda.synchronize()
        value = self.result.float().contiguous().cpu().numpy()
        path = os.path.join(folder, "0.bin")
        value.tofile(path)
        return [{"file": path, "dtype": "float32", "shape": list(value.shape)}]

    def block(self, seconds):
        begin = time.perf_counter()
        times = []
        while (now := time.perf_counter()) < begin + seconds or not times:
            self.run()
            self.torch.cuda.synchronize()
            if now >= begin + seconds / 10:
                times.append(time.perf_counter() - now)
        return times

    def burst(self, runs):
        self.torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(runs):
            self.run()
        enqueued = time.perf_counter()
        self.torch.cuda.synchronize()
        return {"enqueue": (enqueued - begin) / runs, "each": (time.perf_counter() - begin) / runs}


    def enqueue(self, runs):
        times = []
        for _ in range(runs):
            begin = time.perf_counter()
            self.run()
            times.append(time.perf_counter() - begin)
            self.torch.cuda.synchronize()
        return {"times": times}

    def dynamo(self, runs):
        torch = self.torch
        nothing = (torch.zeros(1, device="cuda"),)
        self.model = torch.compile(self.plain, backend=lambda graph, inputs: lambda *values: nothing)
        self.run()
        return self.enqueue(runs)


def answer(peer, request):
    command = request["command"]
    if command == "load":
        return peer.load(request)
    if command == "outputs":
        return {"outputs": peer.outputs(request["folder"])}
    if command == "block":
        return {"times": peer.block(request["seconds"])}
    if command == "burst":
        return peer.burst(request["runs"])
    if command in ("enqueue", "dynamo"):
        return getattr(peer, command)(request["runs"])
    return {"error": f"unknown command {command}"}


def main():
    peer = Peer(sys.argv[1])
    # Libraries print; the protocol keeps the real standard output for itself.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        if request["command"] == "quit":
            break
        try:
            reply = answer(peer, request)
        except Exception as error:  # whatever a library throws: the other side decides what it means
            reply = {"error": f"{type(error).__name__}: {error}"[:2000]}
        print(json.dumps(reply), file=replies, flush=True)
    replies.flush()
    os._exit(0)  # graphs that outlive their library's teardown are nobody's business here


if __name__ == "__main__":
    main()
