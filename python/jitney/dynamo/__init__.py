# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney for PyTorch. Needs torch; `import jitney` alone does not."""
