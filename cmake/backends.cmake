# Which backends are built. CUDA's needs its headers only: driver and compiler are opened at run time.
find_path(JITNEY_CUDA_INCLUDE NAMES cuda.h
  HINTS ${CUDAToolkit_ROOT}/include $ENV{CUDA_HOME}/include $ENV{CUDA_PATH}/include
  PATHS /usr/local/cuda/include /usr/local/cuda-13.0/include /opt/cuda/include
  DOC "Folder of cuda.h and nvrtc.h, version 12 or newer")
set(JITNEY_HAS_CUDA_HEADERS OFF)
if(JITNEY_CUDA_INCLUDE AND EXISTS ${JITNEY_CUDA_INCLUDE}/nvrtc.h)
  file(STRINGS ${JITNEY_CUDA_INCLUDE}/cuda.h version REGEX "^#define CUDA_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" version "${version}")
  if(version GREATER_EQUAL 12000)
    set(JITNEY_HAS_CUDA_HEADERS ON)
  endif()
endif()
set(default cpu)
if(JITNEY_HAS_CUDA_HEADERS)
  list(APPEND default cuda)
endif()
set(JITNEY_BACKENDS "${default}" CACHE STRING "Backends to build beside null: cpu, cuda; 'cuda' alone needs no LLVM and no oneDNN")
if("cuda" IN_LIST JITNEY_BACKENDS AND NOT JITNEY_HAS_CUDA_HEADERS)
  list(REMOVE_ITEM JITNEY_BACKENDS cuda)
  message(WARNING "The CUDA backend is not built: there is no cuda.h and nvrtc.h of CUDA 12 or newer "
    "(-DJITNEY_CUDA_INCLUDE=FOLDER names their folder).")
elseif(NOT "cuda" IN_LIST JITNEY_BACKENDS)
  message(STATUS "The CUDA backend is not built: JITNEY_BACKENDS is '${JITNEY_BACKENDS}'")
endif()
