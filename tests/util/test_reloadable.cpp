// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/reloadable.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <jitney/error.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cstring>
#include <fstream>
#include <numeric>
#include <thread>

#include "util/file_bytes.h"
#include "util/hash.h"
#include "util/mapped_file.h"
#include "util/temp_dir.h"

namespace jitney {
namespace {

constexpr std::int64_t kCount = 1 << 20;  // floats

std::vector<float> numbers() {
  std::vector<float> v(kCount);
  std::iota(v.begin(), v.end(), 0.f);
  return v;
}

Tensor made() {
  Tensor t(DType::f32, {kCount});
  const auto v = numbers();
  std::memcpy(t.data(), v.data(), t.num_bytes());
  return t;
}

class InFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = dir_ / "weights";
    write(0);
    descriptor_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    file_ = value_or_throw(OpenFile::duplicate(descriptor_.get(), path_));
  }
  /// The numbers behind a few bytes that align nothing.
  void write(float first) const {
    auto v = numbers();
    v[0] = first;
    std::ofstream out(path_, std::ios::binary);
    out.write("abc", 3).write(reinterpret_cast<const char*>(v.data()), kCount * 4);
  }
  Tensor tensor() const { return tensor_in_file(DType::f32, {kCount}, file_, 3); }

  testing::TempDir dir_;
  std::string path_;
  unique_fd descriptor_;
  std::shared_ptr<const OpenFile> file_;
};

TEST_F(InFile, IsThereWhileItIsHeldAndAgainLater) {
  const Tensor t = tensor();
  for (int i = 0; i < 2; ++i) {
    const Tensor held = value_or_throw(resident(t));
    EXPECT_EQ(held.as<float>()[kCount - 1], kCount - 1);
    EXPECT_EQ(value_or_throw(resident(t)).data(), held.data()) << "two holders share the bytes";
    EXPECT_TRUE(t.reloadable()->is_held());
  }
  EXPECT_FALSE(t.reloadable()->is_held());
  EXPECT_EQ(value_or_throw(content_digest(t)), value_or_throw(content_digest(made())));
  EXPECT_FALSE(t.reloadable()->is_held());
}

TEST_F(InFile, OrdinaryReadingKeepsIt) {
  const Tensor t = tensor();
  const Tensor copy = t;
  EXPECT_EQ(copy.as<float>()[7], 7);
  EXPECT_EQ(t.data(), copy.data());
  EXPECT_TRUE(t.reloadable()->is_held());
  EXPECT_EQ(t.view().data, t.data());
}

TEST_F(InFile, WhatAnotherProgramWroteIsNoWeights) {
  const Tensor t = tensor();
  ASSERT_TRUE(resident(t));
  write(5);
  const timeval times[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(::utimes(path_.c_str(), times), 0);
  const auto changed = resident(t);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, ErrorKind::environment);
  EXPECT_NE(changed.error().message.find("changed"), std::string::npos) << changed.error().message;
  EXPECT_THROW(t.data(), Error);
}

TEST_F(InFile, AShorterFileIsAnError) {
  const Tensor t = tensor();
  ASSERT_EQ(::truncate(path_.c_str(), 100), 0);
  EXPECT_FALSE(resident(t));
}

TEST_F(InFile, ADeletedOrReplacedFileIsStillThere) {
  const Tensor t = tensor();
  descriptor_.reset();
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  write(5);
  EXPECT_EQ(value_or_throw(resident(t)).as<float>()[0], 0);
}

TEST_F(InFile, ManyThreadsHoldOne) {
  const Tensor t = tensor();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) right += value_or_throw(resident(t)).as<float>()[k] == static_cast<float>(k);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

TEST_F(InFile, MappedPagesComeAgain) {
  const Tensor whole = made();
  std::ofstream(path_, std::ios::binary).write(static_cast<const char*>(whole.data()), kCount * 4);
  auto mapped = std::make_shared<const MappedFile>(value_or_throw(MappedFile::open(path_)));
  const Tensor t = tensor_in_mapping(DType::f32, {kCount}, mapped, mapped->bytes().data());
  mapped.reset();
  for (int i = 0; i < 2; ++i) {
    const Tensor held = value_or_throw(resident(t));
    EXPECT_EQ(std::memcmp(held.data(), whole.data(), whole.num_bytes()), 0);
  }
}

TEST(Derived, IsMadeWhenItIsWantedAndAgain) {
  int count = 0;
  const Tensor t = value_or_throw(derive(DType::f32, {kCount}, [&]() -> Expected<Tensor> {
    ++count;
    return made();
  }));
  EXPECT_EQ(count, 0);
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(value_or_throw(resident(t)).as<float>()[3], 3);
    EXPECT_EQ(count, i);
  }
}

TEST(Derived, ASmallOneIsMadeAtOnce) {
  int count = 0;
  const Tensor t = value_or_throw(derive(DType::f32, {4}, [&]() -> Expected<Tensor> {
    ++count;
    return Tensor(DType::f32, {4});
  }));
  EXPECT_EQ(count, 1);
  EXPECT_EQ(t.reloadable(), nullptr);
}

TEST(Derived, AFailureIsTheHolders) {
  const Tensor t =
      value_or_throw(derive(DType::f32, {kCount}, []() -> Expected<Tensor> { return environment_error("no luck"); }));
  EXPECT_FALSE(resident(t));
  EXPECT_FALSE(content_digest(t));
  EXPECT_THROW(t.data(), Error);
}

}  // namespace
}  // namespace jitney
