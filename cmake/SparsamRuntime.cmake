# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What the runtime is built from; nothing of LLVM or MLIR.

find_package(Threads REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(Protobuf REQUIRED)
find_library(SPARSAM_DNNL dnnl REQUIRED)
find_library(SPARSAM_HWY hwy REQUIRED)
find_library(SPARSAM_ZIP zip REQUIRED)
find_library(SPARSAM_FLATBUFFERS flatbuffers REQUIRED)
find_program(SPARSAM_FLATC flatc REQUIRED)
# oneDNN of Debian runs on GNU OpenMP; our loops call it with one thread (see runtime/host/Linear.cpp).
find_library(SPARSAM_GOMP NAMES gomp libgomp.so.1 PATHS /usr/lib/gcc/x86_64-linux-gnu/12 /usr/lib/x86_64-linux-gnu REQUIRED)

# sparsam_add_runtime_library(<name> SOURCES ... LINK ...)
function(sparsam_add_runtime_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_link_libraries(${name} PUBLIC ${A_LINK})
endfunction()

# sparsam_add_unit_test(<name> SOURCES ... LINK ...): a GoogleTest binary, run by ctest.
function(sparsam_add_unit_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test-bin)
  target_link_libraries(${name} PRIVATE ${A_LINK} GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY SPARSAM_UNIT_TESTS ${name})
endfunction()
