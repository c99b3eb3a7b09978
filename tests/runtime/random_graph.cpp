// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/random_graph.h"

#include "runtime/random_grower.h"

namespace jitney::testing {

RandomGraph grow_random_graph(unsigned seed, int nodes) { return Grower(seed).grow(nodes); }

std::vector<Tensor> random_inputs(const RandomGraph& random, const ir::SymbolValues& symbols, Specials specials,
                                  std::mt19937& rng) {
  std::vector<Tensor> inputs;
  for (ValueId id : random.graph.inputs) {
    const ir::Value& v = random.graph.value(id);
    const Facts& facts = random.facts.at(id);
    auto shape = value_or_throw(ir::evaluate(v.shape, symbols));
    Tensor t = random_tensor(v.dtype, shape, rng, specials == Specials::not_finite);
    std::uniform_int_distribution<std::int64_t> whole(facts.low, facts.high);
    std::uniform_int_distribution<int> one_in(0, 9);
    for (std::int64_t i = 0; i < t.num_elements(); ++i) {
      char* at = static_cast<char*>(t.data()) + i * static_cast<std::int64_t>(size_of(v.dtype));
      if (is_integer(v.dtype)) passes::store_scalar(v.dtype, static_cast<double>(whole(rng)), at);
      if (specials == Specials::denormal && v.dtype == DType::f32 && one_in(rng) == 0)
        passes::store_scalar(v.dtype, one_in(rng) < 5 ? 1e-40 : -3e-42, at);
    }
    inputs.push_back(std::move(t));
  }
  return inputs;
}

}  // namespace jitney::testing
