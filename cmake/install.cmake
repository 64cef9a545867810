# Installs the library, with package files for other projects: for CMake's find_package and for pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Libraries that programs must link in addition to a static vgg19; a shared one names them itself.
set(VGG19_PKGCONFIG_LIBRARIES "-lpthread")
if(VGG19_ONEDNN)
  string(PREPEND VGG19_PKGCONFIG_LIBRARIES "-ldnnl ")
endif()
if(VGG19_OPENMP)
  string(APPEND VGG19_PKGCONFIG_LIBRARIES " ${OpenMP_CXX_FLAGS}")
endif()
if(VGG19_HAS_JPEG)
  string(PREPEND VGG19_PKGCONFIG_LIBRARIES "-ljpeg ")
endif()
if(VGG19_HAS_WEBP)
  string(PREPEND VGG19_PKGCONFIG_LIBRARIES "-lwebpdemux -lwebp ")
endif()
get_target_property(type vgg19 TYPE)
if(type STREQUAL "SHARED_LIBRARY")
  set(VGG19_PKGCONFIG_LIBRARIES "\nLibs.private: ${VGG19_PKGCONFIG_LIBRARIES}")
elseif(VGG19_ELF)
  string(PREPEND VGG19_PKGCONFIG_LIBRARIES "-Wl,--exclude-libs,libvgg19.a ")
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/vgg19-config.cmake.in ${PROJECT_BINARY_DIR}/vgg19-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vgg19)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vgg19-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(${PROJECT_SOURCE_DIR}/cmake/vgg19.pc.in ${PROJECT_BINARY_DIR}/vgg19.pc @ONLY)

install(TARGETS vgg19 EXPORT vgg19-targets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/engine/include/vgg19 DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT vgg19-targets NAMESPACE vgg19:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vgg19)
install(FILES ${PROJECT_BINARY_DIR}/vgg19-config.cmake ${PROJECT_BINARY_DIR}/vgg19-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vgg19)
install(FILES ${PROJECT_BINARY_DIR}/vgg19.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(VGG19_BUILD_TOOLS)
  install(TARGETS vgg19-tool vgg19-bench)
endif()
