// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ExplainCommand.cpp - sparsam explain -------------------------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/report/Table.h"
#include "sattn/Sattn.h"

#include "llvm/Support/raw_ostream.h"

namespace sparsam::driver {

namespace {

class ExplainCommand : public Command {
public:
  explicit ExplainCommand(CLI::App &command) {
    options_.addTo(command);
    command
        .add_option("--print", print_,
                    "Print the IR instead: onnx (as imported), sattn (after raising) or machine "
                    "(after lowering)")
        ->check(CLI::IsMember({"onnx", "sattn", "machine"}));
    command.add_flag("--with-weights", hasWeights_,
                     "Print weights and names of nodes, too: what sparsam-opt can go on from");
    addJson(command);
  }

  Status run() override {
    // Up to raising, no machine is asked.
    const bool isForMachine = print_ == "machine" || options_.machine.isGiven();
    Result<runtime::Arch> arch = makeError("not needed");
    if (isForMachine && !(arch = options_.machine.resolve()))
      return arch.error();
    if (hasWeights_ && print_.empty())
      return makeError("--with-weights goes with --print");
    Compilation compilation;
    if (print_ == "onnx")
      return printGraph(compilation);
    if (!isForMachine)
      compilation.keepRefused();
    if (Status status = compilation.importModel(options_.model, options_.shapes, options_.cache);
        !status)
      return status;
    if (print_ == "machine")
      if (Status status = lower(compilation, *arch); !status)
        return status;
    if (!print_.empty())
      return printIr(compilation);
    Json report = {{"model", options_.model},
                   {"attention", listCores(compilation.module())},
                   {"not_raised", compilation.notRaised()}};
    report["host"] = countOperations(compilation.module());
    if (isForMachine)
      placeOn(compilation, *arch, report);
    print(report, [&] { return format(report, compilation.notRaised()); });
    return Status();
  }

private:
  /// What runs where, which is known once the model is lowered for the machine, or why it cannot
  /// be.
  void placeOn(Compilation &compilation, const runtime::Arch &arch, Json &report) const {
    report["target"] = arch.spec().target();
    if (Status status = lower(compilation, arch); !status) {
      report["error"] = status.error().message;
      return;
    }
    report["kernels"] = listKernels(compilation.module());
    report["host"] = countOperations(compilation.module());
  }

  static std::vector<int64_t> shapeOf(mlir::Value value) {
    auto shape = mlir::cast<mlir::ShapedType>(value.getType()).getShape();
    return {shape.begin(), shape.end()};
  }

  static Json listCores(mlir::ModuleOp module) {
    Json cores = Json::array();
    module.walk([&](sattn::AttentionOp core) {
      auto name = core->getAttrOfType<mlir::StringAttr>(sattn::kNameAttr);
      cores.push_back({{"name", name ? name.str() : ""},
                       {"query", shapeOf(core.getQuery())},
                       {"key", shapeOf(core.getKey())},
                       {"mask", core.getMask() ? Json(shapeOf(core.getMask())) : Json(nullptr)},
                       {"causal", core.getCausal()},
                       {"scale", core.getScale().convertToDouble()}});
    });
    return cores;
  }

  static Json listKernels(mlir::ModuleOp module) {
    Json kernels = Json::array();
    for (auto kernel : module.getOps<isa::KernelOp>())
      kernels.push_back(kernel.getSymName().str());
    return kernels;
  }

  /// What is not of an attention core, by operation.
  static Json countOperations(mlir::ModuleOp module) {
    std::map<std::string, int> counts;
    module.walk([&](mlir::Operation *op) {
      llvm::StringRef name = op->getName().getStringRef();
      if ((name.starts_with("onnx.") || name.starts_with("sattn.")) && name != "onnx.Constant" &&
          !mlir::isa<sattn::AttentionOp>(op))
        ++counts[name.str()];
    });
    Json json = Json::object();
    for (const auto &[name, count] : counts)
      json[name] = count;
    return json;
  }

  static std::string format(const Json &report, const std::vector<std::string> &notRaised) {
    auto shape = [](const Json &list) {
      std::string text;
      for (const Json &extent : list)
        text += (text.empty() ? "" : "x") + extent.dump();
      return list.is_null() ? std::string("none") : text;
    };
    runtime::Table cores({"attention core", "query", "key", "mask", "causal", "scale"});
    for (const Json &core : report["attention"])
      cores.addRow({core["name"], shape(core["query"]), shape(core["key"]), shape(core["mask"]),
                    core["causal"] ? "yes" : "no", core["scale"].dump()});
    runtime::Table host(
        {report.contains("kernels") ? "on the host" : "besides attention", "times"});
    for (const auto &[name, count] : report["host"].items())
      host.addRow({name, count.dump()});
    return cores.toString() + listNotRaised(notRaised) + describeMachine(report) + "\n" +
           host.toString();
  }

  /// "  on sta: layer_0, layer_1", or why nothing is there; empty where no machine was named.
  static std::string describeMachine(const Json &report) {
    if (!report.contains("target"))
      return "";
    std::string names;
    if (report.contains("kernels"))
      for (const Json &name : report["kernels"])
        names += (names.empty() ? "" : ", ") + name.get<std::string>();
    const std::string target = report["target"];
    if (report.contains("error"))
      return "\n  does not compile for " + target + ": " + report["error"].get<std::string>() +
             "\n";
    return "\n  on " + target + ": " + (names.empty() ? "nothing" : names) + "\n";
  }

  Status lower(Compilation &compilation, const runtime::Arch &arch) const {
    auto calibration = options_.calibration(compilation, arch);
    if (!calibration)
      return calibration.error();
    return compilation.lower(arch, options_.mode(), *calibration);
  }

  Status printGraph(Compilation &compilation) const {
    if (!options_.cache.empty())
      return makeError("--cache changes what a model is raised to: it goes with --print sattn and "
                       "--print machine");
    if (Status status = compilation.importGraph(options_.model, options_.shapes); !status)
      return status;
    return printIr(compilation);
  }

  Status printIr(Compilation &compilation) const {
    mlir::OpPrintingFlags flags;
    if (hasWeights_)
      flags.enableDebugInfo();
    else
      flags.elideLargeElementsAttrs(16).elideLargeResourceString(16);
    compilation.module().print(llvm::outs(), flags);
    return Status();
  }

  ModelOptions options_;
  std::string print_;
  bool hasWeights_ = false;
};

} // namespace

void addExplain(CLI::App &app) {
  addCommand<ExplainCommand>(
      app, "explain", "Say what a model consists of, and why attention was not recognised",
      "  sparsam explain model.onnx --shape tokens=1x128\n"
      "  sparsam explain model.onnx --print sattn\n"
      "  sparsam explain model.onnx --print onnx --with-weights | sparsam-opt --onnx-fuse\n"
      "  sparsam explain model.onnx --target NAME --calibrate samples.npz --print machine\n");
}

} // namespace sparsam::driver
