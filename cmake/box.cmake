# Each box of the design is one target, so that code with an upward dependency does not link.

set(VGG19_COMPILE_OPTIONS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wmissing-declarations
  -Wno-missing-field-initializers -fvisibility=hidden
  -ffp-contract=off)  # fuse multiplication and addition only where the source does so explicitly
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in `"text" + std::string` (its bug 105651), depending on what it inlines.
  list(APPEND VGG19_COMPILE_OPTIONS -Wno-restrict)
endif()
if(VGG19_WARNINGS_AS_ERRORS)
  list(APPEND VGG19_COMPILE_OPTIONS -Werror)
endif()

function(vgg19_target_settings target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${VGG19_COMPILE_OPTIONS}>")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  if(VGG19_SANITIZE)
    # GCC's flow analysis reports false uninitialised reads in sanitizer builds, for example in std::regex.
    target_compile_options(${target} PRIVATE -fsanitize=${VGG19_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
      -Wno-maybe-uninitialized)
    target_link_options(${target} PUBLIC -fsanitize=${VGG19_SANITIZE})
  endif()
endfunction()

# vgg19_box(NAME name SOURCES ... USES boxes and libraries ...)
function(vgg19_box)
  cmake_parse_arguments(box "" "NAME" "SOURCES;USES" ${ARGN})
  add_library(${box_NAME} STATIC ${box_SOURCES})
  target_link_libraries(${box_NAME} PUBLIC ${box_USES})
  vgg19_target_settings(${box_NAME})
endfunction()

# vgg19_executable(NAME name SOURCES ... USES boxes and libraries ...)
function(vgg19_executable)
  cmake_parse_arguments(executable "" "NAME" "SOURCES;USES" ${ARGN})
  add_executable(${executable_NAME} ${executable_SOURCES})
  target_link_libraries(${executable_NAME} PRIVATE ${executable_USES})
  vgg19_target_settings(${executable_NAME})
endfunction()

# vgg19_test(NAME name SOURCES ... USES ...): one doctest binary per box, one CTest entry per source, named
# after its path.
function(vgg19_test)
  cmake_parse_arguments(test "" "NAME" "SOURCES;USES" ${ARGN})
  if(NOT VGG19_BUILD_TESTS)
    return()
  endif()
  if(NOT TARGET vgg19_test_main)  # doctest itself takes longer to compile than most tests, so compile it once
    vgg19_box(NAME vgg19_test_main SOURCES ${PROJECT_SOURCE_DIR}/tests/main.cc USES doctest::doctest)
  endif()
  vgg19_executable(NAME ${test_NAME} SOURCES ${test_SOURCES} USES ${test_USES} vgg19_test_main)
  target_compile_definitions(${test_NAME} PRIVATE VGG19_HAS_ONEDNN=$<BOOL:${VGG19_ONEDNN}>)
  foreach(source ${test_SOURCES})
    get_filename_component(path ${source} ABSOLUTE)
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${path})
    add_test(NAME ${path} COMMAND ${test_NAME} --source-file=*${path} --no-skipped-summary)
    set_tests_properties(${path} PROPERTIES ENVIRONMENT "${VGG19_TEST_ENVIRONMENT}" FAIL_REGULAR_EXPRESSION "test cases: +0 ")
  endforeach()
endfunction()

# Tests run in parallel on the same cores: threads that spin while waiting would slow down the others.
set(VGG19_TEST_ENVIRONMENT "OMP_WAIT_POLICY=passive")
# libgomp does not support the thread sanitizer, so oneDNN runs on one thread there; our own thread pool is
# tested.
if(VGG19_SANITIZE MATCHES thread)
  list(APPEND VGG19_TEST_ENVIRONMENT "OMP_NUM_THREADS=1")
endif()
