// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/output_staging.h"

#include "runtime/constants.h"
#include "runtime/in_place.h"

namespace jitney::runtime {
namespace {

bool overlap(const void* a, std::size_t a_bytes, const void* b, std::size_t b_bytes) {
  const auto at_a = reinterpret_cast<std::uintptr_t>(a), at_b = reinterpret_cast<std::uintptr_t>(b);
  return a_bytes != 0 && b_bytes != 0 && at_a < at_b + b_bytes && at_b < at_a + a_bytes;
}

}  // namespace

OutputStaging::~OutputStaging() {
  for (const Staged& s : staged_) target_.backend->free(target_.device, s.memory, s.bytes, stream_);
}

bool OutputStaging::is_staged(std::span<void* const> inputs, std::size_t output, void* memory) const {
  using enum InPlaceRules::Overlap;
  const std::size_t bytes = plan_.output_bytes[output];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!overlap(memory, bytes, inputs[i], plan_.input_bytes[i])) continue;
    const auto allowed = plan_.in_place(program_).of(output, i);
    if (allowed == never || (allowed == exactly && (memory != inputs[i] || bytes != plan_.input_bytes[i]))) return true;
  }
  return false;
}

Status OutputStaging::check_apart(std::span<void* const> outputs) const {
  const auto& bytes = plan_.output_bytes;
  for (std::size_t i = 1; i < outputs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      if (!overlap(outputs[i], bytes[i], outputs[j], bytes[j])) continue;
      const ir::Graph& g = program_.graph;
      return user_error("outputs '{}' and '{}' must lie apart, and share memory", g.value(g.outputs[j]).name,
                        g.value(g.outputs[i]).name);
    }
  return {};
}

bool OutputStaging::is_needed(std::span<void* const> inputs, std::span<void* const> outputs) const {
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (is_staged(inputs, i, outputs[i])) return true;
  return false;
}

Expected<std::vector<void*>> OutputStaging::place(std::span<void* const> inputs, std::span<void* const> outputs,
                                                  backend::StreamHandle stream) {
  stream_ = stream;
  std::vector<void*> where(outputs.begin(), outputs.end());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!is_staged(inputs, i, outputs[i])) continue;
    const std::size_t bytes = plan_.output_bytes[i];
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
