// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/recurrent_activations.h"

#include <algorithm>
#include <cctype>

namespace jitney::onnx {

using ir::Op;
using ir::ValueId;

namespace {

/// Which parameters a function takes, and what they are by default.
struct Known {
  const char* name;
  bool has_alpha, has_beta;
  double alpha, beta;
};
constexpr Known kKnown[] = {
    {"relu", false, false, 0, 0},        {"tanh", false, false, 0, 0},
    {"sigmoid", false, false, 0, 0},     {"softsign", false, false, 0, 0},
    {"softplus", false, false, 0, 0},    {"affine", true, true, 1, 0},
    {"leakyrelu", true, false, 0.01, 0}, {"thresholdedrelu", true, false, 1, 0},
    {"scaledtanh", true, true, 1, 1},    {"hardsigmoid", true, true, 0.2, 0.5},
    {"elu", true, false, 1, 0},
};

}  // namespace

ValueId GateFunction::apply(const Arithmetic& m, ValueId x) const {
  GraphBuilder& b = m.b;
  const ValueId zero = m.number(0.0), one = m.number(1.0), a = m.number(alpha);
  if (name == "relu") return b.unary(Op::relu, x);
  if (name == "tanh") return b.unary(Op::tanh, x);
  if (name == "sigmoid") return b.unary(Op::sigmoid, x);
  if (name == "softplus") return b.unary(Op::softplus, x);
  if (name == "softsign") return m.div(x, m.add(one, b.unary(Op::abs, x)));
  if (name == "affine") return m.add(m.mul(a, x), m.number(beta));
  if (name == "leakyrelu") return m.where(m.less(x, zero), m.mul(a, x), x);
  if (name == "thresholdedrelu") return m.where(m.less(a, x), x, zero);
  if (name == "scaledtanh") return m.mul(a, b.unary(Op::tanh, m.mul(m.number(beta), x)));
  if (name == "hardsigmoid") return m.max(zero, m.min(one, m.add(m.mul(a, x), m.number(beta))));
  return m.where(m.less(x, zero), m.mul(a, m.sub(b.unary(Op::exp, x), one)), x);  // elu
}

Expected<std::vector<GateFunction>> read_gate_functions(NodeContext& c, const std::vector<std::string>& defaults,
                                                        std::size_t directions) {
  const auto given = c.text_list("activations");
  const auto alphas = c.real_list("activation_alpha").value_or(std::vector<float>{});
  const auto betas = c.real_list("activation_beta").value_or(std::vector<float>{});
  std::vector<std::string> names;
  if (given) {
    names = *given;
  } else {
    for (std::size_t i = 0; i < directions; ++i) names.insert(names.end(), defaults.begin(), defaults.end());
  }
  if (names.size() != defaults.size() * directions)
    return c.error("it has {} activations; {} are needed", names.size(), defaults.size() * directions);
  std::vector<GateFunction> functions;
  std::size_t next_alpha = 0, next_beta = 0;
  for (std::string& name : names) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    const Known* known =
        std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return name == k.name; });
    if (known == std::end(kKnown)) return c.error("activation '{}' is not known", name);
    GateFunction f{name, known->alpha, known->beta};
    if (known->has_alpha && next_alpha < alphas.size()) f.alpha = static_cast<double>(alphas[next_alpha++]);
    if (known->has_beta && next_beta < betas.size()) f.beta = static_cast<double>(betas[next_beta++]);
    functions.push_back(std::move(f));
  }
  return functions;
}

}  // namespace jitney::onnx
