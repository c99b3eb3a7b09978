// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/hosted.h"
#include "ir/infer_context.h"
#include "ir/verify_internal.h"

namespace jitney::ir {

bool may_equal(const Shape& a, const Shape& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const Dim& x, const Dim& y) { return !differ(x, y); });
}

namespace {

std::string type_name(DType dtype, const Shape& shape) {
  return fmt::format("{}{}", to_string(dtype), to_string(shape));
}
std::string type_name(const Value& v) { return type_name(v.dtype, v.shape); }

Status expect(const Value& out, DType dtype, const Shape& shape) {
  if (out.dtype == dtype && may_equal(out.shape, shape)) return {};
  return internal_error("'{}' is {}; {} was expected", out.name, type_name(out), type_name(dtype, shape));
}

Status verify_expand(const Value& x, const Value& out) {
  bool fits = x.dtype == out.dtype && x.shape.size() <= out.shape.size();
  for (std::size_t i = 0; fits && i < x.shape.size(); ++i) {
    const Dim& to = out.shape[out.shape.size() - x.shape.size() + i];
    fits = x.shape[i].is(1) || !differ(x.shape[i], to);
  }
  if (fits) return {};
  return internal_error("{} cannot expand to {}", type_name(x), type_name(out));
}

Status verify_slice(const Node& node, const Value& x, const Value& out) {
  const auto &starts = node.dims("starts"), &steps = node.dims("steps");
  if (x.dtype != out.dtype || x.shape.size() != out.shape.size() || starts.size() != x.shape.size() ||
      steps.size() != x.shape.size()) {
    return internal_error("{} with {} starts and {} steps cannot slice to {}", type_name(x), starts.size(),
                          steps.size(), type_name(out));
  }
  for (const Dim& step : steps) {
    if (step.constant().value_or(0) == 0)
      return internal_error("step {} is not a constant other than 0", step.to_string());
  }
  return {};
}

Status verify_pad(const Node& node, const Value& x, const Value& out) {
  if (x.dtype != out.dtype || x.shape.size() != out.shape.size() || node.dims("before").size() != x.shape.size()) {
    return internal_error("{} with {} entries in 'before' cannot pad to {}", type_name(x), node.dims("before").size(),
                          type_name(out));
  }
  const std::string& mode = node.text("mode");
  if (mode == "constant" || mode == "reflect" || mode == "edge" || mode == "wrap") return {};
  return internal_error("mode '{}' is not constant, reflect, edge or wrap", mode);
}

Status verify_pool(const Node& node, const Value& x, const Value& out) {
  const std::size_t spatial = node.integers("kernel").size();
  if (x.dtype != out.dtype || x.shape.size() != spatial + 2 || out.shape.size() != spatial + 2 ||
      differ(x.shape[0], out.shape[0]) || differ(x.shape[1], out.shape[1])) {
    return internal_error("{} with a kernel of rank {} cannot pool to {}", type_name(x), spatial, type_name(out));
  }
  if (!accepts_dtype(node.op, 0, x.dtype)) return internal_error("{} is no dtype for it", to_string(x.dtype));
  if (node.integers("strides").size() != spatial || node.integers("dilations").size() != spatial ||
      node.integers("pads").size() != 2 * spatial) {
    return internal_error("strides, dilations and pads do not fit a kernel of rank {}", spatial);
  }
  for (const char* key : {"kernel", "strides", "dilations", "pads"}) {
    const std::int64_t least = key == std::string_view("pads") ? 0 : 1;
    for (const std::int64_t v : node.integers(key)) {
      if (v < least || v > INT32_MAX) {
        return internal_error("{} has the entry {}; it must be in [{}, {}]", key, v, least, INT32_MAX);
      }
    }
  }
  for (std::size_t i = 0; i < spatial; ++i) {
    // The last window must begin inside the padded input, or rounding up goes one window beyond.
    const Dim window = Dim(node.integers("dilations")[i]) * Dim(node.integers("kernel")[i] - 1) + Dim(1);
    const Dim padded = x.shape[2 + i] + Dim(node.integers("pads")[i]) + Dim(node.integers("pads")[spatial + i]);
    const Dim most = Dim::ceildiv(padded - window, node.integers("strides")[i]) + Dim(1);
    if ((most - out.shape[2 + i]).constant().value_or(0) < 0) {
      return internal_error("extent {} of axis {} has more windows than fit; {} is the most",
                            out.shape[2 + i].to_string(), 2 + i, most.to_string());
    }
  }
  return {};
}

Status verify_top_k(const Node& node, const Value& x, const Value& out) {
  const std::int64_t axis = node.integer("axis");
  bool fits = out.dtype == DType::i64 && x.shape.size() == out.shape.size() && axis >= 0 && axis < std::ssize(x.shape);
  for (std::size_t i = 0; fits && i < x.shape.size(); ++i) {
    const auto room = (x.shape[i] - out.shape[i]).constant();
    fits = !room || (static_cast<std::int64_t>(i) == axis ? *room >= 0 : *room == 0);
  }
  if (fits && accepts_dtype(node.op, 0, x.dtype)) return {};
  return internal_error("{} has no best along axis {} that are {}", type_name(x), axis, type_name(out));
}

Status verify_region(const Graph& g, const Node& node) {
  const auto& body_pointer = std::get<std::shared_ptr<const Graph>>(node.attributes.find("body")->second);
  if (body_pointer == nullptr) return internal_error("its body is null");
  const Graph& body = *body_pointer;
  JITNEY_CHECK(verify(body, Stage::optimized));
  const auto match = [&](const std::vector<ValueId>& outer, const std::vector<ValueId>& inner,
                         const char* what) -> Status {
    if (outer.size() != inner.size())
      return internal_error("it has {} {}, its body {}", outer.size(), what, inner.size());
    for (std::size_t i = 0; i < outer.size(); ++i) {
      if (outer[i] == kNoValue) return internal_error("{} {} is absent", what, i);
      const Value &a = g.value(outer[i]), &b = body.value(inner[i]);
      if (a.dtype != b.dtype || !may_equal(a.shape, b.shape)) {
        return internal_error("{} {} is {}, in its body {}", what, i, type_name(a), type_name(b));
      }
    }
    return {};
  };
  JITNEY_CHECK(match(node.inputs, body.inputs, "inputs"));
  return match(node.outputs, body.outputs, "outputs");
}

}  // namespace

Status verify_types(const Graph& g, const Node& node) {
  const Value& out = g.value(node.outputs[0]);
  std::vector<const Value*> inputs;
  for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : &g.value(id));
  if (is_hosted(node.op)) return verify_hosted(g, node);
  switch (node.op) {
    case Op::cast:
      if (is_storage_only(out.dtype) || is_storage_only(inputs[0]->dtype))
        return internal_error("{} cannot be cast to {}", type_name(*inputs[0]), type_name(out));
      return expect(out, out.dtype, inputs[0]->shape);
    case Op::bitcast:
      if (size_of(out.dtype) != size_of(inputs[0]->dtype))
        return internal_error("{} has not as many bits as {}", type_name(*inputs[0]), type_name(out));
      return expect(out, out.dtype, inputs[0]->shape);
    case Op::dims: {
      const auto count = static_cast<std::int64_t>(node.dims("values").size());
      if (out.shape.empty() && count == 1) return expect(out, DType::i64, {});
      return expect(out, DType::i64, {Dim(count)});
    }
    case Op::iota:
      if (node.integer("axis") < 0 || node.integer("axis") >= std::ssize(out.shape)) {
        return internal_error("axis {} is not in [0, {})", node.integer("axis"), out.shape.size());
      }
      return expect(out, DType::i64, out.shape);
    case Op::reshape:
      JITNEY_CHECK(expect(out, inputs[0]->dtype, out.shape));
      if (differ(product(inputs[0]->shape), product(out.shape))) {
        return internal_error("{} has another number of elements than {}", type_name(*inputs[0]), type_name(out));
      }
      return {};
    case Op::expand: return verify_expand(*inputs[0], out);
    case Op::slice: return verify_slice(node, *inputs[0], out);
    case Op::pad: return verify_pad(node, *inputs[0], out);
    case Op::top_k: return verify_top_k(node, *inputs[0], out);
    case Op::max_pool:
    case Op::avg_pool: return verify_pool(node, *inputs[0], out);
    case Op::region: return verify_region(g, node);
    default: break;
  }
  std::vector<Guard> guards;  // the graph has them already
  const auto inferred = infer(node.op, node.name, inputs, node.attributes, guards);
  if (!inferred) return internal_error("{}", inferred.error().message);
  return expect(out, inferred->dtype, inferred->shape);
}

}  // namespace jitney::ir
