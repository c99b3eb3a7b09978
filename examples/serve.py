# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A model behind HTTP, by Ray Serve: replicas over one shared cache, each ready only once it is warm.

    pip install "ray[serve]"
    python examples/serve.py --port 8000 --folder served
    curl -X POST 127.0.0.1:8000 -d '{"images": [[0, 0, ... 64 numbers]]}'
    curl 127.0.0.1:8000/stats                  # of whichever replica answers

The program compiles the model to a file, and replicas load the file: they need neither the model's code nor onnx. What
one replica compiles the others find in the folder's cache, and so does the next start. Ray counts a replica as ready
when its __init__ is done, which is after warm(): no request ever waits for a compiler. SIGINT and SIGTERM end it.
"""
from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody

import jitney  # noqa: E402
import ray  # noqa: E402
import torch  # noqa: E402
from ray import serve  # noqa: E402
from ray.serve.config import HTTPOptions  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402

MOST_IMAGES = 8  # in one request


class Classifier(torch.nn.Module):
    """A small convolutional network with random weights, for images of 8 x 8."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.BatchNorm2d(16), torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, padding=1), torch.nn.ReLU())
        self.head = torch.nn.Linear(32, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images).mean((2, 3))).softmax(-1)


def build(path: Path) -> None:
    """Once, in the program that starts the replicas."""
    torch.manual_seed(0)
    images = torch.zeros(2, 1, 8, 8)
    batch = torch.export.Dim("batch", min=1, max=MOST_IMAGES)
    program = torch.export.export(Classifier().eval(), (images,), dynamic_shapes=({0: batch},))
    module = jitney.dynamo.compile(program, require_full_compilation=True)
    jitney.save(module, path, arg_inputs=(images,), dynamic_shapes=({0: batch},))


class Replica:
    """One process with the model in it."""

    def __init__(self, model: str, cache: str) -> None:
        begin = time.monotonic()
        self.module = jitney.load(model).module()
        # A folder is a store: each kernel is there for all replicas as soon as one has compiled it, and two that miss
        # the same one at once compile it once.
        self.module.runtime_settings = jitney.RuntimeSettings(runtime_cache=cache)
        for engine in jitney.runtime.engines_of(self.module):
            engine.warm([((count, 1, 8, 8),) for count in range(1, MOST_IMAGES + 1)])
        self.seconds = time.monotonic() - begin
        self.warm = self._counts()

    def _counts(self) -> dict[str, int]:
        stats = [engine.stats() for engine in jitney.runtime.engines_of(self.module)]
        return {name: sum(int(each[name]) for each in stats) for name in ("compiled", "from_cache")}

    async def __call__(self, request: Request) -> JSONResponse:
        if request.url.path == "/stats":
            return JSONResponse({"process": os.getpid(), "seconds_to_warm": self.seconds, "when_ready": self.warm,
                                 "now": self._counts()})
        try:
            images = torch.tensor((await request.json())["images"], dtype=torch.float32).reshape(-1, 1, 8, 8)
            with torch.no_grad():
                found = self.module(images)
        except (KeyError, TypeError, ValueError, RuntimeError, AssertionError) as error:  # of the request
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"process": os.getpid(), "probabilities": found.tolist()})


def start(folder: Path, port: int, replicas: int) -> None:
    """Returns when every replica is ready."""
    ray.init(address="local", include_dashboard=False, num_cpus=max(2, replicas), object_store_memory=100 << 20,
             _node_ip_address="127.0.0.1", configure_logging=False, log_to_driver=False)
    serve.start(http_options=HTTPOptions(host="127.0.0.1", port=port))
    deployment: Any = serve.deployment(num_replicas=replicas, ray_actor_options={"num_cpus": 1})(Replica)
    serve.run(deployment.bind(str(folder / "model.ep"), str(folder / "kernels") + os.sep), route_prefix="/")


def main() -> int:
    parser = argparse.ArgumentParser(description="a model behind HTTP")
    parser.add_argument("--folder", type=Path, default=Path("served"), help="for the model and compiled kernels")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--replicas", type=int, default=2)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    ended = threading.Event()
    build(folder / "model.ep")
    try:
        start(folder, arguments.port, arguments.replicas)
        for number in (signal.SIGINT, signal.SIGTERM):  # here, because Ray sets handlers of its own
            signal.signal(number, lambda *_: ended.set())
        print(f"ready: http://127.0.0.1:{arguments.port}", flush=True)
        ended.wait()
    finally:
        serve.shutdown()
        ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
