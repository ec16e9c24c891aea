// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Tensor.h - dense tensors in host memory ----------------------------===//
#ifndef SPARSAM_RUNTIME_PROGRAM_TENSOR_H
#define SPARSAM_RUNTIME_PROGRAM_TENSOR_H

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sparsam::runtime {

/// Element types, numbered as in Program.fbs.
enum class DType : uint8_t { f32, i64, i32, i8, u8, boolean, f16, f64, i16, u16 };

/// Bytes of one element.
unsigned byteWidth(DType dtype);
/// "float32", "int64", "bool": NumPy's names.
const char *name(DType dtype);

using Shape = std::vector<int64_t>;
/// Product of the dimensions; 1 for a scalar.
int64_t elementCount(const Shape &shape);
/// Bytes of a tensor; nothing if a dimension is negative or the product does not fit.
std::optional<uint64_t> checkedBytes(DType dtype, const Shape &shape);
/// "1x12x64", or "scalar".
std::string toString(const Shape &shape);

/// A dense row-major tensor somewhere in memory; does not own it.
struct TensorView {
  DType dtype = DType::f32;
  Shape shape;
  void *data = nullptr;
  bool isAbsent = false; ///< an optional operand that is not there

  int64_t elements() const { return elementCount(shape); }
  uint64_t bytes() const { return uint64_t(elements()) * byteWidth(dtype); }
  template <typename T> T *as() const { return static_cast<T *>(data); }
};

/// A dense row-major tensor with its memory (64-byte aligned).
class Tensor {
public:
  Tensor() = default;
  /// Zero-filled. The shape is one that the program has checked; for shapes from a file use
  /// tryAllocate.
  Tensor(DType dtype, Shape shape);
  /// Zero-filled, or nothing if the shape is impossible or there is not enough memory.
  static std::optional<Tensor> tryAllocate(DType dtype, Shape shape);

  const TensorView &view() const { return view_; }
  DType dtype() const { return view_.dtype; }
  const Shape &shape() const { return view_.shape; }
  int64_t elements() const { return view_.elements(); }
  uint64_t bytes() const { return view_.bytes(); }
  template <typename T> T *as() const { return view_.as<T>(); }

private:
  TensorView view_;
  std::shared_ptr<void> storage_;
};

/// Tensors by name, as in an .npz archive.
using TensorMap = std::map<std::string, Tensor>;

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_TENSOR_H
