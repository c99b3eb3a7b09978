// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/trace.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "util/temp_dir.h"

namespace jitney {
namespace {

using nlohmann::json;
using testing::count_files;
using testing::read_text;
using testing::TempDir;

/// The events of one phase.
std::vector<json> phase(const json& file, const std::string& which) {
  std::vector<json> found;
  for (const auto& e : file.at("traceEvents"))
    if (e.at("ph") == which) found.push_back(e);
  return found;
}

json one(const json& file, const std::string& which, const std::string& name) {
  json found;
  for (const auto& e : phase(file, which)) {
    if (e.at("name") != name) continue;
    EXPECT_TRUE(found.is_null()) << name << " is there twice";
    found = e;
  }
  EXPECT_FALSE(found.is_null()) << name << " is not there";
  return found;
}

bool within(const json& inner, const json& outer) {
  const double begin = inner.at("ts"), duration = inner.at("dur"), from = outer.at("ts"), whole = outer.at("dur");
  return inner.at("tid") == outer.at("tid") && begin >= from && begin + duration <= from + whole + 0.0005;
}

class Traces : public ::testing::Test {
 protected:
  json traced(const std::function<void()>& work) {
    Trace trace(dir_ / "trace.json");
    work();
    trace.stop();
    return json::parse(read_text(dir_ / "trace.json"));
  }
  TempDir dir_;
};

TEST_F(Traces, SpansNestAndCarryTheirArguments) {
  const json file = traced([] {
    TraceSpan outer("load", "model.onnx");
    outer.number("bytes", 12);
    outer.text("key", "abc");
    {
      const TraceSpan inner("lower");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    trace_instant("cache", "evicted", "why", "too old");
    trace_counter("queue", 7);
  });
  const json outer = one(file, "X", "model.onnx"), inner = one(file, "X", "lower");
  EXPECT_TRUE(within(inner, outer));
  EXPECT_FALSE(within(outer, inner));
  EXPECT_GE(inner.at("dur").get<double>(), 2000);
  EXPECT_EQ(outer.at("cat"), "load");
  EXPECT_EQ(outer.at("args"), json({{"bytes", 12}, {"key", "abc"}}));
  EXPECT_FALSE(inner.contains("args"));
  EXPECT_EQ(one(file, "i", "evicted").at("args"), json({{"why", "too old"}}));
  EXPECT_EQ(one(file, "C", "queue").at("args"), json({{"value", 7}}));
  EXPECT_EQ(outer.at("pid"), getpid());
  EXPECT_EQ(one(file, "M", "process_name").at("args").at("name"), "test_util");
  EXPECT_EQ(file.at("otherData").at("lost_events"), 0);
}

TEST_F(Traces, CorrelationIdsNestAndStayOnTheirThread) {
  const json file = traced([] {
    EXPECT_EQ(CorrelationId::current(), "");
    const CorrelationId request("request 17");
    {
      const CorrelationId part("request 17, part 2");
      const TraceSpan span("execute", "part");
    }
    EXPECT_EQ(CorrelationId::current(), "request 17");
    const TraceSpan span("execute", "whole");
    std::thread([] { const TraceSpan other("execute", "other"); }).join();
    const CorrelationId large(std::string(62, 'x') + "\u00e9");  // which ends within two bytes of UTF-8
    EXPECT_EQ(CorrelationId::current(), std::string(62, 'x'));
  });
  EXPECT_EQ(CorrelationId::current(), "");
  EXPECT_EQ(one(file, "X", "part").at("args").at("correlation_id"), "request 17, part 2");
  EXPECT_EQ(one(file, "X", "whole").at("args").at("correlation_id"), "request 17");
  EXPECT_FALSE(one(file, "X", "other").contains("args"));
}

TEST_F(Traces, ThreadsAreToldApartAndNamed) {
  constexpr int kThreads = 4, kSpans = 500;
  const json file = traced([] {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([t] {
        pthread_setname_np(pthread_self(), ("worker " + std::to_string(t)).c_str());
        for (int i = 0; i < kSpans; ++i) {
          const TraceSpan outer("execute", "outer");
          const TraceSpan inner("step", "inner");
        }
      });
  });
  std::map<int, std::vector<json>> by_thread;
  for (const auto& e : phase(file, "X")) by_thread[e.at("tid")].push_back(e);
  ASSERT_EQ(by_thread.size(), kThreads);
  std::set<std::string> names;
  for (const auto& e : phase(file, "M"))
    if (e.at("name") == "thread_name") names.insert(e.at("args").at("name"));
  EXPECT_TRUE(names.contains("worker 0") && names.contains("worker 3"));
  for (const auto& [thread, events] : by_thread) {
    ASSERT_EQ(events.size(), 2 * kSpans);
    for (std::size_t i = 0; i < events.size(); i += 2) {
      EXPECT_EQ(events[i].at("name"), "outer");
      EXPECT_TRUE(within(events[i + 1], events[i]));
    }
  }
}

TEST_F(Traces, AFlowLeadsFromOneSpanToAnother) {
  const json file = traced([] {
    std::thread([] {
      TraceSpan compile("specialize", "compile");
      compile.begin_flow(0xbeef);
    }).join();
    TraceSpan swap("specialize", "swap in");
    swap.end_flow(0xbeef);
  });
  const json from = phase(file, "s").at(0), to = phase(file, "f").at(0);
  EXPECT_EQ(from.at("id"), "beef");
  EXPECT_EQ(to.at("id"), "beef");
  EXPECT_EQ(from.at("tid"), one(file, "X", "compile").at("tid"));
  EXPECT_EQ(to.at("tid"), one(file, "X", "swap in").at("tid"));
  EXPECT_EQ(to.at("bp"), "e");
}

TEST_F(Traces, MemoryIsBoundedAndTheFileSaysWhatIsLost) {
  start_trace(dir_ / "trace.json");
  {
    const TraceSpan first("load", "first");
  }
  for (int i = 0; i < 140'000; ++i) const TraceSpan span("step", i == 139'999 ? "last" : "x");
  stop_trace();
  const std::string text = read_text(dir_ / "trace.json");  // which takes long to parse
  EXPECT_NE(text.find("\"lost_events\":" + std::to_string(140'000 - 131'072)), std::string::npos);
  EXPECT_NE(text.find("\"name\":\"first\""), std::string::npos);
  EXPECT_NE(text.find("\"name\":\"last\""), std::string::npos);
  // A line an event, and: head, process, first, and each thread that there was.
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_GE(lines, 131'072 + 4);
  EXPECT_LE(lines, 131'072 + 16);
}

TEST_F(Traces, NamesThatAreNoTextAreStillJson) {
  const json file = traced([] {
    const TraceSpan a("load", "quote \" backslash \\ line\n");
    const TraceSpan b("load", "bad \xff\xc0 bytes");
    const TraceSpan c("load", std::string(300, 'a'));
  });
  one(file, "X", "quote \" backslash \\ line\n");
  one(file, "X", "bad \ufffd\ufffd bytes");
  one(file, "X", std::string(95, 'a'));
}

TEST_F(Traces, OneAtATimeAndNothingAfterTheEnd) {
  EXPECT_FALSE(is_tracing());
  start_trace(dir_ / "a.json");
  EXPECT_TRUE(is_tracing());
  EXPECT_THROW(start_trace(dir_ / "b.json"), Error);
  TraceSpan open_at_the_end("load", "never ended");
  stop_trace();
  stop_trace();  // nothing is on: nothing happens
  EXPECT_EQ(phase(json::parse(read_text(dir_ / "a.json")), "X").size(), 0);
  start_trace(dir_ / "%p.json");
  stop_trace();
  EXPECT_TRUE(std::filesystem::exists(dir_ / (std::to_string(getpid()) + ".json")));
  EXPECT_EQ(count_files(dir_.path()), 2);
}

TEST_F(Traces, AFileThatCannotBeMadeIsSaidAtOnce) {
  try {
    start_trace(dir_ / "no/such/folder.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::user);
    EXPECT_NE(std::string(error.what()).find("no/such/folder.json"), std::string::npos);
  }
  EXPECT_FALSE(is_tracing());
}

TEST_F(Traces, ItIsWrittenAtTheEndOfTheProcessAndNotByAFork) {
  const std::string path = dir_ / "exit.json";
  const auto run = [&](bool with_child) {
    const pid_t pid = fork();
    if (pid == 0) {
      start_trace(path);
      {
        const TraceSpan span("load", "parent");
      }
      const pid_t child = with_child ? fork() : -1;
      if (child == 0) {
        const bool on = is_tracing();
        std::filesystem::remove(path);
        std::exit(on ? 1 : 0);
      }
      int status = 0;
      if (child > 0) waitpid(child, &status, 0);
      const bool early = std::filesystem::exists(path);
      std::exit(status != 0 || early ? 1 : 0);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    return status;
  };
  EXPECT_EQ(run(false), 0);
  one(json::parse(read_text(path)), "X", "parent");
  std::filesystem::remove(path);
  EXPECT_EQ(run(true), 0);
  one(json::parse(read_text(path)), "X", "parent");
}

TEST_F(Traces, StoppingWhileThreadsAddEvents) {
  std::atomic<bool> done{false};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (!done) {
        const TraceSpan span("step", "busy");
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      }
    });
  for (int i = 0; i < 20; ++i) {
    start_trace(dir_ / "busy.json");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop_trace();
    for (const auto& e : phase(json::parse(read_text(dir_ / "busy.json")), "X")) ASSERT_EQ(e.at("name"), "busy");
  }
  done = true;
}

}  // namespace
}  // namespace jitney
