// How stb_image allocates: for the sources that include it.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace vgg19::stb {

/// No block above this is given in this thread until the next call: the data that a PNG unpacks to may be a
/// thousand times the file, whatever size its header names.
void set_block_limit(std::size_t bytes);

/// Whether a block was refused since.
bool wanted_more();

/// Zeros: stb_image reads tables that a damaged file uses and does not define, and would decode with, walk
/// through, or show in the picture what was in the memory before. Null above the limit.
void* allocate(std::size_t bytes);
void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes);

}  // namespace vgg19::stb

#define STBI_MALLOC(bytes) vgg19::stb::allocate(bytes)
#define STBI_REALLOC_SIZED(block, old_bytes, bytes) vgg19::stb::reallocate(block, old_bytes, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_ASSERT(condition) static_cast<void>(0)  // a library does not abort
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STB_IMAGE_STATIC
