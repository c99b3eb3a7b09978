// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Runs a package that jitney.save(..., output_format="aot_inductor") wrote, without Python:
//
//   aoti_cpp model.pt2 inputs.pt outputs.pt
//
// inputs.pt is a list of tensors that torch.save() wrote; outputs.pt gets the results. On a GPU the model runs on a
// stream of this program's own. Between two runs the settings of the engine inside are changed, as a server would.
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <jitney/jitney.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/serialize.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <vector>

namespace {

std::vector<char> read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const char* path, const std::vector<char>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error(std::string("cannot write ") + path);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: aoti_cpp model.pt2 inputs.pt outputs.pt\n";
    return 2;
  }
  std::vector<at::Tensor> inputs;
  const c10::IValue list = torch::pickle_load(read_file(argv[2]));
  for (const c10::IValue& each : list.toListRef()) inputs.push_back(each.toTensor());
  torch::inductor::AOTIModelPackageLoader model(argv[1]);

  // Everything that runs while the guard lives is on this stream: PyTorch's kernels and the engine's.
  c10::OptionalStreamGuard guard;
  if (!inputs.empty() && inputs[0].is_cuda()) {
    const c10::impl::VirtualGuardImpl cuda(c10::kCUDA);
    guard.reset_stream(cuda.getStreamFromGlobalPool(inputs[0].device()));
  }
  std::vector<at::Tensor> outputs = model.run(inputs);

  // The engines inside the package are live objects with a name.
  jitney::RuntimeSettings settings;
  settings.dynamic_shapes_kernel_specialization_strategy = jitney::DynamicShapesKernelSpecializationStrategy::eager;
  settings.runtime_cache = jitney::RuntimeCacheSetting::memory();
  for (const auto& engine : jitney::registered_sessions()) {
    engine.session->update_runtime_settings(settings);
    std::cout << "engine '" << engine.name << "': " << engine.session->num_execution_contexts_created()
              << " execution context, then ";
  }
  outputs = model.run(inputs);
  for (const auto& engine : jitney::registered_sessions())
    std::cout << engine.session->num_execution_contexts_created() << "; ";
  std::cout << outputs.size() << " outputs\n";

  std::vector<c10::IValue> results;
  for (const at::Tensor& output : outputs) results.emplace_back(output.cpu());
  write_file(argv[3],
             torch::pickle_save(c10::ivalue::Tuple::create(std::move(results))));  // torch.load() gives a tuple
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
