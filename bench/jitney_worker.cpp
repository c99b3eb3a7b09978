// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Jitney in a process of its own, with the commands of bench/worker.py and, on a GPU, of bench/gpu_worker.py, through
// the public API only.
#include <jitney/jitney.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "worker.h"

namespace {

using jitney::DType;
using jitney::Tensor;
using jitney::TensorView;
using jitney::bench::Clock;
using jitney::bench::seconds_since;
using nlohmann::json;

const Clock::time_point kStart = Clock::now();

constexpr jitney::StreamHandle kStream = 2;  // this thread's default stream

DType dtype_of(const std::string& name) {
  return name == "int64" ? DType::i64 : name == "float16" ? DType::f16 : DType::f32;
}

std::string name_of(DType dtype) { return dtype == DType::i64 ? "int64" : dtype == DType::f16 ? "float16" : "float32"; }

Tensor read_tensor(const json& spec) {
  Tensor t(dtype_of(spec.at("dtype")), spec.at("shape").get<std::vector<std::int64_t>>());
  std::ifstream file(spec.at("file").get<std::string>(), std::ios::binary);
  file.read(static_cast<char*>(t.data()), static_cast<std::streamsize>(t.num_bytes()));
  if (!file) throw std::runtime_error("cannot read " + spec.at("file").get<std::string>());
  return t;
}

class Peer {
 public:
  json load(const json& request) {
    const auto start = Clock::now();
    jitney::ContextOptions options;
    if (request.contains("device")) {
      options.device = {jitney::Device::Type::cuda, 0};
      options.cuda_graph_strategy = jitney::CudaGraphStrategy::whole_graph_capture;
      jitney::DeviceTensor(DType::f32, {1}, options.device);
    }
    const auto begin = Clock::now();
    for (const auto& spec : request.at("inputs")) inputs_.push_back(read_tensor(spec));
    options.threads = request.at("threads");
    options.runtime_cache = request.value("runtime_cache", "");
    if (request.value("precision", "fp32") == "bf16") options.precision = jitney::Precision::bf16;
    if (request.value("generic", false))
      options.dynamic_shapes_kernel_specialization_strategy = jitney::DynamicShapesKernelSpecializationStrategy::none;
    context_.emplace(jitney::Engine::load(request.at("model").get<std::string>()), options);
    double loaded = 0;
    if (options.device.type == jitney::Device::Type::cpu) {
      for (const Tensor& t : inputs_) views_.push_back(t.view());
      loaded = seconds_since(begin);
      outputs_ = context_->execute(views_);
      for (const Tensor& t : outputs_) output_views_.push_back(t.view());
    } else {
      place(options.device);
      loaded = seconds_since(begin);
      context_->execute(views_, output_views_);
    }
    const double first = seconds_since(begin);
    // Graphs are recorded in the runs after the first.
    if (!on_device_.empty()) {
      for (int i = 0; i < 3; ++i) context_->execute(views_, output_views_);
      for (int i = 0; i < 3; ++i) context_->execute(views_, output_views_, kStream);
      context_->synchronize(kStream);
    }
    const auto stats = context_->stats();
    return {{"device", std::chrono::duration<double>(begin - start).count()},
            {"load", loaded},
            {"first", first},
            {"imports", std::chrono::duration<double>(begin - kStart).count()},
            {"compiled", stats.compiled},
            {"compile_seconds", stats.compile_seconds},
            {"from_cache", stats.from_cache},
            {"interpreted", stats.interpreted},
            {"library_calls", stats.library_calls},
            {"graphs_captured", stats.graphs_captured},
            {"graph_fallbacks", stats.graph_fallbacks},
            {"kernels", stats.kernels}};
  }

  json outputs(const json& request) {
    if (!results_.empty()) {
      context_->execute(views_, output_views_);
      outputs_.clear();
      for (const auto& t : results_) outputs_.push_back(t.download());
    }
    json list = json::array();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const std::string path = request.at("folder").get<std::string>() + "/" + std::to_string(i) + ".bin";
      std::ofstream file(path, std::ios::binary);
      file.write(static_cast<const char*>(outputs_[i].data()), static_cast<std::streamsize>(outputs_[i].num_bytes()));
      list.push_back({{"file", path}, {"dtype", name_of(outputs_[i].dtype())}, {"shape", outputs_[i].shape()}});
    }
    return {{"outputs", list}};
  }

  json block(const json& request) {
    const double length = request.at("seconds");
    // What is timed is what a long life looks like: the shape's own kernels are there.
    context_->wait_until_specialized(30);
    const auto begin = Clock::now();
    std::vector<double> times;
    for (auto now = begin; std::chrono::duration<double>(now - begin).count() < length || times.empty();
         now = Clock::now()) {
      context_->execute(views_, output_views_);
      if (std::chrono::duration<double>(now - begin).count() >= length / 10) times.push_back(seconds_since(now));
    }
    return {{"times", times}};
  }

  /// Runs the loaded model at other shapes, one list of the inputs' shapes a run, on arbitrary values: how many kernels
  /// had been compiled after each. On the CPU only.
  json shapes(const json& request) {
    json compiled = json::array();
    for (const auto& run : request.at("shapes")) {
      std::vector<Tensor> inputs;
      std::vector<TensorView> views;
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        Tensor& t = inputs.emplace_back(inputs_[i].dtype(), run.at(i).get<std::vector<std::int64_t>>());
        for (std::int64_t e = 0; e < t.num_elements(); ++e) {
          const auto value = (e * 7 + static_cast<std::int64_t>(i)) % 13;
          if (t.dtype() == DType::i64)
            t.as<std::int64_t>()[e] = value;
          else
            t.as<float>()[e] = static_cast<float>(value - 6) / 4;
        }
      }
      for (const Tensor& t : inputs) views.push_back(t.view());
      context_->execute(views);
      compiled.push_back(context_->stats().compiled);
    }
    const auto stats = context_->stats();
    return {{"compiled", compiled}, {"interpreted", stats.interpreted}, {"failed", stats.failed}};
  }

  json burst(const json& request) {
    const int runs = request.at("runs");
    const auto begin = Clock::now();
    for (int i = 0; i < runs; ++i) context_->execute(views_, output_views_, kStream);
    const double enqueued = seconds_since(begin);
    context_->synchronize(kStream);
    return {{"enqueue", enqueued / runs}, {"each", seconds_since(begin) / runs}};
  }

  /// Single calls, each after the last one is done.
  json enqueue(const json& request) {
    std::vector<double> times;
    for (int i = 0, n = request.at("runs"); i < n; ++i) {
      const auto begin = Clock::now();
      context_->execute(views_, output_views_, kStream);
      times.push_back(seconds_since(begin));
      context_->synchronize(kStream);
    }
    return {{"times", times}};
  }

  json profile() {
    json steps = json::array();
    for (const auto& step : context_->profile(views_).steps)
      steps.push_back({{"name", step.name}, {"by", step.done_by}, {"seconds", step.seconds}});
    return {{"steps", steps}};
  }

 private:
  /// Inputs and room for outputs on the device.
  void place(jitney::Device device) {
    for (const Tensor& t : inputs_) on_device_.emplace_back(t, device);
    for (const auto& t : on_device_) views_.push_back(t.view());
    const auto shapes = context_->output_shapes(views_);
    const auto infos = context_->engine().outputs();
    for (std::size_t i = 0; i < shapes.size(); ++i) results_.emplace_back(infos[i].dtype, shapes[i], device);
    for (const auto& t : results_) output_views_.push_back(t.view());
  }

  std::vector<Tensor> inputs_, outputs_;
  std::vector<jitney::DeviceTensor> on_device_, results_;
  std::vector<TensorView> views_, output_views_;
  std::optional<jitney::ExecutionContext> context_;
};

json peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      std::int64_t kilobytes = 0;
      status >> kilobytes;
      return {{"peak", kilobytes * 1024}};
    }
  return {{"error", "no VmHWM"}};
}

json answer(Peer& peer, const json& request) {
  const std::string command = request.at("command");
  if (command == "load") return peer.load(request);
  if (command == "outputs") return peer.outputs(request);
  if (command == "block") return peer.block(request);
  if (command == "burst") return peer.burst(request);
  if (command == "enqueue") return peer.enqueue(request);
  if (command == "profile") return peer.profile();
  if (command == "shapes") return peer.shapes(request);
  if (command == "memory") return peak_memory();
  return {{"error", "unknown command " + command}};
}

}  // namespace

int main() {
  Peer peer;
  jitney::bench::serve([&](const json& request) { return answer(peer, request); });
}
