// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Failure modes 31 to 33 as tables: every place that names a file, every number at the edges of its type, every shape
// that recursion could take, on a stack of 256 KiB.
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

using proto::TensorProto;
namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStack = 4 << 20;  // their frames are larger
constexpr bool kLimitsMemory = false;    // and their shadow is
#else
constexpr std::size_t kStack = 256 << 10;
constexpr bool kLimitsMemory = true;
#endif

/// Runs the work on a thread with a small stack.
void on_small_stack(std::function<void()> work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kStack), 0);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &work), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

/// The work in a process that may have so much more address space than it has now; its exit code, or minus a signal.
int with_little_memory(std::size_t bytes, const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    std::ifstream pages("/proc/self/statm");
    std::size_t now = 0;
    pages >> now;
    const rlim_t limit = now * 4096 + bytes;
    const struct rlimit limits = {limit, limit};
    if (kLimitsMemory) setrlimit(RLIMIT_AS, &limits);
    alarm(60);
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "jitney-hostile-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
    fs::create_directories(path_ / "model" / "sub");
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

void write_floats(const fs::path& path, float value) {
  const std::vector<float> data(4, value);
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data.data()), 16);
}

void make_external(TensorProto& tensor, const std::string& location, const std::string& offset = "",
                   const std::string& length = "") {
  tensor.set_data_type(TensorProto::FLOAT);
  tensor.add_dims(4);
  tensor.set_data_location(TensorProto::EXTERNAL);
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"location", location}, {"offset", offset}, {"length", length}}) {
    if (value.empty()) continue;
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
}

/// Every place of a model where a tensor may be stored elsewhere.
const std::vector<std::pair<std::string, std::function<void(ModelBuilder&, const std::string&)>>> kPlaces = {
    {"initializer",
     [](ModelBuilder& m, const std::string& location) {
       auto& w = *m.graph().add_initializer();
       w.set_name("w");
       make_external(w, location);
       m.node("Add", {"x", "w"}, {"y"});
     }},
    {"constant",
     [](ModelBuilder& m, const std::string& location) {
       make_external(m.node("Constant", {}, {"w"}).tensor("value"), location);
       m.node("Add", {"x", "w"}, {"y"});
     }},
    {"initializer of a branch",
     [](ModelBuilder& m, const std::string& location) {
       m.raw("c", TensorProto::BOOL, {}, std::vector<std::uint8_t>{1});
       auto node = m.node("If", {"c"}, {"y"});
       for (const char* name : {"then_branch", "else_branch"}) {
         auto& branch = node.graph(name);
         branch.set_name(name);
         auto& w = *branch.add_initializer();
         w.set_name("w");
         make_external(w, location);
         add_node(*branch.mutable_node(), "Add", {"x", "w"}, {"z"});
         branch.add_output()->set_name("z");
       }
     }},
    {"constant of a function",
     [](ModelBuilder& m, const std::string& location) {
       auto& f = add_function(m, "F", {"a"}, {"b"});
       make_external(add_node(*f.mutable_node(), "Constant", {}, {"w"}).tensor("value"), location);
       add_node(*f.mutable_node(), "Add", {"a", "w"}, {"b"});
       auto& opset = *m.model.add_opset_import();
       opset.set_domain("local");
       opset.set_version(1);
       m.node("F", {"x"}, {"y"}).domain("local");
     }},
    {"sparse initializer",
     [](ModelBuilder& m, const std::string& location) {
       auto& sparse = *m.graph().add_sparse_initializer();
       sparse.mutable_values()->set_name("w");
       make_external(*sparse.mutable_values(), location);
       sparse.add_dims(4);
       m.node("Add", {"x", "w"}, {"y"});
     }},
};

ModelBuilder model_at(std::size_t place, const std::string& location) {
  ModelBuilder m;
  m.input("x", {4}).output("y");
  kPlaces[place].second(m, location);
  return m;
}

Expected<ir::Graph> import_from(const Folder& folder, const ModelBuilder& m) {
  const fs::path path = folder / "model/m.onnx";
  std::ofstream(path, std::ios::binary) << m.model.SerializeAsString();
  return import_file(path.string());
}

TEST(HostileModel, Mode31_NoPlaceOfAModelOpensFilesFromElsewhere) {
  Folder folder;
  write_floats(folder / "secret.bin", 13);
  write_floats(folder / "model/w.bin", 1);
  write_floats(folder / "other.bin", 13);  // that nothing but the link names
  fs::create_symlink(folder / "other.bin", folder / "model/link.bin");
  fs::create_directory_symlink(folder / ".", folder / "model/up");
  fs::create_hard_link(folder / "secret.bin", folder / "model/hard.bin");
  ASSERT_EQ(::mkfifo((folder / "model/fifo").c_str(), 0600), 0);
  const std::vector<std::string> locations = {"../secret.bin",
                                              "sub/../../secret.bin",
                                              "./../secret.bin",
                                              "sub/..",
                                              "..",
                                              ".",
                                              "/",
                                              "/dev/zero",
                                              "/dev/stdin",
                                              "up/other.bin",
                                              "/proc/self/environ",
                                              (folder / "secret.bin").string(),
                                              "link.bin",
                                              "up/secret.bin",
                                              "up/model/w.bin",
                                              "hard.bin",
                                              "fifo",
                                              "sub",
                                              "w.bin/",
                                              "w.bin/x",
                                              std::string("w.bin\0/../../secret.bin", 23),
                                              std::string(5000, 'a')};
  for (std::size_t place = 0; place < kPlaces.size(); ++place) {
    for (const std::string& location : locations) {
      const bool is_itself = location == "w.bin/";  // a name with nothing behind its slash
      const auto graph = import_from(folder, model_at(place, location));
      if (is_itself && graph) continue;
      ASSERT_FALSE(graph) << kPlaces[place].first << ": " << location;
      EXPECT_EQ(graph.error().kind, ErrorKind::user) << graph.error().message;
      const auto from_bytes = model_at(place, location).import();
      EXPECT_FALSE(from_bytes) << "bytes, " << kPlaces[place].first << ": " << location;
    }
    EXPECT_FALSE(model_at(place, "w.bin").import()) << "a model in memory has no folder: " << kPlaces[place].first;
  }
}

/// A file of the model's folder is swapped with a link while it is opened: never a byte of the other.
TEST(HostileModel, Mode31_ASwapWhileItIsOpenedWinsNothing) {
  Folder folder;
  write_floats(folder / "secret.bin", 13);
  write_floats(folder / "model/good.bin", 1);
  fs::create_symlink(folder / "secret.bin", folder / "model/bad.bin");
  std::atomic<bool> stop{false};
  std::jthread swapper([&] {
    for (int i = 0; !stop; ++i) {
      const fs::path next = folder / "model/next";
      std::error_code ignored;
      fs::remove(next, ignored);
      if (i % 2 == 0) {
        fs::create_symlink(folder / "secret.bin", next, ignored);
      } else {
        fs::copy_file(folder / "model/good.bin", next, ignored);
      }
      fs::rename(next, folder / "model/w.bin", ignored);
    }
  });
  const int tries = std::getenv("JITNEY_CHECK") != nullptr ? 20'000 : 500;
  int good = 0, refused = 0;
  for (int i = 0; i < tries; ++i) {
    const auto graph = import_from(folder, model_at(0, "w.bin"));
    if (!graph) {
      ++refused;
      continue;
    }
    ++good;
    ASSERT_EQ(values_of(run(*graph, {tensor({4}, {0, 0, 0, 0})})[0]), (std::vector<float>{1, 1, 1, 1}));
  }
  stop = true;
  EXPECT_GT(good, 0);
  EXPECT_GT(refused, 0);
}

const std::vector<std::int64_t> kEdges = [] {
  std::vector<std::int64_t> numbers = {std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::min() + 1, -1};
  for (const int bits : {31, 32, 40, 47, 62})
    for (const int by : {-1, 0, 1}) numbers.push_back((std::int64_t{1} << bits) + by);
  numbers.push_back(std::numeric_limits<std::int64_t>::max() - 1);
  numbers.push_back(std::numeric_limits<std::int64_t>::max());
  return numbers;
}();

TEST(HostileModel, Mode32_OffsetsAndLengthsAtTheEdges) {
  Folder folder;
  write_floats(folder / "model/w.bin", 1);
  std::vector<std::string> texts = {"9223372036854775808",
                                    "18446744073709551615",
                                    "18446744073709551616",
                                    "1e3",
                                    "0x10",
                                    " 1",
                                    "1 ",
                                    "+1",
                                    "--1",
                                    "99999999999999999999999999999999999999"};
  for (const auto number : kEdges) texts.push_back(std::to_string(number));
  EXPECT_EQ(with_little_memory(64 << 20,
                               [&] {
                                 for (const std::string& text : texts) {
                                   for (const bool is_offset : {true, false}) {
                                     ModelBuilder m;
                                     m.input("x", {4}).output("y");
                                     auto& w = *m.graph().add_initializer();
                                     w.set_name("w");
                                     make_external(w, "w.bin", is_offset ? text : "0", is_offset ? "16" : text);
                                     m.node("Add", {"x", "w"}, {"y"});
                                     const auto graph = import_from(folder, m);
                                     if (graph || graph.error().kind != ErrorKind::user) return 1;
                                   }
                                 }
                                 return 0;
                               }),
            0);
}

TEST(HostileModel, Mode32_ExtentsAtTheEdges) {
  EXPECT_EQ(with_little_memory(64 << 20,
                               [&] {
                                 for (const auto first : kEdges) {
                                   for (const auto second : {std::int64_t{1}, std::int64_t{2}, first}) {
                                     for (const bool has_bytes : {true, false}) {
                                       ModelBuilder m;
                                       m.input("x", {"n"}).output("y");
                                       auto& w = *m.graph().add_initializer();
                                       w.set_name("w");
                                       w.set_data_type(TensorProto::FLOAT);
                                       w.add_dims(first);
                                       w.add_dims(second);
                                       if (has_bytes) w.set_raw_data(std::string(16, '\0'));
                                       m.node("Add", {"x", "w"}, {"y"});
                                       const auto graph = m.import();
                                       if (graph || graph.error().kind == ErrorKind::internal) return 1;
                                     }
                                   }
                                 }
                                 return 0;
                               }),
            0);
}

/// Numbers that operators get: none may allocate what no memory holds, or be computed with until it overflows.
TEST(HostileModel, Mode32_AttributesAndShapesAtTheEdges) {
  EXPECT_EQ(
      with_little_memory(256 << 20,
                         [&] {
                           for (const auto number : kEdges) {
                             std::vector<ModelBuilder> models(6);
                             for (auto& m : models) m.input("x", {2, 4}).output("y");
                             models[0].node("Softmax", {"x"}, {"y"}).integer("axis", number);
                             models[1].integers("s", {number, 4}).node("Reshape", {"x", "s"}, {"y"});
                             models[2].integers("s", {number}).node("ConstantOfShape", {"s"}, {"c"});
                             models[2].node("Size", {"c"}, {"y"});
                             models[3].integers("a", {number}).integers("b", {number}).integers("d", {0});
                             models[3].node("Slice", {"x", "a", "b", "d"}, {"y"});
                             models[4].integers("p", {number, number, number, number}).node("Pad", {"x", "p"}, {"y"});
                             models[5].integers("r", {number, number}).node("Tile", {"x", "r"}, {"y"});
                             for (const auto& m : models) {
                               const auto graph = m.import();
                               if (!graph && graph.error().kind == ErrorKind::internal) return 1;
                             }
                           }
                           return 0;
                         }),
      0);
}

TEST(HostileModel, Mode33_NothingNeedsMoreStackThanTheSmallest) {
  on_small_stack([] {
    // A chain of functions, each calling the next, deeper than calls may be nested.
    ModelBuilder calls;
    calls.input("x", {"n"}).output("y");
    auto& opset = *calls.model.add_opset_import();
    opset.set_domain("local");
    opset.set_version(1);
    const int depth = 100'000;
    for (int i = 0; i < depth; ++i) {
      auto& f = add_function(calls, fmt::format("F{}", i), {"a"}, {"b"});
      auto& local = *f.add_opset_import();
      local.set_domain("local");
      local.set_version(1);
      add_node(*f.mutable_node(), i + 1 == depth ? "Relu" : fmt::format("F{}", i + 1), {"a"}, {"b"})
          .domain(i + 1 == depth ? "" : "local");
    }
    calls.node("F0", {"x"}, {"y"}).domain("local");
    const auto deep = calls.import();
    ASSERT_FALSE(deep);
    EXPECT_EQ(deep.error().kind, ErrorKind::user) << deep.error().message;
    EXPECT_NE(deep.error().message.find("100"), std::string::npos) << deep.error().message;

    // A cycle of 100,000 nodes.
    ModelBuilder cycle;
    cycle.input("x", {"n"}).output("v0");
    for (int i = 0; i < depth; ++i)
      cycle.node("Relu", {fmt::format("v{}", (i + 1) % depth)}, {fmt::format("v{}", i)}).name(fmt::format("n{}", i));
    const auto round = message_of(cycle.import());
    EXPECT_NE(round.find("the model has a cycle: node 'n"), std::string::npos) << round;

    // A chain of 100,000 nodes that is right, through the verifier and printer as well.
    ModelBuilder chain;
    chain.input("x", {"n"}).output(fmt::format("v{}", depth));
    for (int i = depth; i-- > 0;)
      chain.node("Relu", {i == 0 ? "x" : fmt::format("v{}", i)}, {fmt::format("v{}", i + 1)});
    const auto graph = chain.import();
    ASSERT_TRUE(graph) << graph.error().message;
    EXPECT_TRUE(ir::verify(*graph, ir::Stage::imported));
    EXPECT_GT(print(*graph).size(), static_cast<std::size_t>(depth));

    // Branches within branches, up to where messages may be nested no deeper, and beyond.
    for (const int levels : {10, 30, 60}) {
      ModelBuilder nested;
      nested.input("x", {"n"}).input("c", {}, TensorProto::BOOL).output("y");
      proto::GraphProto* inner = &nested.graph();
      std::string made = "y";
      for (int i = 0; i < levels; ++i) {
        auto node = add_node(*inner->mutable_node(), "If", {"c"}, {made});
        auto& other = node.graph("else_branch");
        other.set_name("other");
        add_node(*other.mutable_node(), "Neg", {"x"}, {fmt::format("e{}", i)});
        other.add_output()->set_name(fmt::format("e{}", i));
        inner = &node.graph("then_branch");
        inner->set_name("then");
        made = fmt::format("t{}", i);
        inner->add_output()->set_name(made);
      }
      add_node(*inner->mutable_node(), "Relu", {"x"}, {made});
      const auto branches = nested.import();
      EXPECT_TRUE(branches || branches.error().kind == ErrorKind::user) << levels << branches.error().message;
    }

    // The same made of bytes, 100,000 deep: a graph's node's attribute's graph, from the inside out and reversed, since
    // appending costs nothing.
    std::string bytes;
    for (int i = 0; i < depth; ++i) {
      std::string length;
      for (std::size_t n = bytes.size();; n >>= 7) {
        length += static_cast<char>((n & 127) | (n > 127 ? 128 : 0));
        if (n <= 127) break;
      }
      bytes += std::string(length.rbegin(), length.rend());
      bytes += i + 1 == depth ? '\x3a' : "\x0a\x2a\x32"[(depth - 2 - i) % 3];
    }
    std::reverse(bytes.begin(), bytes.end());
    const auto garbage = import_bytes(std::as_bytes(std::span(bytes)));
    ASSERT_FALSE(garbage);
    EXPECT_NE(garbage.error().message.find("nested more than 100 deep"), std::string::npos) << garbage.error().message;
  });
}

}  // namespace
}  // namespace jitney::onnx::testing
