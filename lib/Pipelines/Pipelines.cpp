// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pipelines.cpp - the named pipelines from a model to a program ------===//

#include "sparsam/Pipelines.h"

#include "sattn/Sattn.h"
#include "sparsam/Conversion.h"
#include "sparsam/IsaPasses.h"
#include "sparsam/OnnxPasses.h"
#include "sparsam/TargetPasses.h"
#include "sparsam/Transforms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

#include <cmath>

using namespace mlir;

namespace sparsam {

void buildRaisePipeline(OpPassManager &pm, bool keepsRefused) {
  pm.addPass(createFuseOnnx());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createRaiseOnnxToSattn({keepsRefused}));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static SparsifyMode getSparsifyMode(AttentionMode mode) {
  switch (mode) {
  case AttentionMode::sparse:
    return SparsifyMode::sparse;
  case AttentionMode::dense:
    return SparsifyMode::dense;
  case AttentionMode::host:
  case AttentionMode::calibrate:
    return SparsifyMode::host;
  }
  llvm_unreachable("all modes are listed");
}

/// Null target, or mode host: attention stays.
static void addCompilePasses(OpPassManager &pm, const Target *target,
                             const SparsifyOptions &options) {
  const bool isOnTarget = target && options.mode != SparsifyMode::host;
  if (isOnTarget)
    target->addPreparationPasses(pm, options.mode);
  pm.addPass(createSparsify(options));
  if (!isOnTarget)
    return;
  pm.addPass(createPartition());
  target->addLoweringPasses(pm);
  pm.addPass(createAllocateBuffers());
}

void buildCompilePipeline(OpPassManager &pm, const Target *target, const PipelineOptions &options) {
  SparsifyOptions sparsify;
  sparsify.mode = target ? getSparsifyMode(options.attention) : SparsifyMode::host;
  sparsify.calibration = formatCalibration(options.calibration);
  addCompilePasses(pm, target, sparsify);
}

//===-- For sparsam-opt ----------------------------------------------------===//

namespace {

struct CompileOptions : PassPipelineOptions<CompileOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("Name of the target")};
  Option<std::string> preset{*this, "preset", llvm::cl::desc("Preset of its arch.yaml")};
  ListOption<std::string> settings{*this, "settings", llvm::cl::desc("Parameters, name=value")};
  Option<SparsifyMode> attention{
      *this, "attention", llvm::cl::desc("Where attention runs"),
      llvm::cl::init(SparsifyMode::sparse),
      llvm::cl::values(
          clEnumValN(SparsifyMode::sparse, "sparse", "On the target, with its selection policy"),
          clEnumValN(SparsifyMode::dense, "dense", "On the target, keeping every pair"),
          clEnumValN(SparsifyMode::host, "host", "On the host"))};
  Option<std::string> calibration{
      *this, "calibration", llvm::cl::desc("core:name=value,...;core:..., as sattn-sparsify")};
};

} // namespace

void registerPipelines() {
  PassPipelineRegistration<>(
      "sparsam-raise", "From onnx to sattn: fuse sub-graphs, raise attention and linear layers",
      [](OpPassManager &pm) { buildRaisePipeline(pm); });
  PassPipelineRegistration<CompileOptions>(
      "sparsam-compile", "From sattn to the machine form of a target, with buffers allocated",
      [](OpPassManager &pm, const CompileOptions &options) {
        SetTargetOptions setTarget;
        setTarget.target = options.target;
        setTarget.preset = options.preset;
        setTarget.settings.assign(options.settings.begin(), options.settings.end());
        pm.addPass(createSetTarget(setTarget));
        SparsifyOptions sparsify;
        sparsify.mode = options.attention;
        sparsify.calibration = options.calibration;
        addCompilePasses(pm, TargetRegistry::instance().lookup(options.target), sparsify);
      });
}

//===-- One attention core -------------------------------------------------===//

OwningOpRef<ModuleOp> buildAttentionModule(MLIRContext *context, int64_t batch, int64_t heads,
                                           int64_t queries, int64_t keys, int64_t headDim,
                                           bool hasMask) {
  context->loadDialect<func::FuncDialect, sattn::SattnDialect, isa::IsaDialect>();
  OpBuilder builder(context);
  Location loc = NameLoc::get(builder.getStringAttr("attention_0"));
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  Type real = builder.getF32Type();
  auto query = RankedTensorType::get({batch, heads, queries, headDim}, real);
  auto key = RankedTensorType::get({batch, heads, keys, headDim}, real);
  SmallVector<Type> inputs = {query, key, key};
  SmallVector<StringRef> names = {"q", "k", "v"};
  if (hasMask) {
    inputs.push_back(RankedTensorType::get({batch, 1, 1, keys}, real));
    names.push_back("mask");
  }
  builder.setInsertionPointToEnd(module->getBody());
  auto main = func::FuncOp::create(builder, loc, "main", builder.getFunctionType(inputs, {query}));
  for (auto [number, name] : llvm::enumerate(names))
    main.setArgAttr(number, "onnx.name", builder.getStringAttr(name));
  main.setResultAttr(0, "onnx.name", builder.getStringAttr("out"));
  Block *body = main.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  auto core =
      sattn::AttentionOp::create(builder, loc, query, body->getArgument(0), body->getArgument(1),
                                 body->getArgument(2), hasMask ? body->getArgument(3) : Value(),
                                 builder.getF32FloatAttr(float(1.0 / std::sqrt(double(headDim)))),
                                 /*causal=*/UnitAttr(), sattn::DenseAttr::get(context));
  core->setDiscardableAttr(sattn::kNameAttr, builder.getStringAttr("attention_0"));
  func::ReturnOp::create(builder, loc, core.getOutput());
  return module;
}

} // namespace sparsam
