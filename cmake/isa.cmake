# The ISAs for which kernels are compiled, and their flags. No other source is compiled with such flags.
set(VGG19_ISA_FLAGS_portable "")
set(VGG19_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(VGG19_ISA_FLAGS_avx2vnni ${VGG19_ISA_FLAGS_avx2} -mavxvnni)
set(VGG19_ISA_FLAGS_avx512 ${VGG19_ISA_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
set(VGG19_ISA_FLAGS_avx512vnni ${VGG19_ISA_FLAGS_avx512} -mavx512vnni)
set(VGG19_ISA_FLAGS_neon "")
set(VGG19_ISA_FLAGS_neon_dotprod -march=armv8.2-a+dotprod)

# The ISAs of a processor family, slowest first: those of most kernel families, those of families with dot
# products of bytes, and all.
string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
set(VGG19_X86 OFF)
if(processor MATCHES "^(x86_64|amd64)$")
  set(VGG19_X86 ON)
  set(VGG19_FLOAT_ISAS portable avx2 avx512)
  set(VGG19_DOT_PRODUCT_ISAS portable avx2 avx2vnni avx512vnni)
  set(VGG19_ALL_ISAS portable avx2 avx2vnni avx512 avx512vnni)
elseif(processor MATCHES "^(aarch64|arm64)$")
  set(VGG19_FLOAT_ISAS portable neon)
  set(VGG19_DOT_PRODUCT_ISAS portable neon neon_dotprod)
  set(VGG19_ALL_ISAS portable neon neon_dotprod)
else()
  set(VGG19_FLOAT_ISAS portable)
  set(VGG19_DOT_PRODUCT_ISAS portable)
  set(VGG19_ALL_ISAS portable)
endif()

# The same lists, fastest first, as macros for kernels/isa/kernel_list.h.
foreach(kind FLOAT DOT_PRODUCT ALL)
  set(isas ${VGG19_${kind}_ISAS})
  list(REVERSE isas)
  list(TRANSFORM isas REPLACE "(.+)" "KERNEL(\\1, Function, family)")
  list(JOIN isas " " VGG19_${kind}_KERNELS)
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/isa_lists.h.in ${PROJECT_BINARY_DIR}/generated/isa_lists.h @ONLY)

# vgg19_isa_objects(out PREFIX name ISA isa SOURCES ...): sources compiled for one ISA, in its namespace
# (kernels/simd/vector.h), as an object library; `out` gets its objects.
function(vgg19_isa_objects out)
  cmake_parse_arguments(objects "" "PREFIX;ISA" "SOURCES" ${ARGN})
  set(name ${objects_PREFIX}_${objects_ISA})
  add_library(${name} OBJECT ${objects_SOURCES})
  vgg19_target_settings(${name})
  target_compile_options(${name} PRIVATE ${VGG19_ISA_FLAGS_${objects_ISA}} -Wno-psabi)
  # Inline in debug builds too. Otherwise wrappers of instructions would be calls, and functions from headers
  # would become symbols of which the linker keeps one copy for all units.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O2>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name} PRIVATE -Wno-uninitialized)  # false warnings in GCC 12's own AVX-512 header
  endif()
  if(VGG19_SANITIZE MATCHES "undefined")
    # With these checks, and those for lifetimes of temporaries, GCC takes minutes for unrolled code. The
    # address sanitizer's memory checks stay enabled.
    target_compile_options(${name} PRIVATE -fno-sanitize=null,alignment,object-size,pointer-overflow,bounds
      -fno-sanitize-address-use-after-scope)
  endif()
  foreach(kind FLOAT DOT_PRODUCT)
    set(is_${kind} 0)
    if(objects_ISA IN_LIST VGG19_${kind}_ISAS)
      set(is_${kind} 1)
    endif()
  endforeach()
  target_compile_definitions(${name} PRIVATE VGG19_ISA=${objects_ISA}
    VGG19_SIMD_HEADER="kernels/simd/${objects_ISA}.h"
    VGG19_IS_FLOAT_ISA=${is_FLOAT} VGG19_IS_DOT_PRODUCT_ISA=${is_DOT_PRODUCT})
  if(NOT TARGET vgg19_isa_units)
    add_custom_target(vgg19_isa_units)  # all units, for tests/symbols
  endif()
  add_dependencies(vgg19_isa_units ${name})
  set_property(GLOBAL APPEND PROPERTY VGG19_SYMBOL_CHECK ${objects_ISA} $<TARGET_OBJECTS:${name}>)
  set(${out} $<TARGET_OBJECTS:${name}> PARENT_SCOPE)
endfunction()
