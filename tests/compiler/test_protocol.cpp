// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "compiler/protocol.h"

namespace jitney::compiler {
namespace {

using Bytes = std::vector<std::byte>;

std::span<const std::byte> payload(const Bytes& message) { return std::span(message).subspan(kHeaderBytes); }

Request sample() { return {7, "softmax", "int f;", {"-triple", "x86_64-pc-linux-gnu", ""}, false}; }

TEST(Protocol, RoundTrips) {
  rc::check(
      [](std::uint64_t id, std::string name, std::string source, std::vector<std::string> options, bool optimize) {
        auto r = decode_request(payload(encode(Request{id, name, source, options, optimize})));
        RC_ASSERT(r.has_value());
        RC_ASSERT(r->id == id && r->name == name && r->source == source && r->options == options &&
                  r->optimize == optimize);
      });
  rc::check([](std::uint64_t id, std::string binary, std::string diagnostics, double seconds) {
    auto bytes = std::as_bytes(std::span(binary));
    Result in{id, ResultStatus::rejected, {bytes.begin(), bytes.end()}, diagnostics, seconds, 0.25};
    auto r = decode_result(payload(encode(in)));
    RC_ASSERT(r.has_value());
    RC_ASSERT(r->id == id && r->status == in.status && r->binary == in.binary && r->diagnostics == diagnostics);
    RC_ASSERT(r->seconds == seconds && r->link_seconds == 0.25);
  });
  auto h = decode_hello(payload(encode(Hello{"clang", {"/a", "/b"}})));
  ASSERT_TRUE(h);
  EXPECT_EQ(h->identity, "clang");
  EXPECT_EQ(h->mapped_files, (std::vector<std::string>{"/a", "/b"}));
}

TEST(Protocol, EveryTruncationAndEveryExtraByteIsRefused) {
  auto bytes = encode(sample());
  auto body = payload(bytes);
  for (std::size_t n = 0; n < body.size(); ++n) EXPECT_FALSE(decode_request(body.first(n))) << n;
  bytes.push_back({});
  EXPECT_FALSE(decode_request(payload(bytes)));
}

TEST(Protocol, EveryFlippedBitIsNoticed) {
  const auto good = encode(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= std::byte(1 << (bit % 8));
    MessageReader reader;
    reader.feed(bad);
    auto message = reader.next();
    // A longer length only makes the reader wait; another type is refused by whoever asked for this one.
    bool waits = message && !*message, other = message && *message && (*message)->type != MessageType::request;
    EXPECT_TRUE(!message || waits || other) << "bit " << bit;
  }
}

TEST(Protocol, RandomBytesNeverHarm) {
  rc::check([](std::vector<std::uint8_t> noise) {
    auto bytes = std::as_bytes(std::span(noise));
    (void)decode_header(bytes);
    (void)decode_hello(bytes);
    (void)decode_request(bytes);
    (void)decode_result(bytes);
    MessageReader reader;
    reader.feed(bytes);
    (void)reader.next();
  });
}

TEST(Protocol, LengthsAreChecked) {
  auto bytes = encode(Hello{"clang", {}});
  for (std::size_t i = 8; i < 16; ++i) bytes[i] = std::byte{0xff};
  EXPECT_FALSE(decode_header(bytes));
  // A string that claims 2^64 - 1 bytes, and a list that claims 2^32 - 1 items.
  Bytes huge(12, std::byte{0xff});
  EXPECT_FALSE(decode_hello(huge));
  auto list = encode(Hello{"clang", {}});
  for (std::size_t i = list.size() - 4; i < list.size(); ++i) list[i] = std::byte{0xff};
  EXPECT_FALSE(decode_hello(payload(list)));
}

TEST(Protocol, ReaderCutsAStreamAnywhere) {
  Bytes stream;
  for (const auto& m : {encode(Hello{"clang", {"/x"}}), encode(sample()), encode(Result{3})})
    stream.insert(stream.end(), m.begin(), m.end());
  for (std::size_t step : {1, 7, 23, 24, 25, 1000}) {
    MessageReader reader;
    std::vector<MessageType> types;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.feed(std::span(stream).subspan(at, std::min(step, stream.size() - at)));
      for (;;) {
        auto m = reader.next();
        ASSERT_TRUE(m);
        if (!*m) break;
        types.push_back((*m)->type);
      }
    }
    EXPECT_EQ(types, (std::vector{MessageType::hello, MessageType::request, MessageType::result}));
    EXPECT_TRUE(reader.empty());
  }
}

}  // namespace
}  // namespace jitney::compiler
