// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <thread>

#include "support.h"

namespace jitney::compiler {
namespace {

using namespace test;
using Reason = CompileFailure::Reason;

TEST(Compile, IntegerKernelRuns) {
  auto compiler = make_compiler({});
  auto outcome = compiler->compile(request("int twice_plus(int a, int b) { return 2 * a + b; }"));
  ASSERT_TRUE(outcome) << testing::PrintToString(outcome);
  Loaded object(outcome->binary);
  auto* f = object.symbol<int(int, int)>("twice_plus");
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f(20, 2), 42);
  EXPECT_EQ(compiler->workers_started(), 1);
}

TEST(Compile, SoftmaxIsRightAndWarmCompilesAreQuick) {
  auto compiler = make_compiler({});
  auto r = request(softmax_source(), "softmax");
  auto start = Clock::now();
  ASSERT_TRUE(compiler->identity());
  double start_ms = ms_since(start);
  start = Clock::now();
  auto outcome = compiler->compile(r);
  double first_ms = ms_since(start);
  ASSERT_TRUE(outcome) << testing::PrintToString(outcome);
  double best_ms = 1e9;
  // A worker yields to everybody, so on a busy machine only the best of many tries says something.
  for (int i = 0; i < 5 || (i < 40 && best_ms > 3 * 45.0); ++i) {
    r.source += "\n";
    start = Clock::now();
    auto again = compiler->compile(r);
    best_ms = std::min(best_ms, ms_since(start));
    ASSERT_TRUE(again) << testing::PrintToString(again);
    EXPECT_EQ(again->binary, outcome->binary) << "the same code must give the same bytes";
  }
  printf("  worker start %.1f ms, first compile %.1f ms, warm compile %.1f ms, %zu bytes\n", start_ms, first_ms,
         best_ms, outcome->binary.size());
  RecordProperty("warm_ms", std::to_string(best_ms));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(best_ms, 3 * 45.0);
#endif
  EXPECT_EQ(compiler->workers_started(), 1);

  Loaded object(outcome->binary);
  auto* softmax = object.symbol<void(void* const*, const std::int64_t*, std::int64_t, std::int64_t)>("softmax");
  ASSERT_NE(softmax, nullptr);
  constexpr int kRows = 3, kColumns = 37;
  std::vector<float> x(kRows * kColumns), y(x.size(), -1.0f);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(float(i)) * 5.0f;
  void* pointers[] = {x.data(), y.data()};
  std::int64_t numbers[] = {kColumns, kColumns, kColumns};
  softmax(pointers, numbers, 0, kRows);
  for (int row = 0; row < kRows; ++row) {
    double total = 0;
    for (int i = 0; i < kColumns; ++i) total += std::exp(double(x[row * kColumns + i]));
    for (int i = 0; i < kColumns; ++i) {
      EXPECT_NEAR(y[row * kColumns + i], std::exp(double(x[row * kColumns + i])) / total, 1e-6);
    }
  }
}

TEST(Compile, UnoptimizedRuns) {
  auto compiler = make_compiler({});
  auto r = request("int f(int a) { int b = a; for (int i = 0; i < 3; ++i) b += i; return b; }");
  r.optimize = false;
  auto outcome = compiler->compile(r);
  ASSERT_TRUE(outcome) << testing::PrintToString(outcome);
  EXPECT_EQ(Loaded(outcome->binary).symbol<int(int)>("f")(1), 4);
}

TEST(Compile, LoopsThatBecomeLibraryCallsLoad) {
  auto compiler = make_compiler({});
  auto outcome = compiler->compile(request(R"(
void clear(char *p, long n) { for (long i = 0; i < n; ++i) p[i] = 0; }
void copy(char *restrict p, const char *restrict q, long n) { for (long i = 0; i < n; ++i) p[i] = q[i]; })"));
  ASSERT_TRUE(outcome) << testing::PrintToString(outcome);
  Loaded object(outcome->binary);
  std::string a(1000, 'a'), b(1000, 'b');
  object.symbol<void(char*, long)>("clear")(a.data(), 999);
  EXPECT_EQ(a, std::string(999, '\0') + "a");
  object.symbol<void(char*, const char*, long)>("copy")(a.data(), b.data(), 1000);
  EXPECT_EQ(a, b);
}

TEST(Compile, OneWorkerServesBothArchitectures) {
  auto compiler = make_compiler({});
  for (auto [triple, machine] : {std::pair{"x86_64-unknown-linux-gnu", 62}, {"aarch64-unknown-linux-gnu", 183}}) {
    auto r = request(softmax_source());
    r.options = {"-triple", triple};
    auto outcome = compiler->compile(r);
    ASSERT_TRUE(outcome) << testing::PrintToString(outcome);
    ASSERT_GT(outcome->binary.size(), 20u);
    EXPECT_EQ(std::to_integer<int>(outcome->binary[18]), machine) << triple;  // e_machine
  }
}

TEST(Compile, SyntaxErrorIsRejectedWithItsText) {
  auto compiler = make_compiler({});
  auto outcome = compiler->compile(request("int f(int a) { return a +; }", "relu"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::rejected);
  EXPECT_NE(outcome.error().message.find("compiling 'relu'"), std::string::npos) << outcome.error().message;
  EXPECT_NE(outcome.error().message.find("relu.c:1:26: error: expected expression"), std::string::npos)
      << outcome.error().message;
  // The worker is as good as before.
  EXPECT_TRUE(compiler->compile(request("int g(void) { return 1; }")));
  EXPECT_EQ(compiler->workers_started(), 1);
}

TEST(Compile, UnknownTargetAndForbiddenOptionsAreRejected) {
  auto compiler = make_compiler({});
  auto r = request("int f;");
  r.options = {"-triple", "x86_64-unknown-linux-gnu", "-target-cpu", "abacus"};
  auto outcome = compiler->compile(r);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::rejected);
  EXPECT_NE(outcome.error().message.find("abacus"), std::string::npos) << outcome.error().message;
  r.options = {"-mllvm", "-vectorize-loops"};
  outcome = compiler->compile(r);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::rejected);
  EXPECT_NE(outcome.error().message.find("-mllvm"), std::string::npos) << outcome.error().message;
}

TEST(Compile, SourceSeesNoFiles) {
  auto compiler = make_compiler({});
  for (const char* source : {"#include \"/etc/passwd\"\n", "#include <stdint.h>\n"}) {
    auto outcome = compiler->compile(request(source));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().reason, Reason::rejected);
    EXPECT_NE(outcome.error().message.find("file not found"), std::string::npos) << outcome.error().message;
  }
}

TEST(Compile, FailedVectorizationIsReported) {
  auto compiler = make_compiler({});
  auto outcome = compiler->compile(request(R"(
void f(float *x, long n) {
#pragma clang loop vectorize(enable)
  for (long i = 1; i < n; ++i) x[i] = x[i - 1] * 0.5f + x[i];
})"));
  ASSERT_TRUE(outcome) << testing::PrintToString(outcome);
  EXPECT_NE(outcome->diagnostics.find("loop not vectorized"), std::string::npos) << outcome->diagnostics;
  EXPECT_NE(outcome->diagnostics.find("[-Wpass-failed"), std::string::npos) << outcome->diagnostics;
}

TEST(Compile, NoReassociationNorFlushing) {
  auto compiler = make_compiler({});
  auto outcome = compiler->compile(request(R"(
float sum(const float *x, long n) { float s = 0; for (long i = 0; i < n; ++i) s += x[i]; return s; }
int is_nan(float x) { return x != x; })"));
  ASSERT_TRUE(outcome) << testing::PrintToString(outcome);
  Loaded object(outcome->binary);
  std::vector<float> x(64, 1e-8f);
  x[0] = 1.0f;
  EXPECT_EQ(object.symbol<float(const float*, long)>("sum")(x.data(), 64), 1.0f);  // in order, every addend is lost
  EXPECT_EQ(object.symbol<int(float)>("is_nan")(std::nanf("")), 1);
}

TEST(Compile, FourThreadsCompileEightKernels) {
  CompilerOptions options;
  options.max_workers = 4;
  auto compiler = make_compiler(options);
  std::vector<CompileOutcome> outcomes(8, CompileOutcome(CompileResult{}));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int k = t; k < 8; k += 4) {
          outcomes[k] = compiler->compile(request("int f(void) { return " + std::to_string(100 + k) + "; }"));
        }
      });
    }
  }
  for (int k = 0; k < 8; ++k) {
    ASSERT_TRUE(outcomes[k]) << testing::PrintToString(outcomes[k]);
    EXPECT_EQ(Loaded(outcomes[k]->binary).symbol<int()>("f")(), 100 + k);
  }
  EXPECT_LE(compiler->workers_started(), 4);
}

TEST(Compile, AnotherLanguageIsRefused) {
  auto compiler = make_compiler({});
  auto r = request("");
  r.language = backend::SourceLanguage::cuda;
  auto outcome = compiler->compile(r);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::no_compiler);
  EXPECT_EQ(compiler->workers_started(), 0);
}

TEST(Compile, AbsentCompilerSaysWhy) {
  auto compiler = make_absent_compiler("compiling is switched off");
  auto outcome = compiler->compile(request("int f;"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::no_compiler);
  EXPECT_EQ(outcome.error().message, "compiling is switched off");
  EXPECT_FALSE(compiler->identity());
}

}  // namespace
}  // namespace jitney::compiler
