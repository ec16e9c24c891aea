// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ImportDecoder.cpp - read a decoder that keeps a cache --------------===//

#include "sparsam/Decode.h"

#include "Decode/Variants.h"
#include "Support/NodeName.h"

#include "sparsam/Pipelines.h"

#include "onnx/Onnx.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sparsam {

namespace {

/// Numbers of past tokens at which models are looked at besides the largest one: odd, so that they
/// are rarely extents of something else.
constexpr int64_t kFewTokens = 7, kMoreTokens = 11;

class DecoderImport {
public:
  DecoderImport(OnnxFile &file, const ImportOptions &options, const CacheOptions &cache)
      : file(file), options(options), cache(cache) {}

  OwningOpRef<ModuleOp> run() {
    if (failed(checkSymbol()))
      return {};
    if (cache.capacity == 0)
      return importWithout();
    const int64_t more = std::max(kMoreTokens, cache.capacity / 2 | 1);
    OwningOpRef<ModuleOp> first = importAt(kFewTokens);
    OwningOpRef<ModuleOp> second = first ? importLonger(more) : OwningOpRef<ModuleOp>();
    if (!second)
      return {};
    FailureOr<int64_t> step = findStep(*first, *second);
    if (failed(step))
      return {};
    OwningOpRef<ModuleOp> base = importLonger(cache.capacity - *step);
    if (!base)
      return {};
    Variants variants({{kFewTokens, getMain(*first)},
                       {more, getMain(*second)},
                       {cache.capacity - *step, getMain(*base)}});
    if (failed(variants.compare()) || failed(generalize(variants, cache.capacity, *step)) ||
        failed(simplify(*base)))
      return {};
    return base;
  }

private:
  static func::FuncOp getMain(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("main"); }

  OwningOpRef<ModuleOp> importAt(int64_t past) {
    ImportOptions at = options;
    at.symbols[cache.symbol] = past;
    OwningOpRef<ModuleOp> module = file.import(at);
    if (!module)
      return {};
    PassManager manager(module->getContext());
    buildRaisePipeline(manager);
    return succeeded(manager.run(*module)) ? std::move(module) : OwningOpRef<ModuleOp>();
  }

  /// As importAt, where fewer tokens are no problem: an error says how many there may be.
  OwningOpRef<ModuleOp> importLonger(int64_t past) {
    std::string error;
    OwningOpRef<ModuleOp> module = tryImportAt(past, error);
    if (module)
      return module;
    int64_t good = kFewTokens, bad = past;
    while (bad - good > 1) {
      const int64_t middle = good + (bad - good) / 2;
      (tryImportAt(middle, error) ? good : bad) = middle;
    }
    InFlightDiagnostic limit = emitError(file.getLoc());
    limit << "--cache " << cache.symbol << "=" << cache.capacity
          << ": the model has no positions for so many tokens; it takes at most " << good
          << " past tokens";
    limit.attachNote() << "with " << bad << ", " << error;
    return {};
  }

  /// As importAt, but keeps the first error to itself.
  OwningOpRef<ModuleOp> tryImportAt(int64_t past, std::string &error) {
    std::string first;
    ScopedDiagnosticHandler handler(file.getLoc().getContext(), [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      std::string node = getNodeName(diagnostic.getLocation());
      if (first.empty())
        first = (node.empty() ? "" : "node '" + node + "': ") + diagnostic.str();
      return success();
    });
    OwningOpRef<ModuleOp> module = importAt(past);
    if (!module)
      error = first;
    return module;
  }

  static LogicalResult simplify(ModuleOp module) {
    PassManager manager(module.getContext());
    manager.addPass(createCanonicalizerPass());
    manager.addPass(createCSEPass());
    return manager.run(module);
  }

  /// Caches of no tokens are no inputs: what was appended to them is all there is.
  OwningOpRef<ModuleOp> importWithout() {
    OwningOpRef<ModuleOp> module = importAt(0);
    if (!module)
      return {};
    func::FuncOp main = getMain(*module);
    for (unsigned i = main.getNumArguments(); i-- > 0;) {
      auto type = cast<RankedTensorType>(main.getArgument(i).getType());
      if (type.getNumElements() == 0 && main.getArgument(i).use_empty() &&
          failed(main.eraseArgument(i)))
        return {};
    }
    return module;
  }

  /// How many tokens a run appends to the caches.
  FailureOr<int64_t> findStep(ModuleOp first, ModuleOp second) {
    func::FuncOp few = getMain(first), more = getMain(second);
    for (auto [a, b] : llvm::zip(few.getArguments(), more.getArguments())) {
      if (a.getType() == b.getType())
        continue;
      auto appends = [&](Operation *user) {
        auto concat = dyn_cast<onnx::ConcatOp>(user);
        return concat && concat.getInputs()[0] == a;
      };
      auto concat = llvm::find_if(a.getUsers(), appends);
      if (concat == a.getUsers().end())
        continue;
      const int64_t step = count((*concat)->getResult(0), a);
      if (step < cache.capacity)
        return step;
      emitError(file.getLoc()) << "--cache " << cache.symbol << "=" << cache.capacity
                               << " has no room for past tokens: a run appends " << step;
      return failure();
    }
    emitError(file.getLoc()) << "--cache " << cache.symbol << "=" << cache.capacity
                             << ": nothing is appended to an input with the dimension '"
                             << cache.symbol << "' (expects Concat(past, new))";
    return failure();
  }

  static int64_t count(Value whole, Value past) {
    auto large = cast<RankedTensorType>(whole.getType()),
         small = cast<RankedTensorType>(past.getType());
    for (auto [a, b] : llvm::zip(large.getShape(), small.getShape()))
      if (a != b)
        return a - b;
    return 0;
  }

  /// Refuses a symbol that no input has, alone or in a sum.
  LogicalResult checkSymbol() const {
    const std::vector<std::string> symbols = file.getSymbols();
    auto hasIt = [&](StringRef symbol) {
      return symbol == cache.symbol || llvm::any_of(llvm::split(symbol, '+'), [&](StringRef part) {
               return part.trim() == cache.symbol;
             });
    };
    if (llvm::any_of(symbols, hasIt))
      return success();
    return emitError(file.getLoc())
           << "--cache " << cache.symbol << "=" << cache.capacity << ": no input has a dimension '"
           << cache.symbol << "'"
           << (symbols.empty() ? "; all dimensions are fixed"
                               : "; there are " + llvm::join(symbols, ", "));
  }

  OnnxFile &file;
  const ImportOptions &options;
  const CacheOptions &cache;
};

} // namespace

OwningOpRef<ModuleOp> importDecoder(const std::string &path, const ImportOptions &options,
                                    const CacheOptions &cache, MLIRContext *context) {
  std::unique_ptr<OnnxFile> file = OnnxFile::open(path, context);
  return file ? DecoderImport(*file, options, cache).run() : OwningOpRef<ModuleOp>();
}

} // namespace sparsam
