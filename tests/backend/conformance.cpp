// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/conformance.h"

#include <fstream>
#include <iterator>

#include "backend/registry.h"

namespace jitney::backend {

void PrintTo(const Joining& joining, std::ostream* out) { *out << joining.backend; }

std::vector<std::byte> read_test_binary(const std::string& name) {
  std::ifstream file(JITNEY_TEST_OUTPUT "/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(text.empty()) << name;
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

void BackendConformance::SetUp() {
  std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  name.resize(name.find('/'));
  const auto& exclusions = GetParam().exclusions;
  if (const auto excluded = exclusions.find(name); excluded != exclusions.end()) GTEST_SKIP() << excluded->second;
  const auto backend = load_backend(GetParam().backend);
  ASSERT_TRUE(backend) << backend.error().message;
  if ((*backend)->device_count() == 0) {
    const auto why = (*backend)->diagnose();
    GTEST_SKIP() << (why.empty() ? "there is no device" : why.front());
  }
  backend_ = *backend;
  live_before_ = backend_->live_bytes();
}

void BackendConformance::TearDown() {
  if (backend_ == nullptr) return;
  for (const auto module : modules_) backend_->unload(0, module);
  for (const auto stream : streams_) backend_->destroy_stream(0, stream);
  EXPECT_EQ(backend_->live_bytes(), live_before_);
}

BackendConformance::Memory::Memory(Backend* b, std::size_t size) : backend(b), data(nullptr), bytes(size) {
  const auto memory = backend->allocate(0, bytes, 0);
  EXPECT_TRUE(memory) << memory.error().message;
  data = memory.value_or(nullptr);
}
BackendConformance::Memory::~Memory() { backend->free(0, data, bytes, 0); }

void BackendConformance::upload(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  EXPECT_TRUE(backend_->copy(0, to, from, bytes, CopyKind::host_to_device, stream));
}

void BackendConformance::download(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  EXPECT_TRUE(backend_->copy(0, to, from, bytes, CopyKind::device_to_host, stream));
  EXPECT_TRUE(backend_->synchronize(0, stream));
}

StreamHandle BackendConformance::make_stream(int threads) {
  const auto stream = backend_->create_stream(0, {.threads = threads});
  EXPECT_TRUE(stream) << stream.error().message;
  if (!stream) return 0;
  EXPECT_NE(*stream, 0u);
  streams_.push_back(*stream);
  return *stream;
}

KernelHandle BackendConformance::load_kernel(const char* symbol) {
  const auto module = backend_->load(0, GetParam().binary());
  EXPECT_TRUE(module) << module.error().message;
  if (!module) return 0;
  modules_.push_back(*module);
  const auto kernel = backend_->kernel(0, *module, symbol);
  EXPECT_TRUE(kernel) << kernel.error().message;
  return kernel.value_or(0);
}

std::vector<std::int32_t> BackendConformance::count(KernelHandle kernel, std::int64_t begin, std::int64_t end,
                                                    std::int64_t grain, StreamHandle stream, std::int64_t* calls) {
  std::vector<std::int32_t> hits(end > begin ? static_cast<std::size_t>(end - begin) : 0);
  const Memory cells(backend_, hits.size() * sizeof(std::int32_t)), call_cell(backend_, sizeof(std::int64_t));
  std::int64_t call_count = 0;
  upload(cells.data, hits.data(), cells.bytes, stream);
  upload(call_cell.data, &call_count, sizeof call_count, stream);
  void* const pointers[] = {cells.data, call_cell.data};
  const std::int64_t numbers[] = {begin};
  const LaunchArgs args{.pointers = pointers,
                        .numbers = numbers,
                        .pointer_count = 2,
                        .number_count = 1,
                        .begin = begin,
                        .end = end,
                        .grain = grain};
  EXPECT_TRUE(backend_->launch(0, kernel, args, stream));
  download(hits.data(), cells.data, cells.bytes, stream);
  download(&call_count, call_cell.data, sizeof call_count, stream);
  if (calls != nullptr) *calls = call_count;
  return hits;
}

}  // namespace jitney::backend
