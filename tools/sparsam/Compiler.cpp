// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Compiler.cpp - from a model to a program ---------------------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/io/File.h"
#include "runtime/io/Npy.h"
#include "runtime/report/Report.h"
#include "runtime/support/Text.h"
#include "sattn/Sattn.h"
#include "sparsam/Calibrated.h"
#include "sparsam/Conversion.h"
#include "sparsam/Decode.h"
#include "sparsam/Import.h"
#include "sparsam/Transforms.h"
#include "tools/common/Registry.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sparsam::driver {

//===-- Diagnostics --------------------------------------------------------===//

/// "model.onnx: node 'x'", as far as the location says.
static std::string describe(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return "node '" + name.getName().str() + "'";
  if (auto file = dyn_cast<FileLineColLoc>(loc))
    return file.getFilename().str() +
           (file.getLine() > 0 ? ":" + std::to_string(file.getLine()) : "");
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string text = describe(part); !text.empty())
        return text;
  return "";
}

/// True if a message starts with what it is about, so that its place need not be said again.
static bool saysPlace(StringRef text, StringRef place) {
  const bool isNode = text.starts_with(place);
  return isNode || (place.consume_front("node") && text.consume_front("initializer") &&
                    text.starts_with(place));
}

static std::string toText(Diagnostic &diagnostic) {
  std::string place = describe(diagnostic.getLocation()), text = diagnostic.str();
  if (!place.empty() && !saysPlace(text, place))
    text = place + ": " + text;
  for (Diagnostic &note : diagnostic.getNotes())
    text += "\n  note: " + note.str();
  // Names in a model may hold anything, an end of a string among it.
  for (char &c : text)
    c = (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f ? '?' : c;
  return text;
}

/// Where a crash inside a pass leaves the module and the pipeline.
static constexpr const char *kReproducer = "sparsam-reproducer.mlir";

namespace {

class ReproducerFile : public ReproducerStream {
public:
  explicit ReproducerFile(std::error_code &code) : file_(kReproducer, code) {}
  StringRef description() override { return kReproducer; }
  raw_ostream &os() override { return file_; }

private:
  llvm::raw_fd_ostream file_;
};

} // namespace

/// `code` says why there is no reproducer, if so.
static std::string describeCrash(std::error_code code) {
  const std::string text = "the compiler crashed in a pass; this is a bug", name = kReproducer;
  if (code)
    return text + "\n  note: cannot write " + name + ": " + code.message();
  return text + ", please report it with " + name +
         "\n  note: to see it again: sparsam-opt --run-reproducer " + name;
}

Compilation::Compilation() : takeWarning_(printWarning) {
  DialectRegistry registry;
  registerDialects(registry);
  context_ = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context_->loadAllAvailableDialects();
  context_->printOpOnDiagnostic(false);
  context_->getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    std::string text = toText(diagnostic);
    // What MLIR says of a crash comes from runPasses, in the words of a user.
    const bool isOfCrash = StringRef(text).contains("A signal was caught") ||
                           StringRef(text).contains("Failures have been detected while processing");
    isUncalibrated_ |= isMissingCalibration(diagnostic);
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && !isOfCrash)
      errors_.push_back(std::move(text));
    else if (diagnostic.getSeverity() == DiagnosticSeverity::Warning)
      takeWarning_(std::move(text));
    return success();
  });
}

Status Compilation::failed(const std::string &what) {
  if (errors_.empty())
    return makeError(what, " failed without saying why; this is a bug");
  std::string text;
  for (const std::string &error : errors_)
    text += (text.empty() ? "" : "\nerror: ") + error;
  errors_.clear();
  return makeError(text);
}

Status Compilation::runPasses(const std::function<void(OpPassManager &)> &add) {
  PassManager pm(context_.get(), ModuleOp::getOperationName());
  std::string crash;
  // Asked for whenever a pass fails; where it has said why, there is nothing to write down.
  pm.enableCrashReproducerGeneration([&](std::string &error) -> std::unique_ptr<ReproducerStream> {
    if (!errors_.empty())
      return nullptr;
    std::error_code code;
    auto file = std::make_unique<ReproducerFile>(code);
    crash = describeCrash(code);
    error = code.message();
    return code ? nullptr : std::move(file);
  });
  add(pm);
  if (succeeded(pm.run(*module_)))
    return Status();
  return crash.empty() ? failed("a pass") : makeError(crash);
}

//===-- Import -------------------------------------------------------------===//

/// Far more tokens than any model has positions for.
static constexpr int64_t kMaxCapacity = int64_t(1) << 24;

/// "name=1x128".
static Status addShape(const std::string &text, ImportOptions &options) {
  size_t equals = text.rfind('=');
  std::vector<int64_t> shape;
  bool isGood = equals != std::string::npos && equals > 0;
  SmallVector<StringRef> extents;
  if (isGood)
    StringRef(text).drop_front(equals + 1).split(extents, 'x');
  for (StringRef extent : extents) {
    int64_t value = 0;
    isGood &= !extent.getAsInteger(10, value) && value > 0;
    shape.push_back(value);
  }
  if (!isGood)
    return makeError("--shape ", text, " is not of the form NAME=1x128 with positive extents");
  if (!options.shapes.emplace(text.substr(0, equals), shape).second)
    return makeError("there are two --shape ", text.substr(0, equals), "; an input has one shape");
  return Status();
}

/// "past=1024".
static Result<CacheOptions> readCacheOption(const std::string &text) {
  auto [symbol, capacity] = StringRef(text).rsplit('=');
  CacheOptions options{symbol.str(), 0};
  if (symbol.empty() || capacity.getAsInteger(10, options.capacity) || options.capacity < 0 ||
      options.capacity > kMaxCapacity)
    return makeError("--cache ", text, " is not of the form NAME=1024 with 0 to ", kMaxCapacity,
                     " tokens");
  return options;
}

static Result<ImportOptions> readShapes(const std::vector<std::string> &shapes) {
  ImportOptions options;
  for (const std::string &shape : shapes)
    if (Status status = addShape(shape, options); !status)
      return status.error();
  return options;
}

Status Compilation::import(const std::string &path, const std::vector<std::string> &shapes,
                           const std::string &cache, const runtime::TensorMap *inputs) {
  auto options = readShapes(shapes);
  if (!options)
    return options.error();
  if (inputs)
    for (const auto &[name, tensor] : *inputs)
      options->tensorShapes[name] = tensor.shape();
  path_ = path;
  if (path.ends_with(".spx"))
    return makeError(path,
                     " is a compiled program; this takes the model that it was compiled from");
  if (cache.empty()) {
    module_ = importOnnx(path, *options, context_.get());
  } else {
    auto decoder = readCacheOption(cache);
    if (!decoder)
      return decoder.error();
    module_ = importDecoder(path, *options, *decoder, context_.get());
  }
  return module_ ? Status() : failed("the import of " + path);
}

Status Compilation::importGraph(const std::string &path, const std::vector<std::string> &shapes) {
  return import(path, shapes, "", nullptr);
}

Status Compilation::importModel(const std::string &path, const std::vector<std::string> &shapes,
                                const std::string &cache, const runtime::TensorMap *inputs) {
  if (Status status = import(path, shapes, cache, inputs); !status)
    return status;
  auto raise = [&](OpPassManager &pm) { buildRaisePipeline(pm, keepsRefused_); };
  if (Status status = cache.empty() ? runPasses(raise) : Status(); !status)
    return status;
  module_->walk([&](sattn::AttentionOp core) {
    ++attention_;
    places_.push_back(describe(core.getLoc()));
  });
  if (auto texts = (*module_)->getAttrOfType<ArrayAttr>(kNotRaisedAttr))
    for (auto text : texts.getAsRange<StringAttr>())
      notRaised_.push_back(text.str());
  return Status();
}

std::string listNotRaised(const std::vector<std::string> &texts) {
  std::string lines;
  for (const std::string &text : texts)
    lines += "  not raised: " + text + "\n";
  return lines;
}

void Compilation::buildAttention(const std::vector<int64_t> &q, int64_t keys, bool hasMask) {
  module_ = buildAttentionModule(context_.get(), q[0], q[1], q[2], keys, q[3], hasMask);
  attention_ = 1;
  path_ = "attention";
}

//===-- Lowering -----------------------------------------------------------===//

bool usesCalibration(AttentionMode mode, const runtime::Arch &arch) {
  return mode == AttentionMode::sparse ||
         (mode == AttentionMode::dense && neededRanges(arch).any());
}

Status Compilation::lower(const runtime::Arch &arch, AttentionMode mode,
                          const Calibration &calibration) {
  (*module_)->setAttr(isa::kArchAttr, toAttribute(context_.get(), arch));
  const bool onHost = mode == AttentionMode::host || mode == AttentionMode::calibrate;
  const Target *target = onHost ? nullptr : TargetRegistry::instance().lookup(arch.spec().target());
  PipelineOptions options;
  options.attention = mode;
  options.calibration = calibration;
  // All values of a core may have been set.
  std::erase_if(options.calibration, [](const auto &core) { return core.second.empty(); });
  isUncalibrated_ = false;
  Status status = runPasses([&](OpPassManager &pm) { buildCompilePipeline(pm, target, options); });
  // Where calibration is optional, most errors have nothing to do with it.
  if (!status && isUncalibrated_ && usesCalibration(mode, arch))
    return makeError(status.error().message, calibrationNote(arch, calibration));
  return status;
}

std::string Compilation::calibrationNote(const runtime::Arch &arch,
                                         const Calibration &calibration) const {
  std::vector<std::string> missing;
  for (const auto &[name, value] : calibratedParameters(arch)) {
    auto cores = llvm::count_if(calibration, [&](auto &core) { return core.second.count(name); });
    if (!arch.isSet(name) && size_t(cores) < attention_)
      missing.push_back(name);
  }
  if (missing.empty())
    return "";
  return "\n  note: --calibrate samples.npz takes " + runtime::join(missing, " and ") +
         " from sample inputs; `sparsam calibrate " + path_ + " --target " + arch.spec().target() +
         " --input samples.npz -o c.json` keeps them for --calibration c.json";
}

bool Compilation::isOfAttention(const std::string &error) const {
  return llvm::any_of(places_, [&](const std::string &place) {
    return !place.empty() && StringRef(error).starts_with(place + ": ");
  });
}

Json Compilation::weights() {
  auto values = (*module_)->getAttrOfType<DictionaryAttr>(kWeightsAttr);
  if (!values)
    return nullptr;
  Json json;
  for (const char *name : {"n", "m", "bytes_before", "bytes_after", "error"}) {
    Attribute value = values.get(name);
    if (auto number = dyn_cast_if_present<IntegerAttr>(value))
      json[name] = number.getInt();
    else if (auto real = dyn_cast_if_present<FloatAttr>(value))
      json[name] = real.getValueAsDouble();
  }
  return json;
}

Provenance Compilation::withWeights(Provenance provenance) {
  if (Json json = weights(); !json.is_null())
    provenance[runtime::kWeightsProvenance] = json.dump();
  return provenance;
}

Result<std::shared_ptr<const runtime::Program>>
Compilation::assembleTo(const std::string &path, const Provenance &provenance) {
  std::optional<Result<std::shared_ptr<const runtime::Program>>> program;
  // A program that the runtime refuses never gets its name.
  auto check = [&](const std::string &written) -> LogicalResult {
    auto file = runtime::MappedFile::open(written);
    if (!file) {
      program = file.error();
      return failure();
    }
    std::span<const uint8_t> bytes = (*file)->bytes();
    program = runtime::Program::fromBytes(bytes, file.take(), path);
    return success(bool(*program));
  };
  const bool isWritten = succeeded(assembleToFile(*module_, path, withWeights(provenance), check));
  const bool isRefused = program && !*program;
  if (!isWritten && !isRefused)
    return failed("assembly").error();
  return *program;
}

Result<std::shared_ptr<const runtime::Program>>
Compilation::assemble(const Provenance &provenance) {
  auto words = assembleToMemory(*module_, withWeights(provenance));
  if (mlir::failed(words))
    return failed("assembly").error();
  auto owner = std::make_shared<std::vector<uint64_t>>(std::move(*words));
  std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>(owner->data()),
                                 owner->size() * sizeof(uint64_t));
  return runtime::Program::fromBytes(bytes, owner, path_);
}

Result<std::unique_ptr<runtime::Session>>
Compilation::start(const runtime::Arch &arch, AttentionMode mode, const Calibration &calibration) {
  OwningOpRef<ModuleOp> kept = module_->clone();
  Status status = lower(arch, mode, calibration);
  auto program =
      status ? assemble({}) : Result<std::shared_ptr<const runtime::Program>>(status.error());
  module_ = std::move(kept);
  if (!program)
    return program.error();
  return createSession(program.take());
}

//===-- Options ------------------------------------------------------------===//

void ModelOptions::addTo(CLI::App &command, const char *what, const char *type) {
  command.add_option("model", model, what)->required()->type_name(type);
  machine.addTo(command);
  command.add_option("--shape", shapes, "Shape of an input that is dynamic; may be repeated")
      ->type_name("NAME=1x128")
      ->allow_extra_args(false);
  command
      .add_option("--cache", cache,
                  "Keep caches of up to so many tokens; NAME is the dimension that counts them")
      ->type_name("NAME=1024");
  command
      .add_option("--calibrate", samples, "Calibrate on these inputs (.npz) first; may be repeated")
      ->type_name("FILE[@A:B]")
      ->allow_extra_args(false);
  command.add_option("--calibration", calibrationFile, "What `sparsam calibrate` wrote")
      ->type_name("FILE");
  auto *mode =
      command
          .add_option("--attention", attention,
                      "sparse: the target's selection; dense: every pair, on the target; host")
          ->check(CLI::IsMember({"sparse", "dense", "host"}));
  command.add_flag("--dense", dense, "The same as --attention dense")->excludes(mode);
}

std::vector<NamedFile> modelFiles(const std::string &path) {
  if (path.ends_with(".spx"))
    return {{"the program", path}};
  std::vector<NamedFile> files = {{"the model", path}};
  for (std::string &file : listExternalFiles(path))
    files.push_back({"the weights of the model", std::move(file)});
  return files;
}

std::vector<NamedFile> ModelOptions::paths() const {
  std::vector<NamedFile> files = modelFiles(model);
  for (const std::string &file : samples)
    files.push_back({"the samples", withoutRows(file)});
  files.insert(files.end(),
               {{"the calibration", calibrationFile}, {"the parameters", machine.file}});
  return files;
}

AttentionMode ModelOptions::mode() const {
  if (dense || attention == "dense")
    return AttentionMode::dense;
  return attention == "host" ? AttentionMode::host : AttentionMode::sparse;
}

Result<Calibration> ModelOptions::calibration(Compilation &compilation,
                                              const runtime::Arch &arch) const {
  if (!samples.empty() && !calibrationFile.empty())
    return makeError("give either --calibrate or --calibration");
  if (!calibrationFile.empty())
    return readCalibration(calibrationFile, arch);
  if (samples.empty() || !usesCalibration(mode(), arch))
    return Calibration();
  auto tensors = readSamples(samples);
  if (!tensors)
    return tensors.error();
  return compilation.calibrate(*tensors, arch);
}

Status ModelOptions::compile(Compilation &compilation, const runtime::Arch &arch,
                             const runtime::TensorMap *inputs) const {
  showProgress("import " + model);
  if (Status status = compilation.importModel(model, shapes, cache, inputs); !status)
    return status;
  if (!samples.empty())
    showProgress("calibrate on " + runtime::join(samples, " and "));
  auto values = calibration(compilation, arch);
  if (!values)
    return values.error();
  showProgress("lower " + model);
  Status status = compilation.lower(arch, mode(), *values);
  const bool hasRemedy = status ||
                         StringRef(status.error().message).contains("note: --calibrate") ||
                         StringRef(status.error().message).contains("--attention host");
  if (hasRemedy || mode() == AttentionMode::host ||
      !compilation.isOfAttention(status.error().message))
    return status;
  return makeError(status.error().message,
                   "\n  note: --attention host runs attention on the host instead");
}

Provenance ModelOptions::provenance(const runtime::Arch &arch) const {
  Provenance result = {{"model", model}, {"attention", dense ? "dense" : attention}};
  for (const runtime::ParamInfo &param : arch.spec().params())
    if (arch.isSet(param.name))
      result["set " + param.name] = runtime::toString(arch.value(param.name));
  return result;
}

} // namespace sparsam::driver
