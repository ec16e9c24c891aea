// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IsaTest.cpp - the binary form of every instruction -----------------===//
//
// The compiler encodes an op, the model decodes it: both halves were generated from the same ODS
// definition, and every field must come through at both ends of its range. The table of fields is
// generated as well, so that a new target is tested without a line here.
//

#include "test/conformance/IsaTable.h"

#include "isa/Isa.h"
#include "tools/common/Registry.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Verifier.h"

#include "llvm/ADT/DenseMap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <sstream>

using namespace sparsam;
using namespace sparsam::conformance;
using runtime::FieldKind;

namespace {

/// Values of the fields of one instruction, as bits; kAbsentOperand leaves an optional one out.
using Values = std::vector<uint32_t>;

constexpr uint32_t kLastDescriptor = runtime::kAbsentOperand - 1;
constexpr uint32_t kLastCounter = runtime::Addressing::kCounters - 1;

uint32_t lowest(const Field &field) {
  switch (field.kind) {
  case FieldKind::uint:
    return uint32_t(field.min);
  case FieldKind::real:
    return std::bit_cast<uint32_t>(std::numeric_limits<float>::lowest());
  case FieldKind::choice:
    return uint32_t(field.choices.front().second);
  default:
    return 0;
  }
}

uint32_t highest(const Field &field) {
  switch (field.kind) {
  case FieldKind::uint:
    return uint32_t(field.max);
  case FieldKind::real:
    return std::bit_cast<uint32_t>(std::numeric_limits<float>::max());
  case FieldKind::flag:
    return 1;
  case FieldKind::choice:
    return uint32_t(field.choices.back().second);
  case FieldKind::counter:
  case FieldKind::counterResult:
    return kLastCounter;
  default:
    return kLastDescriptor;
  }
}

/// What the disassembler writes behind a field's name.
std::string textOf(const Field &field, uint32_t value) {
  std::ostringstream text;
  switch (field.kind) {
  case FieldKind::real:
    text << std::bit_cast<float>(value);
    break;
  case FieldKind::flag:
    text << (value ? "true" : "false");
    break;
  case FieldKind::choice:
    for (const auto &[name, number] : field.choices)
      if (number == value)
        text << name;
    break;
  case FieldKind::uint:
    text << value;
    break;
  case FieldKind::counter:
  case FieldKind::counterResult:
    text << 'c' << value;
    break;
  default:
    value == runtime::kAbsentOperand ? text << '-' : text << '@' << value;
  }
  return text.str();
}

/// Stands for the assembler: numbers of operands are those the test chose.
class TestEncoder : public isa::Encoder {
public:
  llvm::DenseMap<mlir::Value, uint32_t> numbers;

protected:
  mlir::FailureOr<uint16_t> getDescriptor(mlir::Value value) override {
    return uint16_t(numbers.lookup(value));
  }
  mlir::FailureOr<uint8_t> getCounter(mlir::Value value) override {
    return uint8_t(numbers.lookup(value));
  }
};

/// An op of one instruction with given field values, and what its operands come from.
class TestOp {
public:
  TestOp(const std::string &dialect, const Instruction &instruction, const Values &values);
  TestOp(const TestOp &) = delete;
  TestOp &operator=(const TestOp &) = delete;

  mlir::Operation *get() const { return op_; }
  Words encode();
  /// What the verifier says; empty if it is content.
  std::string verify();
  /// Attribute that a field with these bits is.
  mlir::Attribute attributeOf(const Field &field, uint32_t value) const;
  static mlir::MLIRContext &context();

private:
  mlir::Type typeOf(const Field &field) const;

  std::string dialect_;
  const Instruction &instruction_;
  Values values_;
  mlir::Block block_; ///< owns both; verifiers look at the op before theirs
  mlir::Operation *source_ = nullptr, *op_ = nullptr;
};

mlir::MLIRContext &TestOp::context() {
  static mlir::MLIRContext *context = [] {
    registerTargets();
    mlir::DialectRegistry registry;
    registerDialects(registry);
    auto *made = new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

bool isOperand(const Field &field) {
  return field.kind >= FieldKind::tile && field.kind != FieldKind::counterResult;
}

mlir::Type TestOp::typeOf(const Field &field) const {
  mlir::Builder builder(&context());
  if (field.kind != FieldKind::tile)
    return builder.getIndexType();
  return mlir::MemRefType::get({1, 1}, builder.getF32Type(), mlir::MemRefLayoutAttrInterface(),
                               isa::MemoryAttr::get(&context(), field.memory));
}

mlir::Attribute TestOp::attributeOf(const Field &field, uint32_t value) const {
  mlir::Builder builder(&context());
  switch (field.kind) {
  case FieldKind::uint:
    return builder.getI64IntegerAttr(value);
  case FieldKind::real:
    return builder.getF32FloatAttr(std::bit_cast<float>(value));
  case FieldKind::flag:
    return builder.getBoolAttr(value != 0);
  default:
    return mlir::parseAttribute(
        "#" + dialect_ + "." + field.attribute + "<" + textOf(field, value) + ">", &context());
  }
}

TestOp::TestOp(const std::string &dialect, const Instruction &instruction, const Values &values)
    : dialect_(dialect), instruction_(instruction), values_(values) {
  mlir::Location loc = mlir::UnknownLoc::get(&context());
  mlir::OperationState state(loc, dialect + "." + instruction.mnemonic);
  mlir::OperationState source(loc, "builtin.unrealized_conversion_cast");
  std::vector<int32_t> segments;
  for (size_t i = 0; i < values.size(); ++i) {
    const Field &field = instruction.fields[i];
    if (isOperand(field)) {
      bool isThere = !field.isOptional || values[i] != runtime::kAbsentOperand;
      segments.push_back(isThere);
      if (isThere)
        source.addTypes(typeOf(field));
    } else if (field.kind == FieldKind::counterResult) {
      state.addTypes(typeOf(field));
    } else {
      state.addAttribute(field.name, attributeOf(field, values[i]));
    }
  }
  source_ = mlir::Operation::create(source);
  block_.push_back(source_);
  state.addOperands(source_->getResults());
  if (auto name = state.name.getRegisteredInfo();
      name && name->hasTrait<mlir::OpTrait::AttrSizedOperandSegments>())
    state.addAttribute("operandSegmentSizes", mlir::DenseI32ArrayAttr::get(&context(), segments));
  op_ = mlir::Operation::create(state);
  block_.push_back(op_);
}

Words TestOp::encode() {
  auto instruction = mlir::dyn_cast<isa::InstructionOpInterface>(op_);
  if (!instruction) {
    ADD_FAILURE() << "has no binary form";
    return {};
  }
  TestEncoder encoder;
  unsigned operand = 0, result = 0;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Field &field = instruction_.fields[i];
    if (field.kind == FieldKind::counterResult)
      encoder.numbers[op_->getResult(result++)] = values_[i];
    else if (isOperand(field) && values_[i] != runtime::kAbsentOperand)
      encoder.numbers[op_->getOperand(operand++)] = values_[i];
  }
  EXPECT_TRUE(mlir::succeeded(instruction.encode(encoder)));
  return encoder.getWords();
}

std::string TestOp::verify() {
  std::string text;
  mlir::ScopedDiagnosticHandler handler(&context(), [&](mlir::Diagnostic &diagnostic) {
    text += diagnostic.str() + "\n";
    return mlir::success();
  });
  if (mlir::succeeded(mlir::verify(op_)))
    return "";
  return text;
}

/// One instruction of one target.
struct Case {
  const TargetIsa *isa;
  const Instruction *instruction;
};

std::vector<Case> allCases() {
  std::vector<Case> cases;
  for (const TargetIsa &isa : allIsas())
    for (const Instruction &instruction : *isa.instructions)
      cases.push_back({&isa, &instruction});
  return cases;
}

class Isa : public testing::TestWithParam<Case> {
protected:
  const TargetIsa &isa() const { return *GetParam().isa; }
  const Instruction &instruction() const { return *GetParam().instruction; }
  const std::vector<Field> &fields() const { return instruction().fields; }

  Values all(uint32_t (*end)(const Field &)) const {
    Values values;
    for (const Field &field : fields())
      values.push_back(end(field));
    return values;
  }
  Words encode(const Values &values) const {
    return TestOp(isa().name, instruction(), values).encode();
  }
  void expectRoundTrip(const Values &values) const;
  void expectBothEndsOf(size_t i) const;
};

void Isa::expectRoundTrip(const Values &values) const {
  Words words = encode(values);
  auto decoded = isa().decode(words);
  ASSERT_TRUE(bool(decoded)) << decoded.error().message;
  EXPECT_EQ(words[0] & 0xff, instruction().opcode);
  EXPECT_EQ(decoded->mnemonic, instruction().mnemonic);
  EXPECT_EQ(decoded->encoded, words) << "compiler and model encode differently";
  ASSERT_EQ(decoded->fields.size(), values.size());
  std::string text = instruction().mnemonic;
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(decoded->fields[i].first, fields()[i].name);
    EXPECT_EQ(decoded->fields[i].second, values[i]) << fields()[i].name;
    text += std::string(" ") + fields()[i].name + " " + textOf(fields()[i], values[i]);
  }
  EXPECT_EQ(decoded->text, text);
}

/// One field at one end while all others are at the other: no field reaches into another's bits.
void Isa::expectBothEndsOf(size_t i) const {
  SCOPED_TRACE(fields()[i].name);
  Values low = all(lowest), high = all(highest);
  std::swap(low[i], high[i]);
  expectRoundTrip(low);
  expectRoundTrip(high);
  if (!fields()[i].isOptional)
    return;
  low[i] = high[i] = runtime::kAbsentOperand;
  expectRoundTrip(low);
  expectRoundTrip(high);
}

TEST_P(Isa, round_trips_at_both_ends_of_every_range) {
  expectRoundTrip(all(lowest));
  expectRoundTrip(all(highest));
  for (size_t i = 0; i < fields().size(); ++i)
    expectBothEndsOf(i);
}

TEST_P(Isa, decoder_refuses_what_no_field_allows) {
  Words words = encode(all(lowest));
  for (const Field &field : fields()) {
    uint64_t beyond =
        field.kind == FieldKind::uint     ? uint64_t(field.max) + 1
        : field.kind == FieldKind::choice ? field.choices.size()
        : (field.kind == FieldKind::tile || field.kind == FieldKind::index) && !field.isOptional
            ? uint64_t(runtime::kAbsentOperand)
            : uint64_t(1) << 32;
    if (beyond >> field.bits)
      continue; // has no bits for it
    auto decoded = isa().decode(isa().change(words, field.name, uint32_t(beyond)));
    ASSERT_FALSE(bool(decoded)) << field.name << " = " << beyond;
    EXPECT_NE(decoded.error().message.find(field.name), std::string::npos)
        << decoded.error().message;
    if (field.kind == FieldKind::uint && field.min > 0) {
      EXPECT_FALSE(bool(isa().decode(isa().change(words, field.name, uint32_t(field.min - 1)))))
          << field.name << " = " << field.min - 1;
    }
  }
  words.push_back(0);
  EXPECT_FALSE(bool(isa().decode(words))) << "a word too many";
}

TEST_P(Isa, verifier_accepts_both_ends_and_refuses_the_next_value) {
  mlir::Builder builder(&TestOp::context());
  for (size_t i = 0; i < fields().size(); ++i) {
    const Field &field = fields()[i];
    if (field.kind >= FieldKind::tile)
      continue;
    TestOp op(isa().name, instruction(), all(lowest));
    const std::string refusal = std::string("attribute '") + field.name + "' failed to satisfy";
    auto saysOf = [&](mlir::Attribute value) {
      op.get()->setAttr(field.name, value);
      return op.verify();
    };
    for (uint32_t end : {lowest(field), highest(field)})
      EXPECT_EQ(saysOf(op.attributeOf(field, end)).find(refusal), std::string::npos)
          << field.name << " = " << textOf(field, end);
    std::vector<mlir::Attribute> wrong;
    if (field.kind == FieldKind::uint)
      wrong = {builder.getI64IntegerAttr(field.min - 1), builder.getI64IntegerAttr(field.max + 1)};
    for (mlir::Attribute value : wrong)
      EXPECT_NE(saysOf(value).find(refusal), std::string::npos)
          << field.name << " = " << mlir::cast<mlir::IntegerAttr>(value).getInt();
  }
}

TEST_P(Isa, verifier_refuses_a_tile_in_another_memory) {
  for (size_t i = 0, operand = 0; i < fields().size(); ++i) {
    if (!isOperand(fields()[i]))
      continue;
    unsigned number = unsigned(operand++);
    if (fields()[i].kind != FieldKind::tile)
      continue;
    TestOp op(isa().name, instruction(), all(lowest));
    auto type = mlir::cast<mlir::MemRefType>(op.get()->getOperand(number).getType());
    mlir::MemRefType moved = mlir::MemRefType::Builder(type).setMemorySpace(
        isa::MemoryAttr::get(&TestOp::context(), "elsewhere"));
    op.get()->getOperand(number).setType(moved);
    EXPECT_NE(op.verify().find("operand #" + std::to_string(number) + " must be"),
              std::string::npos)
        << fields()[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(AllTargets, Isa, testing::ValuesIn(allCases()), [](const auto &info) {
  return std::string(info.param.isa->name) + "_" + info.param.instruction->mnemonic;
});

TEST(Conformance, tests_every_target_of_the_build) {
  (void)TestOp::context();
  std::vector<std::string> names;
  for (const TargetIsa &isa : allIsas())
    names.push_back(isa.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, TargetRegistry::instance().getNames());
}

} // namespace
