# vgg19_protobuf_box(NAME name PROTO file): compiles a .proto file of this repository into a box; its header is
# included by the file's path, "converter/onnx/onnx.pb.h".
function(vgg19_protobuf_box)
  cmake_parse_arguments(box "" "NAME;PROTO" "" ${ARGN})
  cmake_path(ABSOLUTE_PATH box_PROTO OUTPUT_VARIABLE proto)
  file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${proto})
  string(REGEX REPLACE "\\.proto$" ".pb" stem ${path})
  set(folder ${PROJECT_BINARY_DIR}/protobuf)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${folder}/${stem}.h ${folder}/${stem}.cc
    COMMAND protobuf::protoc --proto_path=${PROJECT_SOURCE_DIR} --cpp_out=${folder} ${path}
    DEPENDS ${proto} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
  vgg19_box(NAME ${box_NAME} SOURCES ${folder}/${stem}.cc ${folder}/${stem}.h USES protobuf::libprotobuf-lite)
  target_include_directories(${box_NAME} SYSTEM PUBLIC ${folder})
  target_compile_options(${box_NAME} PRIVATE -w)  # not our code
endfunction()
