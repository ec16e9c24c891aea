# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes text files as C++ string literals; run by sparsam_embed.
set(text "// Generated.\n#pragma once\nnamespace ${NAMESPACE} {\n")
string(REPLACE "|" ";" pairs "${PAIRS}")
foreach(pair ${pairs})
  string(REGEX MATCH "^[^=]*" symbol ${pair})
  string(REGEX REPLACE "^[^=]*=" "" file ${pair})
  file(READ ${file} content)
  string(APPEND text "inline constexpr char ${symbol}[] = R\"__yaml__(${content})__yaml__\";\n")
endforeach()
string(APPEND text "} // namespace ${NAMESPACE}\n")
file(WRITE ${OUTPUT} "${text}")
