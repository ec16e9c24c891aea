// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TensorsTest.cpp - weights, small tensors, external data ------------===//

#include "Fixture.h"

#include "onnx/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace sparsam;

class TensorsTest : public test::ImportTest {
protected:
  /// The model is the one tensor.
  TensorsTest() { addOutput("w"); }

  proto::TensorProto &addExternal(const std::string &location) {
    proto::TensorProto &tensor = addInitializer("w", {1024});
    tensor.set_data_location(proto::TensorProto::EXTERNAL);
    setExternal(tensor, "location", location);
    return tensor;
  }
  static void setExternal(proto::TensorProto &tensor, const std::string &key,
                          const std::string &value) {
    auto &entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
};

TEST_F(TensorsTest, MapsLargeWeights) {
  addWeight("w", {1024});
  std::string path = write("model.onnx", model.SerializeAsString());
  auto module = importOnnx(path, options, &context);
  ASSERT_TRUE(module) << diagnostics;
  // The file may go; the mapping lives as long as the context.
  std::filesystem::remove(path);
  sparsam::onnx::ConstantOp constant;
  module->walk([&](sparsam::onnx::ConstantOp op) { constant = op; });
  auto resource = mlir::dyn_cast<mlir::DenseResourceElementsAttr>(constant.getValue());
  ASSERT_TRUE(resource);
  mlir::AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  ASSERT_EQ(blob->getData().size(), 4096u);
  float last;
  std::memcpy(&last, blob->getData().data() + 4092, 4);
  EXPECT_EQ(last, 1023.0f);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(blob->getData().data()) % blob->getDataAlignment(), 0u);
}

TEST_F(TensorsTest, MapsLargeFloatData) {
  proto::TensorProto &tensor = addInitializer("w", {1024});
  for (int i = 0; i < 1024; ++i)
    tensor.add_float_data(0.5f);
  EXPECT_CONTAINS(import(), "dense_resource<w> : tensor<1024xf32>");
  tensor.set_data_type(proto::TensorProto::INT32);
  EXPECT_CONTAINS(
      importError(),
      "initializer 'w' has its data in a field that is not the one of its data type INT32");
}

TEST_F(TensorsTest, ReadsTypedData) {
  proto::TensorProto &tensor = addInitializer("w", {2}, proto::TensorProto::INT64);
  tensor.add_int64_data(-1);
  tensor.add_int64_data(5);
  EXPECT_CONTAINS(import(), "dense<[-1, 5]> : tensor<2xi64>");
  tensor.clear_int64_data();
  tensor.set_data_type(proto::TensorProto::BOOL);
  tensor.add_int32_data(1);
  tensor.add_int32_data(0);
  EXPECT_CONTAINS(import(), "dense<[true, false]> : tensor<2xi1>");
  tensor.set_data_type(proto::TensorProto::FLOAT16);
  tensor.set_int32_data(0, 0x3c00);
  tensor.set_int32_data(1, 0xc000);
  EXPECT_CONTAINS(import(), "dense<[1.000000e+00, -2.000000e+00]> : tensor<2xf16>");
  tensor.set_data_type(proto::TensorProto::UINT8);
  EXPECT_CONTAINS(import(), "tensor<2xui8>");
  tensor.clear_int32_data();
  tensor.set_dims(0, 0);
  EXPECT_CONTAINS(import(), "tensor<0xui8>");
}

TEST_F(TensorsTest, ReadsRawBooleans) {
  addInitializer("w", {9}, proto::TensorProto::BOOL)
      .set_raw_data(std::string("\1\0\0\0\0\0\0\0\2", 9));
  EXPECT_CONTAINS(import(), "dense<[true, false, false, false, false, false, false, false, true]>");
}

TEST_F(TensorsTest, RefusesTensorsThatContradictThemselves) {
  proto::TensorProto &tensor = addWeight("w", {3});
  tensor.set_dims(0, 4);
  EXPECT_CONTAINS(importError(),
                  "initializer 'w' has 12 bytes of data, but its type 'tensor<4xf32>' needs 16");
  tensor.set_dims(0, -3);
  EXPECT_CONTAINS(
      importError(),
      "initializer 'w' has the shape [-3], which is negative or has more than 2^40 elements");
  tensor.set_dims(0, int64_t(1) << 62);
  tensor.add_dims(8);
  EXPECT_CONTAINS(importError(),
                  "has the shape [4611686018427387904, 8], which is negative or has");
  // Products that wrap around to no elements at all.
  for (int64_t extent : {int64_t(1) << 40, int64_t(1) << 32}) {
    tensor.set_dims(0, extent);
    tensor.set_dims(1, extent);
    tensor.clear_raw_data();
    std::string text = std::to_string(extent);
    EXPECT_CONTAINS(importError(), "initializer 'w' has the shape [" + text + ", " + text +
                                       "], which is negative or has more than 2^40 elements");
  }
  tensor.clear_dims();
  tensor.add_dims(3);
  tensor.set_data_type(proto::TensorProto::STRING);
  EXPECT_CONTAINS(importError(), "initializer 'w' has elements of data type STRING, which is not "
                                 "supported; supported are FLOAT");
  tensor.set_data_type(17);
  EXPECT_CONTAINS(importError(), "data type FLOAT8E4M3FN");
  tensor.set_data_type(1234);
  EXPECT_CONTAINS(importError(), "data type number 1234");
  tensor.set_data_type(proto::TensorProto::FLOAT);
  tensor.mutable_segment();
  EXPECT_CONTAINS(importError(), "is a segment of a larger tensor");
}

TEST_F(TensorsTest, MapsExternalData) {
  write("w.bin", std::string(8, 'x') + std::string(4096, '\0'));
  proto::TensorProto &tensor = addExternal("w.bin");
  setExternal(tensor, "offset", "8");
  setExternal(tensor, "length", "4096");
  EXPECT_CONTAINS(import(), "dense_resource<w>");
}

TEST_F(TensorsTest, RefusesExternalDataOfAnImpossibleShape) {
  write("w.bin", std::string(4, '\0'));
  proto::TensorProto &tensor = addExternal("w.bin");
  tensor.set_dims(0, int64_t(1) << 32);
  tensor.add_dims(int64_t(1) << 32);
  EXPECT_CONTAINS(importError(), "initializer 'w' has the shape [4294967296, 4294967296], which is "
                                 "negative or has more than 2^40 elements");
}

TEST_F(TensorsTest, ChecksExternalDataAgainstTheFile) {
  write("w.bin", std::string(4096, '\0'));
  proto::TensorProto &tensor = addExternal("w.bin");
  setExternal(tensor, "offset", "1");
  EXPECT_CONTAINS(
      importError(),
      "initializer 'w' has 4096 bytes of data at byte 1 of 'w.bin', which has only 4096 bytes");
  tensor.mutable_external_data(1)->set_value("18446744073709551615");
  EXPECT_CONTAINS(importError(), "at byte 18446744073709551615 of 'w.bin'");
  tensor.mutable_external_data(1)->set_value("-1");
  EXPECT_CONTAINS(importError(), "has the offset '-1' in its external data, which is not a number");
  tensor.mutable_external_data(1)->set_value("0");
  setExternal(tensor, "length", "many");
  EXPECT_CONTAINS(importError(),
                  "has the length 'many' in its external data, which is not a number");
  tensor.mutable_external_data(2)->set_value("4");
  EXPECT_CONTAINS(importError(), "has 4 bytes of external data, but its type needs 4096");
}

TEST_F(TensorsTest, ListsFilesOfExternalData) {
  addExternal("w.bin");
  auto &value =
      addAttribute(addNode("Constant", {}, {"c"}), "value", proto::AttributeProto::TENSOR);
  setExternal(*value.mutable_t(), "location", "c.bin");
  const std::string path = write("model.onnx", model.SerializeAsString());
  EXPECT_EQ(listExternalFiles(path),
            (std::vector<std::string>{folder / "c.bin", folder / "w.bin"}));
  EXPECT_TRUE(listExternalFiles(write("cut.onnx", "\xff")).empty());
  EXPECT_TRUE(listExternalFiles(folder / "nowhere.onnx").empty());
}

TEST_F(TensorsTest, RefusesExternalDataOutsideOfTheFolder) {
  proto::TensorProto &tensor = addExternal("/etc/passwd");
  auto error = [&](const std::string &location) {
    tensor.mutable_external_data(0)->set_value(location);
    return importError();
  };
  EXPECT_CONTAINS(error("/etc/passwd"),
                  "'/etc/passwd', which is not a path inside the folder of the model");
  EXPECT_CONTAINS(error("../w.bin"),
                  "'../w.bin', which is not a path inside the folder of the model");
  EXPECT_CONTAINS(error("a/../../w.bin"), "which is not a path inside the folder of the model");
  EXPECT_CONTAINS(error(""), "'', which is not a path inside the folder of the model");
  std::filesystem::create_symlink("/etc/passwd", folder / "link");
  EXPECT_CONTAINS(error("link"),
                  "'link', which is a link to a file outside the folder of the model");
  EXPECT_CONTAINS(error("missing.bin"),
                  "initializer 'w' has its data in 'missing.bin', but the file '");
  EXPECT_CONTAINS(error("missing.bin"), "cannot be read: No such file or directory");
  std::filesystem::create_directory(folder / "sub");
  EXPECT_CONTAINS(error("sub"), "cannot be read: it is not a regular file");
}
