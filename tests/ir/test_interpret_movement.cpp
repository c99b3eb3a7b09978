// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "ir/support.h"

namespace jitney::ir::test {
namespace {

std::vector<Dim> dims(const Ints& v) { return {v.begin(), v.end()}; }
const Tensor k23 = f32({2, 3}, {1, 2, 3, 4, 5, 6});

TEST(InterpretMovement, Reshape) {
  expect_values(run(Op::reshape, {k23}, {}, Out{DType::f32, {3, 1, 2}}), {1, 2, 3, 4, 5, 6});
  expect_values(run(Op::reshape, {f32({1, 1}, {7})}, {}, Out{DType::f32, {}}), {7});
  expect_values(run(Op::reshape, {Tensor(DType::f32, {0, 4})}, {}, Out{DType::f32, {2, 0}}), {});
  EXPECT_FALSE(try_run(Op::reshape, {k23}, {}, Out{DType::f32, {5}}));
  EXPECT_FALSE(try_run(Op::reshape, {k23}, {}, Out{DType::f64, {6}}));
}

TEST(InterpretMovement, Permute) {
  expect_values(run(Op::permute, {k23}, {{"perm", Ints{1, 0}}}), {1, 4, 2, 5, 3, 6});
  expect_values(run(Op::permute, {f32({}, {3})}, {{"perm", Ints{}}}), {3});
  EXPECT_EQ(run(Op::permute, {Tensor(DType::f16, {0, 4, 2})}, {{"perm", Ints{2, 0, 1}}}).shape(), (Ints{2, 0, 4}));
  const Tensor x = f32({2, 1, 3}, {1, 2, 3, 4, 5, 6});
  expect_values(run(Op::permute, {x}, {{"perm", Ints{2, 1, 0}}}), {1, 4, 2, 5, 3, 6});
  for (const Ints& perm : {Ints{0, 0}, Ints{0}, Ints{0, 2}, Ints{0, -1}}) {
    EXPECT_FALSE(try_run(Op::permute, {k23}, {{"perm", perm}}));
  }
}

TEST(InterpretMovement, Expand) {
  expect_values(run(Op::expand, {f32({2, 1}, {1, 2})}, {}, Out{DType::f32, {2, 2, 2}}), {1, 1, 2, 2, 1, 1, 2, 2});
  expect_values(run(Op::expand, {f32({}, {1})}, {}, Out{DType::f32, {3}}), {1, 1, 1});
  expect_values(run(Op::expand, {f32({1}, {1})}, {}, Out{DType::f32, {0}}), {});
  EXPECT_FALSE(try_run(Op::expand, {k23}, {}, Out{DType::f32, {4, 3}}));
}

TEST(InterpretMovement, Slice) {
  const auto slice = [](const Tensor& x, const Ints& starts, const Ints& steps, const Ints& out) {
    return try_run(Op::slice, {x}, {{"starts", dims(starts)}, {"steps", dims(steps)}}, Out{x.dtype(), out});
  };
  expect_values(*slice(k23, {0, 1}, {1, 1}, {2, 2}), {2, 3, 5, 6});
  expect_values(*slice(k23, {1, 2}, {-1, -2}, {2, 2}), {6, 4, 3, 1});
  expect_values(*slice(k23, {2, 0}, {1, 1}, {0, 3}), {});
  expect_values(*slice(k23, {0, 2}, {1, INT64_MIN}, {1, 1}), {3});
  EXPECT_FALSE(slice(k23, {0, 2}, {1, 1}, {2, 2}));
  EXPECT_FALSE(slice(k23, {0, 0}, {1, INT64_MAX}, {1, 3}));
  EXPECT_FALSE(slice(k23, {0, -1}, {1, 1}, {1, 1}));
  EXPECT_FALSE(slice(k23, {0, 0}, {1, 0}, {1, 1}));
}

TEST(InterpretMovement, Concat) {
  expect_values(run(Op::concat, {k23, f32({2, 1}, {8, 9})}, {{"axis", std::int64_t{1}}}), {1, 2, 3, 8, 4, 5, 6, 9});
  expect_values(run(Op::concat, {k23, f32({1, 3}, {7, 8, 9})}, {{"axis", std::int64_t{0}}}),
                {1, 2, 3, 4, 5, 6, 7, 8, 9});
  expect_values(run(Op::concat, {Tensor(DType::f32, {2, 0}), k23}, {{"axis", std::int64_t{1}}}), {1, 2, 3, 4, 5, 6});
  expect_values(run(Op::concat, {i64({1}, {4})}, {{"axis", std::int64_t{0}}}), {4});
  EXPECT_FALSE(try_run(Op::concat, {k23, f32({1, 1}, {1})}, {{"axis", std::int64_t{1}}}));
  EXPECT_FALSE(try_run(Op::concat, {k23, k23}, {{"axis", std::int64_t{2}}}));
  EXPECT_FALSE(try_run(Op::concat, {f32({}, {1}), f32({}, {1})}, {{"axis", std::int64_t{0}}}));
}

Expected<Tensor> pad(const Tensor& x, const Ints& before, const Ints& out, const std::string& mode, double value = 0) {
  return try_run(Op::pad, {x}, {{"before", dims(before)}, {"mode", mode}, {"value", value}}, Out{x.dtype(), out});
}

TEST(InterpretMovement, Pad) {
  const Tensor x = f32({3}, {1, 2, 3});
  expect_values(*pad(x, {2}, {6}, "constant", 9), {9, 9, 1, 2, 3, 9});
  expect_values(*pad(x, {-1}, {2}, "constant"), {2, 3});
  expect_values(*pad(x, {2}, {8}, "reflect"), {3, 2, 1, 2, 3, 2, 1, 2});
  expect_values(*pad(x, {2}, {6}, "edge"), {1, 1, 1, 2, 3, 3});
  expect_values(*pad(x, {2}, {8}, "wrap"), {2, 3, 1, 2, 3, 1, 2, 3});
  expect_values(*pad(f32({1}, {5}), {2}, {4}, "reflect"), {5, 5, 5, 5});
  expect_values(*pad(k23, {1, 0}, {3, 4}, "constant", -1), {-1, -1, -1, -1, 1, 2, 3, -1, 4, 5, 6, -1});
  expect_values(*pad(tensor(DType::i8, {1}, {1}), {1}, {2}, "constant", 1000), {127, 1});
  expect_values(*pad(Tensor(DType::f32, {0}), {1}, {2}, "constant", 3), {3, 3});
  expect_values(*pad(f32({}, {4}), {}, {}, "edge"), {4});
  EXPECT_FALSE(pad(Tensor(DType::f32, {0}), {1}, {2}, "edge"));
  EXPECT_FALSE(pad(x, {1}, {4}, "mirror"));
  EXPECT_FALSE(pad(x, {INT64_MIN}, {4}, "wrap"));
}

TEST(InterpretMovement, Gather) {
  const auto gather = [](const Tensor& data, const Tensor& indices, std::int64_t axis) {
    return try_run(Op::gather, {data, indices}, {{"axis", axis}});
  };
  expect_values(*gather(k23, i64({2}, {-1, 0}), 1), {3, 1, 6, 4});
  expect_values(*gather(k23, i64({}, {1}), 0), {4, 5, 6});
  expect_values(*gather(k23, tensor(DType::i32, {1, 2}, {1, 1}), 0), {4, 5, 6, 4, 5, 6});
  EXPECT_EQ(gather(k23, Tensor(DType::i64, {2, 0}), 1)->shape(), (Ints{2, 2, 0}));
  expect_values(*gather(tensor(DType::boolean, {2}, {0, 1}), i64({1}, {1}), 0), {1});
  for (const double index : {3.0, -4.0, 1e18}) {
    const auto bad = gather(k23, i64({1}, {index}), 1);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().kind, ErrorKind::user);
  }
  EXPECT_FALSE(gather(k23, f32({1}, {0}), 0));
  EXPECT_EQ(gather(k23, i64({1}, {7}), 1).error().message,
            "gather 'node': index 7 is outside axis 1, which allows -3 to 2");
}

TEST(InterpretSource, DimsAndIota) {
  const Dim n = Dim::symbol("n");
  Graph g;
  g.inputs = {g.add_value("x", DType::f32, {n})};
  g.outputs.push_back(g.add_node(Op::dims, "d", {}, DType::i64, {2}, {{"values", std::vector<Dim>{n, Dim(3) * n}}}));
  g.outputs.push_back(g.add_node(Op::dims, "s", {}, DType::i64, {}, {{"values", std::vector<Dim>{n + Dim(1)}}}));
  g.outputs.push_back(g.add_node(Op::iota, "i", {}, DType::i64, {2, n}, {{"axis", std::int64_t{1}}}));
  ASSERT_TRUE(verify(g, Stage::imported)) << verify(g, Stage::imported).error().message;
  const auto out = interpret(g, {Tensor(DType::f32, {3})});
  ASSERT_TRUE(out) << out.error().message;
  expect_values((*out)[0], {3, 9});
  expect_values((*out)[1], {4});
  expect_values((*out)[2], {0, 1, 2, 0, 1, 2});
  expect_values((*interpret(g, {Tensor(DType::f32, {0})}))[2], {});
}

}  // namespace
}  // namespace jitney::ir::test
