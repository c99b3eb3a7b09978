# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""jitney.Engine with what PyTorch programs ask of an engine besides."""
from __future__ import annotations

from typing import Any

import torch

from ... import UserError
from ...engine import Engine


class ModuleEngine(Engine):
    """The engine of a JitneyModule."""

    # Of torch.classes.jitney.Engine; None in the Python runtime.
    handle: Any = None
    given_name = ""

    @property
    def name(self) -> str:
        """The module's, which says more than the model's own."""
        return self.given_name or super().name

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        return super().input_shapes if self.handle is None else [tuple(shape) for shape in self.handle.input_shapes()]

    def why_not_capturable(self, stream: int = 0) -> str:
        """Why a run with inputs like the last one's cannot be recorded into a CUDA graph on that stream; "" when it can.
        UserError before the first run."""
        if self.device == "cpu":
            return ""
        if self.input_shapes:
            found = self._session.why_not_capturable(stream) if self.handle is None else self.handle.why_not_capturable(stream)
            return str(found)
        raise UserError(f"engine '{self.name}' has not run yet: whether it can be captured depends on its inputs' shapes")

    def _is_monolithic_capturable(self, stream: Any = 0) -> bool:
        return not self.why_not_capturable(_number(stream))

    @property
    def _rtx_native_cudagraphs(self) -> bool:
        """Whether the engine captures CUDA graphs itself."""
        return self.runtime_settings.cuda_graph_strategy != "disabled"

    def _enable_rtx_native_cudagraphs(self) -> None:
        self.update_runtime_settings(self.runtime_settings.merge(cuda_graph_strategy="whole_graph_capture"))


def _number(stream: Any) -> int:
    return int(stream.cuda_stream) if isinstance(stream, torch.cuda.Stream) else int(stream)
