// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pages.cpp - where the matrices of a kernel lie ---------------------===//

#include "Plan.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;

namespace {

/// Gives matrices their pages; a page is free again behind the last step that needs its matrix.
class PageChooser {
public:
  PageChooser(isa::KernelOp kernel, Plan &plan) : kernel(kernel), plan(plan) {}

  LogicalResult run() {
    countUses();
    return choosePages();
  }

private:
  /// Calls f(matrix) for every matrix that `step` reads.
  template <typename F> static void forReads(const Step &step, F f) {
    if (auto *transfer = std::get_if<TransferStep>(&step)) {
      if (transfer->isStore)
        f(transfer->columns.matrix);
    } else if (auto *linear = std::get_if<LinearStep>(&step)) {
      f(linear->source);
      if (linear->residual)
        f(*linear->residual);
    } else if (auto *norm = std::get_if<NormStep>(&step)) {
      f(norm->source);
    } else {
      const auto &attention = std::get<AttentionStep>(step);
      for (const Columns *columns : {&attention.query, &attention.key, &attention.value})
        f(columns->matrix);
    }
  }
  /// The matrix that `step` makes; none for a store.
  static std::optional<size_t> written(const Step &step) {
    if (auto *transfer = std::get_if<TransferStep>(&step))
      return transfer->isStore ? std::nullopt : std::optional(transfer->columns.matrix);
    if (auto *linear = std::get_if<LinearStep>(&step))
      return linear->destination;
    if (auto *norm = std::get_if<NormStep>(&step))
      return norm->destination;
    return std::get<AttentionStep>(step).destination;
  }
  /// A matrix that `step` may overwrite by its result, because each tile of the result needs only
  /// the same tile of it.
  static std::optional<size_t> overwritable(const Step &step) {
    if (auto *linear = std::get_if<LinearStep>(&step))
      return linear->residual != linear->source ? linear->residual : std::nullopt;
    if (auto *norm = std::get_if<NormStep>(&step))
      return norm->source;
    return std::nullopt;
  }

  void countUses() {
    for (auto [number, step] : llvm::enumerate(plan.steps)) {
      forReads(step, [&](size_t matrix) { plan.matrices[matrix].lastUse = number; });
      if (std::optional<size_t> made = written(step))
        plan.matrices[*made].lastUse = std::max(plan.matrices[*made].lastUse, number);
    }
  }

  LogicalResult choosePages() {
    // The input and the heads of an attention fit into one page each.
    for (const Step &step : plan.steps)
      if (auto *attention = std::get_if<AttentionStep>(&step))
        plan.pageWidth = std::max(plan.pageWidth, attention->heads * attention->size);
      else if (auto *transfer = std::get_if<TransferStep>(&step))
        plan.pageWidth = std::max(plan.pageWidth, transfer->columns.width);
    for (const Matrix &matrix : plan.matrices)
      plan.pageRows = std::max(plan.pageRows, matrix.tokens);
    SmallVector<bool> busy;
    for (auto [number, step] : llvm::enumerate(plan.steps)) {
      if (std::optional<size_t> made = written(step))
        takePages(plan.matrices[*made], reusable(step, number), busy);
      for (const Matrix &matrix : plan.matrices)
        if (matrix.lastUse == number)
          for (int64_t page : matrix.pages)
            if (!isShared(page, number))
              busy[page] = false;
    }
    plan.pages = busy.size();
    return checkColumns();
  }

  /// True if a matrix that is needed after `step` lies in `page`.
  bool isShared(int64_t page, size_t step) const {
    return llvm::any_of(plan.matrices, [&](const Matrix &matrix) {
      return matrix.lastUse > step && llvm::is_contained(matrix.pages, page);
    });
  }

  const Matrix *reusable(const Step &step, size_t number) const {
    std::optional<size_t> old = overwritable(step);
    if (!old || plan.matrices[*old].lastUse != number ||
        plan.matrices[*old].width != plan.matrices[*written(step)].width)
      return nullptr;
    return &plan.matrices[*old];
  }

  void takePages(Matrix &matrix, const Matrix *old, SmallVector<bool> &busy) {
    if (old) {
      matrix.pages = old->pages;
      return;
    }
    for (int64_t rest = matrix.width; rest > 0; rest -= plan.pageWidth) {
      size_t page = size_t(llvm::find(busy, false) - busy.begin());
      if (page == busy.size())
        busy.push_back(true);
      busy[page] = true;
      matrix.pages.push_back(int64_t(page));
    }
  }

  bool isInOnePage(const Columns &columns, int64_t width) const {
    return columns.first % plan.pageWidth + width <= plan.pageWidth;
  }

  /// The heads of an attention must lie in one page, and results that are parts of a matrix.
  LogicalResult checkColumns() {
    for (const Step &step : plan.steps)
      if (auto *attention = std::get_if<AttentionStep>(&step))
        for (const Columns *columns : {&attention->query, &attention->key, &attention->value})
          if (!isInOnePage(*columns, attention->heads * attention->size))
            return kernel.emitOpError("cannot run on STA: ")
                   << "packed queries, keys and values of " << attention->heads * attention->size
                   << " columns in pages of " << plan.pageWidth;
    for (const Step &step : plan.steps)
      if (auto *transfer = std::get_if<TransferStep>(&step))
        if (!isInOnePage(transfer->columns, transfer->columns.width))
          return kernel.emitOpError("cannot run on STA: ")
                 << "a result of " << transfer->columns.width << " packed columns across pages of "
                 << plan.pageWidth;
    for (const Step &step : plan.steps)
      if (auto *norm = std::get_if<NormStep>(&step))
        if (plan.matrices[norm->source].width > plan.pageWidth)
          return kernel.emitOpError("cannot run on STA: ")
                 << "a normalisation of " << plan.matrices[norm->source].width
                 << " columns in pages of " << plan.pageWidth;
    return success();
  }

  isa::KernelOp kernel;
  Plan &plan;
};

} // namespace

LogicalResult sta::choosePages(isa::KernelOp kernel, Plan &plan) {
  return PageChooser(kernel, plan).run();
}
