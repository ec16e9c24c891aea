// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Session.cpp - makes a loaded program ready to run ------------------===//

#include "runtime/program/Session.h"

#include "runtime/program/ProgramChecker.h"
#include "runtime/program/Program_generated.h"
#include "runtime/program/SessionState.h"
#include "runtime/support/Parallel.h"
#include "runtime/support/Text.h"

namespace sparsam::runtime {

Session::Session() : state_(std::make_unique<State>()) {}
Session::~Session() = default;

const Program &Session::program() const { return *state_->program; }
const Arch *Session::arch() const { return state_->arch.get(); }

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Program> program,
                                                 const ModelRegistry &models) {
  std::unique_ptr<Session> session(new Session());
  State &state = *session->state_;
  state.program = std::move(program);
  const program::Program &table = state.program->table();
  for (unsigned i = 0; i < table.tensors()->size(); ++i) {
    TensorView view = viewOf(*table.tensors()->Get(i));
    // Kernels do not write to constants; the pages are mapped read-only.
    if (table.tensors()->Get(i)->kind() == program::TensorKind::constant)
      view.data = const_cast<uint8_t *>(state.program->constant(i).data());
    state.tensors.push_back(std::move(view));
  }
  if (Status status = state.allocateState(); !status)
    return makeError("cannot run program ", state.program->name(), ": ", status.error().message);
  if (table.target() && table.target()->size() > 0)
    if (Status status = state.createMachine(models); !status)
      return makeError("cannot run program ", state.program->name(), ": ", status.error().message);
  if (Status status = state.loadStages(); !status)
    return makeError("cannot run program ", state.program->name(), ": ", status.error().message);
  return session;
}

//===-- Machine ------------------------------------------------------------===//

static ParamValue paramValue(const program::Attribute &attribute) {
  switch (attribute.kind()) {
  case program::AttributeKind::flag:
    return attribute.i() != 0;
  case program::AttributeKind::real:
    return attribute.f();
  case program::AttributeKind::text:
    return attribute.s()->str();
  default:
    return attribute.i();
  }
}

/// Sets every declared parameter from the program; one that is missing would silently change
/// results.
static Status applyProgramArch(const program::Program &table, Arch &arch) {
  for (unsigned i = 0; table.arch() && i < table.arch()->size(); ++i) {
    const program::Attribute *attribute = table.arch()->Get(i);
    if (Status status = arch.set(attribute->name()->string_view(), paramValue(*attribute)); !status)
      return status;
  }
  for (const ParamInfo &param : arch.spec().params())
    if (!arch.isSet(param.name))
      return makeError("it does not state parameter '", param.name, "' of ", arch.spec().target(),
                       "; compile the model again");
  return Status();
}

Status Session::State::createMachine(const ModelRegistry &models) {
  const program::Program &table = program->table();
  std::string target = table.target()->str();
  const TargetModel *model = models.find(target);
  if (!model) {
    std::vector<std::string> names;
    for (const auto &[name, unused] : models.all())
      names.push_back(name);
    return makeError("it was compiled for target '", printable(target),
                     "', which this build does not have", suggestion(target, names));
  }
  auto spec = ArchSpec::parse(model->archYaml(), target + "/arch.yaml");
  if (!spec)
    return spec.error();
  const ParamInfo *clock = (*spec)->find(Arch::kClockParameter);
  if (!clock || clock->defaultValue.index() < 1 || clock->defaultValue.index() > 2)
    return makeError(target, "/arch.yaml must declare the number '", Arch::kClockParameter, "'");
  arch = std::make_unique<Arch>(spec.take());
  if (Status status = applyProgramArch(table, *arch); !status)
    return status;
  auto created = model->createMachine(*arch);
  if (!created)
    return created.error();
  machine = created.take();
  return Status();
}

/// What a machine may be given: floats, indices, and compressed weights.
static bool isWord(DType dtype) {
  return dtype == DType::f32 || dtype == DType::i64 || dtype == DType::i8 || dtype == DType::u8 ||
         dtype == DType::i16 || dtype == DType::u16;
}

Status Session::State::loadStages() {
  const program::Program &table = program->table();
  for (unsigned i = 0; i < table.stages()->size(); ++i) {
    const program::AcceleratorStage *stage = table.stages()->Get(i)->accelerator();
    if (!stage)
      continue;
    for (unsigned b = 0; stage->bindings() && b < stage->bindings()->size(); ++b) {
      const TensorView &view = tensors[size_t(stage->bindings()->Get(b))];
      if (!isWord(view.dtype))
        return makeError("binding ", b, " of kernel '", stage->name()->str(), "' is ",
                         runtime::name(view.dtype),
                         "; accelerators take float32, int64, and integers of 8 and 16 bits");
    }
    if (Status status = machine->load(*stage, i); !status)
      return status;
  }
  return Status();
}

//===-- Host ---------------------------------------------------------------===//

static HostAttribute hostAttribute(const program::Attribute &attribute) {
  switch (attribute.kind()) {
  case program::AttributeKind::real:
    return attribute.f();
  case program::AttributeKind::text:
    return attribute.s()->str();
  case program::AttributeKind::integers:
    return attribute.ints()
               ? std::vector<int64_t>(attribute.ints()->begin(), attribute.ints()->end())
               : std::vector<int64_t>();
  case program::AttributeKind::reals:
    return attribute.floats()
               ? std::vector<double>(attribute.floats()->begin(), attribute.floats()->end())
               : std::vector<double>();
  default:
    return int64_t(attribute.i());
  }
}

HostAttributes hostAttributes(const program::HostKernel &kernel) {
  HostAttributes attributes;
  for (unsigned i = 0; kernel.attributes() && i < kernel.attributes()->size(); ++i)
    attributes[kernel.attributes()->Get(i)->name()->str()] =
        hostAttribute(*kernel.attributes()->Get(i));
  return attributes;
}

Status Session::State::createHost(unsigned index) {
  const program::HostKernel *host = program->table().stages()->Get(index)->host();
  if (!host)
    return Status();
  std::vector<TensorView> inputs = viewsOf(host->inputs()), outputs = viewsOf(host->outputs());
  // A kernel may keep what it makes of constants, but no other data.
  for (unsigned i = 0; i < inputs.size(); ++i) {
    int32_t tensor = host->inputs()->Get(i);
    if (tensor >= 0 &&
        program->table().tensors()->Get(uint32_t(tensor))->kind() != program::TensorKind::constant)
      inputs[i].data = nullptr;
  }
  for (TensorView &output : outputs)
    output.data = nullptr;
  auto kernel = createHostKernel(host->op()->str(), hostAttributes(*host), inputs, outputs);
  if (!kernel) {
    std::string node = host->name() && host->name()->size()
                           ? " (node '" + printable(host->name()->string_view()) + "')"
                           : "";
    return makeError("stage ", index, node, ": ", kernel.error().message);
  }
  hostKernels[index] = kernel.take();
  return Status();
}

Status Session::State::prepareHost() {
  if (isPrepared)
    return Status();
  const program::Program &table = program->table();
  uint64_t arenaBytes = table.arena_bytes();
  std::optional<Tensor> memory;
  if (arenaBytes <= uint64_t(INT64_MAX))
    memory = Tensor::tryAllocate(DType::u8, {int64_t(arenaBytes)});
  if (!memory)
    return makeError("not enough memory for the ", arenaBytes, " bytes of activations");
  arena = *memory;
  for (unsigned i = 0; i < table.tensors()->size(); ++i)
    if (table.tensors()->Get(i)->kind() == program::TensorKind::activation)
      tensors[i].data = arena.as<uint8_t>() + table.tensors()->Get(i)->offset();
  hostKernels.resize(table.stages()->size());
  // Kernels pack the weights of a whole model: work for all threads.
  std::vector<Status> statuses(hostKernels.size());
  parallelFor(int64_t(hostKernels.size()),
              [&](int64_t i) { statuses[size_t(i)] = createHost(unsigned(i)); });
  for (const Status &status : statuses)
    if (!status)
      return status;
  isPrepared = true;
  return Status();
}

} // namespace sparsam::runtime
