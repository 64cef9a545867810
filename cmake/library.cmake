# vgg19::vgg19: a library of the parts below the public interface, static or shared depending on
# BUILD_SHARED_LIBS.
get_property(isa_objects GLOBAL PROPERTY VGG19_ISA_OBJECTS)
set(VGG19_LINKED Threads::Threads)
if(VGG19_ONEDNN)
  list(APPEND VGG19_LINKED DNNL::dnnl)
endif()
if(VGG19_OPENMP)
  list(APPEND VGG19_LINKED OpenMP::OpenMP_CXX)
endif()
if(VGG19_HAS_JPEG)
  list(APPEND VGG19_LINKED JPEG::JPEG)
endif()
if(VGG19_HAS_ZLIB)
  list(APPEND VGG19_LINKED ZLIB::ZLIB)
endif()
if(VGG19_HAS_WEBP)
  list(APPEND VGG19_LINKED PkgConfig::VGG19_LIBWEBP)
endif()
if(VGG19_HAS_ZSTD)
  list(APPEND VGG19_LINKED PkgConfig::VGG19_LIBZSTD)
endif()

# For ELF: the public headers export their declarations (#pragma GCC visibility); the version script hides
# instances of the standard library's templates, which GCC always exports.
set(VGG19_ELF OFF)
if(UNIX AND NOT APPLE)
  set(VGG19_ELF ON)
endif()

# vgg19_library(target [SHARED | STATIC]): links VGG19_LINKED.
function(vgg19_library target)
  add_library(${target} ${ARGN} ${isa_objects}
    $<TARGET_OBJECTS:vgg19_kernels> $<TARGET_OBJECTS:vgg19_model> $<TARGET_OBJECTS:vgg19_engine>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include>)
  target_link_libraries(${target} PRIVATE ${VGG19_LINKED})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(VGG19_SANITIZE)
    target_link_options(${target} PUBLIC -fsanitize=${VGG19_SANITIZE})
  endif()
  get_target_property(type ${target} TYPE)
  if(VGG19_ELF AND type STREQUAL "SHARED_LIBRARY")
    set(symbols ${PROJECT_SOURCE_DIR}/cmake/exported_symbols.map)
    target_link_options(${target} PRIVATE LINKER:--version-script=${symbols})
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${symbols})
  elseif(VGG19_ELF)
    # A shared library that contains this one must not export its symbols.
    target_link_options(${target} INTERFACE LINKER:--exclude-libs,${CMAKE_STATIC_LIBRARY_PREFIX}vgg19${CMAKE_STATIC_LIBRARY_SUFFIX})
  endif()
endfunction()

vgg19_library(vgg19)
add_library(vgg19::vgg19 ALIAS vgg19)

# A shared library from the same objects, for packages and tests. What it links is no concern of those who link it.
if(VGG19_ELF AND NOT BUILD_SHARED_LIBS AND (PROJECT_IS_TOP_LEVEL OR VGG19_BUILD_TESTS))
  set(VGG19_LINKED "$<BUILD_INTERFACE:${VGG19_LINKED}>")
  vgg19_library(vgg19-shared SHARED)
  set_target_properties(vgg19-shared PROPERTIES OUTPUT_NAME vgg19 EXPORT_NAME vgg19 LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/shared)
endif()
