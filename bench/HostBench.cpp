// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostBench.cpp - speed of the host kernels --------------------------===//
//
// The linear layers of BERT-base at 512 tokens: in tiles on our pool, which gives the same bytes
// for any number of threads, against one oneDNN primitive that divides itself over the threads.
//

#include "runtime/host/HostKernel.h"
#include "runtime/support/Parallel.h"

#include <benchmark/benchmark.h>
#include <dnnl.hpp>

using namespace sparsam::runtime;

extern "C" void omp_set_num_threads(int threads);

static Tensor filled(Shape shape, float value) {
  Tensor tensor(DType::f32, std::move(shape));
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.as<float>()[i] = value * float(i % 17 - 8);
  return tensor;
}

/// Runs a kernel on operands of these shapes; operand 1 is constant if `isPacked`.
static void runKernel(benchmark::State &state, const char *op, const HostAttributes &attributes,
                      const std::vector<Shape> &shapes, const Shape &result, bool isPacked) {
  std::vector<Tensor> tensors;
  std::vector<TensorView> known, inputs;
  for (const Shape &shape : shapes) {
    tensors.push_back(filled(shape, 0.01f));
    inputs.push_back(tensors.back().view());
    known.push_back(inputs.back());
    known.back().data = isPacked && known.size() == 2 ? inputs.back().data : nullptr;
  }
  Tensor output(DType::f32, result);
  auto kernel = createHostKernel(op, attributes, known, {{DType::f32, result}});
  if (!kernel)
    return state.SkipWithError(kernel.error().message.c_str());
  setThreadCount(unsigned(state.range(0)));
  for (auto _ : state)
    if (Status status = (*kernel)->run(inputs, {output.view()}); !status)
      return state.SkipWithError(status.error().message.c_str());
  setThreadCount(0);
  state.counters["GFLOP/s"] =
      benchmark::Counter((*kernel)->flops() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

static void linear(benchmark::State &state) {
  const int64_t rows = state.range(1), depth = state.range(2), width = state.range(3);
  runKernel(state, "sattn.linear", {{"activation", std::string("gelu")}},
            {{rows, depth}, {depth, width}, {width}}, {rows, width}, true);
}

/// The same layer as one primitive, weights packed.
static void wholePrimitive(benchmark::State &state) {
  using namespace dnnl;
  const int64_t rows = state.range(1), depth = state.range(2), width = state.range(3);
  omp_set_num_threads(int(state.range(0)));
  engine cpu(engine::kind::cpu, 0);
  stream stream(cpu);
  auto plain = [](int64_t r, int64_t c) {
    return memory::desc({r, c}, memory::data_type::f32, memory::format_tag::ab);
  };
  post_ops ops;
  ops.append_eltwise(1, algorithm::eltwise_gelu_erf, 0, 0);
  primitive_attr attributes;
  attributes.set_post_ops(ops);
  matmul::primitive_desc desc(
      matmul::desc(plain(rows, depth),
                   memory::desc({depth, width}, memory::data_type::f32, memory::format_tag::any),
                   plain(1, width), plain(rows, width)),
      attributes, cpu);
  Tensor x = filled({rows, depth}, 0.01f), w = filled({depth, width}, 0.01f);
  Tensor b = filled({width}, 0.01f), y(DType::f32, {rows, width});
  memory weights(desc.weights_desc(), cpu), given(plain(depth, width), cpu, w.as<float>());
  reorder(given, weights).execute(stream, given, weights);
  matmul primitive(desc);
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, {desc.src_desc(), cpu, x.as<float>()}},
      {DNNL_ARG_WEIGHTS, weights},
      {DNNL_ARG_BIAS, {desc.bias_desc(), cpu, b.as<float>()}},
      {DNNL_ARG_DST, {desc.dst_desc(), cpu, y.as<float>()}}};
  for (auto _ : state) {
    primitive.execute(stream, arguments);
    stream.wait();
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * double(rows) * double(depth) * double(width),
                         benchmark::Counter::kIsIterationInvariantRate);
}

static void attention(benchmark::State &state) {
  const Shape heads = {1, 12, 512, 64};
  runKernel(state, "sattn.attention", {{"scale", 0.125}}, {heads, heads, heads, {1, 1, 1, 512}},
            heads, false);
}

static void layerNormalization(benchmark::State &state) {
  runKernel(state, "onnx.LayerNormalization", {}, {{512, 768}, {768}, {768}}, {512, 768}, false);
}

static void transposeHeads(benchmark::State &state) {
  runKernel(state, "onnx.Transpose", {{"perm", std::vector<int64_t>{0, 2, 1, 3}}},
            {{1, 512, 12, 64}}, {1, 12, 512, 64}, false);
}

/// The layer of one token, as in decoding: kernels take turns over more weights than caches hold.
static void linearOfOneRow(benchmark::State &state) {
  const int64_t depth = state.range(1), width = state.range(2);
  const bool isTransposed = state.range(3) != 0;
  const Shape shape = isTransposed ? Shape{width, depth} : Shape{depth, width};
  constexpr int64_t kElements = 48 << 20;
  std::vector<Tensor> weights;
  for (int64_t n = 0; n < kElements; n += depth * width)
    weights.push_back(filled(shape, 0.01f));
  Tensor x = filled({1, depth}, 0.01f), bias = filled({width}, 0.01f), y(DType::f32, {1, width});
  auto kernel =
      createHostKernel("sattn.linear", {{"transpose_weight", int64_t(isTransposed)}},
                       {x.view(), {DType::f32, shape}, bias.view()}, {{DType::f32, {1, width}}});
  if (!kernel)
    return state.SkipWithError(kernel.error().message.c_str());
  setThreadCount(unsigned(state.range(0)));
  for (auto _ : state)
    for (const Tensor &weight : weights)
      if (Status status = (*kernel)->run({x.view(), weight.view(), bias.view()}, {y.view()});
          !status)
        return state.SkipWithError(status.error().message.c_str());
  setThreadCount(0);
  state.SetBytesProcessed(int64_t(state.iterations()) * int64_t(weights.size()) * depth * width *
                          4);
}

static void layers(benchmark::internal::Benchmark *bench) {
  bench->ArgNames({"threads", "rows", "depth", "width"})->UseRealTime();
  for (int64_t threads : {1, 2})
    for (auto [depth, width] : {std::pair(768, 768), std::pair(768, 3072), std::pair(3072, 768)})
      bench->Args({threads, 512, depth, width});
}

static void threads(benchmark::internal::Benchmark *bench) {
  bench->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();
}

/// The layers of GPT-2 small.
static void oneRowLayers(benchmark::internal::Benchmark *bench) {
  bench->ArgNames({"threads", "depth", "width", "transposed"})->UseRealTime();
  for (int64_t threads : {1, 2})
    for (auto [depth, width] :
         {std::pair(768, 768), std::pair(768, 2304), std::pair(768, 3072), std::pair(3072, 768)})
      bench->Args({threads, depth, width, 0});
  for (int64_t threads : {1, 2})
    bench->Args({threads, 768, 50257, 1});
}

BENCHMARK(linear)->Apply(layers);
BENCHMARK(linearOfOneRow)->Apply(oneRowLayers);
BENCHMARK(wholePrimitive)->Apply(layers);
BENCHMARK(attention)->Apply(threads);
BENCHMARK(layerNormalization)->Apply(threads);
BENCHMARK(transposeHeads)->Apply(threads);
BENCHMARK_MAIN();
