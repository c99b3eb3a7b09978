# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""How operators of PyTorch are written as ONNX models, and how to add one's own: see registry."""
from . import (ops_activation, ops_attention, ops_binary, ops_conv, ops_create, ops_distance, ops_index, ops_matmul,
               ops_norm, ops_pad, ops_pool, ops_reduce, ops_resize, ops_scan, ops_search, ops_shape, ops_sort, ops_unary)
from .convert import ConversionError, Model, convert
from .registry import Converter, converter, converters, find_converter, remove_converter
from .values import ALL, FLOATS, INTEGERS, Unsupported, Value
from .writer import GraphWriter

__all__ = ["ALL", "FLOATS", "INTEGERS", "ConversionError", "Converter", "GraphWriter", "Model", "Unsupported", "Value",
           "convert", "converter", "converters", "find_converter", "remove_converter"]

# Imported for the converters that they register.
FAMILIES = (ops_activation, ops_attention, ops_binary, ops_conv, ops_create, ops_distance, ops_index, ops_matmul,
            ops_norm, ops_pad, ops_pool, ops_reduce, ops_resize, ops_scan, ops_search, ops_shape, ops_sort, ops_unary)
