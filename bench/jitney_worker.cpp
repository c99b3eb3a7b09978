// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Jitney in a process of its own, with the commands of bench/worker.py, through the public API only.
#include <jitney/jitney.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using jitney::DType;
using jitney::Tensor;
using jitney::TensorView;
using nlohmann::json;

const Clock::time_point kStart = Clock::now();

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

Tensor read_tensor(const json& spec) {
  const std::string dtype = spec.at("dtype");
  Tensor t(dtype == "int64" ? DType::i64 : DType::f32, spec.at("shape").get<std::vector<std::int64_t>>());
  std::ifstream file(spec.at("file").get<std::string>(), std::ios::binary);
  file.read(static_cast<char*>(t.data()), static_cast<std::streamsize>(t.num_bytes()));
  if (!file) throw std::runtime_error("cannot read " + spec.at("file").get<std::string>());
  return t;
}

class Peer {
 public:
  json load(const json& request) {
    const auto begin = Clock::now();
    for (const auto& spec : request.at("inputs")) inputs_.push_back(read_tensor(spec));
    jitney::ContextOptions options;
    options.threads = request.at("threads");
    options.runtime_cache = request.value("runtime_cache", "");
    if (request.value("precision", "fp32") == "bf16") options.precision = jitney::Precision::bf16;
    context_.emplace(jitney::Engine::load(request.at("model").get<std::string>()), options);
    for (const Tensor& t : inputs_) views_.push_back(t.view());
    const double loaded = seconds_since(begin);
    outputs_ = context_->execute(views_);
    const double first = seconds_since(begin);
    for (const Tensor& t : outputs_) output_views_.push_back(t.view());
    const auto stats = context_->stats();
    return {{"load", loaded},
            {"first", first},
            {"imports", std::chrono::duration<double>(begin - kStart).count()},
            {"compiled", stats.compiled},
            {"interpreted", stats.interpreted},
            {"library_calls", stats.library_calls},
            {"kernels", stats.kernels}};
  }

  json outputs(const json& request) {
    json list = json::array();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const std::string path = request.at("folder").get<std::string>() + "/" + std::to_string(i) + ".bin";
      std::ofstream file(path, std::ios::binary);
      file.write(static_cast<const char*>(outputs_[i].data()), static_cast<std::streamsize>(outputs_[i].num_bytes()));
      list.push_back({{"file", path},
                      {"dtype", outputs_[i].dtype() == DType::i64 ? "int64" : "float32"},
                      {"shape", outputs_[i].shape()}});
    }
    return {{"outputs", list}};
  }

  json block(const json& request) {
    const double length = request.at("seconds");
    const auto begin = Clock::now();
    std::vector<double> times;
    for (auto now = begin; std::chrono::duration<double>(now - begin).count() < length || times.empty();
         now = Clock::now()) {
      context_->execute(views_, output_views_);
      if (std::chrono::duration<double>(now - begin).count() >= length / 10) times.push_back(seconds_since(now));
    }
    return {{"times", times}};
  }

 private:
  std::vector<Tensor> inputs_, outputs_;
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
  if (command == "memory") return peak_memory();
  return {{"error", "unknown command " + command}};
}

}  // namespace

int main() {
  Peer peer;
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    if (request.at("command") == "quit") break;
    json reply;
    try {
      reply = answer(peer, request);
    } catch (const std::exception& error) {
      reply = {{"error", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
}
