// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/program.h"

#include <algorithm>

#include "backend/cpu/onednn/choose.h"

namespace jitney::backend::onednn {
namespace {

constexpr std::size_t kAlignment = 64;
std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool same(const_dnnl_memory_desc_t a, const_dnnl_memory_desc_t b) { return api().memory_desc_equal(a, b) != 0; }

class Builder {
 public:
  Builder(const Recipe& recipe, const Layout& layout)
      : r_(recipe), layout_(layout), program_(std::make_unique<Program>()), source_(recipe.operands.size()) {
    for (std::size_t i = 0; i < source_.size(); ++i) source_[i] = r_.operands[i].desc.get();
    if (layout.is_fixed) source_[static_cast<std::size_t>(r_.weights)] = layout.desc;
    wanted_ = source_;
  }

  Expected<std::unique_ptr<Program>> run() {
    auto apart = describe(true, -1);
    if (!is_fast(apart) && !r_.matrices.empty() && wish_for_dense_matrices()) {
      auto dense = describe(true, -1);
      if (is_fast(dense)) {
        apart = std::move(dense);
      } else {
        wanted_ = source_;
      }
    }
    Expected<Description> in_place = environment_error("there is nothing to add");
    if (r_.sum_operand >= 0) in_place = describe(true, r_.sum_operand, is_fast(apart) ? apart->get() : nullptr);
    if (is_fast(apart) || is_fast(in_place)) {
      if (is_fast(apart)) {
        JITNEY_TRY(program_->apart, steps(*apart, true, -1));
      }
      if (is_fast(in_place)) {
        JITNEY_TRY(program_->in_place, steps(*in_place, true, r_.sum_operand));
      }
    } else if (auto bare = describe(false, -1); !r_.epilogue.empty() && is_fast(bare)) {
      JITNEY_TRY(program_->apart, steps(*bare, false, -1));
      JITNEY_CHECK(add_tail(*program_->apart));
    } else if (apart) {
      JITNEY_TRY(program_->apart, steps(*apart, true, -1));
    } else {
      return tl::unexpected(apart.error());
    }
    finish();
    return std::move(program_);
  }

 private:
  const Recipe& r_;
  const Layout layout_;
  std::unique_ptr<Program> program_;
  std::vector<const_dnnl_memory_desc_t> source_;  ///< by operand: how it comes
  std::vector<const_dnnl_memory_desc_t> wanted_;  ///< and how the main primitive shall get it
  std::vector<MemoryDesc> owned_;
  std::size_t scratchpad_ = 0;   ///< the largest of a step; it lies at 0
  std::size_t moved_bytes_ = 0;  ///< of operands in another layout; they lie behind it

  static bool is_fast(const Expected<Description>& d) { return d && !is_reference(implementation(d->get())); }

  /// Implementations that want dense matrices get copies; says whether that changes anything.
  bool wish_for_dense_matrices() {
    bool changes = false;
    for (const int i : r_.matrices) {
      auto dense = dense_desc(source_[static_cast<std::size_t>(i)]);
      if (!dense || same(dense->get(), source_[static_cast<std::size_t>(i)])) continue;
      owned_.push_back(std::move(*dense));
      wanted_[static_cast<std::size_t>(i)] = owned_.back().get();
      changes = true;
    }
    return changes;
  }

  Expected<Description> create(const_dnnl_memory_desc_t weights, const_dnnl_primitive_attr_t attributes) const {
    auto descs = wanted_;
    if (weights != nullptr) descs[static_cast<std::size_t>(r_.weights)] = weights;
    const auto make = [&]() -> Expected<Description> {
      dnnl_primitive_desc_t raw = nullptr;
      JITNEY_CHECK(check(r_.describe(&raw, descs, attributes), r_.name));
      return Description(raw);
    };
    return choose(make, r_);
  }

  /// The main primitive. `like`: the description whose layout of weights it has to take.
  Expected<Description> describe(bool with_epilogue, int in_place, const_dnnl_primitive_desc_t like = nullptr) const {
    JITNEY_TRY(const auto attributes, make_attributes(r_, with_epilogue, in_place));
    if (r_.weights < 0) return create(nullptr, attributes.get());
    if (like != nullptr) return create(weights_of(like), attributes.get());
    if (layout_.desc == nullptr) return create(r_.any_weights.get(), attributes.get());
    auto given = create(layout_.desc, attributes.get());
    if (layout_.is_fixed && is_fast(given)) return given;
    auto any = create(r_.any_weights.get(), attributes.get());
    if (!is_fast(given)) return any;
    return any && implementation(any->get()) != implementation(given->get()) ? std::move(any) : std::move(given);
  }

  static const_dnnl_memory_desc_t weights_of(const_dnnl_primitive_desc_t d) {
    return api().primitive_desc_query_md(d, dnnl_query_weights_md, 0);
  }

  Binding scratch_binding(int argument, const_dnnl_memory_desc_t desc, std::size_t offset) const {
    return {argument, clone(desc), -1, offset};
  }

  Status add_step(Steps& steps, Description description, std::vector<Binding> bindings) {
    const auto* scratchpad = api().primitive_desc_query_md(description.get(), dnnl_query_scratchpad_md, 0);
    if (const auto bytes = scratchpad_bytes(description.get()); bytes > 0) {
      bindings.push_back(scratch_binding(DNNL_ARG_SCRATCHPAD, scratchpad, 0));
      scratchpad_ = std::max(scratchpad_, bytes);
    }
    const std::string name = implementation(description.get());
    program_->is_reference |= is_reference(name);
    if (names_for_ == nullptr || names_for_ == &steps) {
      names_for_ = &steps;
      program_->implementation += (program_->implementation.empty() ? "" : " + ") + name;
    }
    steps.list.push_back({std::move(description), std::move(bindings), nullptr});
    return {};
  }
  const Steps* names_for_ = nullptr;  ///< the way whose steps are named

  /// A step that brings an operand into the layout `to`; gives where in scratch (behind the scratchpads) it then lies.
  Expected<std::size_t> add_reorder(Steps& steps, int operand, const_dnnl_memory_desc_t to, std::size_t& used) {
    const auto* from = source_[static_cast<std::size_t>(operand)];
    Recipe plain;
    JITNEY_TRY(const auto attributes, make_attributes(plain, false, -1));
    dnnl_primitive_desc_t raw = nullptr;
    JITNEY_CHECK(check(api().reorder_primitive_desc_create(&raw, from, engine(), to, engine(), attributes.get()),
                       "change of layout"));
    const std::size_t offset = used;
    used += aligned(api().memory_desc_get_size(to));
    moved_bytes_ = std::max(moved_bytes_, used);
    std::vector<Binding> bindings;
    bindings.push_back({DNNL_ARG_FROM, clone(from), operand, 0});
    bindings.push_back(scratch_binding(DNNL_ARG_TO, to, kMoved + offset));
    JITNEY_CHECK(add_step(steps, Description(raw), std::move(bindings)));
    return kMoved + offset;
  }
  /// Offsets from here on lie behind the scratchpads, whose size is known only at the end.
  static constexpr std::size_t kMoved = std::size_t{1} << 48;

  Expected<std::unique_ptr<Steps>> steps(Description& main, bool with_epilogue, int in_place) {
    auto result = std::make_unique<Steps>();
    std::size_t used = 0;
    std::vector<Binding> bindings;
    for (std::size_t i = 0; i < r_.operands.size(); ++i) {
      const int operand = static_cast<int>(i);
      const bool is_post = std::ranges::find(r_.post_operands, operand) != r_.post_operands.end();
      if (is_post && (!with_epilogue || operand == in_place)) continue;
      const_dnnl_memory_desc_t taken = wanted_[i];
      if (operand == r_.weights) {
        taken = weights_of(main.get());
        if (!program_->weights && r_.constant_weights)
          program_->weights = clone(layout_.is_fixed ? layout_.desc : taken);
      }
      const auto* comes = operand == r_.weights && program_->weights ? program_->weights.get() : source_[i];
      if (same(comes, taken)) {
        bindings.push_back({r_.operands[i].argument, clone(taken), operand, 0});
        continue;
      }
      JITNEY_TRY(const auto offset, add_reorder(*result, operand, taken, used));
      bindings.push_back(scratch_binding(r_.operands[i].argument, taken, offset));
    }
    JITNEY_CHECK(add_step(*result, std::move(main), std::move(bindings)));
    return result;
  }

  /// The epilogue as primitives of their own, for what the main one cannot take along.
  Status add_tail(Steps& steps) {
    Recipe plain;
    JITNEY_TRY(const auto attributes, make_attributes(plain, false, -1));
    const int output = r_.output();
    const auto* y = r_.desc(output);
    for (std::size_t i = 0; i < r_.epilogue.size(); ++i) {
      const PostOp& p = r_.epilogue[i];
      const int operand = r_.post_operands[i];
      dnnl_primitive_desc_t raw = nullptr;
      std::vector<Binding> bindings;
      bindings.push_back({operand < 0 ? DNNL_ARG_SRC : DNNL_ARG_SRC_0, clone(y), output, 0});
      if (operand < 0) {
        const auto e = elementwise(p);
        JITNEY_CHECK(
            check(api().eltwise_forward_primitive_desc_create(&raw, engine(), dnnl_forward_inference, e.algorithm, y, y,
                                                              e.alpha, e.beta, attributes.get()),
                  "post-operation"));
      } else {
        const auto algorithm = p.kind == PostOp::Kind::add_operand ? dnnl_binary_add : dnnl_binary_mul;
        JITNEY_CHECK(check(
            api().binary_primitive_desc_create(&raw, engine(), algorithm, y, r_.desc(operand), y, attributes.get()),
            "post-operation"));
        bindings.push_back({DNNL_ARG_SRC_1, clone(r_.desc(operand)), operand, 0});
      }
      bindings.push_back({DNNL_ARG_DST, clone(y), output, 0});
      JITNEY_CHECK(add_step(steps, Description(raw), std::move(bindings)));
    }
    return {};
  }

  void finish() {
    const std::size_t moved_at = aligned(scratchpad_);
    for (auto* way : {program_->apart.get(), program_->in_place.get()}) {
      if (way == nullptr) continue;
      for (auto& step : way->list) {
        for (auto& b : step.bindings) {
          if (b.operand < 0 && b.offset >= kMoved) b.offset = b.offset - kMoved + moved_at;
        }
      }
    }
    program_->scratch_bytes = moved_at + moved_bytes_;
    // An operand that may lie in the output's place is saved first, unless the way in place is made for it.
    const std::size_t handled = program_->in_place ? 1 : 0;
    if (r_.like_output.size() > handled) {
      program_->copy_offset = program_->scratch_bytes;
      program_->copy_bytes = api().memory_desc_get_size(r_.desc(r_.output()));
      program_->scratch_bytes += aligned(program_->copy_bytes);
    }
  }
};

}  // namespace

Status Steps::compile() const {
  std::lock_guard lock(mutex_);
  if (is_compiled_) return {};
  for (const auto& step : list) {
    dnnl_primitive_t raw = nullptr;
    JITNEY_CHECK(check(api().primitive_create(&raw, step.description.get()), "primitive"));
    step.compiled.reset(raw);
  }
  is_compiled_ = true;
  return {};
}

Expected<std::unique_ptr<Program>> make_program(const Recipe& recipe, const Layout& layout) {
  return Builder(recipe, layout).run();
}

}  // namespace jitney::backend::onednn
