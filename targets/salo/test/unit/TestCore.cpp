// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TestCore.cpp - one attention core, assembled by hand ---------------===//

#include "TestCore.h"

#include <random>

namespace sparsam::salo::test {

using namespace runtime;

Arch makeArch(const std::vector<std::string> &settings) {
  auto spec = ArchSpec::parse(kArchYaml, "salo/arch.yaml");
  EXPECT_TRUE(spec.ok()) << (spec ? "" : spec.error().message);
  Arch arch(*spec);
  for (const std::string &setting : settings) {
    Status status = arch.applySetting(setting);
    EXPECT_TRUE(status.ok()) << (status ? "" : status.error().message);
  }
  return arch;
}

CoreProgram::CoreProgram(const CoreShape &shape, const Arch &arch)
    : shape_(shape), rows_(arch.integer("pe_rows")), cols_(arch.integer("pe_cols")),
      slice_(rows_ + cols_ - 1) {
  config.queries = config.keys = uint32_t(shape.tokens);
  config.segments = 1;
  config.head_dim = uint32_t(shape.dims);
  config.heads = uint32_t(shape.heads);
  config.q_factor = shape.factor;
  config.k_factor = config.v_factor = 1;
  const uint64_t d = uint64_t(shape.dims);
  memories = {{"query", 16, uint64_t(rows_ + 1) * d},
              {"key", 16, uint64_t(slice_ + 1) * d},
              {"value", 16, uint64_t(slice_ + 1) * d},
              {"output", 32, uint64_t(rows_ + 1) * d}};
}

Address CoreProgram::onChip(Memory memory, int64_t rows, int64_t firstRow) const {
  Address a;
  a.base = firstRow * shape_.dims;
  a.rows = uint32_t(rows);
  a.cols = uint32_t(shape_.dims);
  a.rowStride = uint64_t(shape_.dims);
  a.memory = memory;
  return a;
}

Address CoreProgram::dram(unsigned binding, int64_t rows, int64_t firstRow) const {
  Address a = onChip(Memory(1), rows, firstRow);
  a.binding = uint16_t(binding);
  a.rowBase = int32_t(firstRow);
  a.rowLimit = uint32_t(shape_.tokens);
  return a.term(0, shape_.tokens * shape_.dims);
}

void CoreProgram::loadGlobals() {
  if (shape_.global < 0)
    return;
  insn::LoadGlobalQuery query;
  query.source = address(dram(0, 1, shape_.global));
  query.destination = address(onChip(Memory::query, 1, rows_));
  emit(query);
  insn::LoadGlobalKey key;
  key.mask = kAbsentOperand;
  key.source = address(dram(1, 1, shape_.global));
  key.destination = address(onChip(Memory::key, 1, slice_));
  emit(key);
  insn::LoadGlobalValue value;
  value.source = address(dram(2, 1, shape_.global));
  value.destination = address(onChip(Memory::value, 1, slice_));
  emit(value);
  insn::Clear clear;
  clear.output = address(onChip(Memory::output, 1, rows_));
  emit(clear);
}

/// The global token is seen in pass 0, which shows its row every key from first + rows - 1 on.
void CoreProgram::pass() {
  Address first;
  first.base = shape_.first;
  const uint16_t index = address(first.term(1, rows_).term(2, cols_));
  insn::LoadKey key;
  key.source = address(dram(1, shape_.tokens));
  key.first = index;
  key.mask = kAbsentOperand;
  key.destination = address(onChip(Memory::key, slice_));
  emit(key);
  insn::LoadValue value;
  value.source = address(dram(2, shape_.tokens));
  value.first = index;
  value.destination = address(onChip(Memory::value, slice_));
  if (changeValues)
    changeValues(value);
  emit(value);
  insn::TileAttn attn;
  attn.query = address(onChip(Memory::query, rows_));
  attn.key = key.destination;
  attn.value = value.destination;
  attn.cols = uint32_t(cols_);
  attn.global_key = attn.global_value = attn.global_query = kAbsentOperand;
  insn::Merge merge;
  merge.output = address(onChip(Memory::output, rows_));
  merge.global_output = kAbsentOperand;
  if (shape_.global >= 0) {
    attn.global_key = address(onChip(Memory::key, 1, slice_));
    attn.global_value = address(onChip(Memory::value, 1, slice_));
    attn.global_query = address(onChip(Memory::query, 1, rows_));
    attn.row_to = uint32_t(shape_.tokens);
    attn.row_cols = uint32_t(cols_);
    merge.global_output = address(onChip(Memory::output, 1, rows_));
  }
  if (changePass)
    changePass(attn);
  emit(attn);
  if (changeMerge)
    changeMerge(merge);
  if (hasMerge)
    emit(merge);
}

void CoreProgram::tiles() {
  loop((shape_.tokens + rows_ - 1) / rows_);
  const int64_t step = rows_ * shape_.dims;
  insn::LoadQuery query;
  query.source = address(dram(0, rows_).term(1, step, int32_t(rows_)));
  query.destination = address(onChip(Memory::query, rows_));
  if (hasQueries)
    emit(query);
  insn::Clear clear;
  clear.output = address(onChip(Memory::output, rows_));
  emit(clear);
  loop(shape_.passes);
  pass();
  endLoop();
  insn::StoreOutput store;
  store.source = address(onChip(Memory::output, rows_));
  store.destination = address(dram(3, rows_).term(1, step, int32_t(rows_)));
  emit(store);
  endLoop();
}

const program::AcceleratorStage &CoreProgram::finish() {
  std::vector<flatbuffers::Offset<program::Memory>> tables;
  for (const auto &[name, bits, elements] : memories)
    tables.push_back(program::CreateMemoryDirect(builder_, name.c_str(), bits, elements));
  std::vector<program::Descriptor> descriptors;
  for (const Address &a : addresses)
    descriptors.push_back(program::Descriptor(
        a.base, a.rows, a.cols, a.rowStride, a.rowBase, a.rowLimit, a.memory, a.binding,
        flatbuffers::span<const program::Term, 8>(a.terms.data(), 8)));
  std::vector<int32_t> bindings = {0, 1, 2, 3};
  builder_.Finish(program::CreateAcceleratorStageDirect(builder_, "salo", "attention_0", &bindings,
                                                        3, &tables, &descriptors, &words_));
  return *flatbuffers::GetRoot<program::AcceleratorStage>(builder_.GetBufferPointer());
}

const program::AcceleratorStage &CoreProgram::build() {
  words_.clear();
  emit(config);
  if (shape_.global >= 0)
    emit(insn::SetGlobal{uint32_t(shape_.global)});
  for (const Isa::Instruction &insn : prologue)
    emit(insn);
  loop(shape_.heads);
  Address head, zero;
  emit(insn::SelectHead{address(head.term(0, 1)), address(zero)});
  loadGlobals();
  tiles();
  if (shape_.global >= 0) {
    insn::StoreOutput store;
    store.source = address(onChip(Memory::output, 1, rows_));
    store.destination = address(dram(3, 1, shape_.global));
    emit(store);
  }
  endLoop();
  for (const Isa::Instruction &insn : epilogue)
    emit(insn);
  words_.push_back(0x0100);
  return finish();
}

Core::Core(const CoreShape &shape, const std::vector<std::string> &settings)
    : shape(shape), arch(makeArch(settings)), program(shape, arch) {
  std::mt19937 random(1);
  auto fill = [&](std::vector<float> &values) {
    values.resize(size_t(shape.heads * shape.tokens * shape.dims));
    for (float &x : values)
      x = float(int(random() % 65) - 32) / 16;
  };
  fill(query);
  fill(key);
  fill(value);
  result.assign(query.size(), -1000.0f);
}

Status Core::load() {
  ModelRegistry registry;
  registerSaloModel(registry);
  auto made = registry.find("salo")->createMachine(arch);
  if (!made)
    return made.error();
  machine = made.take();
  return machine->load(program.build(), 0);
}

Result<LaunchReport> Core::launch(RunMode mode) {
  LaunchContext context;
  context.mode = mode;
  for (std::vector<float> *values : {&query, &key, &value, &result})
    context.bindings.push_back({dtype, {shape.heads, shape.tokens, shape.dims}, values->data()});
  context.masks = &masks;
  return machine->launch(0, context);
}

LaunchReport Core::run(RunMode mode) {
  if (!machine) {
    Status status = load();
    EXPECT_TRUE(status.ok()) << (status ? "" : status.error().message);
    if (!status)
      return LaunchReport();
  }
  auto report = launch(mode);
  EXPECT_TRUE(report.ok()) << (report ? "" : report.error().message);
  return report ? report.take() : LaunchReport();
}

} // namespace sparsam::salo::test
