# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""One peer in a process of its own: answers commands, one JSON object a line, on standard input and output.

  {"command": "imports"}                   -> {}, once the libraries are imported
  {"command": "load", "model": PATH, "name": NAME, "inputs": [{"file", "dtype", "shape"}], "threads": N,
   "runtime_cache": DIR}                   -> {"load", "first"} seconds, and the "precision" where it can be asked
  {"command": "outputs", "folder": DIR}    -> {"outputs": [{"file", "dtype", "shape"}]}
  {"command": "block", "seconds": S}       -> {"times": [...]} seconds; the first tenth is left out; S = 0: one run
  {"command": "memory"}                    -> {"peak": bytes}

Between commands it waits on a read, and so uses no processor. Run as: worker.py PEER.
"""
import json
import os
import sys
import time

START = time.perf_counter()
import numpy as np  # noqa: E402  (its time is part of a start)


def read_tensor(spec):
    return np.fromfile(spec["file"], dtype=spec["dtype"]).reshape(spec["shape"])


class OnnxRuntime:
    precision = "f32"

    def imports(self):
        import onnxruntime  # noqa: F401

    def load(self, request, inputs):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        for description, value in zip(self.session.get_inputs(), inputs):
            self.binding.bind_cpu_input(description.name, value)
        for description in self.session.get_outputs():
            self.binding.bind_output(description.name)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        return self.binding.copy_outputs_to_cpu()


class OpenVino:
    hint = "f32"

    def imports(self):
        import openvino  # noqa: F401

    def load(self, request, inputs):
        import openvino as ov
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": request["threads"]}
        if self.hint:
            config["INFERENCE_PRECISION_HINT"] = self.hint
        if request.get("runtime_cache"):
            config["CACHE_DIR"] = request["runtime_cache"]
        core = ov.Core()
        model = core.read_model(request["model"])
        model.reshape({port.get_any_name(): list(value.shape) for port, value in zip(model.inputs, inputs)})
        compiled = core.compile_model(model, "CPU", config)
        self.precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.request = compiled.create_infer_request()
        for i, value in enumerate(inputs):
            self.request.set_input_tensor(i, ov.Tensor(value, shared_memory=True))

    def run(self):
        self.request.infer()

    def outputs(self):
        return [np.array(t.data) for t in self.request.output_tensors]


class OpenVinoDefault(OpenVino):
    hint = None


class Torch:
    compiled = False
    precision = "f32"

    def imports(self):
        import torch  # noqa: F401

    def load(self, request, inputs):
        if request.get("runtime_cache"):
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = request["runtime_cache"]
        import torch
        from torch_models import build
        torch.set_num_threads(request["threads"])
        self.torch = torch
        self.model = build(request["name"], request["model"]).eval()
        self.inputs = [torch.from_numpy(v) for v in inputs]
        if self.compiled:
            torch._inductor.config.freezing = True
            self.model = torch.compile(self.model)

    def run(self):
        with self.torch.inference_mode():
            self.result = self.model(*self.inputs)

    def outputs(self):
        return [leaf.numpy() for leaf in self.torch.utils._pytree.tree_leaves(self.result)]


class TorchCompile(Torch):
    compiled = True


class TorchJitney(Torch):
    """Jitney where users of PyTorch meet it: torch.compile(backend="jitney")."""

    def imports(self):
        import torch  # noqa: F401

        import jitney  # noqa: F401

    def load(self, request, inputs):
        super().load(request, inputs)
        from jitney.runtime import RuntimeSettings
        settings = RuntimeSettings(runtime_cache=request.get("runtime_cache"))
        self.model = self.torch.compile(self.model, backend="jitney",
                                        options={"runtime_settings": settings, "min_block_size": 1})


PEERS = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "openvino-default": OpenVinoDefault, "torch": Torch,
         "torch-compile": TorchCompile, "torch-jitney": TorchJitney}


def peak_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def block(peer, seconds):
    begin = time.perf_counter()
    times = []
    while (now := time.perf_counter()) < begin + seconds or not times:
        peer.run()
        if now >= begin + seconds / 10:
            times.append(time.perf_counter() - now)
    return times


def main():
    peer = PEERS[sys.argv[1]]()
    inputs = []
    # Libraries print; the protocol keeps the real standard output for itself.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        command, reply = request["command"], {}
        try:
            if command == "load":
                begin = time.perf_counter()
                inputs = [read_tensor(spec) for spec in request["inputs"]]  # kept: peers read them in place
                peer.load(request, inputs)
                loaded = time.perf_counter()
                peer.run()
                reply = {"load": loaded - begin, "first": time.perf_counter() - begin, "imports": begin - START,
                         "precision": peer.precision}
            elif command == "imports":
                peer.imports()
            elif command == "outputs":
                reply["outputs"] = []
                for i, value in enumerate(peer.outputs()):
                    path = os.path.join(request["folder"], f"{i}.bin")
                    np.ascontiguousarray(value).tofile(path)
                    reply["outputs"].append({"file": path, "dtype": str(value.dtype), "shape": list(value.shape)})
            elif command == "block":
                reply["times"] = block(peer, request["seconds"])
            elif command == "memory":
                reply["peak"] = peak_memory()
            elif command == "quit":
                return 0
        except Exception as error:  # whatever a library throws: the other side decides what it means
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
