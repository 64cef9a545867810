# Debian packages, which script/package makes: the shared library, what others need to build with it, and the tools.
# `cmake --install` installs none of this: it has rules of its own (cmake/install.cmake).
set(VGG19_PACKAGE_MAINTAINER "vgg19.cpp authors <vgg19@example.org>" CACHE STRING "the maintainer that Debian packages name")
set(VGG19_PACKAGE_VERSION ${PROJECT_VERSION}-1)
set(library_package libvgg19-${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})  # named after the soname, so that others can stand beside it

# Files in folders that do not depend on CMAKE_INSTALL_PREFIX, as Debian has them.
function(vgg19_package_rules)
  set(CMAKE_INSTALL_PREFIX /usr)
  set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE})
  set(folder ${PROJECT_BINARY_DIR}/packages)
  set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/vgg19)
  set(development COMPONENT package_development EXCLUDE_FROM_ALL)

  # Who links the shared library needs nothing that it links.
  set(VGG19_STATIC OFF)
  set(VGG19_FIND_ONEDNN OFF)
  set(VGG19_PKGCONFIG_LIBRARIES "")
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/vgg19-config.cmake.in ${folder}/vgg19-config.cmake INSTALL_DESTINATION ${cmake_folder})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/vgg19.pc.in ${folder}/vgg19.pc @ONLY)

  install(TARGETS vgg19-shared EXPORT vgg19-package-targets INCLUDES DESTINATION include
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT package_library NAMELINK_COMPONENT package_development EXCLUDE_FROM_ALL)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/engine/include/vgg19 DESTINATION include ${development})
  install(EXPORT vgg19-package-targets FILE vgg19-targets.cmake NAMESPACE vgg19:: DESTINATION ${cmake_folder} ${development})
  install(FILES ${folder}/vgg19-config.cmake ${PROJECT_BINARY_DIR}/vgg19-config-version.cmake DESTINATION ${cmake_folder} ${development})
  install(FILES ${folder}/vgg19.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${development})
  file(GLOB examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c ${PROJECT_SOURCE_DIR}/examples/*.cc)
  install(FILES ${examples} ${PROJECT_SOURCE_DIR}/examples/CMakeLists.txt ${PROJECT_SOURCE_DIR}/examples/README.md
    DESTINATION share/doc/libvgg19-dev/examples ${development})
  install(TARGETS vgg19-tool vgg19-bench RUNTIME DESTINATION bin COMPONENT package_tools EXCLUDE_FROM_ALL)
  install(DIRECTORY ${folder}/manual/ DESTINATION share/man/man1 COMPONENT package_tools EXCLUDE_FROM_ALL OPTIONAL)  # script/package makes them
endfunction()

# vgg19_package(COMPONENT name NAME package SECTION section SUMMARY line DESCRIPTION text)
function(vgg19_package)
  cmake_parse_arguments(package "" "COMPONENT;NAME;SECTION;SUMMARY;DESCRIPTION" "" ${ARGN})
  string(TIMESTAMP VGG19_PACKAGE_TIME "%a, %d %b %Y %H:%M:%S +0000" UTC)
  set(folder ${PROJECT_BINARY_DIR}/packages/${package_NAME})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/packages/changelog.in ${folder}/changelog.Debian)
  execute_process(COMMAND gzip --best --no-name --force ${folder}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${folder}/changelog.Debian.gz ${PROJECT_SOURCE_DIR}/cmake/packages/copyright DESTINATION share/doc/${package_NAME}
    COMPONENT ${package_COMPONENT} EXCLUDE_FROM_ALL)
  string(TOUPPER ${package_COMPONENT} variable)
  set(CPACK_DEBIAN_${variable}_PACKAGE_NAME ${package_NAME} PARENT_SCOPE)
  set(CPACK_DEBIAN_${variable}_PACKAGE_SECTION ${package_SECTION} PARENT_SCOPE)
  set(CPACK_DEBIAN_${variable}_DESCRIPTION "${package_SUMMARY}\n${package_DESCRIPTION}" PARENT_SCOPE)
endfunction()

vgg19_package_rules()
set(network "The engine runs VGG-19 on CPUs: it classifies pictures, gives the\nfeatures of any layer and their gradients, in FP32 and INT8.")
vgg19_package(COMPONENT package_library NAME ${library_package} SECTION libs SUMMARY "VGG-19 engine for CPUs, shared library"
  DESCRIPTION "${network}\n.\nThis package has the library that programs are linked with.")
vgg19_package(COMPONENT package_development NAME libvgg19-dev SECTION libdevel SUMMARY "VGG-19 engine for CPUs, development files"
  DESCRIPTION "${network}\n.\nThis package has the headers for C and C++, and files for CMake's\nfind_package and for pkg-config.")
vgg19_package(COMPONENT package_tools NAME vgg19-tools SECTION graphics SUMMARY "VGG-19 engine for CPUs, command-line tools"
  DESCRIPTION "${network}\n.\nThis package has the command vgg19, which also imports weights, prunes,\nquantises and trains models and serves them, and vgg19-bench.")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vgg19)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_CONTACT ${VGG19_PACKAGE_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL package_library package_development package_tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/cmake/packages/triggers)
set(CPACK_DEBIAN_PACKAGE_DEVELOPMENT_PACKAGE_DEPENDS "${library_package} (= ${VGG19_PACKAGE_VERSION})")
set(CPACK_DEBIAN_PACKAGE_TOOLS_PACKAGE_RECOMMENDS "libhdf5-hl-100")  # which `convert` loads for Keras's files
set(CPACK_DEBIAN_PACKAGE_TOOLS_PACKAGE_SUGGESTS "curl")
include(CPack)
