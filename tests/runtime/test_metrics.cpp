// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "runtime/metrics.h"
#include "session_support.h"

namespace jitney {
namespace {

/// The fields that the header declares, since C++ cannot tell them.
std::set<std::string> fields_of_context_stats() {
  std::ifstream file(JITNEY_SOURCE_DIR "/include/jitney/execution_context.h");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto begin = text.find("struct ContextStats {");
  EXPECT_NE(begin, std::string::npos);
  text = text.substr(begin, text.find("\n};", begin) - begin);
  text = std::regex_replace(text, std::regex("//[^\n]*"), "");
  text = text.substr(text.find('{') + 1);
  std::set<std::string> fields;
  std::size_t at = 0;
  for (std::size_t end; (end = text.find(';', at)) != std::string::npos; at = end + 1) {
    std::string declaration = std::regex_replace(text.substr(at, end - at), std::regex("<[^;]*>|=[^,;]*"), "");
    declaration = std::regex_replace(declaration, std::regex(R"(^\s*[\w:]+\s+)"), "");
    static const std::regex name(R"(\w+)");
    for (std::sregex_iterator i(declaration.begin(), declaration.end(), name), none; i != none; ++i)
      fields.insert(i->str());
  }
  return fields;
}

/// Reads Prometheus' text format, and fails where it is none.
std::map<std::string, double> parse(const std::string& text, std::map<std::string, std::string>* types = nullptr) {
  std::map<std::string, double> values;
  std::set<std::string> named, closed;
  std::string current, type;
  std::istringstream lines(text);
  EXPECT_TRUE(text.ends_with('\n'));
  static const std::regex help(R"(# HELP ([a-z_:][a-z0-9_:]*) (.+))"),
      kind(R"(# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge))"),
      sample(
          R"re(([a-z_:][a-z0-9_:]*)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (\S+))re");
  for (std::string line; std::getline(lines, line);) {
    std::smatch m;
    if (std::regex_match(line, m, help)) {
      EXPECT_TRUE(named.insert(m[1]).second) << line << ": a second time";
      current = m[1];
    } else if (std::regex_match(line, m, kind)) {
      EXPECT_EQ(m[1], current);
      type = m[2];
      if (types) (*types)[m[1]] = type;
    } else if (std::regex_match(line, m, sample)) {
      EXPECT_EQ(m[1], current) << "samples follow their type";
      EXPECT_EQ(type == "counter", std::string(m[1]).ends_with("_total")) << line;
      EXPECT_TRUE(values.emplace(std::string(m[1]) + m[2].str(), std::stod(m[3])).second) << line << ": twice";
    } else {
      ADD_FAILURE() << "'" << line << "' is no line of the format";
    }
  }
  return values;
}

TEST(Metrics, EveryFieldOfTheStatisticsIsThere) {
  const auto fields = fields_of_context_stats();
  EXPECT_TRUE(fields.contains("compiled") && fields.contains("cache_published") && fields.contains("cache_misses") &&
              fields.contains("cache_description") && fields.contains("device_bytes"));
  EXPECT_GE(fields.size(), 20);
  std::set<std::string> rows, names;
  for (const auto& row : runtime::metric_table()) {
    EXPECT_TRUE(rows.insert(row.field).second) << row.field << " has two rows";
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is there twice";
    EXPECT_GT(std::string(row.help).size(), 10) << row.name;
  }
  EXPECT_EQ(rows, fields);
}

TEST(Metrics, WhatIsCompiledInTheBackgroundIsThere) {
  Session session(testing::softmax_engine(), {.threads = 1}, testing::settings_with(RuntimeCacheSetting::memory()));
  const auto value_of = [&](const std::string& name) {
    for (const auto& metric : metrics(session, {{"model", "one"}}))
      if (metric.key() == name + "{model=\"one\"}") return metric.value;
    return -1.0;
  };
  EXPECT_EQ(value_of("jitney_specialization_specialized_total"), 0);
  EXPECT_EQ(value_of("jitney_execution_contexts_created_total"), 0);
  session.warm(std::vector<std::vector<std::vector<std::int64_t>>>{{{2, 8}}, {{4, 8}}});
  EXPECT_EQ(value_of("jitney_specialization_specialized_total"), 2);
  EXPECT_EQ(value_of("jitney_specialization_shapes"), 2);
  EXPECT_GT(value_of("jitney_specialization_kernels_compiled_total"), 0);
  EXPECT_EQ(value_of("jitney_execution_contexts_created_total"), 1);
  EXPECT_EQ(value_of("jitney_kernels_compiled_total"), session.stats().compiled);
}

TEST(Metrics, PrometheusReadsThem) {
  ContextStats stats;
  stats.compiled = 3;
  stats.compile_seconds = 0.125;
  stats.device_bytes = std::int64_t{5} << 40;
  stats.cache_misses = {{"absent", 2}, {"damaged", 1}};
  stats.cache_path = "/a \"b\"\\c\nd";
  auto all = metrics(stats, {{"model", "one"}});
  const auto two = metrics(stats, {{"model", "two"}});
  all.insert(all.end(), two.begin(), two.end());
  const auto process = metrics();
  all.insert(all.end(), process.begin(), process.end());
  std::map<std::string, std::string> types;
  const auto values = parse(to_prometheus(all), &types);
  EXPECT_EQ(values.at("jitney_kernels_compiled_total{model=\"one\"}"), 3);
  EXPECT_EQ(values.at("jitney_kernels_compiled_total{model=\"two\"}"), 3);
  EXPECT_EQ(values.at("jitney_compile_seconds_total{model=\"one\"}"), 0.125);
  EXPECT_EQ(values.at("jitney_device_bytes{model=\"two\"}"), 5497558138880.0);
  EXPECT_EQ(values.at("jitney_cache_misses_total{model=\"one\",reason=\"damaged\"}"), 1);
  EXPECT_EQ(values.at(R"(jitney_cache_path{model="one",path="/a \"b\"\\c\nd"})"), 1);
  EXPECT_GT(values.at("jitney_process_peak_memory_bytes"), 1 << 20);
  EXPECT_EQ(types.at("jitney_kernels_compiled_total"), "counter");
  EXPECT_EQ(types.at("jitney_arena_bytes"), "gauge");
  EXPECT_EQ(values.size(), all.size());
}

TEST(Metrics, JsonIsOneOrderedObject) {
  ContextStats stats;
  stats.compile_seconds = 0.5;
  stats.graph_replays = 7;
  const auto all = metrics(stats);
  const auto object = nlohmann::ordered_json::parse(to_json(all));
  ASSERT_EQ(object.size(), all.size());
  std::size_t i = 0;
  for (const auto& [key, value] : object.items()) {
    EXPECT_EQ(key, all[i].key());
    EXPECT_EQ(value.get<double>(), all[i++].value);
  }
  EXPECT_EQ(object.at("jitney_graph_replays_total"), 7);
  EXPECT_EQ(object.at("jitney_compile_seconds_total"), 0.5);
}

}  // namespace
}  // namespace jitney
