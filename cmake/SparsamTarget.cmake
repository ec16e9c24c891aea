# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# sparsam_add_target(<name>): everything a target folder needs, by naming convention. See docs/add-a-target.md.
#
#   compiler/<Name>.td                the ISA          -> dialect, encoder, model header, ISA reference page
#   compiler/Passes.td                its passes       -> <Name>Passes.h.inc, pass reference page
#   compiler/*.cpp                    library sparsam_<name>_compiler; defines register<Name>Target
#   model/*.cpp                       library sparsam_<name>_model;    defines register<Name>Model
#   arch.yaml, paper.yaml             built into the model library as <Name>Arch.h
#   test/unit/*.cpp                   GoogleTest binary sparsam_<name>_unit
#
# The C++ namespace is the one that <Name>.td names as cppNamespace of the dialect: sparsam::<name>, or sparsam::<name>_
# where <name> is a word of C++.
#
# Generated, in the build folder's targets/<name>/: <Name>{Dialect,Ops,Types,Attrs,Enums}.{h,cpp}.inc,
# <Name>Encoder.cpp.inc (compiler), <Name>Isa.h (model), <Name>Yaml.h (model).

# sparsam_embed(<output.h> <namespace> <symbol>=<file>...): texts as C++ string literals.
function(sparsam_embed output namespace)
  set(script ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake)
  set(files)
  foreach(pair ${ARGN})
    string(REGEX REPLACE "^[^=]*=" "" file ${pair})
    list(APPEND files ${file})
  endforeach()
  string(REPLACE ";" "|" pairs "${ARGN}")
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DNAMESPACE=${namespace} "-DPAIRS=${pairs}" -P ${script}
    DEPENDS ${files} ${script} COMMENT "Embed ${output}" VERBATIM)
endfunction()

function(sparsam_add_target name)
  string(SUBSTRING ${name} 0 1 first)
  string(TOUPPER ${first} first)
  string(SUBSTRING ${name} 1 -1 rest)
  set(Name ${first}${rest})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/arch.yaml OR NOT TARGET sparsam-tblgen)
    message(WARNING "bring-up: target ${name} is not there yet")
    return()
  endif()
  set(dir ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  set(out ${CMAKE_BINARY_DIR}/targets/${name})
  set(td ${dir}/compiler/${Name}.td)
  file(STRINGS ${td} cpp_namespace REGEX "cppNamespace = " LIMIT_COUNT 1)
  string(REGEX REPLACE ".*\"(::)?sparsam::([a-z0-9_]+)\".*" "\\2" cpp_namespace "${cpp_namespace}")
  if(NOT cpp_namespace MATCHES "^${name}_?$")
    message(FATAL_ERROR "${td}: the dialect's cppNamespace must be ::sparsam::${name}, got '${cpp_namespace}'")
  endif()

  sparsam_dialect_tablegen(${name} ${Name} ${dir}/compiler ${out} generated MAIN ${td})
  sparsam_tablegen(${out}/${Name}Encoder.cpp.inc ${td} TOOL sparsam ARGS -gen-isa-encoder)
  sparsam_tablegen(${out}/${Name}Passes.h.inc ${dir}/compiler/Passes.td ARGS -gen-pass-decls -name=${Name})
  set_property(GLOBAL APPEND PROPERTY SPARSAM_PASSES "${Name}|${dir}/compiler/Passes.td")
  file(GLOB compiler_sources CONFIGURE_DEPENDS ${dir}/compiler/*.cpp)
  add_custom_target(sparsam_${name}_compiler_inc
    DEPENDS ${generated} ${out}/${Name}Encoder.cpp.inc ${out}/${Name}Passes.h.inc)
  add_library(sparsam_${name}_compiler STATIC ${compiler_sources})
  add_dependencies(sparsam_${name}_compiler sparsam_${name}_compiler_inc
      sparsam_dialect_isa_inc sparsam_dialect_sattn_inc sparsam_dialect_onnx_inc sparsam_transforms_inc)
  target_include_directories(sparsam_${name}_compiler PUBLIC ${CMAKE_BINARY_DIR} ${dir}/compiler)
  target_link_libraries(sparsam_${name}_compiler PUBLIC sparsam_dialect_isa sparsam_dialect_sattn sparsam_dialect_onnx)

  sparsam_tablegen(${out}/${Name}Isa.h ${td} TOOL sparsam ARGS -gen-isa-model)
  sparsam_embed(${out}/${Name}Yaml.h sparsam::${cpp_namespace} kArchYaml=${dir}/arch.yaml kPaperYaml=${dir}/paper.yaml)
  file(GLOB model_sources CONFIGURE_DEPENDS ${dir}/model/*.cpp)
  add_custom_target(sparsam_${name}_model_inc DEPENDS ${out}/${Name}Isa.h ${out}/${Name}Yaml.h)
  add_library(sparsam_${name}_model STATIC ${model_sources})
  add_dependencies(sparsam_${name}_model sparsam_${name}_model_inc sparsam_program_schema)
  target_include_directories(sparsam_${name}_model PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_link_libraries(sparsam_${name}_model PUBLIC sparsam_runtime_base ${SPARSAM_HWY})

  file(GLOB unit_sources CONFIGURE_DEPENDS ${dir}/test/unit/*.cpp)
  if(unit_sources)
    sparsam_add_unit_test(sparsam_${name}_unit SOURCES ${unit_sources} LINK sparsam_${name}_model)
  endif()
  set_property(GLOBAL APPEND PROPERTY SPARSAM_TARGET_PAIRS "${name}|${Name}|${cpp_namespace}")
endfunction()

# sparsam_finish_targets(): writes the registration of all targets of the list.
#   sparsam_targets_compiler: void sparsam::registerAllTargets(TargetRegistry &)
#   sparsam_targets_model:    void sparsam::registerAllModels(runtime::ModelRegistry &)
function(sparsam_finish_targets)
  get_property(pairs GLOBAL PROPERTY SPARSAM_TARGET_PAIRS)
  set(c_libs)
  set(m_libs)
  foreach(pair ${pairs})
    string(REPLACE "|" ";" parts ${pair})
    list(GET parts 0 name)
    list(GET parts 1 Name)
    list(GET parts 2 ns)
    string(APPEND c_decl "namespace sparsam::${ns} { void register${Name}Target(TargetRegistry &registry); }\n")
    string(APPEND c_call "  ${ns}::register${Name}Target(registry);\n")
    string(APPEND m_decl "namespace sparsam::${ns} { void register${Name}Model(runtime::ModelRegistry &registry); }\n")
    string(APPEND m_call "  ${ns}::register${Name}Model(registry);\n")
    list(APPEND c_libs sparsam_${name}_compiler)
    list(APPEND m_libs sparsam_${name}_model)
  endforeach()
  set(out ${CMAKE_BINARY_DIR}/targets)
  file(CONFIGURE OUTPUT ${out}/RegisterTargets.cpp @ONLY CONTENT
"// Generated from the list in targets/CMakeLists.txt.
#include \"sparsam/Target.h\"
#include \"targets/RegisterTargets.h\"
@c_decl@
void sparsam::registerAllTargets(TargetRegistry &registry) {
@c_call@}
")
  file(CONFIGURE OUTPUT ${out}/RegisterTargets.h @ONLY CONTENT
"// Generated.
#pragma once
namespace sparsam { class TargetRegistry; void registerAllTargets(TargetRegistry &registry); }
")
  file(CONFIGURE OUTPUT ${out}/RegisterModels.cpp @ONLY CONTENT
"// Generated from the list in targets/CMakeLists.txt.
#include \"runtime/kernel/Machine.h\"
#include \"targets/RegisterModels.h\"
@m_decl@
void sparsam::registerAllModels(runtime::ModelRegistry &registry) {
@m_call@}
")
  file(CONFIGURE OUTPUT ${out}/RegisterModels.h @ONLY CONTENT
"// Generated.
#pragma once
namespace sparsam::runtime { class ModelRegistry; }
namespace sparsam { void registerAllModels(runtime::ModelRegistry &registry); }
")
  add_library(sparsam_targets_compiler STATIC ${out}/RegisterTargets.cpp)
  target_include_directories(sparsam_targets_compiler PUBLIC ${CMAKE_BINARY_DIR})
  target_link_libraries(sparsam_targets_compiler PUBLIC ${c_libs} sparsam_mlir)
  add_dependencies(sparsam_targets_compiler sparsam_dialect_isa_inc)
  add_library(sparsam_targets_model STATIC ${out}/RegisterModels.cpp)
  target_include_directories(sparsam_targets_model PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_link_libraries(sparsam_targets_model PUBLIC ${m_libs} sparsam_runtime_base)
endfunction()
