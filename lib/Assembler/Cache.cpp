// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Cache.cpp - what a program keeps, as attributes say ----------------===//

#include "Assembler/ProgramImage.h"

#include "sattn/Sattn.h"

using namespace mlir;

namespace sparsam {

FailureOr<std::optional<CacheImage>> readCache(func::FuncOp main) {
  auto attribute = main->getDiscardableAttr(sattn::kCacheAttr);
  if (!attribute)
    return std::optional<CacheImage>();
  auto settings = dyn_cast<DictionaryAttr>(attribute);
  auto capacity = settings ? settings.getAs<IntegerAttr>("capacity") : IntegerAttr();
  auto step = settings ? settings.getAs<IntegerAttr>("step") : IntegerAttr();
  if (!capacity || !step || step.getInt() < 1 || step.getInt() > capacity.getInt())
    return emitError(main.getLoc())
           << "@main expects `" << sattn::kCacheAttr
           << "` = {capacity = C, step = S} with 1 <= S <= C, got " << attribute;
  CacheImage cache;
  cache.capacity = uint64_t(capacity.getInt());
  cache.step = uint64_t(step.getInt());
  return std::optional<CacheImage>(cache);
}

/// The extent of an argument along the axis that counts tokens; fails where there is none.
static FailureOr<int64_t> getTokens(func::FuncOp main, unsigned number, IntegerAttr axis) {
  auto type = dyn_cast<RankedTensorType>(main.getArgument(number).getType());
  if (type && axis.getInt() >= 0 && axis.getInt() < type.getRank())
    return type.getDimSize(unsigned(axis.getInt()));
  return emitError(main.getLoc()) << "argument " << number << " of type "
                                  << main.getArgument(number).getType() << " has no axis "
                                  << axis.getInt() << " to count tokens (`" << sattn::kTokensAttr
                                  << "`)";
}

FailureOr<ArgumentRole> readRole(func::FuncOp main, unsigned number) {
  ArgumentRole role;
  FailureOr<std::optional<CacheImage>> cache = readCache(main);
  if (failed(cache) || !*cache)
    return failed(cache) ? FailureOr<ArgumentRole>(failure()) : role;
  role.isLength = bool(main.getArgAttr(number, sattn::kLengthAttr));
  if (auto output = main.getArgAttrOfType<StringAttr>(number, sattn::kStateAttr))
    role.output = output.str();
  auto axis = main.getArgAttrOfType<IntegerAttr>(number, sattn::kTokensAttr);
  if (!axis)
    return role;
  FailureOr<int64_t> tokens = getTokens(main, number, axis);
  if (failed(tokens))
    return failure();
  role.axis = int(axis.getInt());
  const int64_t capacity = int64_t((*cache)->capacity), before = capacity - int64_t((*cache)->step);
  if (!role.output.empty() && *tokens != capacity)
    return emitError(main.getLoc()) << "argument " << number << " holds " << *tokens
                                    << " tokens, the capacity of the caches is " << capacity;
  if (*tokens < before)
    return emitError(main.getLoc())
           << "argument " << number << " of " << *tokens
           << " tokens is shorter than the caches may be before a run, " << before;
  role.extra = uint64_t(*tokens - before);
  return role;
}

} // namespace sparsam
