// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>

#include "cli/npy.h"
#include "cli/npy_header.h"

namespace jitney::cli {
namespace {

class Npy : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "jitney-npy-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name = "t.npy") const { return (folder_ / name).string(); }

  void write(const std::string& content) const { std::ofstream(path(), std::ios::binary) << content; }

  std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// The sentence with which the file is refused; "" when it is read.
  std::string refusal(const std::string& bytes, std::optional<DType> wanted = {}) const {
    write(bytes);
    const auto read = read_npy(path(), wanted);
    if (read) return "";
    EXPECT_EQ(read.error().kind, ErrorKind::user);
    EXPECT_NE(read.error().message.find(path()), std::string::npos) << "the file is not named";
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
    return read.error().message;
  }

  std::filesystem::path folder_;
};

std::string header(const std::string& dictionary, int major = 1) {
  std::string text = "\x93NUMPY";
  text += static_cast<char>(major);
  text += '\0';
  text += static_cast<char>(dictionary.size() & 0xff);
  text += static_cast<char>(dictionary.size() >> 8);
  if (major > 1) text.append(2, '\0');
  return text + dictionary;
}

std::string plain(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return header("{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n");
}

TEST_F(Npy, EveryDtypeAndRankComesBack) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    for (const std::vector<std::int64_t>& shape :
         std::vector<std::vector<std::int64_t>>{{}, {5}, {2, 3}, {0}, {3, 0, 2}}) {
      Tensor tensor(dtype, shape);
      for (std::size_t b = 0; b < tensor.num_bytes(); ++b) {
        tensor.as<std::uint8_t>()[b] = static_cast<std::uint8_t>(dtype == DType::boolean ? b % 2 : 7 * b + 1);
      }
      ASSERT_TRUE(write_npy(path(), tensor));
      EXPECT_EQ((content().size() - tensor.num_bytes()) % 64, 0u) << "data is aligned";
      const auto read = read_npy(path(), dtype);
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_EQ(read->dtype(), dtype);
      EXPECT_EQ(read->shape(), shape);
      EXPECT_TRUE(
          std::equal(tensor.as<std::byte>(), tensor.as<std::byte>() + tensor.num_bytes(), read->as<std::byte>()));
    }
  }
}

TEST_F(Npy, HeadersAreNumpysOwn) {
  const auto dictionary = [](const NpyHeader& header) {
    const std::string text = format_npy_header(header).substr(10);
    return text.substr(0, text.find('}') + 1);
  };
  EXPECT_EQ(dictionary({"<f4", false, {}}), "{'descr': '<f4', 'fortran_order': False, 'shape': (), }");
  EXPECT_EQ(dictionary({"|b1", false, {3}}), "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }");
  EXPECT_EQ(dictionary({"<i8", true, {3, 4}}), "{'descr': '<i8', 'fortran_order': True, 'shape': (3, 4), }");
}

TEST_F(Npy, ColumnMajorIsRearranged) {
  std::string bytes = plain("|u1", "(2, 3, 2)", "True");
  for (char value = 0; value < 12; ++value) bytes += value;
  write(bytes);
  const auto read = read_npy(path(), {});
  ASSERT_TRUE(read) << read.error().message;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 2; ++k) EXPECT_EQ(read->as<std::uint8_t>()[i * 6 + j * 2 + k], i + 2 * j + 6 * k);
    }
  }
  write(plain("<f4", "(4, 0, 9223372036854775807)", "True"));
  const auto empty = read_npy(path(), {});
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_EQ(empty->num_elements(), 0);
}

TEST_F(Npy, BooleansBecomeZeroOrOne) {
  write(plain("|b1", "(3,)") + std::string("\0\1\xff", 3));
  const auto read = read_npy(path(), {});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->as<std::uint8_t>()[1], 1);
  EXPECT_EQ(read->as<std::uint8_t>()[2], 1);
}

TEST_F(Npy, BfloatComesFromItsBits) {
  const std::string two = std::string("\x80\x3f\x00\x40", 4);  // 1, 2
  for (const char* descr : {"<V2", "|V2", "<u2"}) {
    write(plain(descr, "(2,)") + two);
    const auto read = read_npy(path(), DType::bf16);
    ASSERT_TRUE(read) << descr << read.error().message;
    EXPECT_EQ(read->dtype(), DType::bf16);
    EXPECT_EQ(read->as<std::uint16_t>()[1], 0x4000);
  }
  EXPECT_EQ(read_npy(path(), DType::u16)->dtype(), DType::u16);
  EXPECT_NE(refusal(plain("<V2", "(2,)") + two, DType::f16), "");
}

TEST_F(Npy, VersionsOneToThree) {
  const std::string dictionary = "{\"shape\": (2L,), 'descr': '|i1', 'fortran_order': False}";
  for (const int major : {1, 2, 3}) EXPECT_EQ(refusal(header(dictionary, major) + "ab"), "") << major;
  EXPECT_NE(refusal(header(dictionary, 4) + "ab").find("version is 4"), std::string::npos);
  EXPECT_NE(refusal(header(dictionary, 0) + "ab").find("version is 0"), std::string::npos);
}

TEST_F(Npy, EveryTruncationIsRefused) {
  Tensor tensor(DType::f32, {2, 2});
  ASSERT_TRUE(write_npy(path(), tensor));
  const std::string whole = content();
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  EXPECT_EQ(refusal(whole), "");
  EXPECT_NE(refusal(whole + "x"), "") << "one byte too many";
}

TEST_F(Npy, WhatCannotBeReadIsNamed) {
  const std::string data(64, '\0');
  EXPECT_NE(refusal(plain(">f4", "(16,)") + data).find("big-endian"), std::string::npos);
  EXPECT_NE(refusal(plain("|O", "(8,)") + data).find("objects"), std::string::npos);
  EXPECT_NE(refusal(plain("<c8", "(8,)") + data).find("'<c8'"), std::string::npos);
  EXPECT_NE(refusal(plain("<U4", "(4,)") + data).find("'<U4'"), std::string::npos);
  EXPECT_NE(refusal(plain("", "(4,)") + data), "");
  EXPECT_NE(refusal(plain("\x1b[2J", "(4,)") + data).find("?[2J"), std::string::npos) << "no escape codes in a message";
  EXPECT_NE(refusal(header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (16,)}") + data).find("records"),
            std::string::npos);
  EXPECT_EQ(refusal(plain(">i1", "(64,)") + data), "") << "one byte has no order";
}

TEST_F(Npy, HostileHeaders) {
  const std::string data(64, '\0');
  for (const char* shape : {"(-1,)", "(16", "(16,,)", "(4 4)", "16", "[16]", "(16.0,)", "(0x10,)", "('16',)",
                            "(99999999999999999999,)", "(4294967296, 4294967296, 4)", "(9223372036854775807,)"}) {
    EXPECT_NE(refusal(plain("<f4", shape) + data), "") << shape;
  }
  std::string deep = "(";
  for (int i = 0; i < 65; ++i) deep += "1, ";
  EXPECT_NE(refusal(plain("<f4", deep + ")") + data), "") << "rank 65";
  for (const char* dictionary :
       {"", "{", "{}", "{'descr': '<f4'}", "__import__('os')", "{'descr': '<f4', 'fortran_order': 0, 'shape': (16,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (16,), 'x': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (16,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (16,)} + 1",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (16,)}",
        "{'descr': '<\\f4', 'fortran_order': False, 'shape': (16,)}"}) {
    EXPECT_NE(refusal(header(dictionary) + data), "") << dictionary;
  }
  std::string lying = header("{}", 2);
  lying.replace(8, 4, "\xff\xff\xff\xff");
  EXPECT_NE(refusal(lying).find("header"), std::string::npos);
}

TEST_F(Npy, WhatIsNoFile) {
  EXPECT_NE(read_npy(path("none.npy"), {}).error().message.find("none.npy"), std::string::npos);
  EXPECT_EQ(read_npy(folder_.string(), {}).error().kind, ErrorKind::user);
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_npy(path("fifo"), {}).error().kind, ErrorKind::user) << "and does not wait for a writer";
}

TEST_F(Npy, FullDiskLeavesNothing) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = write_npy(path("big.npy"), Tensor(DType::f32, {4096}));
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::environment);
  EXPECT_NE(written.error().message.find("big.npy"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace jitney::cli
