// An HDF5 file's arrays, read by the HDF5 library in a process of its own.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/stored_tensor.h"

namespace vgg19::converter {

struct Hdf5File {
    /// Arrays of little-endian floating numbers; the names are paths, "model_weights/fc1/fc1/kernel:0". The
    /// bytes are in the file or, if it stores them in pieces or compressed, decoded.
    std::vector<StoredTensor> tensors;
    /// Texts: the group's path, "" for the root, and the attribute's name.
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> attributes;
    /// Other arrays, by path, with the reason why they were not read.
    std::vector<std::string> unread;
};

/// Reads the arrays, and the attributes with these names. The library is known to crash on damaged files: it
/// runs in a child process, with limits on time and memory, and what it finds is checked. Links to other
/// files are not followed. `name` is the file's, for messages. Throws Error: bad_input for what is no HDF5
/// file, is damaged, or has too many objects; failed if the system refuses the process.
Hdf5File read_hdf5(std::span<const std::byte> file, const std::string& name,
                   const std::vector<std::string>& attributes, OwnedBytes& owned);

}  // namespace vgg19::converter
