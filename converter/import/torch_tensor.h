// What PyTorch's pickles call tensors, in all the ways that it ever wrote them.
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

/// How many elements the tensors of one file that repeat their storage's may have together: a few bytes can
/// say terabytes there. A whole VGG-19 has 143 million.
inline constexpr std::size_t most_repeated_elements = std::size_t{1} << 28;

struct TensorReading {
    enum class Outcome : unsigned char {
        no_tensor,
        stored,
        quantized,
        left_out,  ///< of a type that no VGG is made of, or without data
    };
    Outcome outcome = Outcome::no_tensor;
    StoredTensor tensor{};                 ///< stored; without a name
    std::string what{};                    ///< left_out: what it is, such as "complex64"
    PickleReference state = no_reference;  ///< the attributes that it has beside
};

class TensorReader {
  public:
    /// What had to be decoded is put into `owned`, which must live as long as the tensors.
    TensorReader(const Pickle& pickle, const StorageBytes& storages, OwnedBytes& owned)
        : pickle_(pickle), storages_(storages), bytes_(pickle, owned) {}

    /// Whether the value is a tensor of PyTorch (a parameter, a subclass) or an array of NumPy, and which.
    /// Throws Error (bad_input), with `path` in the message, for one that is malformed: another number of
    /// arguments, a storage that is not in the file, elements outside of their storage.
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
    std::map<PickleReference, StorageView> nested_;
    std::size_t repeated_elements_ = 0;
};

}  // namespace vgg19::converter
