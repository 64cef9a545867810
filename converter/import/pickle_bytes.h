// Bytes as pickles hold them: plain, or as a text that old protocols made of them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>

#include "converter/import/pickle.h"
#include "converter/import/stored_tensor.h"

namespace vgg19::converter {

class PickleBytes {
  public:
    /// `owned` gets what had to be decoded, each once: at most as many bytes as the pickle has.
    PickleBytes(const Pickle& pickle, OwnedBytes& owned) : pickle_(pickle), owned_(owned) {}

    /// Of bytes, byte arrays, texts of Python 2, and texts in Latin 1 that `_codecs.encode` makes bytes of;
    /// nothing for what is none of them.
    std::optional<std::span<const std::byte>> bytes_of(PickleReference reference);

  private:
    std::optional<std::span<const std::byte>> decoded(PickleReference text);

    const Pickle& pickle_;
    OwnedBytes& owned_;
    std::map<PickleReference, std::optional<std::span<const std::byte>>> known_;
};

}  // namespace vgg19::converter
