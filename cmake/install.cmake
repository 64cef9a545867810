# One static library from the boxes below the public interface, and how other projects find it.
include(CMakePackageConfigHelpers)

get_property(isa_objects GLOBAL PROPERTY VGG19_ISA_OBJECTS)
add_library(vgg19 STATIC ${isa_objects} $<TARGET_OBJECTS:vgg19_kernels> $<TARGET_OBJECTS:vgg19_model> $<TARGET_OBJECTS:vgg19_engine>)
add_library(vgg19::vgg19 ALIAS vgg19)
target_compile_features(vgg19 PUBLIC cxx_std_20)
target_include_directories(vgg19 PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set(VGG19_LINKED Threads::Threads)
set(VGG19_PKGCONFIG_LIBRARIES "-lpthread")
if(VGG19_ONEDNN)
  list(APPEND VGG19_LINKED DNNL::dnnl)
  string(PREPEND VGG19_PKGCONFIG_LIBRARIES "-ldnnl ")
endif()
if(VGG19_OPENMP)
  list(APPEND VGG19_LINKED OpenMP::OpenMP_CXX)
  string(APPEND VGG19_PKGCONFIG_LIBRARIES " ${OpenMP_CXX_FLAGS}")
endif()
target_link_libraries(vgg19 PRIVATE ${VGG19_LINKED})
set_target_properties(vgg19 PROPERTIES LINKER_LANGUAGE CXX)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/vgg19-config.cmake.in ${PROJECT_BINARY_DIR}/vgg19-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vgg19)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vgg19-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(${PROJECT_SOURCE_DIR}/cmake/vgg19.pc.in ${PROJECT_BINARY_DIR}/vgg19.pc @ONLY)

install(TARGETS vgg19 EXPORT vgg19-targets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/engine/include/vgg19 DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT vgg19-targets NAMESPACE vgg19:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vgg19)
install(FILES ${PROJECT_BINARY_DIR}/vgg19-config.cmake ${PROJECT_BINARY_DIR}/vgg19-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vgg19)
install(FILES ${PROJECT_BINARY_DIR}/vgg19.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(VGG19_BUILD_TOOLS)
  install(TARGETS vgg19-tool vgg19-bench)
endif()
