// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <jitney/error.h>
#include <jitney/tensor.h>

#include <limits>

namespace jitney {
namespace {

ErrorKind kind_of(const std::vector<std::int64_t>& shape, std::string* message = nullptr) {
  try {
    Tensor tensor(DType::f32, shape);
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::internal;
}

TEST(DTypeNames, RoundTripAndAreNumpys) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto t = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_string(to_string(t)), t);
  }
  EXPECT_EQ(to_string(DType::f32), "float32");
  EXPECT_EQ(to_string(DType::bf16), "bfloat16");
  EXPECT_EQ(to_string(DType::i8), "int8");
  EXPECT_EQ(to_string(DType::u64), "uint64");
  EXPECT_EQ(to_string(DType::boolean), "bool");
  EXPECT_EQ(dtype_from_string("float"), std::nullopt);
  EXPECT_EQ(dtype_from_string(""), std::nullopt);
}

TEST(DeviceNames, AreAsPeopleWriteThem) {
  EXPECT_EQ(to_string(Device{}), "cpu");
  EXPECT_EQ(to_string(Device{Device::Type::cuda, 0}), "cuda:0");
  EXPECT_EQ(to_string(Device{Device::Type::cuda, 3}), "cuda:3");
  EXPECT_EQ(to_string(Device{Device::Type::null, 0}), "null");
}

TEST(Tensor, IsZeroedAlignedAndShared) {
  for (std::int64_t n : {1, 7, 1000, 1'000'000}) {
    Tensor tensor(DType::f64, {n, 3});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0u);
    EXPECT_EQ(tensor.num_bytes(), static_cast<std::size_t>(n * 24));
    for (std::int64_t i = 0; i < 3 * n; ++i) ASSERT_EQ(tensor.as<double>()[i], 0.0);
    Tensor copy = tensor;
    copy.as<double>()[3 * n - 1] = 5;
    EXPECT_EQ(tensor.as<double>()[3 * n - 1], 5);
  }
}

TEST(Tensor, RankZeroIsOneElement) {
  Tensor scalar(DType::i64, {});
  EXPECT_EQ(scalar.num_elements(), 1);
  EXPECT_EQ(*scalar.as<std::int64_t>(), 0);
  EXPECT_TRUE(scalar.view().shape.empty());
}

TEST(Tensor, EmptyWhateverTheOtherExtents) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{0}, {kHuge, kHuge, 0}, {0, kHuge, kHuge}}) {
    Tensor tensor(DType::f32, shape);
    EXPECT_EQ(tensor.num_elements(), 0);
    EXPECT_EQ(tensor.num_bytes(), 0u);
  }
  EXPECT_EQ(Tensor().num_elements(), 0);
}

TEST(Tensor, RefusesWhatCannotBe) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(kind_of({2, -1}), ErrorKind::user);
  EXPECT_EQ(kind_of({0, -1}), ErrorKind::user);
  EXPECT_EQ(kind_of({kMax}), ErrorKind::user);
  EXPECT_EQ(kind_of({std::int64_t{1} << 32, std::int64_t{1} << 32}), ErrorKind::user);
  std::string message;
  EXPECT_EQ(kind_of({std::int64_t{1} << 40}, &message), ErrorKind::environment);
  EXPECT_NE(message.find("4398046511104 bytes asked"), std::string::npos) << message;
  EXPECT_NE(message.find("available"), std::string::npos) << message;
  EXPECT_EQ(kind_of({(std::int64_t{1} << 61) - 1}), ErrorKind::environment);  // largest count that does not overflow
  EXPECT_THROW(Tensor(DType::f32, {1}, nullptr), Error);
  EXPECT_NO_THROW(Tensor(DType::f32, {0}, nullptr));
}

TEST(Tensor, KeepsSharedBytesAlive) {
  auto bytes = std::make_shared<float>(3.0f);
  std::weak_ptr<float> watch = bytes;
  {
    Tensor tensor(DType::f32, {1}, std::move(bytes));
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(tensor.view().data, tensor.data());
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace jitney
