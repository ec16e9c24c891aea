# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The only place with LLVM and MLIR in CMake: finds them and defines how a dialect, a pass library and
# a tool of ours are built. Everything links the shared libMLIR and libLLVM and never a static MLIR
# archive: two copies of MLIR in one process fail in ways that no linker reports.

find_package(MLIR 22.1 REQUIRED CONFIG)
set(LLVM_TOOLS_DIR ${LLVM_TOOLS_BINARY_DIR})
find_program(MLIR_TBLGEN_EXE_PATH mlir-tblgen HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED NO_DEFAULT_PATH)
set(SPARSAM_TBLGEN_INCLUDES -I ${CMAKE_SOURCE_DIR}/dialects -I ${CMAKE_SOURCE_DIR}/include
    -I ${CMAKE_SOURCE_DIR}/lib -I ${MLIR_INCLUDE_DIRS} -I ${LLVM_INCLUDE_DIRS})

add_library(sparsam_mlir INTERFACE)
target_include_directories(sparsam_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_include_directories(sparsam_mlir INTERFACE ${CMAKE_SOURCE_DIR}/dialects ${CMAKE_BINARY_DIR}/dialects
    ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/include)
target_compile_definitions(sparsam_mlir INTERFACE ${LLVM_DEFINITIONS})
target_link_libraries(sparsam_mlir INTERFACE MLIR LLVM)

# sparsam_tablegen(<output> <input.td> TOOL <mlir|sparsam> ARGS <generator flags...>)
# Runs a TableGen backend; the depfile makes included .td files dependencies.
function(sparsam_tablegen output input)
  cmake_parse_arguments(A "" "TOOL" "ARGS;INCLUDES" ${ARGN})
  if(A_TOOL STREQUAL "sparsam")
    set(exe $<TARGET_FILE:sparsam-tblgen>)
    set(exe_dep sparsam-tblgen)
  else()
    set(exe ${MLIR_TBLGEN_EXE_PATH})
    set(exe_dep)
  endif()
  get_filename_component(dir ${output} DIRECTORY)
  file(MAKE_DIRECTORY ${dir})
  add_custom_command(OUTPUT ${output}
    COMMAND ${exe} ${A_ARGS} ${SPARSAM_TBLGEN_INCLUDES} ${A_INCLUDES} ${input} -o ${output} -d ${output}.d
            --write-if-changed
    DEPENDS ${input} ${exe_dep} DEPFILE ${output}.d COMMENT "TableGen ${output}" VERBATIM)
endfunction()

# sparsam_dialect_tablegen(<mnemonic> <Name> <source dir> <output dir> <out var> [MAIN <file.td>])
# Generates <Name>{Dialect,Ops,Types,Attrs,Enums}.{h,cpp}.inc from <Name>Ops.td (or MAIN), and from
# <Name>Enums.td and <Name>Interfaces.td where the dialect has them.
function(sparsam_dialect_tablegen mnemonic name srcdir outdir outvar)
  cmake_parse_arguments(A "" "MAIN" "" ${ARGN})
  set(main ${srcdir}/${name}Ops.td)
  if(A_MAIN)
    set(main ${A_MAIN})
  endif()
  set(enums ${main})
  if(EXISTS ${srcdir}/${name}Enums.td)
    set(enums ${srcdir}/${name}Enums.td)
  endif()
  set(outs)
  foreach(spec
      "Dialect.h.inc|${main}|-gen-dialect-decls -dialect=${mnemonic}"
      "Dialect.cpp.inc|${main}|-gen-dialect-defs -dialect=${mnemonic}"
      "Ops.h.inc|${main}|-gen-op-decls"
      "Ops.cpp.inc|${main}|-gen-op-defs"
      "Types.h.inc|${main}|-gen-typedef-decls -typedefs-dialect=${mnemonic}"
      "Types.cpp.inc|${main}|-gen-typedef-defs -typedefs-dialect=${mnemonic}"
      "Attrs.h.inc|${main}|-gen-attrdef-decls -attrdefs-dialect=${mnemonic}"
      "Attrs.cpp.inc|${main}|-gen-attrdef-defs -attrdefs-dialect=${mnemonic}"
      "Enums.h.inc|${enums}|-gen-enum-decls"
      "Enums.cpp.inc|${enums}|-gen-enum-defs")
    string(REPLACE "|" ";" parts "${spec}")
    list(GET parts 0 suffix)
    list(GET parts 1 td)
    list(GET parts 2 flags)
    separate_arguments(flags)
    sparsam_tablegen(${outdir}/${name}${suffix} ${td} ARGS ${flags})
    list(APPEND outs ${outdir}/${name}${suffix})
  endforeach()
  if(EXISTS ${srcdir}/${name}Interfaces.td)
    foreach(kind op attr type)
      string(SUBSTRING ${kind} 0 1 first)
      string(TOUPPER ${first} first)
      string(SUBSTRING ${kind} 1 -1 rest)
      foreach(form decls defs)
        set(ext $<IF:$<STREQUAL:${form},decls>,h,cpp>)
        if(form STREQUAL "decls")
          set(ext h)
        else()
          set(ext cpp)
        endif()
        set(out ${outdir}/${name}${first}${rest}Interfaces.${ext}.inc)
        sparsam_tablegen(${out} ${srcdir}/${name}Interfaces.td ARGS -gen-${kind}-interface-${form})
        list(APPEND outs ${out})
      endforeach()
    endforeach()
  endif()
  set(${outvar} ${outs} PARENT_SCOPE)
endfunction()

# sparsam_add_dialect(<mnemonic> <Name> SOURCES ... [LINK ...])
# A dialect of dialects/<mnemonic>: its TableGen output and the library sparsam_dialect_<mnemonic>.
function(sparsam_add_dialect mnemonic name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  sparsam_dialect_tablegen(${mnemonic} ${name} ${CMAKE_CURRENT_SOURCE_DIR}
      ${CMAKE_BINARY_DIR}/dialects/${mnemonic} generated)
  add_custom_target(sparsam_dialect_${mnemonic}_inc DEPENDS ${generated})
  list(GET A_SOURCES 0 first_source)
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${first_source})
    message(WARNING "bring-up: dialect ${mnemonic} has no sources yet")
    return()
  endif()
  add_library(sparsam_dialect_${mnemonic} STATIC ${A_SOURCES})
  add_dependencies(sparsam_dialect_${mnemonic} sparsam_dialect_${mnemonic}_inc)
  target_link_libraries(sparsam_dialect_${mnemonic} PUBLIC sparsam_mlir ${A_LINK})
  foreach(link ${A_LINK})
    if(TARGET ${link}_inc)
      add_dependencies(sparsam_dialect_${mnemonic}_inc ${link}_inc)
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY SPARSAM_DIALECTS "${mnemonic}|${name}|${CMAKE_CURRENT_SOURCE_DIR}/${name}Ops.td")
endfunction()

# sparsam_add_compiler_library(<name> SOURCES ... LINK ... [PASSES <Passes.td> <group>])
# A library of lib/. PASSES generates <group>Passes.h.inc beside the headers of include/sparsam.
function(sparsam_add_compiler_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK;PASSES" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC sparsam_mlir ${A_LINK})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib)
  if(A_PASSES)
    list(GET A_PASSES 0 td)
    list(GET A_PASSES 1 group)
    set(out ${CMAKE_BINARY_DIR}/include/sparsam/${group}Passes.h.inc)
    sparsam_tablegen(${out} ${CMAKE_CURRENT_SOURCE_DIR}/${td} ARGS -gen-pass-decls -name=${group})
    add_custom_target(${name}_inc DEPENDS ${out})
    add_dependencies(${name} ${name}_inc)
    set_property(GLOBAL APPEND PROPERTY SPARSAM_PASSES "${group}|${CMAKE_CURRENT_SOURCE_DIR}/${td}")
  endif()
  foreach(link ${A_LINK})
    if(TARGET ${link}_inc)
      add_dependencies(${name} ${link}_inc)
    endif()
  endforeach()
endfunction()
