// Without libzstd.
#include <string>

#include "engine/model/packed_file.h"
#include "vgg19/error.h"

namespace vgg19::model {

class Packer::State {};

// NOLINTNEXTLINE(performance-unnecessary-value-param): builds with libzstd keep it
std::unique_ptr<const PageSource> unpacking(std::shared_ptr<const MappedFile> packed) {
    throw Error(ErrorKind::bad_input, packed->path().string() + ": a Zstandard file; " +
                                          std::string(needs_zstd) + "; or unpack it with `zstd -d`");
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the same
Packer::Packer(Sink /*sink*/) {
    throw Error(ErrorKind::usage, "--pack: " + std::string(needs_zstd));
}
Packer::~Packer() = default;

void Packer::write(std::span<const std::byte> /*bytes*/) {}
void Packer::finish() {}

}  // namespace vgg19::model
