// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Encodings of constants, and data outside the model file.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

using proto::TensorProto;
namespace fs = std::filesystem;

ModelBuilder constant_model(const TensorProto& tensor) {
  ModelBuilder m;
  *m.graph().add_initializer() = tensor;
  m.graph().mutable_initializer(0)->set_name("w");
  m.output("y");
  m.node("Identity", {"w"}, {"y"});
  return m;
}

Tensor constant_of(const TensorProto& tensor) {
  const auto outputs = run(imported(constant_model(tensor)), {});
  return outputs.empty() ? Tensor() : outputs[0];
}

TensorProto tensor_of(int type, std::vector<std::int64_t> shape) {
  TensorProto t;
  t.set_data_type(type);
  for (const std::int64_t extent : shape) t.add_dims(extent);
  return t;
}

TEST(Initializer, TypedFields) {
  auto f = tensor_of(TensorProto::FLOAT, {2});
  f.add_float_data(1.5);
  f.add_float_data(-2);
  EXPECT_EQ(values_of(constant_of(f)), (std::vector<float>{1.5, -2}));
  auto d = tensor_of(TensorProto::DOUBLE, {1});
  d.add_double_data(0.1);
  EXPECT_EQ(values_of<double>(constant_of(d)), (std::vector<double>{0.1}));
  auto i8 = tensor_of(TensorProto::INT8, {2});
  i8.add_int32_data(-128);
  i8.add_int32_data(127);
  EXPECT_EQ(values_of<std::int8_t>(constant_of(i8)), (std::vector<std::int8_t>{-128, 127}));
  auto u64 = tensor_of(TensorProto::UINT64, {1});
  u64.add_uint64_data(UINT64_MAX);
  EXPECT_EQ(values_of<std::uint64_t>(constant_of(u64)), (std::vector<std::uint64_t>{UINT64_MAX}));
  auto u32 = tensor_of(TensorProto::UINT32, {1});
  u32.add_uint64_data(UINT32_MAX);
  EXPECT_EQ(values_of<std::uint32_t>(constant_of(u32)), (std::vector<std::uint32_t>{UINT32_MAX}));
  auto f16 = tensor_of(TensorProto::FLOAT16, {1});
  f16.add_int32_data(0x3c00);
  EXPECT_EQ(values_of<std::uint16_t>(constant_of(f16)), (std::vector<std::uint16_t>{0x3c00}));
  auto boolean = tensor_of(TensorProto::BOOL, {2});
  boolean.add_int32_data(0);
  boolean.add_int32_data(1);
  EXPECT_EQ(values_of<std::uint8_t>(constant_of(boolean)), (std::vector<std::uint8_t>{0, 1}));
}

TEST(Initializer, ScalarsAndEmptyTensors) {
  auto scalar = tensor_of(TensorProto::FLOAT, {});
  scalar.add_float_data(3);
  EXPECT_EQ(constant_of(scalar).shape(), (std::vector<std::int64_t>{}));
  EXPECT_EQ(constant_of(tensor_of(TensorProto::FLOAT, {0, 4})).shape(), (std::vector<std::int64_t>{0, 4}));
}

TEST(Initializer, RawBooleansAreNormalized) {
  auto t = tensor_of(TensorProto::BOOL, {3});
  t.set_raw_data(std::string("\x00\x07\xff", 3));
  EXPECT_EQ(values_of<std::uint8_t>(constant_of(t)), (std::vector<std::uint8_t>{0, 1, 1}));
}

TEST(Initializer, Refused) {
  const auto refused = [](const TensorProto& t) { return message_of(constant_model(t).import()); };
  EXPECT_EQ(refused(tensor_of(TensorProto::STRING, {1})),
            "initializer 'w' has element type STRING, which is not supported");
  EXPECT_EQ(refused(tensor_of(TensorProto::COMPLEX64, {1})),
            "initializer 'w' has element type COMPLEX64, which is not supported");
  EXPECT_EQ(refused(tensor_of(77, {1})), "initializer 'w' has element type 77, which is not supported");
  EXPECT_EQ(refused(tensor_of(TensorProto::FLOAT, {-1})), "initializer 'w' has shape [-1]; extents must be 0 or more");
  EXPECT_EQ(refused(tensor_of(TensorProto::FLOAT, {1LL << 40, 1LL << 40})),
            "initializer 'w' has shape [1099511627776, 1099511627776], which is more than 9223372036854775807 bytes");
  EXPECT_EQ(refused(tensor_of(TensorProto::FLOAT, {1LL << 40})),
            "initializer 'w' has 4398046511104 bytes, more than the 274877906944 bytes that the model's tensors may "
            "still have");
  EXPECT_EQ(refused(tensor_of(TensorProto::FLOAT, {1 << 30})),
            "initializer 'w' has shape [1073741824], which is 1073741824 elements, but its data has 0");
  auto raw = tensor_of(TensorProto::FLOAT, {3});
  raw.set_raw_data("12345678");
  EXPECT_EQ(refused(raw), "initializer 'w' has shape [3], which is 12 bytes, but its data has 8");
  auto range = tensor_of(TensorProto::INT8, {1});
  range.add_int32_data(128);
  EXPECT_EQ(refused(range), "initializer 'w' has the value 128, which does not fit its type");
}

TEST(Initializer, ListedAsInputIsAConstant) {
  ModelBuilder m(8);
  m.input("x", {"n", 2}).input("w", {2, 2}).output("y").ones("w", {2, 2});
  m.node("MatMul", {"x", "w"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(graph.inputs.size(), 1U);
}

/// A folder with a model whose weight [4] lies outside of it, at `location`.
class ExternalData : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "jitney-external-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ / "model" / "sub");
    write(root_ / "model" / "w.bin");
    write(root_ / "model" / "sub" / "w.bin");
    write(root_ / "secret.bin");
  }
  void TearDown() override { fs::remove_all(root_); }

  static void write(const fs::path& path) {
    const std::vector<float> data{1, 2, 3, 4, 5};
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data.data()), 20);
  }
  static ModelBuilder model(const std::string& location, const std::string& offset = "",
                            const std::string& length = "") {
    auto tensor = tensor_of(TensorProto::FLOAT, {4});
    tensor.set_data_location(TensorProto::EXTERNAL);
    const auto add = [&](const char* key, const std::string& value) {
      if (value.empty()) return;
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    add("location", location);
    add("offset", offset);
    add("length", length);
    return constant_model(tensor);
  }
  Expected<ir::Graph> import(const ModelBuilder& m) {
    const fs::path path = root_ / "model" / "m.onnx";
    std::ofstream(path, std::ios::binary) << m.model.SerializeAsString();
    return import_file(path.string());
  }
  std::string refused(const ModelBuilder& m) {
    const auto graph = import(m);
    if (graph) return "accepted";
    EXPECT_EQ(graph.error().kind, ErrorKind::user);
    const std::string prefix = fmt::format("cannot import '{}': ", (root_ / "model" / "m.onnx").string());
    EXPECT_EQ(graph.error().message.substr(0, prefix.size()), prefix);
    return graph.error().message.substr(std::min(prefix.size(), graph.error().message.size()));
  }
  fs::path root_;
};

TEST_F(ExternalData, IsReadBeneathTheFolder) {
  for (const auto& m : {model("w.bin"), model("sub/w.bin"), model("./sub//w.bin", "0", "16")}) {
    const auto graph = import(m);
    ASSERT_TRUE(graph.has_value()) << graph.error().message;
    EXPECT_EQ(values_of(run(*graph, {})[0]), (std::vector<float>{1, 2, 3, 4}));
  }
  const auto shifted = import(model("w.bin", "4"));
  ASSERT_TRUE(shifted.has_value());
  EXPECT_EQ(values_of(run(*shifted, {})[0]), (std::vector<float>{2, 3, 4, 5}));
}

TEST_F(ExternalData, Mode31_OutsideTheFolderIsRefused) {
  EXPECT_EQ(refused(model("../secret.bin")), "external data '../secret.bin' lies outside the model's folder");
  EXPECT_EQ(refused(model("sub/../w.bin")), "external data 'sub/../w.bin' lies outside the model's folder");
  const std::string absolute = (root_ / "secret.bin").string();
  EXPECT_EQ(refused(model(absolute)),
            fmt::format("external data '{}' must be a path relative to the model's folder", absolute));
}

TEST_F(ExternalData, Mode31_LinksAreRefused) {
  fs::create_symlink(root_ / "secret.bin", root_ / "model" / "link.bin");
  fs::create_directory_symlink(root_, root_ / "model" / "up");
  fs::create_hard_link(root_ / "secret.bin", root_ / "model" / "hard.bin");
  for (const char* location : {"link.bin", "up/secret.bin"}) {
    EXPECT_NE(refused(model(location)).find("is reached through a symbolic link"), std::string::npos) << location;
  }
  EXPECT_NE(refused(model("hard.bin")).find("has several hard links"), std::string::npos);
}

TEST_F(ExternalData, Mode31_MustBeARegularFile) {
  ASSERT_EQ(::mkfifo((root_ / "model" / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(refused(model("fifo")), "external data 'fifo' is not a regular file");
  EXPECT_EQ(refused(model("sub")), "external data 'sub' is not a regular file");
  EXPECT_EQ(refused(model("missing.bin")), "cannot open external data 'missing.bin': No such file or directory");
  EXPECT_EQ(refused(model("")), "initializer 'w' is stored outside the model but names no file");
}

TEST_F(ExternalData, Mode32_OffsetAndLengthAreChecked) {
  EXPECT_EQ(refused(model("w.bin", "8")), "external data 'w.bin' has 20 bytes; 16 bytes at offset 8 lie outside it");
  EXPECT_EQ(refused(model("w.bin", "9223372036854775807")),
            "external data 'w.bin' has 20 bytes; 16 bytes at offset 9223372036854775807 lie outside it");
  EXPECT_EQ(refused(model("w.bin", "9223372036854775808")),
            "initializer 'w' has the external data offset '9223372036854775808'; it must be a number from 0 on");
  EXPECT_EQ(refused(model("w.bin", "-4")),
            "initializer 'w' has the external data offset '-4'; it must be a number from 0 on");
  EXPECT_EQ(refused(model("w.bin", "0", "12")),
            "initializer 'w' needs 16 bytes, but its external data 'w.bin' has length 12");
}

TEST_F(ExternalData, Mode31_BytesHaveNone) {
  EXPECT_EQ(message_of(model("w.bin").import()),
            "external data 'w.bin' cannot be read: a model given as bytes has no folder");
}

TEST_F(ExternalData, ModelFiles) {
  const auto file = [](const std::string& path) { return message_of(import_file(path)); };
  const std::string folder = (root_ / "model").string();
  EXPECT_EQ(file(folder + "/none.onnx"), fmt::format("cannot import '{}/none.onnx': there is no such file", folder));
  EXPECT_EQ(file(folder), fmt::format("cannot import '{}': it is not a regular file", folder));
  std::ofstream(root_ / "empty.onnx");
  EXPECT_EQ(file((root_ / "empty.onnx").string()),
            fmt::format("cannot import '{}/empty.onnx': the file is empty; an ONNX model is expected", root_.string()));
  std::ofstream(root_ / "text.onnx") << "hello, this is text";
  EXPECT_NE(file((root_ / "text.onnx").string()).find("not an ONNX model"), std::string::npos);
  if (::geteuid() != 0) {
    std::ofstream(root_ / "closed.onnx") << "x";
    ::chmod((root_ / "closed.onnx").c_str(), 0);
    EXPECT_EQ(file((root_ / "closed.onnx").string()),
              fmt::format("cannot import '{}/closed.onnx': Permission denied", root_.string()));
  }
}

}  // namespace
}  // namespace jitney::onnx::testing
