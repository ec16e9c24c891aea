// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TestPrograms.h - programs of host kernels for tests ----------------===//
#ifndef SPARSAM_RUNTIME_TEST_TESTPROGRAMS_H
#define SPARSAM_RUNTIME_TEST_TESTPROGRAMS_H

#include "runtime/program/Session.h"
#include "runtime/test/ToyMachine.h"

namespace sparsam::runtime::toy {

namespace p = sparsam::program;

/// A program under construction: tensors, and host kernels on them.
struct HostProgram {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<p::Tensor>> tensors;
  std::vector<flatbuffers::Offset<p::Stage>> stages;
  std::vector<int32_t> inputs, outputs;
  flatbuffers::Offset<p::Cache> cache;

  int32_t tensor(const char *name, p::TensorKind kind, p::DType dtype, std::vector<int64_t> shape,
                 uint64_t offset = 0) {
    uint64_t bytes = *checkedBytes(DType(dtype), shape);
    tensors.push_back(p::CreateTensorDirect(b, name, dtype, &shape, kind, offset, bytes));
    return int32_t(tensors.size() - 1);
  }
  void kernel(const char *op, std::vector<int32_t> in, std::vector<int32_t> out, double addend = 0,
              const char *coreName = nullptr) {
    std::vector<flatbuffers::Offset<p::Attribute>> attributes{
        p::CreateAttributeDirect(b, "addend", p::AttributeKind::real, 0, addend)};
    if (coreName)
      attributes.push_back(
          p::CreateAttributeDirect(b, "sattn.name", p::AttributeKind::text, 0, 0, coreName));
    stages.push_back(
        p::CreateStage(b, p::CreateHostKernelDirect(b, op, "node_7", &in, &out, &attributes)));
  }
  std::vector<uint64_t> file(const std::vector<float> &data = {}) {
    b.Finish(p::CreateProgramDirect(b, "test", "", nullptr, nullptr, &tensors, &inputs, &outputs,
                                    &stages, 4096, data.size() * 4, 4096, cache),
             p::ProgramIdentifier());
    return framed(b, data);
  }
};

/// Keeps a program's bytes alive.
inline Result<std::unique_ptr<Session>> session(std::vector<uint64_t> file,
                                                const std::string &archYaml = kArchYaml) {
  auto owner = std::make_shared<std::vector<uint64_t>>(std::move(file));
  auto program = Program::fromBytes(bytesOf(*owner), owner, "t.spx");
  if (!program)
    return program.error();
  ModelRegistry models;
  models.add("toy", std::make_unique<Model>(archYaml));
  return Session::create(program.take(), models);
}

inline Tensor floats(Shape shape, float first, float step) {
  Tensor tensor(DType::f32, std::move(shape));
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.as<float>()[i] = first + float(i) * step;
  return tensor;
}

} // namespace sparsam::runtime::toy

#endif // SPARSAM_RUNTIME_TEST_TESTPROGRAMS_H
