// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Jitney under traffic, with the commands of bench/traffic_worker.py, through the public API only. One more:
//
//   {"command": "static", "model": PATH, "shape": I, "rounds": N}  -> {"own", "static"}: seconds of one run with shape
//       I's own kernels and with a model that was built for it alone, medians over N rounds in turns
#include <jitney/jitney.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "traffic_files.h"
#include "worker.h"

namespace {

using jitney::DType;
using jitney::Tensor;
using jitney::TensorView;
using jitney::bench::Clock;
using jitney::bench::median;
using jitney::bench::processor_seconds;
using jitney::bench::seconds_since;
using nlohmann::json;
using Strategy = jitney::DynamicShapesKernelSpecializationStrategy;

constexpr jitney::StreamHandle kStream = 2;  // each caller's own default stream

/// One shape of the traffic: what goes in and what must come out.
struct Shape {
  Tensor input, expected;
  std::optional<jitney::DeviceTensor> on_device;
  TensorView view() const { return on_device ? on_device->view() : input.view(); }
};

/// What one request was like.
struct Answer {
  double begin = 0, seconds = 0, error = 0, processor = 0;
};

class Peer {
 public:
  json load(const json& request) {
    const auto begin = Clock::now();
    jitney::SessionOptions options{.threads = request.at("threads")};
    device_.type = request.value("device", "cpu") == "cpu" ? jitney::Device::Type::cpu : jitney::Device::Type::cuda;
    options.device = device_;
    settings_.runtime_cache = request.at("runtime_cache").get<std::string>();
    settings_.dynamic_shapes_kernel_specialization_strategy =
        jitney::from_string<Strategy>(request.value("strategy", "lazy"));
    if (request.value("graphs", false)) settings_.cuda_graph_strategy = jitney::CudaGraphStrategy::whole_graph_capture;
    const auto engine = jitney::Engine::load(request.at("model").get<std::string>());
    const auto produced = engine.outputs()[0].dtype;
    session_.emplace(engine, options, settings_);
    for (const auto& spec : request.at("shapes")) {
      Shape& shape = shapes_.emplace_back(Shape{bench::read(spec.at("input")), bench::read(spec.at("expected")), {}});
      if (on_gpu()) shape.on_device.emplace(shape.input, device_);
      largest_ = std::max<std::size_t>(largest_, static_cast<std::size_t>(shape.expected.num_elements()));
    }
    // The one wait, at a shape that the traffic does not have: kernels for any shape.
    Caller caller(*this, produced);
    caller.ask(shapes_.at(request.at("first").get<std::size_t>()), begin);
    produced_ = produced;
    return {{"start", seconds_since(begin)}, {"compiled", session_->stats().compiled}};
  }

  /// `requests`, in this order, by several callers who rest for a part of their time.
  json traffic(const json& request) {
    settings_.dynamic_shapes_kernel_specialization_strategy =
        jitney::from_string<Strategy>(request.at("strategy").get<std::string>());
    session_->update_runtime_settings(settings_);
    const auto requests = request.at("requests").get<std::vector<std::size_t>>();
    const double idle = request.at("idle");
    const double pause = idle / (1 - idle);  // for each second of work
    std::vector<Answer> answers(requests.size());
    bench::reset_peak_memory();
    json memory{{"before", bench::memory("VmRSS")}};
    const auto begin = Clock::now();
    std::atomic<std::size_t> next{0};
    {
      std::vector<std::jthread> callers;
      for (int c = 0; c < request.at("callers").get<int>(); ++c)
        callers.emplace_back([&] {
          Caller caller(*this, produced_);
          for (std::size_t i; (i = next.fetch_add(1)) < requests.size();) {
            answers[i] = caller.ask(shapes_.at(requests[i]), begin);
            std::this_thread::sleep_for(std::chrono::duration<double>(pause * answers[i].seconds));
          }
        });
    }
    const double seconds = seconds_since(begin);
    memory["peak"] = bench::memory("VmHWM");
    memory["after"] = bench::memory("VmRSS");
    const auto status = session_->compile_status();
    const auto stats = session_->stats();
    json list = json::array();
    for (const Answer& a : answers) list.push_back({a.begin, a.seconds, a.error, a.processor});
    return {{"seconds", seconds},
            {"memory", memory},
            {"device_bytes", stats.device_bytes},
            {"compiled", stats.compiled},
            {"specialized", status.specialized},
            {"specialized_kernels", status.compiled + status.from_cache},
            {"kept_shapes", status.shapes},
            {"waiting", status.waiting + status.running},
            {"graphs", stats.graphs_captured},
            {"answers", list}};
  }

  json against_static(const json& request) {
    const Shape& shape = shapes_.at(request.at("shape").get<std::size_t>());
    jitney::ExecutionContext fixed(
        jitney::Engine::load(request.at("model").get<std::string>()),
        {.device = device_, .threads = session_->options().threads, .runtime_cache = "none"});
    settings_.dynamic_shapes_kernel_specialization_strategy = Strategy::eager;
    session_->update_runtime_settings(settings_);
    jitney::DeviceTensor result(produced_, shape.expected.shape(), device_);
    const std::vector<TensorView> in{shape.view()}, out{result.view()};
    std::vector<double> own, built;
    const auto turn = [&](auto& who, double at_least) {
      std::vector<double> times;
      for (const auto begin = Clock::now(); seconds_since(begin) < at_least || times.size() < 5;) {
        const auto run = Clock::now();
        on_gpu() ? who.execute(in, out, kStream) : who.execute(in, out);
        if (on_gpu()) fixed.synchronize(kStream);
        times.push_back(seconds_since(run));
      }
      return median(std::move(times));
    };
    turn(*session_, 0);
    turn(fixed, 0);
    fixed.wait_until_specialized(60);
    for (int round = request.at("rounds"); round > 0; --round) {
      own.push_back(turn(*session_, 0.1));
      built.push_back(turn(fixed, 0.1));
    }
    std::vector<double> ratios;
    for (std::size_t i = 0; i < own.size(); ++i) ratios.push_back(own[i] / built[i]);
    return {{"own", median(own)}, {"static", median(built)}, {"ratio", median(ratios)}};
  }

 private:
  bool on_gpu() const { return device_.type == jitney::Device::Type::cuda; }

  /// One who asks, with a place for answers.
  class Caller {
   public:
    Caller(Peer& peer, DType produced)
        : peer_(peer), result_(produced, {static_cast<std::int64_t>(peer.largest_)}, peer.device_) {}
    Answer ask(const Shape& shape, Clock::time_point since) {
      TensorView out = result_.view();
      out.shape = shape.expected.shape();
      const std::vector<TensorView> inputs{shape.view()}, outputs{out};
      auto& session = *peer_.session_;
      const double used = processor_seconds();
      const auto begin = Clock::now();
      if (peer_.on_gpu()) {
        session.execute(inputs, outputs, kStream);
        session.context()->synchronize(kStream);
      } else {
        session.execute(inputs, outputs);
      }
      Answer answer{std::chrono::duration<double>(begin - since).count(), seconds_since(begin)};
      answer.processor = processor_seconds() - used;
      answer.error = bench::difference(result_, shape.expected);
      return answer;
    }

   private:
    Peer& peer_;
    jitney::DeviceTensor result_;
  };

  jitney::Device device_{};
  jitney::RuntimeSettings settings_ = jitney::default_runtime_settings();
  std::optional<jitney::Session> session_;
  std::vector<Shape> shapes_;
  std::size_t largest_ = 0;
  DType produced_ = DType::f32;
};

json answer(Peer& peer, const json& request) {
  const std::string command = request.at("command");
  if (command == "load") return peer.load(request);
  if (command == "traffic") return peer.traffic(request);
  if (command == "static") return peer.against_static(request);
  return {{"error", "unknown command " + command}};
}

}  // namespace

int main() {
  Peer peer;
  jitney::bench::serve([&](const json& request) { return answer(peer, request); });
}
