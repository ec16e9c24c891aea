// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OpSupport.cpp - what the importer asks about ops -------------------===//

#include "GraphImporter.h"

#include "onnx/Onnx.h"

using namespace mlir;

namespace sparsam {

/// Runs `check` and says in its errors which node they are about.
static LogicalResult checkWithLabel(Operation *op, StringRef label,
                                    function_ref<LogicalResult()> check) {
  std::string message;
  LogicalResult result = success();
  {
    ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      message = message.empty() ? diagnostic.str() : message;
      return success();
    });
    result = check();
  }
  if (succeeded(result))
    return success();
  StringRef text = message;
  text.consume_front(("'" + op->getName().getStringRef() + "' op ").str());
  bool missing = text.ends_with("but got 'none'");
  return emitError(op->getLoc()) << label << ": " << text
                                 << (missing ? " (a required input is missing)" : "");
}

/// The part of the verifier of each op that ODS generates for operands and attributes. What
/// inference relies on must be checked before result types are known, so the whole verifier cannot
/// be used.
template <typename... Ops> static LogicalResult verifyDefinition(Operation *op) {
  LogicalResult result = success();
  (void)((llvm::isa<Ops>(op) && (result = OpTrait::OpInvariants<Ops>::verifyTrait(op), true)) ||
         ...);
  return result;
}

LogicalResult verifyOperandsAndAttributes(Operation *op, StringRef label) {
  return checkWithLabel(op, label, [&] {
    return verifyDefinition<
#define GET_OP_LIST
#include "onnx/OnnxOps.cpp.inc"
        >(op);
  });
}

LogicalResult inferResultTypes(Operation *op, StringRef label) {
  auto inference = dyn_cast<onnx::ShapeInference>(op);
  if (!inference)
    return success();
  return checkWithLabel(op, label, [&] { return inference.inferShapes(); });
}

template <size_t... N>
static std::optional<unsigned> findOperandCount(RegisteredOperationName name,
                                                std::index_sequence<N...>) {
  std::optional<unsigned> count;
  (void)((name.hasTrait<OpTrait::NOperands<N + 2>::template Impl>() && (count = N + 2, true)) ||
         ...);
  return count;
}

std::optional<unsigned> getOperandCount(RegisteredOperationName name) {
  if (name.hasTrait<OpTrait::ZeroOperands>())
    return 0;
  if (name.hasTrait<OpTrait::OneOperand>())
    return 1;
  return findOperandCount(name, std::make_index_sequence<16>());
}

} // namespace sparsam
