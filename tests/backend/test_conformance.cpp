// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "backend/conformance.h"

namespace jitney::backend {
namespace {

TEST_P(BackendConformance, ExclusionsNameTests) {
  std::set<std::string> names;
  const auto* suite = testing::UnitTest::GetInstance()->current_test_suite();
  for (int i = 0; i < suite->total_test_count(); ++i) {
    const std::string name = suite->GetTestInfo(i)->name();
    names.insert(name.substr(0, name.find('/')));
  }
  for (const auto& [name, reason] : GetParam().exclusions) {
    EXPECT_TRUE(names.contains(name)) << name;
    EXPECT_FALSE(reason.empty()) << name;
  }
}

TEST_P(BackendConformance, DescribesItsDevices) {
  EXPECT_EQ(backend_->name(), GetParam().backend);
  ASSERT_GE(backend_->device_count(), 1);
  for (int device = 0; device < backend_->device_count(); ++device) {
    const auto info = backend_->device_info(device);
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_FALSE(info->name.empty());
    EXPECT_FALSE(info->target_key.empty());
    EXPECT_GE(info->parallel_units, 1);
    EXPECT_GE(info->vector_bytes, 1);
    EXPECT_GT(info->memory_bytes, 0);
    EXPECT_GE(info->alignment, 64u);
  }
}

TEST_P(BackendConformance, RefusesADeviceThatIsNotThere) {
  for (const int device : {-1, backend_->device_count(), 1000}) {
    const auto info = backend_->device_info(device);
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().kind, ErrorKind::user);
    EXPECT_NE(info.error().message.find(std::to_string(device)), std::string::npos) << info.error().message;
    EXPECT_FALSE(backend_->allocate(device, 16, 0));
    EXPECT_FALSE(backend_->create_stream(device, {}));
  }
}

TEST_P(BackendConformance, NoBytesAreNull) {
  const auto memory = backend_->allocate(0, 0, 0);
  ASSERT_TRUE(memory);
  EXPECT_EQ(*memory, nullptr);
  backend_->free(0, *memory, 0, 0);
  EXPECT_TRUE(backend_->copy(0, nullptr, nullptr, 0, CopyKind::host_to_device, 0));
  EXPECT_TRUE(backend_->copy(0, nullptr, nullptr, 0, CopyKind::device_to_device, 0));
}

TEST_P(BackendConformance, CopiesThereAndBack) {
  std::mt19937 random(7);
  for (const std::size_t bytes : {1u, 2u, 3u, 63u, 64u, 65u, 4097u, (4u << 20) - 1, (4u << 20) + 1, 9u << 20}) {
    std::vector<std::uint8_t> sent(bytes), received(bytes, 0);
    std::generate(sent.begin(), sent.end(), [&] { return static_cast<std::uint8_t>(random()); });
    const Memory first(backend_, bytes), second(backend_, bytes);
    ASSERT_NE(first.data, nullptr);
    upload(first.data, sent.data(), bytes);
    ASSERT_TRUE(backend_->copy(0, second.data, first.data, bytes, CopyKind::device_to_device, 0));
    download(received.data(), second.data, bytes);
    EXPECT_EQ(sent, received) << bytes;
  }
}

TEST_P(BackendConformance, AlignsMemory) {
  const auto alignment = backend_->device_info(0)->alignment;
  for (const std::size_t bytes : {1u, 17u, 64u, 1000u, 1u << 16, 5u << 20}) {
    const Memory a(backend_, bytes), b(backend_, bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data) % alignment, 0u) << bytes;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b.data) % alignment, 0u) << bytes;
    EXPECT_NE(a.data, b.data);
  }
}

TEST_P(BackendConformance, CountsLiveBytes) {
  const auto before = backend_->live_bytes();
  {
    const Memory a(backend_, 100), b(backend_, 5'000'000);
    EXPECT_EQ(backend_->live_bytes(), before + 5'000'100);
  }
  EXPECT_EQ(backend_->live_bytes(), before);
}

TEST_P(BackendConformance, OutOfMemoryIsAnErrorAndNothingMore) {
  const auto total = static_cast<std::size_t>(backend_->device_info(0)->memory_bytes);
  for (const std::size_t bytes : {total + 1, std::size_t{1} << 50, std::numeric_limits<std::size_t>::max() - 7,
                                  std::numeric_limits<std::size_t>::max()}) {
    const auto memory = backend_->allocate(0, bytes, 0);
    ASSERT_FALSE(memory) << bytes;
    EXPECT_EQ(memory.error().kind, ErrorKind::environment);
    EXPECT_NE(memory.error().message.find(std::to_string(bytes)), std::string::npos) << memory.error().message;
  }
  EXPECT_EQ(backend_->live_bytes(), live_before_);
  const Memory small(backend_, 1000);
  EXPECT_NE(small.data, nullptr);
}

TEST_P(BackendConformance, StreamsAreDistinctAndWork) {
  std::set<StreamHandle> seen;
  for (const int threads : {0, 1, 2, 2, 64}) EXPECT_TRUE(seen.insert(make_stream(threads)).second);
  for (const auto stream : seen) {
    const std::int32_t sent = 42;
    std::int32_t received = 0;
    const Memory memory(backend_, sizeof sent);
    upload(memory.data, &sent, sizeof sent, stream);
    download(&received, memory.data, sizeof sent, stream);
    EXPECT_EQ(received, 42);
  }
  EXPECT_TRUE(backend_->synchronize(0, 0));
  const auto refused = backend_->create_stream(0, {.threads = -1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::user);
}

TEST_P(BackendConformance, EmptyBinaryIsRefused) { EXPECT_FALSE(backend_->load(0, {})); }

TEST_P(BackendConformance, GarbageBinaryIsRefused) {
  for (const std::string text : {"garbage",
                                 "\x7f"
                                 "ELF",
                                 "\x7f"
                                 "ELF and then nothing that makes sense whatsoever, for a while"}) {
    const auto module = backend_->load(0, std::as_bytes(std::span(text)));
    ASSERT_FALSE(module) << text;
    EXPECT_FALSE(module.error().message.empty());
  }
  load_kernel("count");  // still usable
}

TEST_P(BackendConformance, MissingSymbolIsNamed) {
  load_kernel("count");
  const auto kernel = backend_->kernel(0, modules_.front(), "no_such_kernel");
  ASSERT_FALSE(kernel);
  EXPECT_NE(kernel.error().message.find("no_such_kernel"), std::string::npos);
}

TEST_P(BackendConformance, BinaryIsCopied) {
  auto binary = GetParam().binary();
  const auto module = backend_->load(0, binary);
  ASSERT_TRUE(module);
  modules_.push_back(*module);
  std::ranges::fill(binary, std::byte{0xff});
  const auto kernel = backend_->kernel(0, *module, "count");
  ASSERT_TRUE(kernel);
  count(*kernel, 0, 10, 1, 0);
}

TEST_P(BackendConformance, EveryIterationRunsOnce) {
  const auto kernel = load_kernel("count");
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  for (const int threads : {1, 2, 3, 8}) {
    const auto stream = make_stream(threads);
    for (const std::int64_t size : {0, 1, 2, 3, 7, 8, 63, 64, 65, 1000, 4099}) {
      for (const std::int64_t begin : {std::int64_t{0}, std::int64_t{5}, std::int64_t{-70}, largest - size}) {
        for (const std::int64_t grain :
             {std::int64_t{1}, std::int64_t{3}, std::int64_t{64}, std::int64_t{0}, largest}) {
          const auto hits = count(kernel, begin, begin + size, grain, stream);
          ASSERT_TRUE(std::ranges::all_of(hits, [](int n) { return n == 1; }))
              << threads << " threads, [" << begin << ", " << begin + size << "), grain " << grain;
        }
      }
    }
  }
}

TEST_P(BackendConformance, EmptyRangeCallsNothing) {
  const auto kernel = load_kernel("count");
  for (const std::int64_t end : {0, -1, -1000}) {
    std::int64_t calls = -1;
    count(kernel, 0, end, 1, 0, &calls);
    EXPECT_EQ(calls, 0);
  }
}

TEST_P(BackendConformance, TwoBinariesAreKeptApart) {
  const auto identify = [&](KernelHandle kernel) {
    std::int32_t value = 0;
    const Memory cell(backend_, sizeof value);
    void* const pointers[] = {cell.data};
    EXPECT_TRUE(backend_->launch(0, kernel, {.pointers = pointers, .pointer_count = 1, .end = 1}, 0));
    download(&value, cell.data, sizeof value);
    return value;
  };
  const auto first = load_kernel("identify");
  const auto other = backend_->load(0, GetParam().other_binary());
  ASSERT_TRUE(other);
  modules_.push_back(*other);
  const auto second = backend_->kernel(0, *other, "identify");
  ASSERT_TRUE(second);
  EXPECT_EQ(identify(first), 1);
  EXPECT_EQ(identify(*second), 2);
  EXPECT_EQ(identify(load_kernel("identify")), 1);  // the first binary once more
}

TEST_P(BackendConformance, UnloadedKernelIsAnError) {
  const auto kernel = load_kernel("count");
  const auto module = modules_.front();
  backend_->unload(0, module);
  EXPECT_FALSE(backend_->launch(0, kernel, {.end = 1}, 0));
  EXPECT_FALSE(backend_->kernel(0, module, "count"));
  backend_->unload(0, module);  // once more does no harm
  const auto next = load_kernel("count");
  EXPECT_NE(next, kernel);
  EXPECT_FALSE(backend_->launch(0, kernel, {.end = 1}, 0));  // also when the place is taken again
  EXPECT_FALSE(backend_->launch(0, 0, {.end = 1}, 0));
}

TEST_P(BackendConformance, ManyModulesComeAndGo) {
  std::set<ModuleHandle> live;
  for (int round = 0; round < 300; ++round) {
    const auto module = backend_->load(0, GetParam().binary());
    ASSERT_TRUE(module) << module.error().message;
    EXPECT_TRUE(live.insert(*module).second);
    if (round % 3 == 2) {
      backend_->unload(0, *live.begin());
      live.erase(live.begin());
    }
  }
  for (const auto module : live) {
    EXPECT_TRUE(backend_->kernel(0, module, "count"));
    backend_->unload(0, module);
  }
}

TEST_P(BackendConformance, FourThreadsLaunchAtOnce) {
  const auto kernel = load_kernel("count");
  std::vector<StreamHandle> streams;
  for (int i = 0; i < 4; ++i) streams.push_back(make_stream(1 + i % 2));
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 50; ++round) {
        const auto hits = count(kernel, 0, 500 + round, 1, streams[t]);
        wrong[t] += !std::ranges::all_of(hits, [](int n) { return n == 1; });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST_P(BackendConformance, LoadsAndUnloadsWhileOthersLaunch) {
  const auto binary = GetParam().binary();
  std::vector<int> wrong(3, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 30; ++round) {
        const auto module = backend_->load(0, binary);
        const auto kernel = module ? backend_->kernel(0, *module, "count") : tl::unexpected(module.error());
        if (!kernel) {
          ++wrong[t];
          continue;
        }
        const auto hits = count(*kernel, 0, 100, 1, 0);
        wrong[t] += !std::ranges::all_of(hits, [](int n) { return n == 1; });
        backend_->unload(0, *module);
        wrong[t] += static_cast<bool>(backend_->launch(0, *kernel, {.end = 1}, 0));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(3, 0));
}

TEST_P(BackendConformance, ChildOfAForkLaunches) {
  const auto kernel = load_kernel("count");
  const auto stream = make_stream(4);
  count(kernel, 0, 10'000, 1, stream);  // now a pool of threads exists, which the child does not have
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);  // a hang is a failure
    const auto hits = count(kernel, 0, 10'000, 1, stream);
    _exit(std::ranges::all_of(hits, [](int n) { return n == 1; }) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const auto hits = count(kernel, 0, 10'000, 1, stream);  // and the parent goes on
  EXPECT_TRUE(std::ranges::all_of(hits, [](int n) { return n == 1; }));
}

TEST_P(BackendConformance, EventsOrderStreamsOrAreRefused) {
  const auto first = make_stream(1), second = make_stream(1);
  const auto event = backend_->record(0, first);
  if (!event) {
    EXPECT_NE(event.error().message.find(GetParam().backend), std::string::npos);
    EXPECT_FALSE(backend_->wait(0, second, 1));
    return;
  }
  EXPECT_NE(*event, 0u);
  EXPECT_TRUE(backend_->wait(0, second, *event));
  backend_->destroy_event(0, *event);
}

TEST_P(BackendConformance, CaptureReplaysOrIsRefused) {
  const auto stream = make_stream(1);
  if (const auto begun = backend_->begin_capture(0, stream); !begun) {
    EXPECT_NE(begun.error().message.find(GetParam().backend), std::string::npos);
    EXPECT_FALSE(backend_->end_capture(0, stream));
    EXPECT_FALSE(backend_->replay(0, 1, stream));
    return;
  }
  const Memory from(backend_, 4), to(backend_, 4);
  const std::int32_t before = 1, after = 2;
  std::int32_t value = 0;
  ASSERT_TRUE(backend_->copy(0, to.data, from.data, 4, CopyKind::device_to_device, stream));
  const auto graph = backend_->end_capture(0, stream);
  ASSERT_TRUE(graph) << graph.error().message;
  upload(from.data, &after, 4);
  upload(to.data, &before, 4);
  download(&value, to.data, 4);
  EXPECT_EQ(value, before) << "capturing must not run";
  ASSERT_TRUE(backend_->replay(0, *graph, stream));
  download(&value, to.data, 4, stream);
  EXPECT_EQ(value, after);
  backend_->destroy_graph(0, *graph);
}

TEST_P(BackendConformance, DiagnosesItself) {
  const auto lines = backend_->diagnose();
  ASSERT_FALSE(lines.empty());
  for (const auto& line : lines) EXPECT_EQ(line.find('\n'), std::string::npos) << line;
}

}  // namespace
}  // namespace jitney::backend
