// Mutates safetensors files: the header's text, whose length is then right, and the bytes behind it.
#pragma once

#include <random>
#include <string>

#include "tests/fuzz/reader_fuzzing.h"

namespace vgg19::fuzzing {

inline std::size_t mutate_safetensors(std::uint8_t* data, std::size_t size, std::size_t longest,
                                      unsigned seed) {
    constexpr std::size_t field = 8;
    std::size_t length = 0;
    for (std::size_t i = std::min(field, size); i-- > 0;) length = length << 8U | data[i];
    if (size < field || length > size - field || seed % 8 == 0) return LLVMFuzzerMutate(data, size, longest);
    std::string header(reinterpret_cast<const char*>(data) + field, length);
    std::string content(reinterpret_cast<const char*>(data) + field + length, size - field - length);
    mutate_part(seed % 8 == 1 ? content : header);
    std::string file;
    for (unsigned shift = 0; shift < 64; shift += 8) file += static_cast<char>(header.size() >> shift);
    file += header + content;
    const std::size_t result = std::min(file.size(), longest);
    std::copy_n(file.begin(), result, data);
    return result;
}

}  // namespace vgg19::fuzzing
