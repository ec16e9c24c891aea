# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiler, linker and cache settings that hold for every folder.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug" FORCE)
endif()

find_program(SPARSAM_CCACHE ccache)
if(SPARSAM_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${SPARSAM_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SPARSAM_CCACHE})
endif()
find_program(SPARSAM_LLD ld.lld-22)
if(SPARSAM_LLD)
  add_link_options(--ld-path=${SPARSAM_LLD})
endif()

option(SPARSAM_WERROR "Turn warnings into errors (CI)" OFF)
set(SPARSAM_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")
# -ffp-contract=off: results must not depend on which multiply-adds a compiler chooses to fuse.
add_compile_options(-Wall -Wextra -Wno-unused-parameter -ffp-contract=off -fdiagnostics-color=always)
if(SPARSAM_WERROR)
  add_compile_options(-Werror)
endif()
if(SPARSAM_SANITIZE)
  add_compile_options(-fsanitize=${SPARSAM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined -O1)
  add_link_options(-fsanitize=${SPARSAM_SANITIZE})
endif()
