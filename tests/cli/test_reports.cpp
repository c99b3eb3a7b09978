// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/json_report.h"
#include "cli/progress.h"
#include "cli/text_report.h"

namespace jitney::cli {
namespace {

RunReport report() {
  RunReport made;
  made.model = "models/\xff.onnx";  // a file name need not be UTF-8
  made.device = "cpu";
  made.threads = 2;
  made.inputs = {{.name = "images", .dtype = DType::f32, .shape = {1, 1, 8, 8}}};
  made.outputs = {{.name = "logits", .dtype = DType::f16, .shape = {}, .file = "out/logits.npy", .first_values = "[1]"},
                  {.name = "empty", .dtype = DType::boolean, .shape = {0, 3}}};
  made.assumed_extents = {{"batch", 1}};
  made.latency_ms = {.iterations = 4, .min = 1, .median = 2, .p90 = 3, .p99 = 4};
  made.stats.kernels = 9;
  made.stats.distinct_kernels = 7;
  made.stats.compiled = 6;
  made.stats.cache_misses = {{"absent", 6}, {"damaged", 0}};
  made.stats.cache_path = "/somewhere/cache";
  return made;
}

TEST(JsonReport, HasTheKeysThatProgramsRead) {
  const auto json = nlohmann::json::parse(to_json(report()));
  EXPECT_EQ(json["inputs"][0]["shape"], (std::vector<int>{1, 1, 8, 8}));
  EXPECT_EQ(json["outputs"][0]["dtype"], "float16");
  EXPECT_EQ(json["outputs"][0]["file"], "out/logits.npy");
  EXPECT_EQ(json["outputs"][0]["shape"], nlohmann::json::array()) << "a scalar's shape is a list";
  EXPECT_TRUE(json["outputs"][1]["file"].is_null());
  EXPECT_EQ(json["latency_ms"]["p99"], 4);
  EXPECT_EQ(json["kernels"]["distinct"], 7);
  EXPECT_EQ(json["cache"]["misses"]["absent"], 6);
  for (const char* key :
       {"model", "device", "threads", "load_ms", "compile_ms", "first_run_ms", "total_ms", "workers_started"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

TEST(JsonReport, NoMeasurementIsNullAndEmptyMapsAreObjects) {
  RunReport bare;
  const auto json = nlohmann::json::parse(to_json(bare));
  EXPECT_TRUE(json["latency_ms"]["median"].is_null());
  EXPECT_EQ(json["latency_ms"]["iterations"], 0);
  EXPECT_TRUE(json["cache"]["misses"].is_object());
  EXPECT_TRUE(json["outputs"].is_array());
}

TEST(TextReport, SaysWhatWasAssumedAndWhatMissed) {
  const std::string text = to_text(report());
  for (const char* words :
       {"batch = 1", "logits float16 []", "-> out/logits.npy", "median 2.000", "9 launches of 7", "absent 6"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << " is missing in\n" << text;
  }
  EXPECT_EQ(text.find("damaged"), std::string::npos) << "zero misses are not worth a word";
  RunReport unmeasured = report();
  unmeasured.latency_ms = {};
  EXPECT_EQ(to_text(unmeasured).find("latency"), std::string::npos);
}

TEST(TextReport, FirstValues) {
  Tensor tensor(DType::i8, {11});
  tensor.as<std::int8_t>()[1] = -3;
  EXPECT_EQ(first_values(tensor), "[0, -3, 0, 0, 0, 0, ...]");
  Tensor half(DType::f16, {});
  half.as<std::uint16_t>()[0] = 0x3e00;
  EXPECT_EQ(first_values(half), "[1.5]");
  EXPECT_EQ(first_values(Tensor(DType::boolean, {1, 2})), "[false, false]");
  EXPECT_EQ(first_values(Tensor(DType::f32, {0})), "[]");
}

TEST(Progress, LinesHaveOneLength) {
  EXPECT_NE(progress_line(5, 10).find("[###############               ]  5/10"), std::string::npos)
      << progress_line(5, 10);
  for (const int done : {-1, 0, 9, 10, 11})
    EXPECT_EQ(progress_line(done, 10).size(), progress_line(5, 10).size()) << done;
  EXPECT_NE(progress_line(0, 0).find("0/0"), std::string::npos);
}

}  // namespace
}  // namespace jitney::cli
