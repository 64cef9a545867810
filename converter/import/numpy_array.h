// NumPy's arrays in pickles.
#pragma once

#include <optional>
#include <string>

#include "converter/import/pickle.h"
#include "converter/import/pickle_bytes.h"
#include "converter/import/stored_tensor.h"

namespace vgg19::converter {

/// Whether the value is an array.
bool is_numpy_array(const Pickle& pickle, const PickleValue& value);

/// The array as a tensor, without a name. Nothing where its elements are no little-endian numbers of a type
/// in model::DType: `why` then says what they are. Throws Error (bad_input), with `name` in the message, for
/// an array whose bytes do not fit its shape.
std::optional<StoredTensor> read_numpy_array(const Pickle& pickle, const PickleValue& value,
                                             PickleBytes& bytes, const std::string& name, std::string& why);

}  // namespace vgg19::converter
