// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/file_format.h"
#include "engine/graphs.h"

namespace jitney::testing {
namespace {

using engine::SectionToWrite;
using ::testing::AnyOf;
using ::testing::HasSubstr;

template <class T>
void put(Bytes& file, std::size_t at, T value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

template <class T>
Bytes with(Bytes file, std::size_t at, T value) {
  put(file, at, value);
  reseal(file);
  return file;
}

/// A file of the small graph's sections, and others before, between and after them.
struct Extra {
  std::uint32_t id, flags;
  std::string content;
};
Bytes assemble(const std::vector<Extra>& extras, std::uint16_t major = engine::kMajor,
               std::uint16_t minor = engine::kMinor) {
  const Bytes plain = serialized(small_graph());
  const auto parts = value_or_throw(engine::read_sections(plain));
  std::vector<SectionToWrite> sections;
  std::vector<std::span<const std::byte>> contents;
  const auto add = [&](std::uint32_t id, std::uint32_t flags, std::span<const std::byte> content, std::size_t align) {
    sections.push_back({id, flags, content.size(), align});
    contents.push_back(content);
  };
  const auto add_extra = [&](std::size_t i) {
    if (i < extras.size()) add(extras[i].id, extras[i].flags, std::as_bytes(std::span(extras[i].content)), 8);
  };
  add_extra(0);
  add(engine::kGraphSection, engine::kRequired, parts.graph, 8);
  add_extra(1);
  add(engine::kWeightsSection, engine::kRequired, parts.weights, engine::kWeightsAlignment);
  add_extra(2);
  auto layout = engine::lay_out(sections, major, minor);
  for (std::size_t i = 0; i < contents.size(); ++i)
    std::ranges::copy(contents[i], layout.file.begin() + static_cast<std::ptrdiff_t>(layout.offsets[i]));
  engine::seal(layout.file);
  return layout.file;
}

TEST(FileFormat, Mode30_EveryTruncationIsRefused) {
  const Bytes file = serialized(small_graph());
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto graph = load(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_FALSE(graph) << size;
    ASSERT_EQ(graph.error().kind, ErrorKind::user);
    ASSERT_THAT(graph.error().message, AnyOf(HasSubstr("truncated"), HasSubstr("does not begin with 'JITNEYEN'")))
        << size;
  }
}

TEST(FileFormat, Mode30_EveryFlippedBitIsRefused) {
  Bytes file = serialized(small_graph());
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    file[bit / 8] ^= mask;
    ASSERT_FALSE(engine::read_sections(file)) << "bit " << bit;
    file[bit / 8] ^= mask;
  }
  ASSERT_TRUE(engine::read_sections(file));
}

TEST(FileFormat, Mode30_MoreBytesAtTheEndAreRefused) {
  Bytes file = serialized(small_graph());
  file.push_back(std::byte{0});
  EXPECT_THAT(refusal(file), HasSubstr("is damaged: it has"));
}

TEST(FileFormat, TheFirstBytesTellAnEngine) {
  const Bytes file = serialized(small_graph());
  EXPECT_TRUE(engine::is_engine_file(file));
  EXPECT_FALSE(engine::is_engine_file(std::span(file).first(7)));
  EXPECT_FALSE(engine::is_engine_file({}));
}

TEST(FileFormat, AnotherMajorVersionIsRefusedByBothNumbers) {
  const std::string message = refusal(assemble({}, 2, 7));
  EXPECT_THAT(message, HasSubstr("version 2.7"));
  EXPECT_THAT(message, HasSubstr("reads version 1"));
  // Even where that version computes its digest in another way.
  Bytes file = serialized(small_graph());
  put<std::uint16_t>(file, 8, 0xffff);
  EXPECT_THAT(refusal(file), HasSubstr("version 65535." + std::to_string(engine::kMinor)));
}

TEST(FileFormat, AHigherMinorVersionIsRead) { expect_same(small_graph(), value_or_throw(load(assemble({}, 1, 999)))); }

TEST(FileFormat, UnknownOptionalSectionsAreSkipped) {
  const Bytes file = assemble({{77, 0, "before"}, {78, 0x8000'0000 & ~1U, "between"}, {79, 2, ""}});
  expect_same(small_graph(), value_or_throw(load(file)));
}

TEST(FileFormat, UnknownRequiredSectionsAreRefused) {
  for (std::size_t place = 0; place < 3; ++place) {
    std::vector<Extra> extras = {{77, 0, "a"}, {78, 0, "b"}, {79, 0, "c"}};
    extras[place].flags = engine::kRequired;
    EXPECT_THAT(refusal(assemble(extras, 1, 5)),
                HasSubstr("(format version 1.5) requires section " + std::to_string(77 + place)));
  }
}

TEST(FileFormat, SectionsTwiceOrMissingAreRefused) {
  EXPECT_THAT(refusal(assemble({{engine::kGraphSection, 1, "x"}})), HasSubstr("section 1 twice"));
  EXPECT_THAT(refusal(assemble({{9, 0, ""}, {9, 0, ""}, {engine::kWeightsSection, 1, "x"}})),
              HasSubstr("section 2 twice"));
  auto none = engine::lay_out({});
  engine::seal(none.file);
  EXPECT_THAT(refusal(none.file), HasSubstr("has no graph"));
}

TEST(FileFormat, AFileWithoutWeightsNeedsNoSectionForThem) {
  auto layout = engine::lay_out(std::vector<SectionToWrite>{{.id = engine::kGraphSection, .size = 0}});
  engine::seal(layout.file);
  expect_same(ir::Graph(), value_or_throw(load(layout.file)));
}

TEST(FileFormat, Mode30_SectionsStayInTheirPlace) {
  const Bytes file = serialized(small_graph());
  const std::uint64_t end = file.size() - engine::kDigestSize;
  const std::size_t graph_offset = engine::kHeaderSize + 8, graph_size = graph_offset + 8;
  const std::size_t weights_offset = graph_offset + engine::kEntrySize, weights_size = weights_offset + 8;
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{24}, std::uint64_t{71}, end + 1, end + 16, UINT64_MAX - 100, UINT64_MAX}) {
    EXPECT_THAT(refusal(with(file, graph_offset, offset)), HasSubstr("outside its place")) << offset;
  }
  for (const std::uint64_t size : {end, UINT64_MAX, UINT64_MAX - 71, std::uint64_t{1} << 63}) {
    EXPECT_THAT(refusal(with(file, graph_size, size)), HasSubstr("outside its place")) << size;
    EXPECT_THAT(refusal(with(file, weights_size, size)), HasSubstr("outside its place")) << size;
  }
  // Over the digest, over the section before, and off its page.
  EXPECT_THAT(refusal(with(file, weights_size, end - 4096 + 1)), HasSubstr("outside its place"));
  EXPECT_THAT(refusal(with(file, weights_offset, std::uint64_t{72})), HasSubstr("outside its place"));
  Bytes off_page = with(file, weights_offset, std::uint64_t{4096 + 64});
  EXPECT_THAT(refusal(with(off_page, weights_size, std::uint64_t{0})), HasSubstr("no multiple of 4096"));
}

TEST(FileFormat, Mode30_SectionCountsAreBounded) {
  for (const std::uint32_t count : {65U, 1000U, UINT32_MAX}) {
    EXPECT_THAT(refusal(with(serialized(small_graph()), 12, count)), HasSubstr("sections in")) << count;
  }
  auto none = engine::lay_out({});
  EXPECT_THAT(refusal(with(none.file, 12, std::uint32_t{1})), HasSubstr("sections in"));
}

}  // namespace
}  // namespace jitney::testing
