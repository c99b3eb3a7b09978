# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which models there are, for those who have no torch."""
VISION = ("resnet50", "efficientnet_b0", "convnext_tiny", "vit_b_16", "swin_t", "deeplabv3", "ssdlite_heads", "ssdlite")
LANGUAGE = ("bert", "gpt2_cache", "t5", "whisper_encoder", "clip", "llama", "qwen3")
MODELS = VISION + LANGUAGE
