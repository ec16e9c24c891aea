// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TokenTest.cpp - ranking tokens, keeping some, scores of attention --===//

#include "runtime/host/test/HostTest.h"

#include <limits>

using namespace sparsam::runtime;
using namespace sparsam::runtime::host;

using Indices = Integers;

static Indices topK(const Operand &scores, int64_t k, const Indices &protect, Shape result) {
  Op op{"sattn.top_k", {scores}, {{"k", k}, {"protect", protect}}};
  return op.values<int64_t>(std::move(result));
}

// The values of the paper's figure 9: theta is 0.6, both of it are kept.
TEST(TopK, keeps_the_order_and_the_first_of_equals) {
  Operand x = in({1, 5}, {0.6f, 0.1f, 0.5f, 1.2f, 0.6f});
  EXPECT_EQ(topK(x, 3, {}, {1, 3}), (Indices{0, 3, 4}));
  EXPECT_EQ(topK(x, 2, {}, {1, 2}), (Indices{0, 3}));
  EXPECT_EQ(topK(x, 5, {}, {1, 5}), (Indices{0, 1, 2, 3, 4}));
}

TEST(TopK, keeps_what_is_protected) {
  Operand x = in({2, 4}, {4, 3, 2, 1, 1, 2, 3, 4});
  EXPECT_EQ(topK(x, 2, {-1}, {2, 2}), (Indices{0, 3, 2, 3}));
  EXPECT_EQ(topK(x, 2, {1, 2}, {2, 2}), (Indices{1, 2, 1, 2}));
}

TEST(TopK, ranks_nan_below_everything) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(topK(in({1, 3}, {nan, -5, -7}), 2, {}, {1, 2}), (Indices{1, 2}));
}

TEST(TopK, explains_what_does_not_fit) {
  Op op{"sattn.top_k", {in({1, 2}, {1, 2})}, {{"k", int64_t(3)}}};
  EXPECT_EQ(op.error(DType::i64, {1, 3}), "op 'sattn.top_k': cannot keep 3 scores per row of 1x2");
  op.attributes = {{"k", int64_t(1)}, {"protect", Indices{2}}};
  EXPECT_EQ(op.error(DType::i64, {1, 1}), "op 'sattn.top_k': protects position 2 of 2");
}

TEST(Gather, keeps_positions_of_each_batch_entry) {
  Operand x = in({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  Operand indices = in<int64_t>({2, 2}, {0, 2, 1, 2});
  EXPECT_EQ((Op{"sattn.gather", {x, indices}, {{"dim", int64_t(1)}}}.values({2, 2, 2})),
            (Floats{1, 2, 5, 6, 9, 10, 11, 12}));
}

TEST(Gather, shares_what_has_one_batch_entry) {
  Operand mask = in({1, 1, 1, 3}, {1, 2, 3}), indices = in<int64_t>({2, 2}, {0, 1, 1, 2});
  EXPECT_EQ((Op{"sattn.gather", {mask, indices}, {{"dim", int64_t(3)}}}.values({2, 1, 1, 2})),
            (Floats{1, 2, 2, 3}));
}

TEST(Scatter, puts_positions_back_between_zeros) {
  Operand y = in({1, 2, 2}, {1, 2, 3, 4}), indices = in<int64_t>({1, 2}, {0, 2});
  EXPECT_EQ((Op{"sattn.scatter", {y, indices}, {{"dim", int64_t(1)}}}.values({1, 4, 2})),
            (Floats{1, 2, 0, 0, 3, 4, 0, 0}));
  EXPECT_EQ((Op{"sattn.scatter", {y, indices}, {{"dim", int64_t(2)}}}.values({1, 2, 3})),
            (Floats{1, 0, 2, 3, 0, 4}));
}

TEST(Gather, explains_what_does_not_fit) {
  Operand x = in({1, 3}, {1, 2, 3});
  Op op{"sattn.gather", {x, in<int64_t>({1, 2}, {0, 3})}, {{"dim", int64_t(1)}}};
  EXPECT_EQ(op.error({1, 2}), "op 'sattn.gather': index 3 is out of range for 3 positions");
  Op two{"sattn.gather", {x, in<int64_t>({2, 1}, {0, 1})}, {{"dim", int64_t(0)}}};
  EXPECT_EQ(two.error({2, 3}),
            "op 'sattn.gather': cannot keep 2x1 positions of dimension 0 of 1x3");
}

TEST(Scatter, explains_what_does_not_fit) {
  Op op{"sattn.scatter",
        {in({2, 1, 2}, {1, 2, 3, 4}), in<int64_t>({2, 1}, {0, 1})},
        {{"dim", int64_t(1)}}};
  EXPECT_EQ(op.error({1, 3, 2}),
            "op 'sattn.scatter': cannot scatter 2 batch entries into one");
}

// One head, two queries that see two keys alike: each key gets 2 * 0.5.
TEST(Attention, accumulates_scores) {
  Operand q = in({1, 1, 2, 1}, {0, 0}), k = in({1, 1, 2, 1}, {1, 2}), v = in({1, 1, 2, 1}, {-4, 2});
  Operand tokens = in({1, 2}, {10, 20}), heads = in({1, 1}, {5});
  Op op{"sattn.attention", {q, k, v, absent(), tokens, heads}, {{"policy", "dense"}}};
  auto results =
      op.runAll({{DType::f32, {1, 1, 2, 1}}, {DType::f32, {1, 2}}, {DType::f32, {1, 1}}});
  ASSERT_TRUE(results.ok()) << results.error().message;
  const float *t = (*results)[1].as<float>();
  EXPECT_EQ((Floats{t[0], t[1]}), (Floats{11, 21}));
  EXPECT_EQ((*results)[2].as<float>()[0], 7); // 5 + |-1| + |-1|
}
