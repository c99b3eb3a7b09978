// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// A GPU that is not here is lowered and compiled for as one that is: by the same rules, under the same keys.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "backend/cuda/absent_gpu.h"
#include "backend/cuda/architecture.h"
#include "backend/cuda/cublaslt_api.h"
#include "backend/cuda/cudnn_available.h"
#include "backend/cuda/own_sources.h"
#include "backend/cuda/support.h"
#include "backend/cuda/which_library.h"
#include "backend/random_calls.h"

namespace jitney::backend::cuda {
namespace {

/// Writes down what it is asked to compile, and gives what can be loaded.
class Recorder final : public PlanServices {
 public:
  explicit Recorder(std::vector<std::byte> binary) : binary_(std::move(binary)) {}
  Expected<std::vector<std::byte>> compile(const std::string&, const std::string& source) override {
    const std::lock_guard lock(mutex_);
    sources.insert(source);
    return binary_;
  }
  std::optional<std::string> recall(const std::string&) override { return std::nullopt; }
  void keep(const std::string&, const std::string&) override {}
  std::set<std::string> sources;

 private:
  const std::vector<std::byte> binary_;
  std::mutex mutex_;
};

std::vector<LibraryCall> random_calls(int count) {
  std::mt19937 random(20260301);
  std::vector<LibraryCall> calls;
  for (int i = 0; i < count; ++i)
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
      calls.emplace_back(random_convolution(random, type));
      calls.emplace_back(random_matmul(random, type));
      calls.emplace_back(random_attention(random, type));
      calls.emplace_back(random_pooling(random, type));
    }
  return calls;
}

TensorDesc dense(std::vector<std::int64_t> shape, DType type) {
  TensorDesc t{.dtype = type, .shape = std::move(shape), .strides = {}};
  t.strides.resize(t.shape.size());
  std::int64_t step = 1;
  for (std::size_t d = t.shape.size(); d-- > 0; step *= t.shape[d]) t.strides[d] = step;
  return t;
}

/// Those that own kernels do, with sizes that the number of multiprocessors matters for.
std::vector<LibraryCall> own_calls(DType type) {
  std::vector<LibraryCall> calls;
  for (const std::int64_t n : {64, 66, 384, 1536, 4096, 30000}) {
    MatMulCall call{.a = dense({8, 128}, type), .b = dense({128, n}, type), .c = dense({8, n}, type)};
    call.constant_b = true;
    calls.emplace_back(call);
  }
  for (const std::int64_t heads : {1, 6, 12, 40, 400})
    for (const std::int64_t rows : {1, 8, 100})
      for (const std::int64_t depth : {64, type == DType::f32 ? 24 : 128}) {
        const auto t = dense({1, heads, rows, depth}, type);
        calls.emplace_back(AttentionCall{.q = t, .k = t, .v = t, .mask = {}, .y = t, .scale = 0.125f});
      }
  return calls;
}

class AbsentGpus : public FakeCuda {
 protected:
  void TearDown() override {
    ::unsetenv("JITNEY_CUDA_LIBRARIES");
    FakeCuda::TearDown();
  }
  AbsentGpu absent_{"sm_90", "JITNEY_CUDA_TARGET"};
};

TEST(CudaArchitecture, TargetsAreReadBack) {
  for (const int number : architectures())
    EXPECT_EQ(parse_target(target_key(number / 10, number % 10), "it").value_or(0), number);
  EXPECT_EQ(architectures().front(), 75);
  EXPECT_EQ(architectures().back(), kNewestArchitecture);
  EXPECT_EQ(parse_target("sm_130+ptx", "it").value_or(0), 130);
  for (const char* text : {"", "sm_", "sm_12", "sm_70", "sm_74", "sm_90a", "sm_090", "sm_90 ", "sm_90+ptx", "sm_130",
                           "sm_999", "sm_1000+ptx", "sm_-90", "sm_9000000000", "compute_90", "90", "SM_90"}) {
    const auto refused = parse_target(text, "it");
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().kind, ErrorKind::user);
    EXPECT_TRUE(refused.error().message.starts_with(fmt::format("it is '{}'; allowed is one of sm_75, sm_80,", text)))
        << refused.error().message;
  }
}

TEST_F(AbsentGpus, AreDescribedAsOnesThatAreHere) {
  for (const int number : architectures()) {
    FakeDriver fake;
    fake.capability = number;
    CudaBackend here(open_fake);
    const AbsentGpu absent(target_key(number / 10, number % 10), "it");
    const auto a = here.device_info(0), b = absent.device_info(0);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->target_key, b->target_key);
    EXPECT_EQ(a->language, b->language);
    EXPECT_EQ(a->compiler_options, b->compiler_options);
    EXPECT_EQ(a->vector_bytes, b->vector_bytes);
    EXPECT_EQ(a->alignment, b->alignment);
    EXPECT_EQ(a->host_memory, b->host_memory);
  }
}

TEST_F(AbsentGpus, OfferWhatTheDeviceOffers) {
  const bool has_cublaslt = cublaslt().has_value(), has_cudnn = cudnn_is_available();
  for (const char* words : {"none", "cublaslt", "cudnn", "cublaslt,cudnn"}) {
    ::setenv("JITNEY_CUDA_LIBRARIES", words, 1);
    const std::string_view allowed = words;
    std::map<Library, int> offered, refused;
    for (const LibraryCall& call : random_calls(100)) {
      // Which library a call is for is known without any: the rule is held against both, whatever is installed.
      const Library library = library_for(call);
      const bool is_product = library == Library::cublaslt, is_own = library == Library::own;
      const bool is_allowed =
          is_own ? allowed != "none"
                 : library != Library::none && allowed.find(is_product ? "cublaslt" : "cudnn") != allowed.npos;
      EXPECT_EQ(is_product, library != Library::none && std::holds_alternative<MatMulCall>(call));
      ASSERT_EQ(absent_.offers(0, call), is_allowed) << allowed << " " << call.index();
      ASSERT_EQ(backend_->offers(0, call), is_allowed && (is_own || (is_product ? has_cublaslt : has_cudnn)))
          << allowed << " " << call.index();
      ++(is_allowed ? offered : refused)[library];
    }
    EXPECT_EQ(offered[Library::none], 0);
    EXPECT_GT(refused[Library::none], 0);
    for (const auto& [library, name] : {std::pair(Library::cublaslt, "cublaslt"), std::pair(Library::cudnn, "cudnn")})
      EXPECT_GT((allowed.find(name) != allowed.npos ? offered : refused)[library], 10) << allowed << " " << name;
    EXPECT_GT((allowed != "none" ? offered : refused)[Library::own], 10) << allowed;
  }
  ::setenv("JITNEY_CUDA_LIBRARIES", "cublas", 1);
  EXPECT_EQ(absent_.device_info(0).error().message,
            "JITNEY_CUDA_LIBRARIES is 'cublas'; allowed is cublaslt, cudnn, cublaslt,cudnn or none");
  EXPECT_FALSE(backend_->device_info(0));
}

TEST_F(AbsentGpus, CompileWhateverAChipOfTheirArchitectureMayAskFor) {
  std::map<std::size_t, std::set<std::string>> asked;
  std::vector<LibraryCall> calls = own_calls(DType::f16);
  for (const auto& call : own_calls(DType::bf16)) calls.push_back(call);
  for (const auto& call : own_calls(DType::f32))
    if (std::holds_alternative<AttentionCall>(call)) calls.push_back(call);
  std::size_t in_all = 0, compiled = 0;
  for (const int multiprocessors : {1, 2, 3, 16, 40, 60, 78, 114, 132, 148, 192, 500}) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      FakeDriver fake;  // one a call: what was compiled once is not asked for again
      fake.kernels["jitney_kernel"] = [](const FakeDriver::Launch&) {};
      fake.multiprocessors = multiprocessors;
      CudaBackend here(open_fake);
      Recorder recorder(ptx());
      const auto made = here.plan(0, calls[i], {.services = &recorder});
      ASSERT_TRUE(made) << made.error().message;
      EXPECT_TRUE((*made)->implementation().starts_with("own:")) << (*made)->implementation();
      EXPECT_EQ(recorder.sources.size(), 1u);
      asked[i].insert(recorder.sources.begin(), recorder.sources.end());
    }
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Recorder recorder(ptx());
    ASSERT_TRUE(absent_.plan(0, calls[i], {.services = &recorder}));
    std::set<std::string> listed;
    for (const auto& own : own_sources(calls[i], 90)) listed.insert(own.source);
    EXPECT_EQ(recorder.sources, listed);
    EXPECT_TRUE(std::ranges::includes(listed, asked[i])) << i;
    EXPECT_LE(listed.size(), 3u);
    in_all += asked[i].size();
    // In f32 each is compiled, whichever these ask for: nobody stands in where a later shape wants another.
    const auto* a = std::get_if<AttentionCall>(&calls[i]);
    const bool is_f32 = a != nullptr && a->q.dtype == DType::f32;
    if (is_f32) {
      EXPECT_EQ(listed.size(), 3u);
    }
    compiled += is_f32 ? asked[i].size() : listed.size();
  }
  EXPECT_GT(in_all, calls.size()) << "chips differ";
  EXPECT_EQ(in_all, compiled) << "nothing is compiled that none of these asks for";
}

TEST_F(AbsentGpus, ANumberOfMultiprocessorsChangesTheSource) {
  const auto t = dense({1, 12, 100, 64}, DType::f16);
  const AttentionCall call{.q = t, .k = t, .v = t, .mask = {}, .y = t, .scale = 0.125f};
  EXPECT_EQ(own_sources(call, 90).size(), 3u);
  EXPECT_EQ(own_sources(call, 75).size(), 3u);
  const auto many = dense({64, 40, 100, 64}, DType::bf16);  // more blocks than any chip has room for
  const AttentionCall full{.q = many, .k = many, .v = many, .mask = {}, .y = many, .scale = 0.125f};
  EXPECT_EQ(own_sources(full, 90).size(), 1u);
  EXPECT_EQ(own_sources(full, 75).size(), 0u) << "no instructions for bf16";
  MatMulCall gelu{
      .a = dense({100, 64}, DType::f16), .b = dense({64, 64}, DType::f16), .c = dense({100, 64}, DType::f16)};
  EXPECT_EQ(own_sources(gelu, 90).size(), 0u);
  gelu.epilogue = {{.kind = PostOp::Kind::gelu_erf}};
  ASSERT_EQ(own_sources(gelu, 90).size(), 1u);
  EXPECT_EQ(own_sources(gelu, 90)[0].name, "gelu");
}

TEST_F(AbsentGpus, RunNothingAndHoldNoMemory) {
  const auto memory = absent_.allocate(0, std::size_t{1} << 40, 0);
  ASSERT_TRUE(memory) << memory.error().message;
  EXPECT_EQ(absent_.live_bytes(), std::int64_t{1} << 40);
  EXPECT_TRUE(absent_.copy(0, *memory, &absent_, 8, CopyKind::host_to_device, 0));
  std::uint64_t read = 0;
  EXPECT_FALSE(absent_.copy(0, &read, *memory, 8, CopyKind::device_to_host, 0));
  EXPECT_FALSE(absent_.copy(0, *memory, *memory, 8, CopyKind::device_to_device, 0));
  absent_.free(0, *memory, std::size_t{1} << 40, 0);
  EXPECT_EQ(absent_.live_bytes(), 0);
  EXPECT_TRUE(absent_.load(0, ptx()));
  const std::string_view garbage =
      "\x7f"
      "ELFx";
  EXPECT_FALSE(absent_.load(0, std::as_bytes(std::span(garbage))));
  const auto launched = absent_.launch(0, 1, {}, 0);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().kind, ErrorKind::environment);
  EXPECT_EQ(launched.error().message,
            "JITNEY_CUDA_TARGET is set: this process compiles for sm_90 and runs nothing on a GPU");
  EXPECT_FALSE(absent_.device_info(1));
  EXPECT_FALSE(AbsentGpu("sm_12", "it").device_info(0));
}

}  // namespace
}  // namespace jitney::backend::cuda
