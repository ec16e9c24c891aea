// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sequencer.cpp - checks of command words and address generators -----===//

#include "runtime/kernel/Sequencer.h"

#include "runtime/program/Program_generated.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <bit>

namespace sparsam::runtime {

/// Longest constant trip count: the compiler's isa.loop has 24 bits.
static constexpr uint32_t kMaxTrips = 0xffffff;
/// A program that executes more instructions than this would run for hours: it is damaged or
/// hostile.
static constexpr double kMaxExecuted = 1e11;
/// An on-chip memory larger than this is not one.
static constexpr uint64_t kMaxMemoryBytes = uint64_t(1) << 32;
/// Addresses beyond this are refused, so that sums of terms cannot overflow.
static constexpr int64_t kMaxAddress = int64_t(1) << 48;

AddressGenerator::AddressGenerator(const program::Descriptor &d)
    : base(d.base()), rowStride(int64_t(d.row_stride())), rowBase(d.row_base()), rows(d.rows()),
      cols(d.cols()), rowLimit(d.row_limit()), memory(d.memory()), binding(d.binding()) {
  for (uint32_t level = 0; level < 8; ++level) {
    const program::Term *term = d.terms()->Get(level);
    // Under modulus 1 the counter is always 0.
    if ((term->stride() == 0 && term->row_step() == 0) || term->modulus() == 1)
      continue;
    uint32_t mask = std::has_single_bit(term->modulus()) ? term->modulus() - 1 : 0;
    terms[termCount++] = {term->stride(), term->row_step(), term->modulus(), level, mask};
  }
}

StageLoader::StageLoader(const program::AcceleratorStage &stage) : stage_(stage) {}
StageLoader::~StageLoader() = default;

Error StageLoader::atWord(const Error &error) const {
  return makeError("kernel '", info.name, "', command word ", groupStart_, ": ", error.message);
}

//===-- Memories and descriptors ------------------------------------------===//

static Status checkMemory(const program::Memory &memory, const std::string &kernel) {
  uint64_t bits = memory.element_bits();
  if (bits < 1 || bits > 64)
    return makeError("kernel '", kernel, "': memory '", printable(memory.name()->string_view()),
                     "' has elements of ", bits, " bits; 1 to 64 are possible");
  if (memory.elements() > kMaxMemoryBytes * 8 / bits)
    return makeError("kernel '", kernel, "': memory '", printable(memory.name()->string_view()),
                     "' of ", memory.elements(), " elements is larger than the limit of ",
                     kMaxMemoryBytes, " bytes");
  return Status();
}

/// Numbers that no sum of terms may exceed.
static bool isSane(const program::Descriptor &d) {
  bool sane =
      std::abs(double(d.base())) <= double(kMaxAddress) && d.row_stride() <= uint64_t(kMaxAddress);
  for (uint32_t i = 0; i < d.terms()->size(); ++i)
    sane &= std::abs(double(d.terms()->Get(i)->stride())) <= double(kMaxAddress);
  return sane;
}

Status StageLoader::begin() {
  info.name = stage_.name()->str();
  info.target = stage_.target()->str();
  info.bindings = stage_.bindings() ? stage_.bindings()->size() : 0;
  info.inputs = stage_.inputs();
  info.bindingElements.assign(info.bindings, 0);
  if (stage_.memories())
    for (const program::Memory *memory : *stage_.memories()) {
      if (Status status = checkMemory(*memory, info.name); !status)
        return status;
      int64_t elements = int64_t(memory->elements());
      info.memories.push_back({memory->name()->str(), memory->element_bits(), elements, elements});
    }
  if (!stage_.descriptors())
    return Status();
  if (stage_.descriptors()->size() >= kAbsentOperand)
    return makeError("kernel '", info.name, "' has ", stage_.descriptors()->size(),
                     " address descriptors; at most ", kAbsentOperand - 1,
                     " can be addressed by 16 bits");
  for (const program::Descriptor *descriptor : *stage_.descriptors()) {
    if (!isSane(*descriptor))
      return makeError("kernel '", info.name, "': address descriptor ", generators.size(),
                       " exceeds ", kMaxAddress, " elements");
    generators.emplace_back(*descriptor);
  }
  return Status();
}

//===-- Word groups and loops ---------------------------------------------===//

static Error wrongLength(const char *what, unsigned words, unsigned wanted) {
  return makeError(what, " takes ", wanted, wanted == 1 ? " word" : " words", ", got ", words);
}

Status StageLoader::end(bool isLast) {
  if (!loops_.empty())
    return makeError("the program ends inside of ", loops_.size(), " loops");
  if (!isLast)
    return makeError("there are words behind the end command");
  commands.push_back({Command::Kind::end, 0, 0, 0});
  return Status();
}

Result<std::span<const uint32_t>> StageLoader::nextInstruction() {
  size_t size = stage_.words() ? stage_.words()->size() : 0;
  while (true) {
    groupStart_ = position_;
    if (position_ >= size)
      return atWord(makeError("the program has no end command"));
    const uint32_t *words = stage_.words()->data() + position_;
    unsigned length = words[0] >> 8 & 0xff;
    if (length == 0 || length > size - position_)
      return atWord(makeError("a group of ", length, " words does not fit into the ",
                              size - position_, " that are left"));
    position_ += length;
    Status status;
    switch (CommandOpcode(words[0] & 0xff)) {
    case CommandOpcode::end:
      if (status = end(length == 1 && position_ == size); status)
        return std::span<const uint32_t>();
      break;
    case CommandOpcode::loopConst:
      status = length == 2 ? openLoop(Command::Kind::loopConst, words[1])
                           : wrongLength("a counted loop", length, 2);
      break;
    case CommandOpcode::loopCounter:
      status = length == 1 ? openLoop(Command::Kind::loopCounter, words[0] >> 16 & 0xff)
                           : wrongLength("a loop over a counter", length, 1);
      break;
    case CommandOpcode::loopEnd:
      status = length == 1 ? closeLoop() : wrongLength("a loop end", length, 1);
      break;
    default:
      commands.push_back({Command::Kind::instruction, 0, instructions_++, 0});
      executed_ += trips_;
      if (executed_ > kMaxExecuted)
        return atWord(makeError("the program executes more than ", kMaxExecuted, " instructions"));
      return std::span<const uint32_t>(words, length);
    }
    if (!status)
      return atWord(status.error());
  }
}

Status StageLoader::openLoop(Command::Kind kind, uint32_t value) {
  if (loops_.size() == Addressing::kMaxLoops)
    return makeError("loops nest deeper than ", Addressing::kMaxLoops);
  bool isCounter = kind == Command::Kind::loopCounter;
  if (isCounter && value >= Addressing::kCounters)
    return makeError("counter register ", value, " does not exist; there are ",
                     Addressing::kCounters);
  if (!isCounter && value > kMaxTrips)
    return makeError("a loop of ", value, " trips is longer than the limit of ", kMaxTrips);
  uint32_t trips = isCounter ? 1 : value;
  executed_ += trips_;
  trips_ *= std::max(trips, 1u);
  loops_.push_back({uint32_t(commands.size()), trips, isCounter});
  commands.push_back({kind, uint8_t(loops_.size() - 1), value, 0});
  return Status();
}

Status StageLoader::closeLoop() {
  if (loops_.empty())
    return makeError("a loop end without a loop");
  executed_ += trips_;
  if (executed_ > kMaxExecuted)
    return makeError("the program executes more than ", kMaxExecuted, " instructions");
  Loop loop = loops_.back();
  loops_.pop_back();
  trips_ /= std::max(loop.count, 1u);
  commands.push_back({Command::Kind::loopEnd, uint8_t(loops_.size()), 0, loop.command + 1});
  commands[loop.command].target = uint32_t(commands.size());
  return Status();
}

/// Everything an address generator can give, over all loop values.
struct StageLoader::Reach {
  using Wide = __int128;
  Wide low = 0, high = 0; ///< first element of the tile
  Wide lowRow = 0, highRow = 0;
  Wide clippedEnd = 0; ///< end of the last valid row
  Wide end = 0;        ///< end of the last row, valid or not
};

//===-- Operands -----------------------------------------------------------===//

Status StageLoader::checkOperand(OperandKind kind, std::string_view memory, uint32_t value) {
  if (kind == OperandKind::counter || kind == OperandKind::counterResult) {
    if (value >= Addressing::kCounters)
      return makeError("counter register ", value, " does not exist; there are ",
                       Addressing::kCounters);
    return Status();
  }
  if (value == kAbsentOperand)
    return Status();
  if (value >= generators.size())
    return makeError("address descriptor ", value, " does not exist; there are ",
                     generators.size());
  if (Status status = checkTerms(generators[value], value); !status)
    return status;
  if (kind == OperandKind::tile)
    return checkTile(memory, value);
  if (generators[value].memory != 0)
    return makeError("address descriptor ", value,
                     " addresses a memory where a number is expected");
  return checkReach(reach(generators[value]), value);
}

Status StageLoader::checkTerms(const AddressGenerator &generator, uint32_t index) const {
  for (uint32_t i = 0; i < generator.termCount; ++i) {
    const AddressGenerator::Term &term = generator.terms[i];
    if (term.level >= loops_.size())
      return makeError("address descriptor ", index, " uses the counter of loop ", term.level,
                       ", but only ", loops_.size(), " loops are around the instruction");
    if (loops_[term.level].isCounter && term.modulus == 0)
      return makeError("address descriptor ", index, " uses the counter of loop ", term.level,
                       ", whose trip count is a register, without a modulus");
  }
  return Status();
}

Status StageLoader::checkTile(std::string_view memory, uint32_t index) {
  const AddressGenerator &generator = generators[index];
  if (memory == "dram") {
    if (generator.memory != 1)
      return makeError("address descriptor ", index, " addresses memory ", generator.memory,
                       " where dram is expected");
    if (generator.binding >= info.bindings)
      return makeError("address descriptor ", index, " addresses binding ", generator.binding,
                       "; the kernel has ", info.bindings);
  } else {
    size_t slot = size_t(generator.memory) - 2;
    if (generator.memory < 2 || slot >= info.memories.size() || info.memories[slot].name != memory)
      return makeError("address descriptor ", index, " addresses memory ", generator.memory,
                       " where memory '", std::string(memory), "' is expected");
  }
  if (generator.rows == 0 || generator.cols == 0)
    return makeError("address descriptor ", index, " addresses an empty tile");
  return checkExtent(generator, index);
}

StageLoader::Reach StageLoader::reach(const AddressGenerator &generator) const {
  using Wide = Reach::Wide;
  Reach r{generator.base, generator.base, generator.rowBase, generator.rowBase};
  Wide acrossRows = generator.base;
  bool isRowConsistent = true;
  for (uint32_t i = 0; i < generator.termCount; ++i) {
    const AddressGenerator::Term &term = generator.terms[i];
    const Loop &loop = loops_[term.level];
    int64_t last =
        loop.isCounter ? int64_t(term.modulus) - 1 : std::max<int64_t>(loop.count, 1) - 1;
    if (term.modulus)
      last = std::min<int64_t>(last, int64_t(term.modulus) - 1);
    Wide reached = Wide(term.stride) * last, rows = Wide(term.rowStep) * last;
    (reached < 0 ? r.low : r.high) += reached;
    (rows < 0 ? r.lowRow : r.highRow) += rows;
    if (term.rowStep == 0)
      acrossRows += std::max<Wide>(reached, 0);
    else
      isRowConsistent &= Wide(term.stride) == Wide(term.rowStep) * generator.rowStride;
  }
  r.end = r.high + Wide(int64_t(generator.rows) - 1) * generator.rowStride + generator.cols;
  // Where rows move through memory as they move through the tensor, no valid row lies behind the
  // tensor's last one.
  Wide lastRow = Wide(generator.rowLimit) - 1 - generator.rowBase;
  r.clippedEnd = isRowConsistent
                     ? std::min(r.end, acrossRows + lastRow * generator.rowStride + generator.cols)
                     : r.end;
  return r;
}

Status StageLoader::checkReach(const Reach &reach, uint32_t index) const {
  if (std::max(reach.high, reach.end) > kMaxAddress || reach.low < -kMaxAddress ||
      reach.highRow > kMaxAddress || reach.lowRow < -kMaxAddress)
    return makeError("address descriptor ", index, " reaches beyond ", kMaxAddress, " elements");
  return Status();
}

Status StageLoader::checkExtent(const AddressGenerator &generator, uint32_t index) {
  Reach r = reach(generator);
  if (Status status = checkReach(r, index); !status)
    return status;
  if (r.low < 0 || r.lowRow < 0)
    return makeError("address descriptor ", index, " reaches before the start of its memory");
  int64_t end = int64_t(std::max<Reach::Wide>(r.clippedEnd, 0));
  if (generator.memory == 1) {
    int64_t &needed = info.bindingElements[generator.binding];
    needed = std::max(needed, end);
    return Status();
  }
  StageInfo::Memory &memory = info.memories[generator.memory - 2];
  if (end > memory.elements)
    return makeError("address descriptor ", index, " reaches element ", end - 1, " of memory '",
                     memory.name, "', which has ", memory.elements);
  memory.extent = std::max(memory.extent, int64_t(r.end));
  if (uint64_t(memory.extent) > kMaxMemoryBytes * 8 / memory.elementBits)
    return makeError("address descriptor ", index, " reaches beyond the limit of ", kMaxMemoryBytes,
                     " bytes");
  return Status();
}

Status checkBindings(const StageInfo &info, std::span<const TensorView> bindings) {
  if (bindings.size() != info.bindings)
    return makeError("kernel '", info.name, "' has ", info.bindings, " bindings, got ",
                     bindings.size());
  for (size_t i = 0; i < bindings.size(); ++i)
    if (bindings[i].elements() < info.bindingElements[i])
      return makeError("kernel '", info.name, "' addresses ", info.bindingElements[i],
                       " elements of binding ", i, ", whose tensor has ", bindings[i].elements());
  return Status();
}

//===-- Text ---------------------------------------------------------------===//

std::string disassembleLoop(const Command &command) {
  switch (command.kind) {
  case Command::Kind::loopConst:
    return "loop " + std::to_string(command.value);
  case Command::Kind::loopCounter:
    return "loop counter " + std::to_string(command.value);
  case Command::Kind::loopEnd:
    return "end_loop";
  default:
    return "end";
  }
}

static std::string termText(const AddressGenerator::Term &term, int64_t factor) {
  std::string value = "l" + std::to_string(term.level);
  if (term.modulus)
    value = "(" + value + " mod " + std::to_string(term.modulus) + ")";
  return (factor < 0 ? " - " : " + ") + value + " * " +
         std::to_string(factor < 0 ? -factor : factor);
}

std::string disassembleGenerators(const StageInfo &info,
                                  std::span<const AddressGenerator> generators) {
  std::string text;
  for (size_t i = 0; i < generators.size(); ++i) {
    const AddressGenerator &g = generators[i];
    text += "; d" + std::to_string(i) + " = ";
    std::string address = std::to_string(g.base);
    for (uint32_t t = 0; t < g.termCount; ++t)
      if (g.terms[t].stride)
        address += termText(g.terms[t], g.terms[t].stride);
    if (g.memory == 0) {
      text += address + "\n";
      continue;
    }
    std::string place = g.memory == 1 ? "dram[" + std::to_string(g.binding) + "]"
                        : g.memory - 2u < info.memories.size()
                            ? info.memories[g.memory - 2].name
                            : "memory " + std::to_string(g.memory);
    text += place + " " + std::to_string(g.rows) + "x" + std::to_string(g.cols) + " at " + address +
            " stride " + std::to_string(g.rowStride) + ", rows from " + std::to_string(g.rowBase);
    for (uint32_t t = 0; t < g.termCount; ++t)
      if (g.terms[t].rowStep)
        text += termText(g.terms[t], g.terms[t].rowStep);
    text += " below " + std::to_string(g.rowLimit) + "\n";
  }
  return text;
}

} // namespace sparsam::runtime
