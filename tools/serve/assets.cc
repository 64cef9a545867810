#include "tools/serve/assets.h"

#include <cstddef>
#include <vector>

#include "engine/model/sha256.h"

namespace vgg19::embedded {

#define ASSET(path, type, symbol, file)   \
    extern const unsigned char(symbol)[]; \
    extern const std::size_t symbol##_size;
#include "tools/serve/assets.inc"
#undef ASSET

}  // namespace vgg19::embedded

namespace vgg19::server {

namespace {

Asset asset(const char* path, const char* type, const unsigned char* bytes, std::size_t size) {
    const std::span<const std::byte> content = std::as_bytes(std::span(bytes, size));
    return {.path = path,
            .type = type,
            .bytes = {reinterpret_cast<const char*>(bytes), size},
            .etag = '"' + model::sha256_hex(content).substr(0, 16) + '"'};
}

}  // namespace

std::span<const Asset> assets() {
    static const std::vector<Asset> all = {
#define ASSET(path, type, symbol, file) asset(path, type, embedded::symbol, embedded::symbol##_size),
#include "tools/serve/assets.inc"
#undef ASSET
    };
    return all;
}

}  // namespace vgg19::server
