// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Runs models/digits/digits.onnx on one blank image and prints ten scores: minimal digits.onnx
#include <jitney/jitney.h>

#include <cstdio>
#include <vector>

int main(int argc, char** argv) try {
  auto engine = jitney::Engine::load(argc > 1 ? argv[1] : "digits.onnx");
  jitney::ExecutionContext context(engine, {.device = {jitney::Device::Type::cpu, 0}});

  jitney::Tensor image(jitney::DType::f32, {1, 1, 8, 8});  // zero-filled
  std::vector<jitney::TensorView> inputs = {image.view()};
  std::vector<jitney::Tensor> outputs = context.execute(inputs);  // the first run compiles, later ones only run

  const jitney::Tensor& scores = outputs[0];
  for (std::int64_t i = 0; i < scores.num_elements(); ++i)
    std::printf("%lld: %.4f\n", (long long)i, scores.as<float>()[i]);
  return 0;
} catch (const jitney::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
