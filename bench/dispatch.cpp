// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What an execute costs beyond its kernels, and what callers at once cost each other, on the CPU with one thread each.
// Prints one JSON object: microseconds of an execute, of its steps and between them; then for one caller and for
// several on one engine, in turns: executes a second, and the processor time of one, which a busy machine changes
// little.
//
//   jitney-bench-dispatch MODEL SHAPE[,SHAPE...] [CALLERS [ROUNDS]]         1x128; random values
//   valgrind --tool=callgrind jitney-bench-dispatch MODEL SHAPE... count N  N executes and nothing else: the difference
//                                                                           of two N counts the instructions of one
#include <jitney/jitney.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "worker.h"

namespace {

using jitney::Tensor;
using jitney::TensorView;
using jitney::bench::Clock;
using jitney::bench::median;
using jitney::bench::processor_seconds;
using jitney::bench::seconds_since;
using nlohmann::json;

std::vector<std::int64_t> parse_shape(const std::string& text) {
  std::vector<std::int64_t> shape;
  std::istringstream in(text);
  for (std::string extent; std::getline(in, extent, 'x');) shape.push_back(std::stoll(extent));
  return shape;
}

/// One who asks, with inputs and outputs in place.
struct Caller {
  Caller(jitney::Session& s, const std::vector<std::vector<std::int64_t>>& shapes) : session(s) {
    const auto infos = session.engine().inputs();
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      Tensor& t = inputs.emplace_back(infos.at(i).dtype, shapes[i]);
      for (std::int64_t e = 0; e < t.num_elements(); ++e) {
        if (t.dtype() == jitney::DType::i64) t.as<std::int64_t>()[e] = e * 7 % 13;
        if (t.dtype() == jitney::DType::f32) t.as<float>()[e] = static_cast<float>(e * 7 % 13 - 6) / 4;
      }
    }
    for (const Tensor& t : inputs) in.push_back(t.view());
    outputs = session.execute(in);
    for (const Tensor& t : outputs) out.push_back(t.view());
  }
  void ask() { session.execute(in, out); }

  jitney::Session& session;
  std::vector<Tensor> inputs, outputs;
  std::vector<TensorView> in, out;
};

struct Turn {
  double executes_per_second = 0, processor_us = 0;
};

Turn turn(std::vector<std::unique_ptr<Caller>>& callers, std::size_t count, double length) {
  std::atomic<std::size_t> ready{0};
  std::vector<double> processor(count);
  std::vector<std::size_t> executes(count);
  std::vector<std::jthread> threads;
  std::atomic<double> seconds{0};
  for (std::size_t c = 0; c < count; ++c)
    threads.emplace_back([&, c] {
      ready.fetch_add(1);
      while (ready.load() < count) std::this_thread::yield();
      const auto begin = Clock::now();
      const double used = processor_seconds();
      do {
        for (int i = 0; i < 8; ++i) callers[c]->ask();
        executes[c] += 8;
      } while (seconds_since(begin) < length);
      processor[c] = processor_seconds() - used;
      if (c == 0) seconds = seconds_since(begin);
    });
  threads.clear();
  double all = 0, used = 0;
  for (std::size_t c = 0; c < count; ++c) {
    all += static_cast<double>(executes[c]);
    used += processor[c];
  }
  return {all / seconds, 1e6 * used / all};
}

json between_steps(Caller& caller) {
  // The shortest of many: what others do to a run is not the question.
  double whole = 1e9;
  const auto start = Clock::now();
  while (seconds_since(start) < 1) {
    const auto begin = Clock::now();
    caller.ask();
    whole = std::min(whole, seconds_since(begin));
  }
  const auto profile = caller.session.context()->profile(caller.in, std::clamp(static_cast<int>(1 / whole), 10, 2000));
  double steps = 0;
  for (const auto& step : profile.steps) steps += step.seconds;
  return {{"execute_us", whole * 1e6},
          {"steps_us", steps * 1e6},
          {"steps", profile.steps.size()},
          {"outside_us", profile.outside * 1e6}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: jitney-bench-dispatch MODEL SHAPE[,SHAPE...] [CALLERS [ROUNDS]]\n";
    return 2;
  }
  std::vector<std::vector<std::int64_t>> shapes;
  std::istringstream list(argv[2]);
  for (std::string shape; std::getline(list, shape, ',');) shapes.push_back(parse_shape(shape));
  auto settings = jitney::default_runtime_settings();
  settings.dynamic_shapes_kernel_specialization_strategy = jitney::DynamicShapesKernelSpecializationStrategy::eager;
  jitney::Session session(jitney::Engine::load(argv[1]), {.threads = 1}, settings);
  std::vector<std::unique_ptr<Caller>> callers;
  callers.push_back(std::make_unique<Caller>(session, shapes));
  if (argc > 4 && std::strcmp(argv[3], "count") == 0) {
    for (int i = 0; i < std::atoi(argv[4]); ++i) callers[0]->ask();
    return 0;
  }
  const std::size_t most = argc > 3 ? std::stoul(argv[3]) : 2;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 11;
  while (callers.size() < most) callers.push_back(std::make_unique<Caller>(session, shapes));
  json report = between_steps(*callers[0]);
  std::vector<double> ratios, one_us, many_us;
  for (int round = 0; round < rounds; ++round) {
    const Turn one = turn(callers, 1, 0.1), many = turn(callers, most, 0.1);
    ratios.push_back(many.executes_per_second / one.executes_per_second);
    one_us.push_back(one.processor_us);
    many_us.push_back(many.processor_us);
  }
  report["callers"] = most;
  report["throughput_ratio"] = median(ratios);
  report["throughput_ratio_best"] = *std::ranges::max_element(ratios);
  report["processor_us_of_one"] = median(one_us);
  report["processor_us_of_many"] = median(many_us);
  std::cout << report.dump() << "\n";
}
