# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Models of torchvision and transformers from their configurations, seeded, compiled by jitney.dynamo."""
