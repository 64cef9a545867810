#include "engine/image/stb_allocation.h"

#include <cstring>

namespace vgg19::stb {
namespace {

thread_local std::size_t largest_block = 0;
thread_local bool refused = false;

bool may_have(std::size_t bytes) {
    refused = refused || bytes > largest_block;
    return bytes <= largest_block;
}

}  // namespace

void set_block_limit(std::size_t bytes) {
    largest_block = bytes;
    refused = false;
}

bool wanted_more() {
    return refused;
}

void* allocate(std::size_t bytes) {
    return may_have(bytes) ? std::calloc(1, bytes) : nullptr;
}

void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes) {
    if (!may_have(bytes)) return nullptr;
    void* larger = std::realloc(block, bytes);
    if (larger != nullptr && bytes > old_bytes) {
        std::memset(static_cast<char*>(larger) + old_bytes, 0, bytes - old_bytes);
    }
    return larger;
}

}  // namespace vgg19::stb
