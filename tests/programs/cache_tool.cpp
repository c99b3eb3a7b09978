// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// cache_tool save PATH NAME...   adds entries to the cache at PATH (a store when it ends in '/'): through a handle that
//                                loads, publishes and saves. Exit code 0: on disk; 4: in memory only, with a message.
// cache_tool check PATH NAME...  prints the names whose entries are there and right; exit code 9 when one is wrong.
// cache_tool hold PATH NAME      claims an entry and waits for the end of standard input.
// cache_tool place PATH NAME     publishes an entry in the user's own cache, whatever PATH is, and prints what that is.
// Each entry's bytes follow from its name, so that wrong ones show whoever wrote them.
#include <cstdio>
#include <cstring>
#include <string>

#include <jitney/error.h>
#include <jitney/runtime_cache.h>

#include "cache/cache_testing_content.h"
#include "cache/runtime_cache.h"

using namespace jitney;
using cache::testing::content_of;
using cache::testing::key_of;

namespace {

cache::Blob blob_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

int save(const std::string& path, int count, char** names) {
  const auto handle = RuntimeCache::owned(path);
  const auto cache = cache::use_handle(handle);
  for (int i = 0; i < count; ++i) {
    cache->publish(key_of(names[i]), blob_of(content_of(names[i])));
    const auto found = cache->lookup(key_of(names[i]));
    if (!found || **found != blob_of(content_of(names[i]))) return 9;  // at least in memory it is right
  }
  handle->save();
  return handle->stats().publish_failures == 0 ? 0 : 4;
}

int check(const std::string& path, int count, char** names) {
  RuntimeCache handle(path);
  handle.load();
  const auto cache = cache::use_handle(std::shared_ptr<RuntimeCache>(std::shared_ptr<void>(), &handle));
  for (int i = 0; i < count; ++i) {
    const auto found = cache->lookup(key_of(names[i]));
    if (!found) continue;
    if (**found != blob_of(content_of(names[i]))) return 9;
    std::puts(names[i]);
  }
  return 0;
}

int hold(const std::string& path, const char* name) {
  const auto cache = cache::use_handle(RuntimeCache::owned(path));
  const auto claim = cache->claim(key_of(name), std::chrono::seconds(1));
  std::puts(claim.state() == cache::Claim::State::mine ? "mine" : "busy");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

int place(const char* name) {
  const auto cache = cache::open_cache("");
  cache->publish(key_of(name), blob_of(content_of(name)));
  if (!cache->lookup(key_of(name))) return 9;
  std::puts(cache->describe().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string command = argv[1];
  try {
    if (command == "save") return save(argv[2], argc - 3, argv + 3);
    if (command == "check") return check(argv[2], argc - 3, argv + 3);
    if (command == "place") return place(argv[3]);
    if (command == "hold") return hold(argv[2], argv[3]);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 4;
  }
  return 2;
}
