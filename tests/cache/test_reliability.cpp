// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Faults that a cache survives, by the number of the failure mode: packed files, and what concerns both forms.
#include <jitney/error.h>
#include <jitney/runtime_cache.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "cache/cache_testing.h"
#include "util/atomic_file.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;
using Public = jitney::RuntimeCache;

void put(Public& handle, const std::string& name) {
  use_handle({std::shared_ptr<void>(), &handle})->publish(key_of(name), blob_of(content_of(name)));
}

/// How many entries a path holds; -1 when one of them is wrong.
int count_right(const std::string& path) {
  Public reader;
  reader.load(path);
  int count = 0;
  const auto cache = use_handle({std::shared_ptr<void>(), &reader});
  for (const auto& entry : reader.entries()) {
    const std::string& name = entry.fields.at("source");
    if (found(*cache, key_of(name)) != content_of(name)) return -1;
    ++count;
  }
  return count;
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kSlowness = 20;  // starting a process and saving take so much longer
#else
constexpr int kSlowness = 1;
#endif

/// Writers are killed at any moment; the file is always whole and never smaller than before.
TEST(Reliability, Mode01_KillingASaverOfAPackedFileLosesNothing) {
  TempDir dir;
  int before = 0, killed = 0;
  const int kills = rounds(60, 2000);
  for (int i = 0; i < kills; ++i) {
    const pid_t writer = run_in_child([&] {
      Public cache(dir / "c");
      cache.load();
      for (int k = 0;; ++k) {
        put(cache, std::to_string((i + k) % 12));
        cache.save();
      }
      return 0;
    });
    std::this_thread::sleep_for(kSlowness * std::chrono::microseconds(500 + i % 200 * 29));
    kill(writer, SIGKILL);
    killed += wait_for(writer) == -SIGKILL;
    const int now = std::filesystem::exists(dir / "c") ? count_right(dir / "c") : 0;
    ASSERT_GE(now, before) << i;
    before = now;
  }
  EXPECT_EQ(killed, kills);
  EXPECT_GT(before, 0);
  // What the killed left behind goes once it is old.
  for (const auto& file : std::filesystem::directory_iterator(dir.path())) {
    if (file.path().filename().string().starts_with(AtomicFile::kTempPrefix))
      std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  }
  Public last(dir / "c");
  put(last, "last");
  last.save();
  EXPECT_EQ(count_files(dir.path()), 2);  // and its lock
}

/// RELIABILITY 2: what a power cut leaves of a file whose bytes were not on the disk yet: nothing, zeros, a prefix.
TEST(Reliability, Mode02_WhatAPowerCutTearsIsAMiss) {
  TempDir dir;
  const Key key = key_of("a");
  open_store(dir / "s")->publish(key, blob_of(content_of("a")));
  const std::string path = entry_path(dir / "s", key), good = read_text(path);
  const std::string zeros(good.size(), '\0');
  for (const std::size_t cut : {std::size_t{0}, std::size_t{512}, std::size_t{4096}, good.size() - 1}) {
    for (const std::string& torn :
         {good.substr(0, cut), good.substr(0, cut) + zeros.substr(cut), zeros.substr(0, cut)}) {
      write_text(path, torn);
      const auto cache = open_store(dir / "s");
      EXPECT_EQ(found(*cache, key).substr(0, 1), "<");
      cache->publish(key, blob_of(content_of("a")));
      EXPECT_EQ(read_text(path), good);
    }
  }
}

/// RELIABILITY 5: a timer's signals all the time.
TEST(Reliability, Mode05_SignalsDoNotDisturbASave) {
  TempDir dir;
  EXPECT_EQ(wait_for(run_in_child([&] {
              struct sigaction action{};
              action.sa_handler = [](int) {};
              sigaction(SIGALRM, &action, nullptr);
              const itimerval often{{0, 500}, {0, 500}};
              setitimer(ITIMER_REAL, &often, nullptr);
              Public cache(dir / "c");
              for (int i = 0; i < 20; ++i) {
                put(cache, std::to_string(i));
                cache.save();
                cache.save(dir / "s/");
              }
              return 0;
            })),
            0);
  EXPECT_EQ(count_right(dir / "c"), 20);
  EXPECT_EQ(count_right(dir / "s"), 20);
}

/// RELIABILITY 3: a packed file that cannot grow stays as it was, and nothing is left beside it.
TEST(Reliability, Mode03_AFullDiskLeavesThePackedFileAsItWas) {
  TempDir dir;
  Public first(dir / "c");
  put(first, "a");
  first.save();
  const std::string before = read_text(dir / "c");
  EXPECT_EQ(wait_for(run_in_child([&] {
              const rlimit small{before.size() + 100, before.size() + 100};
              setrlimit(RLIMIT_FSIZE, &small);
              Public cache(dir / "c");
              for (const char* name : {"b", "d"}) put(cache, name);
              try {
                cache.save();
              } catch (const Error& error) {
                cache.autosave();
                return cache.stats().entries == 2 ? 0 : 2;
              }
              return 1;
            })),
            0);
  EXPECT_EQ(read_text(dir / "c"), before);
  EXPECT_EQ(count_files(dir.path()), 2);  // and its lock
}

/// RELIABILITY 7, for packed files.
TEST(Reliability, Mode07_DescriptorsRunOutAndComeBack) {
  TempDir dir;
  Public first(dir / "c");
  put(first, "a");
  first.save();
  EXPECT_EQ(wait_for(run_in_child([&] {
              // The undefined-behaviour sanitizer needs descriptors where it meets a type for the first time.
              try {
                Public("/dev/null/x").load();
                return 3;
              } catch (const Error& error) {
                if (error.kind() == ErrorKind::internal) return 4;
              }
              rlimit old{};
              getrlimit(RLIMIT_NOFILE, &old);
              const auto open_fds = [] {
                return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
              };
              const auto before = open_fds();
              for (rlim_t limit = 3; limit <= 40; ++limit) {
                Public cache(dir / "c");
                put(cache, "b");
                const rlimit low{limit, old.rlim_max};
                setrlimit(RLIMIT_NOFILE, &low);
                bool saved = true;
                try {
                  cache.load();
                  cache.save();
                } catch (const Error&) {
                  saved = false;
                }
                setrlimit(RLIMIT_NOFILE, &old);
                if (limit == 40 && !saved) return 1;
                if (open_fds() != before) return 2;
              }
              return 0;
            })),
            0);
  EXPECT_EQ(count_right(dir / "c"), 2);
}

/// RELIABILITY 15: somebody truncates and rewrites the file while it is read.
TEST(Reliability, Mode15_AFileThatShrinksWhileItIsRead) {
  TempDir dir;
  Public cache(dir / "c");
  for (int i = 0; i < 8; ++i) put(cache, std::to_string(i));
  cache.save();
  const std::string good = read_text(dir / "c");
  std::atomic<bool> stop{false};
  std::thread truncator([&] {
    for (unsigned i = 0; !stop; ++i) {
      std::filesystem::resize_file(dir / "c", (i * 7919) % good.size());
      write_text(dir / "c", good);
    }
  });
  for (int i = 0; i < rounds(300, 5000); ++i) {
    try {
      EXPECT_GE(count_right(dir / "c"), 0);
    } catch (const Error&) {
      // Cut down to where it could be anybody's.
    }
  }
  stop = true;
  truncator.join();
}

/// RELIABILITY 18, 19: processes with handles of their own save many distinct keys into one file and one store, while
/// the lock file is removed again and again (only `with_unlinker`; the union is then promised for the store).
void check_union(bool with_unlinker) {
  TempDir dir;
  constexpr int kProcesses = 8;
  const int keys = rounds(8, 64);
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(run_in_child([&, p] {
      Handle::Options options{.path = dir / "c", .form = Form::packed, .store = {}};
      options.lock_timeout = std::chrono::minutes(5);
      Handle cache(options);
      const auto store = open_store(dir / "s");
      for (int k = 0; k < keys; ++k) {
        const std::string name = std::to_string(p) + "-" + std::to_string(k);
        cache.publish(key_of(name), blob_of(content_of(name)));
        store->publish(key_of(name), blob_of(content_of(name)));
        if (!cache.save(std::nullopt)) return 1;
      }
      return 0;
    }));
  }
  std::atomic<bool> stop{false};
  std::thread unlinker([&] {
    while (with_unlinker && !stop) {
      std::error_code ignored;
      std::filesystem::remove(dir / "c.lock", ignored);
      std::filesystem::remove(dir / "s/" + kLocksName, ignored);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  stop = true;
  unlinker.join();
  EXPECT_EQ(count_right(dir / "s"), kProcesses * keys);
  const int packed = count_right(dir / "c");
  EXPECT_GE(packed, with_unlinker ? keys : kProcesses * keys);
}

TEST(Reliability, Mode18_ConcurrentSavesGiveTheUnion) { check_union(false); }
TEST(Reliability, Mode19_AnUnlinkerOfLocksBreaksNothing) { check_union(true); }

/// RELIABILITY 26: what somebody planted in a shared folder is neither followed nor changed.
TEST(Reliability, Mode26_PlantedLinksAreNotFollowed) {
  TempDir dir;
  write_text(dir / "victim", "precious");
  for (const char* name : {"c", "c.lock"}) {
    for (int way = 0; way < 3; ++way) {
      std::error_code ignored;
      std::filesystem::remove(dir / "c", ignored);
      std::filesystem::remove(dir / "c.lock", ignored);
      if (way == 0) std::filesystem::create_symlink(dir / "victim", dir / name);
      if (way == 1) std::filesystem::create_hard_link(dir / "victim", dir / name);
      if (way == 2) {
        ASSERT_EQ(mkfifo((dir / name).c_str(), 0600), 0);
      }
      Public cache(dir / "c");
      put(cache, "a");
      try {
        cache.load();
        cache.save();
      } catch (const Error&) {
      }
      EXPECT_EQ(read_text(dir / "victim"), "precious") << name << way;
    }
  }
}

/// RELIABILITY 22: a child that exits by exit() neither saves twice nor hangs, whatever its parent held.
TEST(Reliability, Mode22_AForkedChildExits) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP()
      << "AddressSanitizer's allocator is left locked in a child when another thread allocated during the fork";
#endif
  TempDir dir;
  auto cache = Public::owned(dir / "c");
  put(*cache, "a");
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) (void)cache->entries();
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      cache.reset();
      _exit(0);
    }
    EXPECT_EQ(wait_for(child), 0);
  }
  stop = true;
  busy.join();
  cache.reset();
  EXPECT_EQ(count_right(dir / "c"), 1);
}

/// RELIABILITY 29: a setuid program uses no place that the environment names. (The flag itself needs a second user;
/// paths.cpp asks it in one place.)
TEST(Reliability, Mode29_NoPlaceAtAllMeansMemory) {
  EXPECT_EQ(wait_for(run_in_child([] {
              for (const char* name : {"JITNEY_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) unsetenv(name);
              if (setresuid(4242, 4242, 4242) != 0) return 0;  // needs root; a user without a home
              const auto cache = open_cache("");
              cache->publish(key_of("a"), blob_of("x"));
              return cache->path().empty() && found(*cache, key_of("a")) == "x" ? 0 : 1;
            })),
            0);
}

}  // namespace
}  // namespace jitney::cache
