# vgg19_sources(SOURCES variable TESTS variable FOLDERS … [EXCLUDE regular expressions …]): the .cc files in
# folders and their subfolders, so that new files need no entry in a list. Files named …_test.cc are tests,
# the others sources; folders named `testdata` are skipped. EXCLUDE is matched against paths relative to the
# current folder.
function(vgg19_sources)
  cmake_parse_arguments(glob "" "SOURCES;TESTS" "FOLDERS;EXCLUDE" ${ARGN})
  list(TRANSFORM glob_FOLDERS APPEND "/*.cc" OUTPUT_VARIABLE patterns)
  file(GLOB_RECURSE files RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ${patterns})
  foreach(pattern "(^|/)testdata/" ${glob_EXCLUDE})
    list(FILTER files EXCLUDE REGEX "${pattern}")
  endforeach()
  set(tests ${files})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER files EXCLUDE REGEX "_test\\.cc$")
  set(${glob_SOURCES} ${files} PARENT_SCOPE)
  set(${glob_TESTS} ${tests} PARENT_SCOPE)
endfunction()
