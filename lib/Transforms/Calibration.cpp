// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Calibration.cpp - parameters per attention core, as text -----------===//

#include "Transforms/Calibration.h"

#include "sparsam/Calibrated.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;

namespace sparsam {

std::string formatCalibration(const Calibration &calibration) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleave(
      calibration, stream,
      [&](const auto &core) {
        stream << core.first << ":";
        llvm::interleave(
            core.second, stream,
            [&](const auto &setting) {
              stream << setting.first << "=" << llvm::format("%.17g", setting.second);
            },
            ",");
      },
      ";");
  return text;
}

FailureOr<Calibration> parseCalibration(StringRef text, Location loc) {
  Calibration calibration;
  for (StringRef entry : llvm::split(text, ';')) {
    if (entry.trim().empty())
      continue;
    auto [core, settings] = entry.split(':');
    if (core.trim().empty() || settings.trim().empty())
      return emitError(loc) << "expects calibration as core:name=value,..., got '" << entry << "'";
    for (StringRef setting : llvm::split(settings, ',')) {
      auto [name, number] = setting.split('=');
      double value;
      if (name.trim().empty() || number.trim().getAsDouble(value) || !std::isfinite(value))
        return emitError(loc) << "expects calibration settings as name=number, got '" << setting
                              << "' for '" << core.trim() << "'";
      calibration[core.trim().str()][name.trim().str()] = value;
    }
  }
  return calibration;
}

/// `value` as an attribute of the kind of `like`; null if it is none.
static Attribute convertLike(Attribute like, double value) {
  Builder builder(like.getContext());
  if (llvm::isa<FloatAttr>(like))
    return builder.getF64FloatAttr(value);
  if (llvm::isa<BoolAttr>(like))
    return value == 0 || value == 1 ? builder.getBoolAttr(value == 1) : Attribute();
  if (llvm::isa<IntegerAttr>(like) && value == std::trunc(value) && std::abs(value) < 9e15)
    return builder.getI64IntegerAttr(int64_t(value));
  return {};
}

FailureOr<isa::ArchAttr> overrideParameters(isa::ArchAttr arch,
                                            const std::map<std::string, double> &settings,
                                            StringRef core, Location loc) {
  NamedAttrList parameters(arch.getParameters());
  for (const auto &[name, value] : settings) {
    Attribute old = parameters.get(name);
    if (!old)
      return emitError(loc) << "calibration of '" << core << "' sets '" << name
                            << "', which is no parameter of target '" << arch.getTarget() << "'";
    Attribute converted = convertLike(old, value);
    if (!converted)
      return emitError(loc) << "calibration of '" << core << "' sets '" << name << "' to " << value
                            << ", but the target has " << old << " there";
    parameters.set(name, converted);
  }
  return isa::ArchAttr::get(arch.getContext(), arch.getTarget(),
                            parameters.getDictionary(arch.getContext()));
}

double getCalibrated(Operation *op, isa::ArchAttr arch, StringRef name) {
  if (auto own = op->getAttrOfType<DictionaryAttr>(kCalibrationAttr))
    if (auto value = own.getAs<FloatAttr>(name))
      return value.getValueAsDouble();
  return arch.getReal(name);
}

//===-- Errors -------------------------------------------------------------===//

/// What such an error carries beside its text.
static constexpr StringLiteral kMissingCalibration = "sparsam.missing_calibration";

InFlightDiagnostic emitMissingCalibration(Operation *op) {
  InFlightDiagnostic diagnostic = op->emitOpError();
  diagnostic.getUnderlyingDiagnostic()->getMetadata().emplace_back(StringRef(kMissingCalibration));
  return diagnostic;
}

InFlightDiagnostic emitUncalibratedPolicy(Operation *op, StringRef name) {
  InFlightDiagnostic diagnostic = emitMissingCalibration(op);
  diagnostic << "has a selection policy without a value for `" << name
             << "`; calibrate on sample inputs, or give it in the target's settings";
  return diagnostic;
}

bool isMissingCalibration(Diagnostic &diagnostic) {
  return llvm::any_of(diagnostic.getMetadata(), [](const DiagnosticArgument &argument) {
    return argument.getKind() == DiagnosticArgument::DiagnosticArgumentKind::String &&
           argument.getAsString() == kMissingCalibration;
  });
}

} // namespace sparsam
