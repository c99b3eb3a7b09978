// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace jitney::torch_runtime {

/// Slots of an engine's record, in this order. The one definition: Python reads it through torch.ops.jitney.
enum class Slot : std::int64_t {
  abi_target,
  name,
  device,
  engine,  ///< bytes of a .jitney file in base64
  input_binding_names,
  output_binding_names,
  hw_compatible,
  serialized_metadata,
  target_platform,
  requires_output_allocator,
  resource_allocation_strategy,
  requires_native_multidevice,
};
inline constexpr std::int64_t kRecordLength = 12;
/// Of this layout. Records of other programs have a bare number here.
inline constexpr const char* kAbiTarget = "jitney-1";

/// What an engine in a PyTorch program is made of: all that is needed to make it again, in any process, build and
/// runtime, and nothing of settings, streams or ranks. As slots it is 12 strings of UTF-8; names are JSON lists, flags
/// "0" or "1", metadata is JSON.
struct Record {
  std::string name;
  std::string device = "cpu";  ///< "cpu" or "cuda:INDEX"
  at::Tensor engine;           ///< uint8, rank 1: a .jitney file
  std::vector<std::string> input_binding_names, output_binding_names;
  bool hw_compatible = true;
  std::string serialized_metadata = "{}";
  std::string target_platform;  ///< "linux_x86_64"; of the machine that may run it
  bool requires_output_allocator = false;
  bool allocates_dynamically = false;
  bool requires_native_multidevice = false;
};

/// Throws c10::Error with one sentence that names expected and found: another length, another ABI, another program's
/// record, a platform that is not this one, a slot that is not what it should be. `engine`, where it is defined, takes
/// the place of that slot, which then may be empty.
Record parse_record(const std::vector<std::string>& slots, const at::Tensor& engine = {});
std::vector<std::string> to_slots(const Record& record);

/// Of this machine: "linux_x86_64", "linux_aarch64", "windows_x86_64" or "unknown".
std::string current_platform();

/// RFC 4648, with padding. decode throws c10::Error for anything else.
std::string encode_base64(const at::Tensor& bytes);
at::Tensor decode_base64(const std::string& text);

}  // namespace jitney::torch_runtime
