// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jitney/engine.h>
#include <jitney_onnx.pb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "engine/graphs.h"
#include "util/file.h"
#include "util/temp_dir.h"

namespace jitney::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Engine small_engine() { return Engine(std::make_shared<const EngineImpl>(small_graph())); }

/// What `action` throws: its kind and message.
struct Thrown {
  ErrorKind kind;
  std::string message;
};
Thrown thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorKind::internal, ""};
}

TEST(Engine, SaysWhatItTakesAndGives) {
  const Engine engine(std::make_shared<const EngineImpl>(wide_graph()));
  ASSERT_EQ(engine.inputs().size(), 4U);
  EXPECT_EQ(engine.inputs()[1].name, "image");
  EXPECT_EQ(engine.inputs()[1].dtype, DType::f16);
  EXPECT_THAT(engine.inputs()[1].shape, ElementsAre("batch", "3", "2*seq.0:len + 1", "8"));
  EXPECT_TRUE(engine.inputs()[3].shape.empty());
  ASSERT_EQ(engine.outputs().size(), 6U);
  EXPECT_EQ(engine.outputs()[2].dtype, DType::i64);
  EXPECT_THAT(engine.outputs()[2].shape, ElementsAre("3"));
  EXPECT_EQ(engine.metadata().at("producer"), "hand");
  EXPECT_EQ(engine.name(), wide_graph().name);
}

TEST(Engine, SavedAndLoadedIsTheSame) {
  const TempDir dir;
  const std::string path = dir / "small.jitney";
  small_engine().save(path);
  expect_same(small_graph(), Engine::load(path).impl()->graph());
  EXPECT_EQ(count_files(dir.path()), 1);
  const auto bytes = value_or_throw(read_file(path, 1 << 20));
  expect_same(small_graph(), Engine::load(bytes).impl()->graph());
}

TEST(Engine, BytesMayGoAfterLoading) {
  Bytes bytes = serialized(wide_graph());
  const Engine engine = Engine::load(bytes);
  std::ranges::fill(bytes, std::byte{0xff});
  expect_same(wide_graph(), engine.impl()->graph());
}

TEST(Engine, WeightsOfAFileAreMappedNotCopied) {
  const TempDir dir;
  const std::string path = dir / "small.jitney";
  small_engine().save(path);
  const Engine engine = Engine::load(path);
  const auto address = reinterpret_cast<std::uintptr_t>(engine.impl()->graph().value(1).constant->data());
  // "begin-end perms offset dev inode path"
  std::ifstream maps("/proc/self/maps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char permissions[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, permissions) != 3 || address < begin || address >= end)
      continue;
    found = true;
    EXPECT_THAT(line, HasSubstr("small.jitney"));
    EXPECT_STREQ(permissions, "r--p");
    EXPECT_EQ(address - begin, 4096U);
  }
  EXPECT_TRUE(found);
}

TEST(Engine, AReplacedOrRemovedFileLeavesLoadedEnginesAlone) {
  const TempDir dir;
  const std::string path = dir / "e.jitney";
  small_engine().save(path);
  const Engine first = Engine::load(path);
  Engine(std::make_shared<const EngineImpl>(wide_graph())).save(path);
  expect_same(small_graph(), first.impl()->graph());
  const Engine second = Engine::load(path);
  std::filesystem::remove(path);
  expect_same(wide_graph(), second.impl()->graph());
}

TEST(Engine, ThreadsLoadAndSaveOnePath) {
  const TempDir dir;
  const std::string path = dir / "e.jitney";
  small_engine().save(path);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        try {
          const Engine engine = Engine::load(path);
          wrong += ir::print(engine.impl()->graph()) != ir::print(small_graph());
          engine.save(path);
        } catch (const Error&) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(count_files(dir.path()), 1);
}

/// y = x + [1, 2, 3] for x [rows, 3].
std::string onnx_model() {
  jitney_onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("test");
  model.add_opset_import()->set_version(17);
  auto& graph = *model.mutable_graph();
  graph.set_name("plus");
  const auto describe = [](jitney_onnx::ValueInfoProto& info, const char* name) {
    info.set_name(name);
    auto& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(jitney_onnx::TensorProto::FLOAT);
    type.mutable_shape()->add_dim()->set_dim_param("rows");
    type.mutable_shape()->add_dim()->set_dim_value(3);
  };
  describe(*graph.add_input(), "x");
  describe(*graph.add_output(), "y");
  auto& weight = *graph.add_initializer();
  weight.set_name("w");
  weight.set_data_type(jitney_onnx::TensorProto::FLOAT);
  weight.add_dims(3);
  for (const float v : {1.F, 2.F, 3.F}) weight.add_float_data(v);
  auto& node = *graph.add_node();
  node.set_op_type("Add");
  node.add_input("x");
  node.add_input("w");
  node.add_output("y");
  return model.SerializeAsString();
}

TEST(Engine, OnnxIsBuiltAndSaved) {
  const TempDir dir;
  write_text(dir / "plus.onnx", onnx_model());
  const Engine built = Engine::load(dir / "plus.onnx");
  ASSERT_EQ(built.inputs().size(), 1U);
  EXPECT_THAT(built.inputs()[0].shape, ElementsAre("rows", "3"));
  built.save(dir / "plus.jitney");
  const Engine loaded = Engine::load(dir / "plus.jitney");
  expect_same(built.impl()->graph(), loaded.impl()->graph());
  const std::string text = onnx_model();
  EXPECT_EQ(Engine::load(std::as_bytes(std::span(text))).outputs()[0].name, "y");
}

TEST(Engine, ContentDecidesAndNotTheName) {
  const TempDir dir;
  small_engine().save(dir / "engine.onnx");
  expect_same(small_graph(), Engine::load(dir / "engine.onnx").impl()->graph());
  write_text(dir / "onnx.jitney", onnx_model());
  EXPECT_EQ(Engine::load(dir / "onnx.jitney").outputs()[0].name, "y");
}

TEST(Engine, ErrorsOfAModelNameItsFile) {
  const TempDir dir;
  std::string text = onnx_model();
  text.replace(text.find("Add"), 3, "Odd");
  write_text(dir / "odd.onnx", text);
  const Thrown error = thrown([&] { Engine::load(dir / "odd.onnx"); });
  EXPECT_EQ(error.kind, ErrorKind::user);
  EXPECT_THAT(error.message, HasSubstr("'" + (dir / "odd.onnx") + "'"));
  EXPECT_THAT(error.message, HasSubstr("Odd"));
}

TEST(Engine, MissingFile) {
  const TempDir dir;
  for (const std::string name : {"no.jitney", "no.onnx", "no/such/folder.jitney"}) {
    const Thrown error = thrown([&] { Engine::load(dir / name); });
    EXPECT_EQ(error.kind, ErrorKind::user);
    EXPECT_THAT(error.message, HasSubstr("'" + (dir / name) + "'"));
    EXPECT_THAT(error.message, HasSubstr("No such file or directory"));
  }
}

TEST(Engine, DirectoryFifoAndDeviceAsPath) {
  const TempDir dir;
  Thrown error = thrown([&] { Engine::load(dir.path().string()); });
  EXPECT_EQ(error.kind, ErrorKind::user);
  EXPECT_THAT(error.message, HasSubstr("is a directory"));
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  error = thrown([&] { Engine::load(dir / "fifo"); });
  EXPECT_THAT(error.message, HasSubstr("not a regular file"));
  error = thrown([&] { Engine::load(std::string("/dev/zero")); });
  EXPECT_THAT(error.message, HasSubstr("not a regular file"));
}

TEST(Engine, DamagedFilesAreNamed) {
  const TempDir dir;
  const std::string path = dir / "e.jitney";
  small_engine().save(path);
  std::string text = read_text(path);
  text[text.size() / 2] ^= 4;
  write_text(path, text);
  Thrown error = thrown([&] { Engine::load(path); });
  EXPECT_EQ(error.kind, ErrorKind::user);
  EXPECT_EQ(error.message,
            "cannot load '" + path + "': the engine file is damaged: its digest does not match its content");
  std::filesystem::resize_file(path, 4000);
  error = thrown([&] { Engine::load(path); });
  EXPECT_THAT(error.message, HasSubstr("truncated"));
  EXPECT_THAT(error.message, HasSubstr(path));
  for (const std::string content : {"", "JITN", "garbage, and a lot of it"}) {
    write_text(path, content);
    error = thrown([&] { Engine::load(path); });
    EXPECT_EQ(error.kind, ErrorKind::user);
    EXPECT_THAT(error.message, HasSubstr("'" + path + "' does not begin like an engine file")) << content;
  }
}

TEST(Engine, DamagedBytes) {
  Bytes bytes = serialized(small_graph());
  bytes.back() ^= std::byte{1};
  EXPECT_THAT(thrown([&] { Engine::load(bytes); }).message,
              HasSubstr("cannot load a model from memory: the engine file is damaged"));
  EXPECT_EQ(thrown([&] { Engine::load(std::span<const std::byte>()); }).kind, ErrorKind::user);
}

/// Runs a save that must fail as the environment's fault, in a child that `prepare` changes. 0 if it did.
int failing_save(const std::string& path, const std::function<void()>& prepare) {
  const pid_t child = fork();
  if (child == 0) {
    prepare();
    try {
      Engine(std::make_shared<const EngineImpl>(wide_graph())).save(path);
      _exit(1);
    } catch (const Error& error) {
      const bool names_it = std::string(error.what()).find("'" + path + "'") != std::string::npos;
      _exit(error.kind() == ErrorKind::environment && names_it ? 0 : 2);
    }
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(Engine, FullDiskLeavesTheOldFileAndNothingElse) {
  const TempDir dir;
  const std::string path = dir / "e.jitney";
  small_engine().save(path);
  const std::string before = read_text(path);
  // A limit on the file's size fails a write as a full disk does.
  EXPECT_EQ(failing_save(path,
                         [] {
                           const rlimit limit{4096, 4096};
                           setrlimit(RLIMIT_FSIZE, &limit);
                         }),
            0);
  EXPECT_EQ(read_text(path), before);
  EXPECT_EQ(count_files(dir.path()), 1);
}

TEST(Engine, AReadOnlyFolderIsTheEnvironments) {
  const TempDir dir;
  ASSERT_EQ(chmod(dir.path().c_str(), 0555), 0);
  EXPECT_EQ(failing_save(dir / "e.jitney",
                         [] {
                           // Root may write everywhere; nobody may not.
                           if (geteuid() == 0 && setuid(65534) != 0) _exit(3);
                         }),
            0);
  EXPECT_EQ(count_files(dir.path()), 0);
  chmod(dir.path().c_str(), 0700);
}

TEST(Engine, PlacesThatCannotBeWritten) {
  const TempDir dir;
  Thrown error = thrown([&] { small_engine().save(dir / "no/such/e.jitney"); });
  EXPECT_EQ(error.kind, ErrorKind::user);
  EXPECT_THAT(error.message, HasSubstr("No such file or directory"));
  EXPECT_THAT(error.message, HasSubstr(dir / "no/such/e.jitney"));
  error = thrown([&] { small_engine().save(dir.path().string()); });
  EXPECT_THAT(error.message, HasSubstr("not a regular file"));
  error = thrown([&] { small_engine().save(dir.path().string() + "/"); });
  EXPECT_THAT(error.message, HasSubstr("names a folder"));
  error = thrown([&] { small_engine().save("/proc/e.jitney"); });  // even root may make no file there
  EXPECT_EQ(error.kind, ErrorKind::environment);
  EXPECT_THAT(error.message, HasSubstr("'/proc/e.jitney'"));
  error = thrown([&] { small_engine().save("/dev/full"); });
  EXPECT_THAT(error.message, HasSubstr("not a regular file"));
  EXPECT_EQ(count_files(dir.path()), 0);
}

}  // namespace
}  // namespace jitney::testing
