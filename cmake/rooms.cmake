# How a room is built. The table of rooms itself is in the top CMakeLists.txt.

function(las_compile_options target)
  # Warnings are for those who change the code: who only builds it cannot act on them.
  if(LAS_WERROR)
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
      -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wimplicit-fallthrough -Wunused-result
      -Werror)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      # GCC 12 reports string concatenation as overlapping copies (its bug 105651).
      target_compile_options(${target} PRIVATE -Wno-restrict)
    endif()
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # On by default, and false alarms of GCC 12 about strings when it optimises.
    target_compile_options(${target} PRIVATE
      $<$<CONFIG:Release>:-Wno-stringop-overflow;-Wno-stringop-overread>)
  endif()
  if(LAS_HARDENING)
    target_compile_options(${target} PRIVATE -fstack-protector-strong -fPIE)
    target_compile_definitions(${target} PRIVATE _FORTIFY_SOURCE=2)
    # Lazy binding on purpose: full RELRO resolves every symbol of every library at start.
    target_link_options(${target} PRIVATE -pie -Wl,-z,relro)
  endif()
  target_link_options(${target} PRIVATE -Wl,--as-needed -Wl,-z,lazy)
endfunction()

# las_precompiled(TARGET "third-party targets" headers...)
# A target that does nothing but hold precompiled headers, for others to reuse. The asan and tidy
# presets do without, so that a file which forgets an include of its own does not go unseen.
function(las_precompiled target third_party)
  if(NOT LAS_PRECOMPILE)
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${target}.cpp CONTENT "// Holds precompiled headers only.\n")
  add_library(${target} OBJECT ${CMAKE_BINARY_DIR}/${target}.cpp)
  target_link_libraries(${target} PRIVATE ${third_party})
  las_compile_options(${target})
  target_precompile_headers(${target} PRIVATE ${ARGN})
  # What ccache needs to see through a precompiled header.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

function(las_use_precompiled target from)
  if(TARGET ${from})
    target_precompile_headers(${target} REUSE_FROM ${from})
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endif()
endfunction()

# las_room(NAME "rooms below" "third-party targets")
# Sources: src/NAME/**.cpp. Public headers: include/las/NAME/. Private headers: beside the .cpp.
function(las_room name below third_party)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    add_library(las_${name} INTERFACE)
    target_include_directories(las_${name} INTERFACE ${CMAKE_SOURCE_DIR}/include)
    foreach(room IN LISTS below)
      target_link_libraries(las_${name} INTERFACE las_${room})
    endforeach()
    return()
  endif()
  add_library(las_${name} STATIC ${sources})
  target_include_directories(las_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include
                                         PRIVATE ${CMAKE_SOURCE_DIR}/src/${name})
  foreach(room IN LISTS below)
    target_link_libraries(las_${name} PUBLIC las_${room})
  endforeach()
  target_link_libraries(las_${name} PUBLIC ${third_party})
  las_compile_options(las_${name})
  las_use_precompiled(las_${name} las_precompiled_rooms)
  if(LAS_UNITY)
    # Most of a file's compile time goes into the headers that its neighbours read too.
    set_target_properties(las_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${LAS_UNITY})
    # A type in a file's anonymous namespace is taken for one of a header: the file is included.
    target_compile_options(las_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()
