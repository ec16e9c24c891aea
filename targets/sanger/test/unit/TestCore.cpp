// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TestCore.cpp - one attention core, assembled by hand ---------------===//

#include "TestCore.h"

#include <cmath>
#include <random>

namespace sparsam::sanger::test {

using namespace runtime;

static int64_t roundUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

CoreProgram::CoreProgram(const CoreShape &shape, const Arch &arch) : shape_(shape) {
  stripe_ = arch.integer("stripe");
  tile_ = arch.integer("lowbit_rows");
  paddedQueries_ = roundUp(shape.queries, tile_);
  paddedKeys_ = roundUp(shape.keys, std::max(tile_, stripe_));
  config.queries = uint32_t(shape.queries);
  config.keys = uint32_t(shape.keys);
  config.head_dim = uint32_t(shape.dims);
  config.heads = uint32_t(shape.heads);
  config.predict = shape.predicts;
  config.bits = uint32_t(arch.integer("bits"));
  config.normalize = arch.flag("normalize");
  config.threshold = float(arch.real("threshold"));
  config.q_range = float(arch.real("tx"));
  config.k_range = float(arch.real("ty"));
  config.scale = shape.scale;
  config.causal = shape.isCausal;
  const std::string &emptyRow = arch.text("empty_row");
  config.empty_row = emptyRow == "zero"     ? insn::EmptyRowMode::Zero
                     : emptyRow == "argmax" ? insn::EmptyRowMode::Argmax
                                            : insn::EmptyRowMode::Dense;
  config.encoder = arch.text("encoder") == "column_cut" ? insn::BlockEncoder::ColumnCut
                                                        : insn::BlockEncoder::Subrow;
  const uint64_t d = uint64_t(shape.dims), q = uint64_t(paddedQueries_), k = uint64_t(paddedKeys_);
  memories = {{"bias", 32, (shape.biasRows > 1 ? q : 1) * k},
              {"blocks", 64, 2 * (k / uint64_t(stripe_)) * 64},
              {"key", 16, 2 * k * d},
              {"low_key", 8, k * d},
              {"low_query", 8, q * d},
              {"mask", 1, uint64_t(tile_) * k},
              {"output", 32, 2 * q * d},
              {"query", 16, 2 * q * d},
              {"score", 32, uint64_t(tile_) * k},
              {"value", 16, 2 * uint64_t(stripe_) * d}};
}

uint16_t CoreProgram::memory(const char *name) const {
  for (size_t m = 0; m < memories.size(); ++m)
    if (std::get<0>(memories[m]) == name)
      return uint16_t(m + 2);
  return 0;
}

Address CoreProgram::onChip(const char *name, int64_t rows, int64_t cols, int64_t rowStride) const {
  return {0, uint32_t(rows),    uint32_t(cols), uint64_t(rowStride),
          0, uint32_t(1) << 20, memory(name),   0,
          {}};
}

Address CoreProgram::dram(unsigned binding, int64_t rows, int64_t cols, int64_t limit) const {
  return {
      0, uint32_t(rows), uint32_t(cols), uint64_t(cols), 0, uint32_t(limit), 1, uint16_t(binding),
      {}};
}

Address &CoreProgram::atHead(Address &a, int64_t elements, int64_t ahead) const {
  a.base += ahead * elements;
  return a.term(0, elements);
}

Address &CoreProgram::atSlot(Address &a, int64_t elements, int64_t ahead) const {
  if (ahead == 0)
    return a.term(0, elements, 0, 2);
  a.base += elements;
  return a.term(0, -elements, 0, 2);
}

void CoreProgram::predictTile(unsigned level, int64_t ahead) {
  const int64_t d = shape_.dims, t = tile_;
  const unsigned rowLevel = level, keyLevel = level + 1;
  loop(paddedQueries_ / t);
  Address rowIndex;
  uint16_t row = address(rowIndex.term(rowLevel, t));
  uint16_t mask = address(onChip("mask", t, paddedKeys_, paddedKeys_));
  if (shape_.predicts) {
    loop(paddedKeys_ / t);
    insn::Score score;
    score.query = address(onChip("low_query", t, d, d).term(rowLevel, t * d));
    score.key = address(onChip("low_key", t, d, d).term(keyLevel, t * d));
    Address bias = onChip("bias", shape_.biasRows == 1 ? 1 : t, t, paddedKeys_).term(keyLevel, t);
    if (shape_.biasRows > 1)
      bias.term(rowLevel, t * paddedKeys_);
    score.bias = shape_.biasRows ? address(bias) : kAbsentOperand;
    score.score = address(onChip("score", t, t, paddedKeys_).term(keyLevel, t));
    emit(score);
    endLoop();
    insn::SoftmaxThreshold threshold;
    threshold.scores = address(onChip("score", t, paddedKeys_, paddedKeys_));
    threshold.mask = mask;
    emit(threshold);
  } else {
    insn::SelectAll all;
    all.row = row;
    all.mask = mask;
    emit(all);
  }
  loop(paddedKeys_ / stripe_);
  insn::PackSplit pack;
  pack.row = row;
  pack.mask = address(onChip("mask", t, stripe_, paddedKeys_).term(keyLevel, stripe_));
  Address blocks = onChip("blocks", 1, 64, 64).term(keyLevel, 64);
  pack.blocks = address(level > 0 ? atSlot(blocks, paddedKeys_ / stripe_ * 64, ahead) : blocks);
  emit(pack);
  endLoop();
  endLoop();
}

void CoreProgram::predict(unsigned level, int64_t ahead) {
  const int64_t d = shape_.dims, t = tile_;
  Address head;
  insn::SelectHead select;
  head.base = ahead;
  select.head = address(level > 0 ? head.term(0, 1) : head);
  select.pipe = insn::Pipe::Predict;
  emit(select);
  auto load = [&](auto insn, unsigned binding, const char *buffer, int64_t tokens, int64_t padded) {
    loop(padded / t);
    Address source = dram(binding, t, d, tokens).term(level, t * d, int32_t(t));
    Address destination = onChip(buffer, t, d, d).term(level, t * d);
    insn.source = address(level > 0 ? atHead(source, tokens * d, ahead) : source);
    insn.destination = address(level > 0 ? atSlot(destination, padded * d, ahead) : destination);
    emit(insn);
    endLoop();
  };
  if (loadsQueries)
    load(insn::LoadQuery(), 0, "query", shape_.queries, paddedQueries_);
  if (loadsKeys)
    load(insn::LoadKey(), 1, "key", shape_.keys, paddedKeys_);
  if (shape_.predicts) {
    auto quantize = [&](auto insn, const char *from, const char *to, int64_t padded) {
      loop(padded / t);
      Address source = onChip(from, t, d, d).term(level, t * d);
      insn.source = address(level > 0 ? atSlot(source, padded * d, ahead) : source);
      insn.destination = address(onChip(to, t, d, d).term(level, t * d));
      emit(insn);
      endLoop();
    };
    quantize(insn::QuantizeQuery(), "query", "low_query", paddedQueries_);
    quantize(insn::QuantizeKey(), "key", "low_key", paddedKeys_);
  }
  predictTile(level, ahead);
}

void CoreProgram::sparseStripe(unsigned level, int64_t ahead) {
  const int64_t d = shape_.dims, w = stripe_;
  auto slotted = [&](Address a, int64_t elements) {
    return address(level > 0 ? atSlot(a, elements, ahead) : a);
  };
  loop(paddedKeys_ / w);
  insn::LoadValue load;
  Address value = dram(2, w, d, shape_.keys).term(level, w * d, int32_t(w));
  load.source = address(level > 0 ? atHead(value, shape_.keys * d, ahead) : value);
  load.destination = address(onChip("value", w, d, d).term(level, w * d, 0, 2));
  emit(load);
  insn::SealBlocks seal;
  seal.blocks = slotted(onChip("blocks", 1, 64, 64).term(level, 64), paddedKeys_ / w * 64);
  seal.count = 3;
  emit(seal);
  insn::Sddmm sddmm;
  sddmm.blocks = seal.blocks;
  sddmm.query = slotted(onChip("query", paddedQueries_, d, d), paddedQueries_ * d);
  sddmm.key = slotted(onChip("key", w, d, d).term(level, w * d), paddedKeys_ * d);
  sddmm.bias = kAbsentOperand;
  if (shape_.biasRows)
    sddmm.bias = address(onChip("bias", shape_.biasRows, w, paddedKeys_).term(level, w));
  insn::Spmm spmm;
  spmm.value = load.destination;
  insn::Accumulate accumulate;
  accumulate.output = slotted(onChip("output", paddedQueries_, d, d), paddedQueries_ * d);
  std::vector<Isa::Instruction> block{sddmm, insn::Exp(), spmm, accumulate};
  if (changeBlock)
    changeBlock(block);
  loopCounter(3);
  for (const Isa::Instruction &insn : block)
    emit(insn);
  endLoop();
  endLoop();
}

void CoreProgram::sparse(unsigned level, int64_t ahead) {
  const int64_t d = shape_.dims, t = tile_;
  auto outputTile = [&] {
    Address a = onChip("output", t, d, d).term(level, t * d);
    return address(level > 0 ? atSlot(a, paddedQueries_ * d, ahead) : a);
  };
  Address head;
  head.base = ahead;
  insn::SelectHead select;
  select.head = address(level > 0 ? head.term(0, 1) : head);
  select.pipe = insn::Pipe::Sparse;
  emit(select);
  loop(paddedQueries_ / t);
  insn::ClearOutput clear;
  clear.output = outputTile();
  emit(clear);
  endLoop();
  sparseStripe(level, ahead);
  loop(paddedQueries_ / t);
  insn::Normalize normalize;
  normalize.output = outputTile();
  emit(normalize);
  insn::StoreOutput store;
  store.source = normalize.output;
  unsigned binding = shape_.biasRows ? 4 : 3;
  Address destination = dram(binding, t, d, shape_.queries).term(level, t * d, int32_t(t));
  store.destination =
      address(level > 0 ? atHead(destination, shape_.queries * d, ahead) : destination);
  emit(store);
  endLoop();
}

const program::AcceleratorStage &CoreProgram::build() {
  words_.clear();
  addresses.clear();
  emit(config);
  for (const Isa::Instruction &insn : prologue)
    emit(insn);
  if (shape_.biasRows) {
    insn::LoadBias load;
    load.source = address(dram(3, shape_.biasRows, shape_.keys, shape_.biasRows));
    load.destination = address(onChip("bias", shape_.biasRows, shape_.keys, paddedKeys_));
    emit(load);
  }
  predict(0, 0);
  if (shape_.heads > 1) {
    loop(shape_.heads - 1);
    predict(1, 1);
    sparse(1, 0);
    endLoop();
  }
  sparseLast();
  words_.push_back(0x0100);
  return table();
}

/// A loop of one trip cannot name the last head, so its addresses are those of head `heads - 1`
/// directly.
void CoreProgram::sparseLast() {
  loop(1);
  const int64_t last = shape_.heads - 1, slot = last % 2;
  size_t first = addresses.size();
  sparse(1, 0);
  for (size_t i = first; i < addresses.size(); ++i) {
    Address &a = addresses[i];
    const program::Term &term = a.terms[0];
    a.base += (term.modulus() ? slot : last) * term.stride();
    a.terms[0] = program::Term();
  }
  endLoop();
}

const program::AcceleratorStage &CoreProgram::table() {
  builder_.Clear();
  std::vector<program::Descriptor> descriptors;
  for (const Address &a : addresses)
    descriptors.emplace_back(a.base, a.rows, a.cols, a.rowStride, a.rowBase, a.rowLimit, a.memory,
                             a.binding, flatbuffers::span<const program::Term, 8>(a.terms));
  std::vector<flatbuffers::Offset<program::Memory>> tables;
  for (const auto &[name, bits, elements] : memories)
    tables.push_back(program::CreateMemoryDirect(builder_, name.c_str(), bits, elements));
  std::vector<int32_t> bindings{0, 1, 2, 3};
  if (shape_.biasRows)
    bindings.push_back(4);
  builder_.Finish(program::CreateAcceleratorStageDirect(builder_, "sanger", "attention_0",
                                                        &bindings, uint32_t(bindings.size() - 1),
                                                        &tables, &descriptors, &words_));
  return *flatbuffers::GetRoot<program::AcceleratorStage>(builder_.GetBufferPointer());
}

//===-- Data ---------------------------------------------------------------===//

CoreData::CoreData(const CoreShape &shape, unsigned seed, float spread) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, spread);
  for (auto [tensor, tokens] :
       {std::pair(&query, shape.queries), {&key, shape.keys}, {&value, shape.keys}}) {
    tensor->resize(size_t(shape.heads * tokens * shape.dims));
    for (float &x : *tensor)
      x = normal(generator);
  }
  bias.resize(size_t(shape.biasRows * shape.keys));
  output.resize(size_t(shape.heads * shape.queries * shape.dims), -1);
}

std::vector<TensorView> CoreData::bindings(const CoreShape &shape) {
  auto view = [&](std::vector<float> &data, int64_t tokens) {
    return TensorView{DType::f32, {1, shape.heads, tokens, shape.dims}, data.data()};
  };
  std::vector<TensorView> views{view(query, shape.queries), view(key, shape.keys),
                                view(value, shape.keys)};
  if (shape.biasRows)
    views.push_back({DType::f32, {1, 1, shape.biasRows, shape.keys}, bias.data()});
  views.push_back(view(output, shape.queries));
  return views;
}

Arch makeArch(const std::vector<std::string> &settings) {
  auto spec = ArchSpec::parse(kArchYaml, "arch.yaml");
  EXPECT_TRUE(spec.ok()) << spec.error().message;
  Arch arch(*spec);
  for (const std::string &setting : settings) {
    Status status = arch.applySetting(setting);
    EXPECT_TRUE(status.ok()) << status.error().message;
  }
  return arch;
}

Core::Core(const CoreShape &s, const std::vector<std::string> &settings)
    : shape(s), arch(makeArch(settings)), program(s, arch), data(s) {
  ModelRegistry registry;
  registerSangerModel(registry);
  auto created = registry.find("sanger")->createMachine(arch);
  EXPECT_TRUE(created.ok()) << created.error().message;
  machine = created.take();
}

Status Core::load() { return machine->load(program.build(), 0); }

LaunchReport Core::run(RunMode mode) {
  Status loaded = load();
  EXPECT_TRUE(loaded.ok()) << (loaded ? "" : loaded.error().message);
  LaunchContext context;
  context.mode = mode;
  context.bindings = data.bindings(shape);
  context.masks = &masks;
  context.recordPredicted = recordPredicted;
  Result<LaunchReport> report = machine->launch(0, context);
  EXPECT_TRUE(report.ok()) << (report ? "" : report.error().message);
  return report ? report.take() : LaunchReport();
}

//===-- Reference ----------------------------------------------------------===//

std::vector<float> referenceAttention(const Core &core, const BitTensor &mask) {
  const CoreShape &s = core.shape;
  std::vector<float> output(core.data.output.size());
  for (int64_t h = 0; h < s.heads; ++h)
    for (int64_t i = 0; i < s.queries; ++i) {
      std::vector<double> scores(size_t(s.keys), -INFINITY);
      double top = -INFINITY, sum = 0;
      for (int64_t j = 0; j < s.keys; ++j) {
        if (!mask.get(h, i, j))
          continue;
        double dot = 0;
        for (int64_t k = 0; k < s.dims; ++k)
          dot += double(core.data.query[size_t((h * s.queries + i) * s.dims + k)]) *
                 core.data.key[size_t((h * s.keys + j) * s.dims + k)];
        scores[size_t(j)] = dot * s.scale;
        if (s.biasRows)
          scores[size_t(j)] += core.data.bias[size_t((s.biasRows == 1 ? 0 : i) * s.keys + j)];
        top = std::max(top, scores[size_t(j)]);
      }
      std::vector<double> row(size_t(s.dims), 0.0);
      for (int64_t j = 0; j < s.keys; ++j) {
        if (!(scores[size_t(j)] > -INFINITY))
          continue;
        double e = std::exp(scores[size_t(j)] - top);
        sum += e;
        for (int64_t k = 0; k < s.dims; ++k)
          row[size_t(k)] += e * core.data.value[size_t((h * s.keys + j) * s.dims + k)];
      }
      for (int64_t k = 0; k < s.dims; ++k)
        output[size_t((h * s.queries + i) * s.dims + k)] =
            sum > 0 ? float(row[size_t(k)] / sum) : 0.0f;
    }
  return output;
}

double maxError(const std::vector<float> &a, const std::vector<float> &b) {
  EXPECT_EQ(a.size(), b.size());
  double error = 0;
  for (size_t i = 0; i < a.size(); ++i)
    error = std::max(error, std::isfinite(a[i]) ? std::abs(double(a[i]) - double(b[i])) : INFINITY);
  return error;
}

} // namespace sparsam::sanger::test
