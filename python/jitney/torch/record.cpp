// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/record.h"

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace jitney::torch_runtime {
namespace {

const std::string& slot(const std::vector<std::string>& slots, Slot which) {
  return slots[static_cast<std::size_t>(which)];
}

std::vector<std::string> parse_names(const std::string& text, const char* what) {
  const auto names = nlohmann::json::parse(text, nullptr, false);
  TORCH_CHECK_VALUE(
      names.is_array() && std::all_of(names.begin(), names.end(), [](const auto& n) { return n.is_string(); }), "slot ",
      what, " of an engine's record must be a JSON list of names");
  return names.get<std::vector<std::string>>();
}

bool parse_flag(const std::string& text, const char* what) {
  TORCH_CHECK_VALUE(text == "0" || text == "1", "slot ", what, " of an engine's record must be '0' or '1', found '",
                    text, "'");
  return text == "1";
}

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

Record parse_record(const std::vector<std::string>& slots, const at::Tensor& engine) {
  const auto length = static_cast<std::int64_t>(slots.size());
  TORCH_CHECK_VALUE(length == kRecordLength, "layout mismatch: an engine's record has ", kRecordLength,
                    " slots, found ", length);
  const std::string& abi = slot(slots, Slot::abi_target);
  TORCH_CHECK_VALUE(!is_number(abi), "this is a record of a TensorRT engine (ABI ", abi, "); Jitney's have the ABI '",
                    kAbiTarget, "', and compiling the model with Jitney makes one");
  TORCH_CHECK_VALUE(abi == kAbiTarget, "an engine's record must have the ABI '", kAbiTarget, "', found '", abi, "'");
  Record record;
  record.target_platform = slot(slots, Slot::target_platform);
  const std::string here = current_platform();
  TORCH_CHECK_VALUE(record.target_platform == here, "engine '", slot(slots, Slot::name), "' is for the platform '",
                    record.target_platform, "'; this is '", here, "'");
  record.name = slot(slots, Slot::name);
  record.device = slot(slots, Slot::device);
  record.engine = engine.defined() ? engine : decode_base64(slot(slots, Slot::engine));
  TORCH_CHECK_VALUE(record.engine.scalar_type() == at::kByte && record.engine.dim() == 1,
                    "an engine's bytes must be a uint8 tensor of rank 1");
  record.engine = record.engine.cpu().contiguous();
  record.input_binding_names = parse_names(slot(slots, Slot::input_binding_names), "INPUT_BINDING_NAMES");
  record.output_binding_names = parse_names(slot(slots, Slot::output_binding_names), "OUTPUT_BINDING_NAMES");
  record.hw_compatible = parse_flag(slot(slots, Slot::hw_compatible), "HW_COMPATIBLE");
  record.serialized_metadata = slot(slots, Slot::serialized_metadata);
  TORCH_CHECK_VALUE(nlohmann::json::parse(record.serialized_metadata, nullptr, false).is_object(),
                    "slot SERIALIZED_METADATA of an engine's record must be a JSON object");
  record.requires_output_allocator =
      parse_flag(slot(slots, Slot::requires_output_allocator), "REQUIRES_OUTPUT_ALLOCATOR");
  record.allocates_dynamically =
      parse_flag(slot(slots, Slot::resource_allocation_strategy), "RESOURCE_ALLOCATION_STRATEGY");
  record.requires_native_multidevice =
      parse_flag(slot(slots, Slot::requires_native_multidevice), "REQUIRES_NATIVE_MULTIDEVICE");
  return record;
}

std::vector<std::string> to_slots(const Record& r) {
  const auto flag = [](bool value) { return std::string(value ? "1" : "0"); };
  return {kAbiTarget,
          r.name,
          r.device,
          encode_base64(r.engine),
          nlohmann::json(r.input_binding_names).dump(),
          nlohmann::json(r.output_binding_names).dump(),
          flag(r.hw_compatible),
          r.serialized_metadata,
          r.target_platform,
          flag(r.requires_output_allocator),
          flag(r.allocates_dynamically),
          flag(r.requires_native_multidevice)};
}

std::string current_platform() {
#if defined(__linux__) && defined(__x86_64__)
  return "linux_x86_64";
#elif defined(__linux__) && defined(__aarch64__)
  return "linux_aarch64";
#elif defined(_WIN32) && defined(_M_X64)
  return "windows_x86_64";
#else
  return "unknown";
#endif
}

}  // namespace jitney::torch_runtime
