# All dependencies: the system's package if there is one, else a pinned release, verified by its hash. Debian
# 12 has all of them (script/bootstrap installs them); the downloads are for other systems.

# vgg19_fetch(name url sha256 [OPTIONS variable=value …] [arguments of FetchContent_Declare …]): downloads and adds a
# CMake project. The options are variables of that project, and make no cache entries.
function(vgg19_fetch name url sha256)
  cmake_parse_arguments(PARSE_ARGV 3 fetch "" "" "OPTIONS")
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # option() of that project takes a variable that is set
  foreach(option ${fetch_OPTIONS})
    string(REGEX MATCH "^([^=]+)=(.*)$" matched "${option}")
    set(${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
  endforeach()
  message(STATUS "${name} is not on this system: fetching ${url}")
  include(FetchContent)
  FetchContent_Declare(${name} URL ${url} URL_HASH SHA256=${sha256} DOWNLOAD_EXTRACT_TIMESTAMP ON ${fetch_UNPARSED_ARGUMENTS})
  FetchContent_MakeAvailable(${name})
  set(${name}_SOURCE_DIR ${${name}_SOURCE_DIR} PARENT_SCOPE)
endfunction()

# Threads: our own, and OpenMP beside oneDNN.
find_package(Threads REQUIRED)
if(VGG19_OPENMP)
  find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()

# oneDNN: 2.6 or any 3.x.
if(VGG19_ONEDNN)
  find_package(dnnl CONFIG QUIET)
  if(NOT dnnl_FOUND)
    vgg19_fetch(onednn https://github.com/oneapi-src/oneDNN/archive/v3.2.tar.gz
      8b1db9cc5799ae39c2a567eb836962de0346d79fbc3d8e6f7090a3d9f8729129
      OPTIONS DNNL_BUILD_TESTS=OFF DNNL_BUILD_EXAMPLES=OFF)
    add_library(DNNL::dnnl ALIAS dnnl)
  endif()
endif()

# stb_image, which reads pictures, and stb_image_write: one header each.
find_path(VGG19_STB_INCLUDE_DIR stb_image.h HINTS ${STB_INCLUDE_DIR} PATH_SUFFIXES stb)
if(NOT VGG19_STB_INCLUDE_DIR)
  vgg19_fetch(stb https://github.com/nothings/stb/archive/8b5f1f37b5b75829fc72d38e7b5d4bcbf8a26d55.zip
    93a16ee3e866e719feec459f6f132cce932c5ec751eb38e3ec1975f911353d2e)
  set(VGG19_STB_INCLUDE_DIR ${stb_SOURCE_DIR} CACHE PATH "the folder of stb_image.h" FORCE)
endif()

# libjpeg-turbo, libwebp, zlib and libzstd cannot be added as subprojects, so only the system's packages are used.
# VGG19_HAS_… tells which exist.
function(vgg19_optional option library)  # and the targets that it brings
  set(has ${${option}})
  foreach(target ${ARGN})
    if(NOT TARGET ${target})
      set(has OFF)
    endif()
  endforeach()
  if(has)
    set(has ON)
  elseif(${option} STREQUAL AUTO)
    message(STATUS "${library} is not on this system: building without it")
  elseif(${option})
    message(FATAL_ERROR "${option}=${${option}}, but ${library} is not on this system: install its development files, or say -D${option}=OFF")
  endif()
  string(REPLACE VGG19_ VGG19_HAS_ variable ${option})
  set(${variable} ${has} PARENT_SCOPE)
endfunction()

find_package(PkgConfig QUIET)
if(VGG19_JPEG)
  find_package(JPEG QUIET)
endif()
if(VGG19_WEBP AND PkgConfig_FOUND)
  pkg_check_modules(VGG19_LIBWEBP QUIET IMPORTED_TARGET libwebpdemux libwebp)
endif()
if(VGG19_ZLIB)
  find_package(ZLIB QUIET)
endif()
if(VGG19_ZSTD AND PkgConfig_FOUND)
  pkg_check_modules(VGG19_LIBZSTD QUIET IMPORTED_TARGET libzstd>=1.4)
endif()
vgg19_optional(VGG19_JPEG libjpeg-turbo JPEG::JPEG)
vgg19_optional(VGG19_ZLIB zlib ZLIB::ZLIB)
vgg19_optional(VGG19_WEBP libwebp PkgConfig::VGG19_LIBWEBP)
vgg19_optional(VGG19_ZSTD libzstd PkgConfig::VGG19_LIBZSTD)

if(VGG19_BUILD_TOOLS OR VGG19_BUILD_TESTS)
  # Eigen: headers, for the converter's linear algebra.
  find_package(Eigen3 3.4 CONFIG QUIET)
  if(NOT TARGET Eigen3::Eigen)
    vgg19_fetch(eigen https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
      8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72
      OPTIONS EIGEN_BUILD_DOC=OFF EIGEN_BUILD_TESTING=OFF BUILD_TESTING=OFF)
  endif()

  find_package(cxxopts CONFIG QUIET)
  if(NOT cxxopts_FOUND)
    vgg19_fetch(cxxopts https://github.com/jarro2783/cxxopts/archive/refs/tags/v3.1.1.tar.gz
      523175f792eb0ff04f9e653c90746c12655f10cb70f1d5e6d6d9491420298a08)
  endif()

  # protobuf: its small runtime and its compiler.
  if(VGG19_PROTOBUF)
    find_package(Protobuf 3.12 QUIET)
  endif()
  vgg19_optional(VGG19_PROTOBUF protobuf protobuf::libprotobuf-lite protobuf::protoc)

  # The HDF5 library, with its high-level functions, which have no entry of their own in pkg-config. It is loaded when
  # it is needed, by its SONAME: nothing links it.
  if(VGG19_HDF5 AND PkgConfig_FOUND AND CMAKE_READELF)
    pkg_search_module(VGG19_LIBHDF5 QUIET hdf5 hdf5-serial)
    find_library(VGG19_LIBHDF5_HL hdf5_hl HINTS ${VGG19_LIBHDF5_LIBRARY_DIRS} ${VGG19_LIBHDF5_LIBDIR})
    if(VGG19_LIBHDF5_FOUND AND VGG19_LIBHDF5_HL)
      execute_process(COMMAND ${CMAKE_READELF} -d ${VGG19_LIBHDF5_HL} OUTPUT_VARIABLE dynamic_section ERROR_QUIET)
      if(dynamic_section MATCHES "SONAME[^[]*\\[([^]]+)\\]")
        add_library(vgg19_hdf5_library INTERFACE)
        target_include_directories(vgg19_hdf5_library SYSTEM INTERFACE ${VGG19_LIBHDF5_INCLUDE_DIRS})
        target_compile_definitions(vgg19_hdf5_library INTERFACE H5_USE_110_API VGG19_HDF5_FILE="${CMAKE_MATCH_1}")
        target_link_libraries(vgg19_hdf5_library INTERFACE ${CMAKE_DL_LIBS})
      endif()
    endif()
  endif()
  vgg19_optional(VGG19_HDF5 "the HDF5 library" vgg19_hdf5_library)

  # Boost.Asio and Boost.Beast: headers, for the server.
  find_package(Boost 1.81 QUIET)
  if(NOT Boost_FOUND)
    # The SOURCE_SUBDIR does not exist, so that nothing is built or installed.
    vgg19_fetch(boost https://archives.boost.io/release/1.81.0/source/boost_1_81_0.tar.bz2
      71feeed900fbccca04a3b4f2f84a7c217186f28a940ed8b7ed4725986baf99fa SOURCE_SUBDIR headers-alone)
    set(Boost_INCLUDE_DIRS ${boost_SOURCE_DIR})
  endif()
  add_library(vgg19_boost INTERFACE)
  target_include_directories(vgg19_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
  # Asio's functions are compiled in one unit of ours, and one thread runs its handlers, which need no fences (the
  # thread sanitizer does not know those).
  target_compile_definitions(vgg19_boost INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
    BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

if(VGG19_BUILD_TESTS)
  find_package(doctest CONFIG QUIET)
  if(NOT doctest_FOUND)
    vgg19_fetch(doctest https://github.com/doctest/doctest/archive/refs/tags/v2.4.9.tar.gz
      19b2df757f2f3703a5e63cee553d85596875f06d91a3333acd80a969ef210856)
  endif()
endif()

if(VGG19_BUILD_KERNEL_BENCH)
  find_package(benchmark CONFIG QUIET)
  if(NOT benchmark_FOUND)
    vgg19_fetch(benchmark https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
      6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7
      OPTIONS BENCHMARK_ENABLE_TESTING=OFF)
  endif()
endif()
