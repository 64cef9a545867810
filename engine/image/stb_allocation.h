// Memory allocation for stb_image.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace vgg19::stb {

/// Limits every allocation of this thread until the next call, and forgets that memory was short.
void set_block_limit(std::size_t bytes);

/// Whether an allocation within the limit has failed since set_block_limit().
bool memory_was_short();

/// Zeroed memory, because a damaged file can make stb_image read tables that it never defined. Null above the
/// limit.
void* allocate(std::size_t bytes);
void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes);

}  // namespace vgg19::stb

#define STBI_MALLOC(bytes) vgg19::stb::allocate(bytes)
#define STBI_REALLOC_SIZED(block, old_bytes, bytes) vgg19::stb::reallocate(block, old_bytes, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_ASSERT(condition) static_cast<void>(0)  // a library must not abort
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STB_IMAGE_STATIC
