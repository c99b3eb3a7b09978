# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A peer under traffic, in a process of its own: one JSON object a line, on standard input and output.

  {"command": "load", "model": PATH, "name": NAME, "shapes": [{"input": TENSOR, "expected": TENSOR}], "first": I,
   "device": "cpu" or "cuda:0", "threads": N, "callers": N, "runtime_cache": DIR}
                      -> {"start"}: seconds until shape `first` was answered; a TENSOR is {"file", "dtype", "shape"}
  {"command": "reference", "folder": DIR}
                      -> {"expected": [TENSOR]}: each shape's answer, written to files
  {"command": "traffic", "requests": [I, ...], "callers": N, "idle": F}
                      -> {"seconds", "memory": {"before", "peak", "after"}, "answers":
                         [[begin, seconds, error, processor time]]}: the requests in this order, by several
                         callers who rest for a part F of their time

Run as: traffic_worker.py PEER.
"""
import itertools
import json
import os
import sys
import threading
import time

import numpy as np


def read_tensor(spec):
    return np.fromfile(spec["file"], dtype=spec["dtype"]).reshape(spec["shape"])


class OnnxRuntime:
    def load(self, request):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    def caller(self):
        return lambda value: self.session.run(None, {self.name: value})[0]


class OpenVino:
    def load(self, request):
        import openvino as ov
        cores = min(len(os.sched_getaffinity(0)), request["callers"])
        config = {"NUM_STREAMS": cores, "INFERENCE_NUM_THREADS": request["threads"] * cores,
                  "INFERENCE_PRECISION_HINT": "f32"}
        core = ov.Core()
        self.compiled = core.compile_model(core.read_model(request["model"]), "CPU", config)

    def caller(self):
        request = self.compiled.create_infer_request()
        return lambda value: request.infer([value])[0]


class Torch:
    """Eager, or compiled for dynamic lengths; on a GPU in float16, but for `exact`."""
    compiled = exact = False

    def load(self, request):
        if request.get("runtime_cache"):
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = request["runtime_cache"]
        import torch
        from torch_models import build
        self.torch, self.device = torch, request["device"]
        torch.set_num_threads(request["threads"])
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        model = build(request["name"], request["model"]).eval().to(self.device)
        self.model = model if self.exact or self.device == "cpu" else model.half()
        if self.compiled:
            self.model = torch.compile(self.model, dynamic=True)

    def prepare(self, value):
        return self.torch.from_numpy(value).to(self.device)

    def caller(self):
        torch = self.torch
        stream = torch.cuda.Stream() if self.device != "cpu" else None

        def ask(value):
            with torch.inference_mode():
                if stream is None:
                    return self.model(value)
                with torch.cuda.stream(stream):
                    result = self.model(value)
                stream.synchronize()
                return result
        return ask


class TorchCompile(Torch):
    compiled = True


class TorchExact(Torch):
    exact = True


PEERS = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "torch": Torch, "torch-compile": TorchCompile,
         "torch-f32": TorchExact}


def on_host(value):
    return value.float().cpu().numpy() if hasattr(value, "cpu") else np.asarray(value)


def difference(found, expected):
    """As in traffic_files.h."""
    is_half = "float16" in str(found.dtype)
    found = on_host(found)
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    if not is_half:
        return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))
    f, e = found.ravel().astype(np.float64), expected.ravel().astype(np.float64)
    return float(1 - f @ e / max(np.linalg.norm(f) * np.linalg.norm(e), 1e-30))


def memory(row):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(row + ":"))


def reset_peak_memory():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass  # then the peak is that of the whole life


class Traffic:
    def __init__(self, peer):
        self.peer = peer

    def load(self, request):
        begin = time.perf_counter()
        self.peer.load(request)
        prepare = getattr(self.peer, "prepare", lambda value: value)
        self.inputs = [prepare(read_tensor(s["input"])) for s in request["shapes"]]
        self.expected = [read_tensor(s["expected"]) if "expected" in s else None for s in request["shapes"]]
        self.peer.caller()(self.inputs[request["first"]])
        return {"start": time.perf_counter() - begin}

    def reference(self, request):
        ask = self.peer.caller()
        specs = []
        for i, value in enumerate(self.inputs):
            found = on_host(ask(value)).astype(np.float32)
            path = os.path.join(request["folder"], f"expected-{i}.bin")
            found.tofile(path)
            specs.append({"file": path, "dtype": "float32", "shape": list(found.shape)})
        return {"expected": specs}

    def traffic(self, request):
        requests = request["requests"]
        answers = [None] * len(requests)
        counter = itertools.count()  # its next() is atomic
        failures = []
        reset_peak_memory()
        used = {"before": memory("VmRSS")}
        begin = time.perf_counter()

        def work():
            try:
                ask = self.peer.caller()
                while not failures and (i := next(counter)) < len(requests):
                    at, used = time.perf_counter(), time.thread_time()
                    found = ask(self.inputs[requests[i]])
                    seconds = time.perf_counter() - at
                    used = time.thread_time() - used
                    answers[i] = [at - begin, seconds, difference(found, self.expected[requests[i]]), used]
                    time.sleep(seconds * request["idle"] / (1 - request["idle"]))
            except Exception as error:
                failures.append(error)

        callers = [threading.Thread(target=work) for _ in range(request["callers"])]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        if failures:
            raise failures[0]
        seconds = time.perf_counter() - begin
        used.update(peak=memory("VmHWM"), after=memory("VmRSS"))
        return {"seconds": seconds, "memory": used, "answers": answers}


def main():
    # Libraries print; the protocol keeps the real standard output for itself.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    traffic = Traffic(PEERS[sys.argv[1]]())
    for line in sys.stdin:
        request = json.loads(line)
        if request["command"] == "quit":
            break
        try:
            reply = getattr(traffic, request["command"])(request)
        except Exception as error:  # whatever a library throws: the other side decides what it means
            reply = {"error": f"{type(error).__name__}: {error}"[:2000]}
        print(json.dumps(reply), file=replies, flush=True)
    replies.flush()
    os._exit(0)  # what libraries do at their end is nobody's business here


if __name__ == "__main__":
    main()
