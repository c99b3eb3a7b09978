# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# A wheel is built with what pip installed for it, which lies where that Python finds it and not in .venv: ONNX's
# schema, oneDNN, the headers of cuDNN's graph API.
if(SKBUILD)
  find_package(Python 3.11 COMPONENTS Interpreter REQUIRED)
  execute_process(COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/python_packages.py
    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" found "${found}")
  foreach(line IN LISTS found)
    string(REGEX MATCH "^([A-Z_]+)=(.*)$" line "${line}")
    set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}" CACHE PATH "from the Python that builds the wheel" FORCE)
  endforeach()
endif()
