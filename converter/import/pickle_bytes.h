// Byte strings in pickles: plain, or encoded as text by old protocols.
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
    /// `owned` receives decoded bytes, each string once: at most as many bytes as the pickle has.
    PickleBytes(const Pickle& pickle, OwnedBytes& owned) : pickle_(pickle), owned_(owned) {}

    /// For bytes, byte arrays, Python 2 texts, and Latin 1 texts that `_codecs.encode` turns into bytes; none
    /// for other values.
    std::optional<std::span<const std::byte>> bytes_of(PickleReference reference);

  private:
    std::optional<std::span<const std::byte>> decoded(PickleReference text);

    const Pickle& pickle_;
    OwnedBytes& owned_;
    std::map<PickleReference, std::optional<std::span<const std::byte>>> known_;
};

}  // namespace vgg19::converter
