// Reads NumPy arrays from pickles.
#pragma once

#include <optional>
#include <string>

#include "converter/import/pickle.h"
#include "converter/import/pickle_bytes.h"
#include "converter/import/stored_tensor.h"

namespace vgg19::converter {

/// Whether the value is an array.
bool is_numpy_array(const Pickle& pickle, const PickleValue& value);

/// The array as an unnamed tensor. None if its elements are not little-endian numbers of a type in
/// model::DType; `why` then describes them. Throws Error (bad_input), with `name` in the message, if the
/// array's bytes do not fit its shape.
std::optional<StoredTensor> read_numpy_array(const Pickle& pickle, const PickleValue& value,
                                             PickleBytes& bytes, const std::string& name, std::string& why);

}  // namespace vgg19::converter
