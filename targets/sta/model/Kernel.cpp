// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Kernel.cpp - checks of an STA program when it is loaded ------------===//

#include "targets/sta/model/Kernel.h"

#include "runtime/program/Program_generated.h"
#include "runtime/units/InstructionChecks.h"

#include <algorithm>
#include <cmath>

namespace sparsam::sta {

using namespace runtime;

//===-- Instructions -------------------------------------------------------===//

namespace {

/// Checks the instructions one after the other.
class Checker : InstructionChecks {
public:
  Checker(Kernel &kernel, const Params &params)
      : InstructionChecks(kernel.stage), kernel_(kernel), geometry_(params.geometry),
        format_(params.softmax) {}

  Status atEnd() const {
    if (isOpen_)
      return makeError("ends while partial sums are in the engine; 'mm_sd' with 'last' is missing");
    return Status();
  }

  Status check(const insn::Config &config) {
    const double pairs = double(config.entries) * config.heads * config.queries * config.keys;
    if (pairs > 1e11)
      return makeError("an attention of ", pairs, " pairs is not possible");
    return all({expect("n", config.n, "parameter 'n'", geometry_.n),
                expect("m", config.m, "parameter 'm'", geometry_.m),
                expect("engines", config.engines, "parameter 'engines'", geometry_.engines),
                expect("rows", config.rows, "parameter 'tile_rows'", geometry_.rows),
                expect("cols", config.cols, "parameter 'tile_cols'", geometry_.cols)});
  }

  Status check(const insn::LoadW &i) {
    if (isAbsent(i.bitmaps) != isAbsent(i.bitmap_slot))
      return makeError("bitmaps need a source and a slot");
    Status values = expectShape(i.value_slot, tile(i.values).rows, tile(i.values).cols, "a slot");
    if (isAbsent(i.bitmaps) || !values)
      return values;
    const AddressGenerator &map = tile(i.bitmaps), &from = tile(i.values);
    return all({expectShape(i.bitmap_slot, map.rows, map.cols, "a slot of bitmaps"),
                expect("rows of bitmaps", map.rows, "rows of values", from.rows),
                expect("values per row", from.cols, "n per group", map.cols * geometry_.n)});
  }
  Status checkLoad(uint16_t source, uint16_t destination) {
    const AddressGenerator &to = tile(destination);
    return expectShape(source, to.rows, to.cols, "a source");
  }
  Status check(const insn::LoadAct &i) { return checkLoad(i.source, i.destination); }
  Status check(const insn::LoadConst &i) { return checkLoad(i.source, i.destination); }
  Status check(const insn::LoadMask &i) {
    kernel_.maskBinding = tile(i.source).binding;
    return checkLoad(i.source, i.destination);
  }
  Status check(const insn::StoreAct &i) {
    return all({expectResult(i.destination), checkLoad(i.source, i.destination)});
  }

  Status check(const insn::MmSd &i) {
    const AddressGenerator &w = tile(i.weights), &x = tile(i.source), &y = tile(i.destination);
    if (i.first == isOpen_)
      return makeError(isOpen_ ? "'first' would lose the partial sums in the engine"
                               : "expects 'first': there are no partial sums in the engine");
    isOpen_ = !i.last;
    Status status = all({expect("rows of the result", y.rows, "tokens of the source", x.rows),
                         expect("columns of the result", y.cols, "rows of weights", w.rows),
                         expectAtMost("rows of weights", w.rows, "engines * tile_rows",
                                      geometry_.engines * geometry_.rows),
                         expectAtMost("tokens", x.rows, "parameter 'tile_cols'", geometry_.cols)});
    if (!status)
      return status;
    if (isAbsent(i.bitmaps))
      status = expect("weights per row", w.cols, "columns of the source", x.cols);
    else
      status = all({expect("groups", int64_t(tile(i.bitmaps).cols) * geometry_.m,
                           "columns of the source", x.cols),
                    expect("rows of bitmaps", tile(i.bitmaps).rows, "rows of weights", w.rows),
                    expect("values per row", w.cols, "n per group",
                           int64_t(tile(i.bitmaps).cols) * geometry_.n)});
    if (status && !isAbsent(i.bias))
      status = expectShape(i.bias, 1, w.rows, "a bias");
    if (status && !isAbsent(i.residual))
      status = expectShape(i.residual, y.rows, y.cols, "a residual");
    return status;
  }

  Status check(const insn::MmDd &i) {
    const AddressGenerator &a = tile(i.a), &b = tile(i.b);
    const int64_t heads = i.heads;
    if (!std::isfinite(i.scale) || std::abs(i.scale) > 65536)
      return makeError("scale must be a number in [-65536, 65536], got ", i.scale);
    if (Status status =
            all({closed(), expectAtMost("heads", heads, "parameter 'engines'", geometry_.engines)});
        !status)
      return status;
    if (i.product == insn::Product::Scores)
      return all({expect("columns of b", b.cols, "columns of a", a.cols),
                  expect("columns of a beyond whole heads", a.cols % heads, "heads", 0),
                  expectShape(i.destination, heads * a.rows, b.rows, "scores")});
    return all({expect("columns of b", b.cols, "columns of a", a.cols),
                expect("rows of b beyond whole heads", b.rows % heads, "heads", 0),
                expectShape(i.destination, a.rows, b.rows / heads, "a context")});
  }

  Status check(const insn::Softmax &i) {
    const AddressGenerator &scores = tile(i.scores);
    if (scores.rows % i.heads != 0)
      return makeError("expects rows of scores for ", i.heads, " heads, got ", scores.rows);
    if (i.fraction > 31 || i.out_fraction > uint32_t(std::min(format_.levels, 15)))
      return makeError("expects fraction bits of at most 31 and ", std::min(format_.levels, 15),
                       " (parameter 'softmax_levels'), got ", i.fraction, " and ", i.out_fraction);
    if (isAbsent(i.mask))
      return Status();
    const AddressGenerator &mask = tile(i.mask);
    if (mask.rows != 1 && mask.rows != scores.rows / i.heads)
      return makeError("expects a mask of 1 or ", scores.rows / i.heads, " rows, got ", mask.rows);
    return expect("columns of the mask", mask.cols, "columns of the scores", scores.cols);
  }

  Status check(const insn::LayerNorm &i) {
    const AddressGenerator &x = tile(i.source);
    if (!(i.epsilon >= 0) || !std::isfinite(i.epsilon))
      return makeError("epsilon must be a number of at least 0, got ", i.epsilon);
    if (i.source_fraction > 31 || i.scale_fraction > 31 || i.fraction > 31)
      return makeError("expects at most 31 fraction bits");
    return all({expectShape(i.destination, x.rows, x.cols, "a result"),
                expectShape(i.scale, 1, x.cols, "a scale"),
                isAbsent(i.bias) ? Status() : expectShape(i.bias, 1, x.cols, "a bias")});
  }

  Status check(const insn::Reshuffle &i) {
    const AddressGenerator &x = tile(i.source);
    if (i.layout == insn::Layout::Transpose)
      return expectShape(i.destination, x.cols, x.rows, "a result");
    if (x.rows % i.heads != 0)
      return makeError("expects rows for ", i.heads, " heads, got ", x.rows);
    return expectShape(i.destination, x.rows / i.heads, int64_t(x.cols) * i.heads, "a result");
  }

  /// No partial sums may be in the engine.
  Status closed() const {
    if (!isOpen_)
      return Status();
    return makeError("the engine still holds partial sums; 'mm_sd' with 'last' is missing");
  }

private:
  Kernel &kernel_;
  const Geometry &geometry_;
  const SoftmaxFormat &format_;
  bool isOpen_ = false; ///< partial sums are in the engine
};

} // namespace

Result<Kernel> Kernel::load(const program::AcceleratorStage &table, const Params &params,
                            const Arch &arch) {
  Result<Kernel> kernel = loadStage<Kernel>(table, memorySpecs(params), "STA", arch);
  if (kernel)
    if (Status status = checkInstructions<insn::Config>(*kernel, Checker(*kernel, params)); !status)
      return status.error();
  return kernel;
}

} // namespace sparsam::sta
