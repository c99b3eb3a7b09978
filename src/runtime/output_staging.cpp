// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/output_staging.h"

#include "runtime/constants.h"

namespace jitney::runtime {
namespace {

std::size_t bytes_of(const ir::Value& value, const std::vector<std::int64_t>& shape) {
  std::size_t bytes = size_of(value.dtype);
  for (const auto e : shape) bytes *= static_cast<std::size_t>(e);
  return bytes;
}

}  // namespace

OutputStaging::~OutputStaging() {
  for (const Staged& s : staged_) target_.backend->free(target_.device, s.memory, s.bytes, stream_);
}

std::size_t OutputStaging::input_bytes(std::size_t i) const {
  return bytes_of(program_.graph.value(program_.graph.inputs[i]), plan_.input_shapes[i]);
}

std::size_t OutputStaging::output_bytes(std::size_t i) const {
  return bytes_of(program_.graph.value(program_.graph.outputs[i]), plan_.output_shapes[i]);
}

bool OutputStaging::overlaps(std::span<void* const> inputs, void* output, std::size_t bytes) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(output);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto read = reinterpret_cast<std::uintptr_t>(inputs[i]);
    if (begin < read + input_bytes(i) && read < begin + bytes) return true;
  }
  return false;
}

bool OutputStaging::is_needed(std::span<void* const> inputs, std::span<void* const> outputs) const {
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (overlaps(inputs, outputs[i], output_bytes(i))) return true;
  return false;
}

Expected<std::vector<void*>> OutputStaging::place(std::span<void* const> inputs, std::span<void* const> outputs,
                                                  backend::StreamHandle stream) {
  stream_ = stream;
  std::vector<void*> where(outputs.begin(), outputs.end());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::size_t bytes = output_bytes(i);
    if (!overlaps(inputs, outputs[i], bytes)) continue;
    JITNEY_TRY(where[i], allocate_for("an output that lies over an input", target_, bytes, stream));
    staged_.push_back({where[i], outputs[i], bytes});
  }
  return where;
}

Status OutputStaging::finish() {
  for (const Staged& s : staged_)
    JITNEY_CHECK(
        target_.backend->copy(target_.device, s.to, s.memory, s.bytes, backend::CopyKind::device_to_device, stream_));
  return {};
}

}  // namespace jitney::runtime
