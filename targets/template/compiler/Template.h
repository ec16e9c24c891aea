// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Template.h - the template dialect and its passes -------------------===//
#ifndef SPARSAM_TARGETS_TEMPLATE_COMPILER_TEMPLATE_H
#define SPARSAM_TARGETS_TEMPLATE_COMPILER_TEMPLATE_H

#include "isa/Isa.h"

#include "mlir/Pass/Pass.h"

#include "targets/template/TemplateDialect.h.inc"

#define GET_OP_CLASSES
#include "targets/template/TemplateOps.h.inc"

namespace sparsam::template_ {

/// Columns of an output tile behind those of the head: maximum and sum of the row.
inline constexpr int64_t kRowState = 2;

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "targets/template/TemplatePasses.h.inc"

} // namespace sparsam::template_

#endif // SPARSAM_TARGETS_TEMPLATE_COMPILER_TEMPLATE_H
