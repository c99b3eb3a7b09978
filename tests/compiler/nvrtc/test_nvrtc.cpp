// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// NVRTC needs no GPU, so these tests run wherever its library is, and fail where a build with CUDA has none.
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "compiler/emit.h"
#include "compiler/golden_graphs.h"
#include "compiler/support.h"

namespace jitney::compiler {
namespace {

using namespace test;
using Reason = CompileFailure::Reason;

constexpr const char* kDouble = R"(extern "C" __global__ void twice(float* x, long long n) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (long long)blockDim.x)
    x[i] *= 2.0f;
})";

std::unique_ptr<Compiler> nvrtc() { return make_compiler({.language = backend::SourceLanguage::cuda}); }

CompileRequest cuda_request(std::string source, const std::string& architecture, std::string name = "kernel") {
  CompileRequest r;
  r.language = backend::SourceLanguage::cuda;
  r.name = std::move(name);
  r.source = std::move(source);
  r.options = {"--gpu-architecture=" + architecture, "--std=c++17", "-default-device"};
  return r;
}

/// A variable that is put back.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  ~Environment() {
    if (before_) ::setenv(name_, before_->c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    if (!before_) ::unsetenv(name_);                    // NOLINT(concurrency-mt-unsafe)
  }
  Environment(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

std::string_view text_of(const std::vector<std::byte>& binary) {
  return {reinterpret_cast<const char*>(binary.data()), binary.size()};
}

TEST(Nvrtc, CubinForEveryGenerationFromOneWorker) {
  auto compiler = nvrtc();
  std::vector<std::vector<std::byte>> seen;
  for (const char* architecture : {"sm_75", "sm_90", "sm_120"}) {
    auto outcome = compiler->compile(cuda_request(kDouble, architecture));
    ASSERT_TRUE(outcome) << architecture << " " << testing::PrintToString(outcome);
    const auto text = text_of(outcome->binary);
    ASSERT_GT(text.size(), 64u);
    EXPECT_EQ(text.substr(0, 4),
              "\x7f"
              "ELF");
    EXPECT_EQ(text[18], '\xbe') << "EM_CUDA";
    EXPECT_NE(text.find("twice"), std::string_view::npos);
    for (const auto& other : seen) EXPECT_NE(other, outcome->binary);
    seen.push_back(outcome->binary);
  }
  auto again = compiler->compile(cuda_request(kDouble, "sm_90"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->binary, seen[1]) << "the same code must give the same bytes";
  EXPECT_EQ(compiler->workers_started(), 1);
}

TEST(Nvrtc, EveryGoldenKernelIsACubinForEveryGeneration) {
  auto compiler = nvrtc();
  for (const auto& golden : test::golden_graphs())
    for (const auto& kernel : test::kernels_of(test::lowered(golden.graph))) {
      const auto emitted = emit(kernel, {.vector_bytes = 16}, backend::SourceLanguage::cuda);
      for (const char* architecture : {"sm_75", "sm_90", "sm_120"}) {
        const auto outcome = compiler->compile(cuda_request(emitted.source(), architecture, golden.name));
        EXPECT_TRUE(outcome) << architecture << " " << testing::PrintToString(outcome);
      }
    }
}

TEST(Nvrtc, IdentityIsTheVersionAndIsRemembered) {
  auto compiler = nvrtc();
  auto identity = compiler->identity();
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_TRUE(identity->starts_with("NVRTC 1")) << *identity;
  EXPECT_NE(compiler->record().find("libnvrtc"), std::string::npos) << compiler->record();
  auto next = nvrtc();
  next->remember(compiler->record());
  EXPECT_EQ(next->identity().value_or(""), *identity);
  EXPECT_EQ(next->workers_started(), 0);
}

TEST(Nvrtc, RecordKeyKnowsWhichLibrary) {
  auto compiler = nvrtc();
  auto before = compiler->record_key();
  ASSERT_TRUE(before) << before.error().message;
  const Environment other("JITNEY_NVRTC", "/another/libnvrtc.so");
  EXPECT_NE(*compiler->record_key(), *before);
}

TEST(Nvrtc, SyntaxErrorIsRejectedWithItsText) {
  auto compiler = nvrtc();
  auto outcome = compiler->compile(cuda_request("__global__ void f(float* x) { *x = +; }", "sm_90", "relu"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::rejected);
  EXPECT_NE(outcome.error().message.find("compiling 'relu'"), std::string::npos) << outcome.error().message;
  EXPECT_NE(outcome.error().message.find("relu.cu(1): error: expected an expression"), std::string::npos)
      << outcome.error().message;
  EXPECT_TRUE(compiler->compile(cuda_request(kDouble, "sm_90")));
  EXPECT_EQ(compiler->workers_started(), 1);
}

TEST(Nvrtc, PtxWhereItIsAskedForOrTheArchitectureIsNewer) {
  auto compiler = nvrtc();
  for (const char* architecture : {"compute_90", "sm_999", "compute_999", "sm_999a"}) {
    auto outcome = compiler->compile(cuda_request(kDouble, architecture));
    ASSERT_TRUE(outcome) << architecture << " " << testing::PrintToString(outcome);
    const auto text = text_of(outcome->binary);
    EXPECT_NE(text.find(".version"), std::string_view::npos) << architecture;
    EXPECT_EQ(text.back(), '\0') << "the driver wants the end marked";
    if (architecture == std::string_view("compute_90")) {
      EXPECT_NE(text.find(".target sm_90"), std::string_view::npos);
    }
  }
}

TEST(Nvrtc, OptionsThatAreNoneAreRejected) {
  auto compiler = nvrtc();
  const auto rejection = [&](std::vector<std::string> options) {
    auto r = cuda_request(kDouble, "sm_90");
    r.options = std::move(options);
    auto outcome = compiler->compile(r);
    EXPECT_FALSE(outcome);
    if (outcome) return std::string();
    EXPECT_EQ(outcome.error().reason, Reason::rejected);
    return outcome.error().message;
  };
  EXPECT_NE(rejection({"--gpu-architecture=sm_10"}).find("not for sm_10"), std::string::npos);
  EXPECT_NE(rejection({"--gpu-architecture=abacus"}).find("'abacus' is no GPU architecture"), std::string::npos);
  EXPECT_NE(rejection({}).find("no --gpu-architecture"), std::string::npos);
  EXPECT_NE(rejection({"--gpu-architecture=sm_90", "--no-such-option"}).find("--no-such-option"), std::string::npos);
  EXPECT_NE(rejection({"--gpu-architecture=sm_90", "-I/usr/include"}).find("'-I/usr/include' is not allowed"),
            std::string::npos);
}

TEST(Nvrtc, UnoptimizedIsOtherCode) {
  auto compiler = nvrtc();
  auto r = cuda_request(kDouble, "sm_90");
  auto optimized = compiler->compile(r);
  r.optimize = false;
  auto plain = compiler->compile(r);
  ASSERT_TRUE(optimized) << testing::PrintToString(optimized);
  ASSERT_TRUE(plain) << testing::PrintToString(plain);
  EXPECT_NE(plain->binary, optimized->binary);
}

TEST(Nvrtc, AbsentLibraryIsSaidInOneSentence) {
  const Environment absent("JITNEY_NVRTC", "/nonexistent/libnvrtc.so");
  auto compiler = nvrtc();
  auto outcome = compiler->compile(cuda_request(kDouble, "sm_90"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::no_compiler);
  EXPECT_NE(outcome.error().message.find("NVRTC cannot be loaded as JITNEY_NVRTC says: /nonexistent/libnvrtc.so"),
            std::string::npos)
      << outcome.error().message;
  auto identity = compiler->identity();
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().kind, ErrorKind::environment);
  EXPECT_NE(identity.error().message.find("/nonexistent/libnvrtc.so"), std::string::npos) << identity.error().message;
}

TEST(Nvrtc, LibraryThatIsNoneIsNamed) {
  const Environment other("JITNEY_NVRTC", "libm.so.6");
  auto outcome = nvrtc()->compile(cuda_request(kDouble, "sm_90"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::no_compiler);
  EXPECT_NE(outcome.error().message.find("'libm.so.6' is not NVRTC"), std::string::npos) << outcome.error().message;
}

TEST(Nvrtc, CRequestsAreRefused) {
  auto compiler = nvrtc();
  auto outcome = compiler->compile(request("int f;"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::no_compiler);
  EXPECT_EQ(compiler->workers_started(), 0);
}

TEST(Nvrtc, DefaultsComeFromTheEnvironmentVariable) {
  const Environment other("JITNEY_COMPILER_NVRTC", "/nonexistent/worker");
  auto outcome = nvrtc()->compile(cuda_request(kDouble, "sm_90"));
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("JITNEY_COMPILER_NVRTC"), std::string::npos) << outcome.error().message;
}

}  // namespace
}  // namespace jitney::compiler
