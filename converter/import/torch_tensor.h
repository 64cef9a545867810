// Reads tensors from PyTorch's pickles, in every form that PyTorch has written.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "converter/import/pickle.h"
#include "converter/import/pickle_bytes.h"
#include "converter/import/stored_tensor.h"
#include "converter/import/torch_storage.h"

namespace vgg19::converter {

/// The limit for the elements of all expanded tensors in a file, since a few bytes can describe terabytes. A
/// whole VGG-19 has 143 million elements.
inline constexpr std::size_t most_repeated_elements = std::size_t{1} << 28;

struct TensorReading {
    enum class Outcome : unsigned char {
        no_tensor,
        stored,
        quantized,
        left_out,  ///< of a type that no VGG has, or without data
    };
    Outcome outcome = Outcome::no_tensor;
    StoredTensor tensor{};                 ///< stored: the tensor, without a name
    std::string what{};                    ///< left_out: a description, such as "complex64"
    PickleReference state = no_reference;  ///< its additional attributes
};

class TensorReader {
  public:
    /// Decoded bytes are put into `owned`, which must outlive the tensors.
    TensorReader(const Pickle& pickle, const StorageBytes& storages, OwnedBytes& owned)
        : pickle_(pickle), storages_(storages), bytes_(pickle, owned) {}

    /// Whether the value is a PyTorch tensor (also a parameter or subclass) or a NumPy array, and its
    /// contents. Throws Error (bad_input), with `path` in the message, for a malformed one: a wrong number of
    /// arguments, a storage that is not in the file, elements outside the storage.
    TensorReading read(PickleReference reference, std::string_view path);

  private:
    struct StorageView {
        std::span<const std::byte> bytes;
        const TorchType* type = nullptr;
    };
    struct Call {
        const PickleGlobal* function = nullptr;
        std::span<const PickleReference> arguments;
    };

    Call call_of(const PickleValue& value) const;
    TensorReading read_call(const Call& call, const PickleValue& value, const std::string& tensor);
    TensorReading read_array(const PickleValue& value, const std::string& path);
    TensorReading read_strided(const Call& call, const TorchType* type, const PickleValue& value,
                               const std::string& tensor);
    StorageView storage_of(PickleReference reference, const PickleValue& value, const std::string& tensor);
    StorageView nested_storage(PickleReference reference, const std::string& tensor);
    void expect_arguments(const Call& call, std::size_t least, std::size_t most,
                          const PickleValue& value) const;

    const Pickle& pickle_;
    const StorageBytes& storages_;
    PickleBytes bytes_;
    std::map<const std::byte*, StorageView> nested_;  ///< by where the nested file begins
    std::size_t repeated_elements_ = 0;
};

}  // namespace vgg19::converter
