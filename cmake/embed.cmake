# vgg19_embed(OUT variable SYMBOL name FILE file): generates a source that defines the bytes of the file as
#   extern const unsigned char name[]; extern const std::size_t name_size;
# in namespace vgg19::embedded.
function(vgg19_embed)
  cmake_parse_arguments(embed "" "OUT;SYMBOL;FILE" "" ${ARGN})
  get_filename_component(file ${embed_FILE} ABSOLUTE)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${embed_SYMBOL}.cc)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D SYMBOL=${embed_SYMBOL} -D FILE=${file} -D OUTPUT=${output}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake VERBATIM)
  set(${embed_OUT} ${output} PARENT_SCOPE)
endfunction()
