#include "engine/image/stb_allocation.h"

#include <cstring>

namespace vgg19::stb {
namespace {

thread_local std::size_t largest_block = 0;
thread_local bool was_short = false;

}  // namespace

void set_block_limit(std::size_t bytes) {
    largest_block = bytes;
    was_short = false;
}

bool memory_was_short() {
    return was_short;
}

void* allocate(std::size_t bytes) {
    if (bytes > largest_block) return nullptr;
    void* block = std::calloc(1, bytes);
    was_short = was_short || block == nullptr;
    return block;
}

void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes) {
    if (bytes > largest_block) return nullptr;
    void* larger = std::realloc(block, bytes);
    was_short = was_short || larger == nullptr;
    if (larger != nullptr && bytes > old_bytes) {
        std::memset(static_cast<char*>(larger) + old_bytes, 0, bytes - old_bytes);
    }
    return larger;
}

}  // namespace vgg19::stb
