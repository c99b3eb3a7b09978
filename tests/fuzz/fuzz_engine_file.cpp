// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// An engine file. The digest would hide everything behind it, so a damaged file is sealed again; an input that is no
// engine file at all is taken for the graph section of one.
#include <array>
#include <cstring>
#include <memory>

#include "cache/precompiled.h"
#include "engine/engine_impl.h"
#include "engine/file_format.h"
#include "fuzzing.h"

using namespace jitney;

namespace {

constexpr std::size_t kWeightsSize = 1 << 14;
constexpr std::size_t kSizeField = 16;

std::vector<std::byte> seal_again(std::vector<std::byte> file) {
  if (file.size() < engine::kHeaderSize + engine::kDigestSize) return file;
  const std::uint64_t size = file.size();
  std::memcpy(file.data() + kSizeField, &size, sizeof size);
  engine::seal(file);
  return file;
}

std::vector<std::byte> wrap(std::span<const std::byte> graph) {
  const std::array<engine::SectionToWrite, 2> sections = {
      engine::SectionToWrite{.id = engine::kGraphSection, .size = graph.size()},
      engine::SectionToWrite{.id = engine::kWeightsSection, .size = kWeightsSize, .align = engine::kWeightsAlignment}};
  engine::Layout layout = engine::lay_out(sections);
  if (!graph.empty()) std::memcpy(layout.file.data() + layout.offsets[0], graph.data(), graph.size());
  engine::seal(layout.file);
  return std::move(layout.file);
}

Expected<ir::Graph> load(std::vector<std::byte> file) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(file));
  std::span<const std::byte> kernels;
  auto graph = engine::deserialize(*owner, owner, false, nullptr, &kernels);
  // As for an engine whose kernels are trusted.
  if (graph && !kernels.empty()) (void)cache::Precompiled::read(kernels, nullptr);
  return graph;
}

void check(std::vector<std::byte> file) {
  const auto graph = load(std::move(file));
  if (!graph) {
    REQUIRE(graph.error().kind == ErrorKind::user);
    return;
  }
  // What can be written can be read, and means the same.
  const auto written = engine::serialize(*graph);
  if (!written) return;
  const auto again = load(*written);
  REQUIRE(again);
  REQUIRE(engine::serialize(*again) == *written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzzing::bytes_of(data, size);
  check(fuzzing::copy_of(input));
  check(engine::is_engine_file(input) ? seal_again(fuzzing::copy_of(input)) : wrap(input));
  return 0;
}
